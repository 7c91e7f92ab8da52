"""Training: the same whether it was interrupted or not, the loss that is meant, and less of it as it goes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.bmt.data import Windows  # noqa: E402
from engines.bmt.network import BMTConfig, BMTransformer  # noqa: E402
from engines.bmt.train import (  # noqa: E402
    Run,
    TrainSettings,
    batch_at,
    load_checkpoint,
    load_corpora,
    rate_at,
    train,
    train_step,
    validate,
    word_losses,
)
from engines.errors import ModelError, OutputError  # noqa: E402
from engines.training import train_engine  # noqa: E402

TINY = BMTConfig("ours", 32, 1, 2, 48, 2048, 0.1, carry=True)
QUICK = TrainSettings(steps=6, words=640, warmup=2, validate_every=3, save_every_s=0.0, seed=4)


@pytest.fixture(scope="module")
def pop(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pop")
    for name in ("001", "002", "005"):
        (folder / name).symlink_to(shared / "data" / "pop909" / name)
    return folder


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def weights(path: Path) -> dict[str, torch.Tensor]:
    state = load_checkpoint(path)
    return {f"{part}.{k}": v for part in ("network", "average") for k, v in state[part].items()}  # type: ignore[attr-defined]


def test_an_interrupted_run_ends_bit_for_bit_like_an_uninterrupted_one(pop: Path, tmp_path: Path) -> None:
    train(pop, tmp_path / "whole", TINY, QUICK)
    steps = iter(range(100))
    train(pop, tmp_path / "parts", TINY, QUICK, cancelled=lambda: next(steps) >= 2)
    assert load_checkpoint(tmp_path / "parts" / "last.pt")["step"] == 2
    train(pop, tmp_path / "parts", TINY, QUICK, hours=1e-9)  # no time: nothing is lost, nothing is done
    assert load_checkpoint(tmp_path / "parts" / "last.pt")["step"] == 2
    train(pop, tmp_path / "parts", TINY, QUICK)
    a, b = weights(tmp_path / "whole" / "last.pt"), weights(tmp_path / "parts" / "last.pt")
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    first = BMTransformer(TINY).state_dict()
    assert any(not torch.equal(a[f"network.{name}"], first[name]) for name in first)


def test_the_log_and_the_best_checkpoint(pop: Path, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    best = train(pop, tmp_path, TINY, QUICK, report=rows.append)
    assert best == tmp_path / "best.pt"
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert logged == rows
    assert [row["step"] for row in logged] == [3, 6]
    words = [row["validation"]["word"] for row in logged]
    assert load_checkpoint(best)["best"] == pytest.approx(min(words), abs=1e-4)
    assert {"note", "pitch", "duration", "velocity", "type", "chord"} <= logged[-1]["validation"].keys()
    assert not list(tmp_path.glob("*.part"))


def test_it_learns(pop: Path) -> None:
    corpus, _ = load_corpora(pop)
    windows = Windows(corpus)
    settings = TrainSettings(steps=40, words=640, rate=3e-3, warmup=2)
    run = Run.new(TINY, settings)
    losses = [train_step(run, *batch_at(windows, step, settings), settings) for step in range(40)]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:2])


def test_a_batch_is_a_matter_of_its_step_alone(pop: Path) -> None:
    windows = Windows(load_corpora(pop)[0])
    a, b = batch_at(windows, 7, QUICK), batch_at(windows, 7, QUICK)
    assert torch.equal(a[0], b[0])
    assert torch.equal(a[1], b[1])
    c = batch_at(windows, 8, QUICK)
    assert c[1].shape != a[1].shape or not torch.equal(c[1], a[1])


def test_the_loss_is_the_likelihood_of_the_fields_that_a_type_carries(pop: Path) -> None:
    torch.manual_seed(0)
    network = BMTransformer(TINY).eval()
    windows = Windows(load_corpora(pop)[0])
    words = torch.from_numpy(windows.window(4, 2)[0].astype(np.int64))[None]
    with torch.no_grad():
        losses = word_losses(network, words, words)
        column = network.vocabulary.column
        features = network.hear(words[:, :-1])[0]
        expected = dict.fromkeys(losses, 0.0)
        for row, target in zip(features, words[0, 1:], strict=True):
            expected["type"] -= float(torch.log_softmax(network.type_logits(row), -1)[target[column["type"]]])
            given = network.given_type(row, target[column["type"]])
            for name in network.head_order:
                if name in losses and target[column[name]] > 0:
                    expected[name] -= float(torch.log_softmax(network.field_logits(given, name), -1)[target[column[name]]])
    for name, (loss, _) in losses.items():
        assert float(loss) == pytest.approx(expected[name], rel=1e-3)
    assert "time" not in losses
    assert "tempo" not in losses
    assert losses["type"][1] == words.shape[1] - 1


def test_padding_is_not_learned(pop: Path) -> None:
    torch.manual_seed(0)
    network = BMTransformer(TINY).eval()
    words = torch.from_numpy(Windows(load_corpora(pop)[0]).window(4, 2)[0].astype(np.int64))[None]
    padded = torch.cat([words, torch.zeros(1, 30, words.shape[2], dtype=torch.int64)], dim=1)
    with torch.no_grad():
        a, b = word_losses(network, words, words), word_losses(network, padded, padded)
    assert {name: count for name, (_, count) in a.items()} == {name: count for name, (_, count) in b.items()}
    assert all(float(b[name][0]) == pytest.approx(float(a[name][0]), rel=1e-4) for name in a)


def test_validation_does_not_change_and_knows_notes(pop: Path) -> None:
    training, held_out = load_corpora(pop)
    torch.manual_seed(0)
    network = BMTransformer(TINY)
    windows = Windows(held_out)
    a, b = validate(network, held_out, windows), validate(network, held_out, windows)
    assert a == b
    assert a["note"] == pytest.approx(a["pitch"] + a["duration"] + a["velocity"])
    # before it has learned anything it is about as good as guessing
    assert 0.5 * math.log(84) < a["pitch"] < 2 * math.log(84)
    assert training.words.shape[0] != held_out.words.shape[0]


def test_the_rate_rises_stays_and_falls() -> None:
    s = TrainSettings(steps=1000, warmup=100, cooldown=0.3, rate=1.0)
    assert [round(rate_at(k, s), 3) for k in (0, 49, 99, 500, 700, 850, 999)] == [0.01, 0.5, 1.0, 1.0, 1.0, 0.5, 0.003]


def test_corpora_are_kept_and_old_ones_are_made_again(pop: Path, tmp_path: Path) -> None:
    first, _ = load_corpora(pop, tmp_path)
    file = tmp_path / "corpus-training.npz"
    stamp = file.stat().st_mtime_ns
    again, _ = load_corpora(pop, tmp_path)
    assert file.stat().st_mtime_ns == stamp
    assert (first.words == again.words).all()
    np.savez(file, words=first.words)
    anew, _ = load_corpora(pop, tmp_path)
    assert (anew.lengths == first.lengths).all()


def test_a_corpus_that_was_cut_short_is_made_again(pop: Path, tmp_path: Path) -> None:
    first, _ = load_corpora(pop, tmp_path)
    file = tmp_path / "corpus-training.npz"
    for length in (0, 100, file.stat().st_size - 100):
        file.write_bytes(file.read_bytes()[:length])
        anew, _ = load_corpora(pop, tmp_path)
        assert (anew.words == first.words).all()


def test_a_save_that_fails_keeps_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.new(TINY, QUICK)
    run.save(tmp_path / "last.pt")
    before = (tmp_path / "last.pt").read_bytes()

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    run.step = 9
    with pytest.raises(OutputError, match="the disk is full"):
        run.save(tmp_path / "last.pt")
    assert (tmp_path / "last.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_a_run_of_another_size_is_not_gone_on_with(pop: Path, tmp_path: Path) -> None:
    train(pop, tmp_path, TINY, QUICK, hours=0)
    before = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(ModelError, match="a run of another size; train into another folder"):
        train(pop, tmp_path, replace(TINY, layers=2), QUICK)
    assert (tmp_path / "last.pt").read_bytes() == before
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(OutputError, match="is a file"):
        train(pop, tmp_path / "taken", TINY, QUICK)


def test_no_hours_are_none_and_not_all(pop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.bmt.network.OURS", TINY)
    train_engine("bmt", pop, tmp_path, 2, 0.0, "ours", lambda row: None)
    assert load_checkpoint(tmp_path / "last.pt")["step"] == 0


def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "noise.pt").write_bytes(b"noise")
    torch.save({"step": 3}, tmp_path / "part.pt")
    for name in ("noise.pt", "part.pt", "none.pt"):
        with pytest.raises(ModelError, match="not a checkpoint of this trainer") as caught:
            load_checkpoint(tmp_path / name)
        assert "\n" not in str(caught.value)
