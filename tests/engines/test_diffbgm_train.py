"""Training: the same whether it was interrupted or not, the loss that is meant, and less of it as it goes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.diffbgm.conditions import FIELDS, SWITCH, UNTOLD  # noqa: E402
from engines.diffbgm.config import OURS, PAPER  # noqa: E402
from engines.diffbgm.data import Windows  # noqa: E402
from engines.diffbgm.network import DiffBGM  # noqa: E402
from engines.diffbgm.train import (  # noqa: E402
    PAPER_SETTINGS,
    Batch,
    Run,
    TrainSettings,
    batch_at,
    load_checkpoint,
    load_corpora,
    losses,
    rate_at,
    train,
    train_step,
    validate,
)
from engines.errors import ModelError  # noqa: E402
from engines.training import train_engine  # noqa: E402

TINY = replace(OURS, width=16, groups=4, heads=2, local=2)
QUICK = TrainSettings(steps=3, batch=1, warmup=2, validate_every=2, save_every_s=0.0, seed=4)


@pytest.fixture(scope="module")
def pop(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pop")
    for name in ("001", "005"):
        (folder / name).symlink_to(shared / "data" / "pop909" / name)
    return folder


@pytest.fixture(scope="module")
def windows(pop: Path) -> Windows:
    return Windows(load_corpora(pop)[0], OURS.roll)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(validate, "__defaults__", (2,))


def weights(path: Path) -> dict[str, torch.Tensor]:
    state = load_checkpoint(path)
    return {f"{part}.{k}": v for part in ("network", "average") for k, v in state[part].items()}  # type: ignore[attr-defined]


def test_an_interrupted_run_ends_bit_for_bit_like_an_uninterrupted_one(pop: Path, tmp_path: Path) -> None:
    train(pop, tmp_path / "whole", TINY, QUICK)
    steps = iter(range(100))
    train(pop, tmp_path / "parts", TINY, QUICK, cancelled=lambda: next(steps) >= 1)
    assert load_checkpoint(tmp_path / "parts" / "last.pt")["step"] == 1
    train(pop, tmp_path / "parts", TINY, QUICK, hours=1e-9)  # no time: nothing is lost, nothing is done
    assert load_checkpoint(tmp_path / "parts" / "last.pt")["step"] == 1
    train(pop, tmp_path / "parts", TINY, QUICK)
    a, b = weights(tmp_path / "whole" / "last.pt"), weights(tmp_path / "parts" / "last.pt")
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    first = DiffBGM(TINY).state_dict()
    assert any(not torch.equal(a[f"network.{name}"], first[name]) for name in first)


def test_the_log_and_the_best_checkpoint(pop: Path, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    best = train(pop, tmp_path, TINY, QUICK, report=rows.append)
    assert best == tmp_path / "best.pt"
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert logged == rows
    assert [row["step"] for row in logged] == [2, 3]
    found = [row["validation"]["loss"] for row in logged]
    assert load_checkpoint(best)["best"] == pytest.approx(min(found), abs=1e-4)
    assert logged[-1]["validation"].keys() <= {"loss", "fine", "middle", "coarse"}
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(ModelError, match="a run of another size; train into another folder"):
        train(pop, tmp_path, replace(TINY, width=32), QUICK)


def test_it_learns(windows: Windows) -> None:
    settings = TrainSettings(steps=60, batch=4, rate=3e-3, warmup=2)
    run = Run.new(TINY, settings)
    found = [train_step(run, batch_at(windows, step, settings, TINY), settings) for step in range(30)]
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
    config = replace(PAPER, width=8, groups=4, heads=2, condition=24, caption=12, multipliers=(1, 1), attention=(1,), blocks=1)
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


def test_the_rate_rises_stays_and_falls() -> None:
    s = TrainSettings(steps=1000, warmup=100, cooldown=0.3, rate=1.0)
    assert [round(rate_at(k, s), 3) for k in (0, 49, 99, 500, 700, 850, 999)] == [0.01, 0.5, 1.0, 1.0, 1.0, 0.5, 0.003]


def test_the_verb_trains_it(pop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.diffbgm.config.OURS", TINY)
    train_engine("diffbgm", pop, tmp_path, 1, 0.0, "ours", lambda row: None)
    assert load_checkpoint(tmp_path / "last.pt")["step"] == 0


def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "noise.pt").write_bytes(b"noise")
    torch.save({"config": {}, "network": {}, "average": {}, "step": 3}, tmp_path / "other.pt")
    for name in ("noise.pt", "other.pt", "none.pt"):
        with pytest.raises(ModelError, match="not a checkpoint of this trainer") as caught:
            load_checkpoint(tmp_path / name)
        assert "\n" not in str(caught.value)
