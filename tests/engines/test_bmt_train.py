"""What BM-Transformer learns: the likelihood of the fields that a type carries, of words that were not left out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.bmt.data import Corpus, Windows, build_corpus  # noqa: E402
from engines.bmt.network import BMTConfig, BMTransformer  # noqa: E402
from engines.bmt.train import TrainSettings, Words, batch_at, validate, word_losses  # noqa: E402
from engines.training.train import Run, train_step  # noqa: E402

TINY = BMTConfig("ours", 32, 1, 2, 48, 2048, 0.1, carry=True, recalls=(8, 4))
QUICK = TrainSettings(steps=6, words=640, warmup=2, validate_every=3, save_every_s=0.0, seed=4)


@pytest.fixture(scope="module")
def songs(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, Corpus]:
    folder = tmp_path_factory.mktemp("pop")
    for name in ("001", "005"):
        (folder / name).symlink_to(shared / "data" / "pop909" / name)
    return build_corpus(folder, False), build_corpus(folder, True)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_it_learns(songs: tuple[Corpus, Corpus]) -> None:
    settings = TrainSettings(steps=40, words=640, rate=3e-3, warmup=2)
    run = Run.new(Words.of(*songs, TINY, settings), settings)
    losses = [train_step(run, settings) for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:2])


def test_a_batch_is_a_matter_of_its_step_alone(songs: tuple[Corpus, Corpus]) -> None:
    windows = Windows(songs[0], recalls=(8, 4))
    a, b = batch_at(windows, 7, QUICK), batch_at(windows, 7, QUICK)
    assert all(torch.equal(one, other) for one, other in zip(a, b, strict=True))
    assert a[2].shape == (*a[1].shape[:2], 2, a[1].shape[2] + 2)
    c = batch_at(windows, 8, QUICK)
    assert c[1].shape != a[1].shape or not torch.equal(c[1], a[1])


def test_the_loss_is_the_likelihood_of_the_fields_that_a_type_carries(songs: tuple[Corpus, Corpus]) -> None:
    torch.manual_seed(0)
    network = BMTransformer(TINY).eval()
    windows = Windows(songs[0])
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


def test_padding_is_not_learned(songs: tuple[Corpus, Corpus]) -> None:
    torch.manual_seed(0)
    network = BMTransformer(TINY).eval()
    words = torch.from_numpy(Windows(songs[0]).window(4, 2)[0].astype(np.int64))[None]
    padded = torch.cat([words, torch.zeros(1, 30, words.shape[2], dtype=torch.int64)], dim=1)
    with torch.no_grad():
        a, b = word_losses(network, words, words), word_losses(network, padded, padded)
    assert {name: count for name, (_, count) in a.items()} == {name: count for name, (_, count) in b.items()}
    assert all(float(b[name][0]) == pytest.approx(float(a[name][0]), rel=1e-4) for name in a)


def test_validation_does_not_change_and_knows_notes(songs: tuple[Corpus, Corpus]) -> None:
    training, held_out = songs
    torch.manual_seed(0)
    network = BMTransformer(TINY)
    windows = Windows(held_out, recalls=TINY.recalls)
    a, b = validate(network, windows), validate(network, windows)
    assert a == b
    assert a["note"] == pytest.approx(a["pitch"] + a["duration"] + a["velocity"])
    # before it has learned anything it is about as good as guessing
    assert 0.5 * math.log(84) < a["pitch"] < 2 * math.log(84)
    assert training.words.shape[0] != held_out.words.shape[0]
