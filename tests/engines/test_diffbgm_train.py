"""What Diff-BGM learns: the noise, or the chance of every cell, of windows told all, something or nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.diffbgm.conditions import FIELDS, SWITCH, UNTOLD  # noqa: E402
from engines.diffbgm.config import OURS, PAPER  # noqa: E402
from engines.diffbgm.data import Windows, build_corpus  # noqa: E402
from engines.diffbgm.network import DiffBGM  # noqa: E402
from engines.diffbgm.train import PAPER_SETTINGS, Batch, Rolls, TrainSettings, batch_at, losses, validate  # noqa: E402
from engines.training.train import Run, rate_at, train_step  # noqa: E402

TINY = replace(OURS, width=16, groups=4, heads=2, local=2)
QUICK = TrainSettings(steps=3, batch=1, warmup=2, validate_every=2, save_every_s=0.0, seed=4)


@pytest.fixture(scope="module")
def windows(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Windows:
    folder = tmp_path_factory.mktemp("pop")
    (folder / "001").symlink_to(shared / "data" / "pop909" / "001")
    return Windows(build_corpus(folder, False), OURS.roll)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(validate, "__defaults__", (2,))


def test_it_learns(windows: Windows) -> None:
    settings = TrainSettings(steps=60, batch=4, rate=3e-3, warmup=2)
    run = Run.new(Rolls.of(windows.corpus, windows.corpus, TINY, settings), settings)
    found = [train_step(run, settings) for _ in range(30)]
    assert np.mean(found[-5:]) < 0.8 * np.mean(found[:3])


def test_a_batch_is_a_matter_of_its_step_alone(windows: Windows) -> None:
    a, b, c = (batch_at(windows, step, QUICK, TINY) for step in (7, 7, 8))
    for name in Batch.__dataclass_fields__:
        assert torch.equal(getattr(a, name), getattr(b, name))
    assert not torch.equal(a.clean, c.clean)
    assert set(np.unique(a.clean[:, :6])) == {-1.0, 1.0}


def test_the_second_source_is_heard_below_the_switch(windows: Windows) -> None:
    settings = replace(QUICK, batch=64, drop=0.0, drop_all=0.0)
    batch = batch_at(Windows(windows.corpus, OURS.roll, 0.0, 0.0), 3, settings, TINY)
    below = batch.times <= SWITCH
    assert 0 < int(below.sum()) < 64
    tempo = batch.tokens[:, 0, FIELDS["tempo"]][:, 0]
    assert (tempo[below] == UNTOLD).all()
    assert (tempo[~below] != UNTOLD).all()


def test_the_loss_is_of_what_is_predicted(windows: Windows) -> None:
    torch.manual_seed(0)
    batch = batch_at(windows, 1, QUICK, TINY)
    network = DiffBGM(TINY).eval()
    with torch.no_grad():
        chance = (network(network.noised(batch.clean, batch.times, batch.noise), batch.times, batch.tokens) + 1) / 2
        wanted = ((batch.clean + 1) / 2).double()
        chance = chance.double().clamp(1e-9, 1 - 1e-9)
        nats = -(wanted * chance.log() + (1 - wanted) * (1 - chance).log()).sum((1, 2, 3)) / 128
        assert losses(network, batch).tolist() == pytest.approx(nats.tolist(), rel=1e-2)


def test_the_published_network_learns_the_noise_without_conditions(windows: Windows) -> None:
    config = replace(PAPER, width=8, groups=4, heads=2, condition=24, caption=12, multipliers=(1, 1, 1), attention=(2,), blocks=1)
    batch = batch_at(Windows(windows.corpus, config.roll), 1, replace(QUICK, batch=1), config)
    assert set(np.unique(batch.clean)) == {0.0, 1.0}
    assert (batch.tokens == UNTOLD).all()
    assert batch.tokens.shape == (1, 32, 24)
    network = DiffBGM(config)
    found = losses(network, batch)
    with torch.no_grad():
        x = network.noised(batch.clean, batch.times, batch.noise)
        assert float(found) == pytest.approx(float(((network(x, batch.times, batch.tokens) - batch.noise) ** 2).mean()), rel=1e-5)
    assert rate_at(0, PAPER_SETTINGS) == rate_at(100_000, PAPER_SETTINGS) == 5e-5


def test_validation_does_not_change(windows: Windows) -> None:
    torch.manual_seed(0)
    network = DiffBGM(TINY)
    a, b = validate(network, windows), validate(network, windows)
    assert a == b
    assert min(a.values()) <= a["loss"] <= max(a.values())
