"""Words a second and seconds for eight bars: the shipped graph as it is stored in three ways, torch eager, and the published recurrence
at the published size. One thread each, taken in turns; processor seconds beside wall seconds, since other work may share the cores.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from statistics import median

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.bmt import compose as bmt_compose  # noqa: E402
from engines.bmt.compose import BMTEngine  # noqa: E402
from engines.bmt.grammar import Answer  # noqa: E402
from engines.bmt.network import PUBLISHED, BMTConfig, BMTransformer  # noqa: E402
from engines.bmt.official import OfficialSampler, condition_rows  # noqa: E402
from engines.bmt.recall import Recall  # noqa: E402
from engines.bmt.step import Stepper  # noqa: E402
from engines.bmt.tokens import Carrier  # noqa: E402
from engines.bmt.vocabulary import published  # noqa: E402
from engines.engine import BarBrief, Brief  # noqa: E402
from engines.runtime import read_card, repository  # noqa: E402
from engines.training.export import quantised, widened  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "bmt_speed.json"
BARS, ROUNDS, PUBLISHED_WORDS = 8, 5, 40
EIGHT_BARS = Brief(tuple(BarBrief(Fraction(4 * k), Fraction(4)) for k in range(BARS)))


@dataclass
class Timed:
    """Words and seconds of every round of one way."""

    words: list[int] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, work: Callable[[], int]) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        self.words.append(work())
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)

    def rate(self, seconds: list[float]) -> float:
        return median(n / s for n, s in zip(self.words, seconds, strict=True))


class Eager:
    """The network in torch, a word at a time, every head for every type as in the graph; what holds and is recalled is told as there."""

    def __init__(self, network: BMTransformer, official: bool, recall: Recall | None = None) -> None:
        self.network, self.official, self.at, self.recall = network, official, 0, recall
        self.carrier = Carrier(network.vocabulary) if network.config.carry else None
        self.state = network.empty_state(1)

    @torch.no_grad()
    def hear(self, words: np.ndarray) -> list[Answer]:
        position = torch.tensor([0 if self.official else min(self.at, 2047)])
        known = None if self.recall is None else torch.from_numpy(self.recall.hear(words[0])[None])
        if self.carrier is not None:
            words = self.carrier.hear(words[0])[None]
        heard, *state = self.network.step(torch.from_numpy(words), position, *self.state, known)
        self.state, self.at = (state[0], state[1]), self.at + 1
        kinds = self.network.type_logits(heard, known)
        if not self.official:
            return [Answer(kinds[0].numpy(), self.network.all_logits(heard, known)[0].numpy())]
        # as published: a type is drawn first, and the heads are evaluated for it alone
        kind = torch.multinomial(torch.softmax(kinds, -1), 1)[:, 0]
        given = self.network.given_type(heard, kind)
        fields = torch.cat([self.network.field_logits(given, name) for name in self.network.head_order], dim=-1)
        return [Answer(kinds[0].numpy(), fields.expand(kinds.shape[1], -1).numpy())]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The shipped graph with its weights in 32, 16 and 8 bits, each in a repository of its own."""
    import hashlib

    if not (repository() / "bmt" / "card.toml").is_file():
        pytest.skip("the repository holds no onnx/bmt")
    shipped = read_card("bmt")
    folders = {name: tmp_path_factory.mktemp(name) for name in ("fp32", "fp16", "int8")}
    graphs = {name: folder / "bmt" / "1" / "model.onnx" for name, folder in folders.items()}
    for graph in graphs.values():
        graph.parent.mkdir(parents=True)
    graphs["fp16"].write_bytes(shipped.graph.read_bytes())
    widened(shipped.graph, graphs["fp32"])
    quantised(graphs["fp32"], graphs["int8"])
    for name, graph in graphs.items():
        digest = hashlib.sha256(graph.read_bytes()).hexdigest()
        (folders[name] / "bmt" / "card.toml").write_text(f'sha256 = "{digest}"\n')
    return folders


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_words_a_second(stored: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    heard = 0
    original = Stepper.hear

    def counted(self: Stepper, words: np.ndarray) -> list[Answer]:
        nonlocal heard
        heard += 1
        return original(self, words)

    def composed(engine: BMTEngine, seed: int) -> int:
        nonlocal heard
        heard = 0
        engine.compose(EIGHT_BARS, seed)
        return heard

    config = json.loads(BMTEngine(provider="cpu", folder=stored["fp16"]).model.metadata["config"])
    eager = BMTransformer(BMTConfig(**config)).eval()
    slow = BMTransformer(PUBLISHED).eval()

    in_eager = Eager.hear

    def in_torch(seed: int) -> int:
        nonlocal heard
        heard = 0

        def stepper(_: object, count: int, recalls: list[Recall] | None = None) -> Eager:
            assert count == 1
            return Eager(eager, official=False, recall=recalls[0] if recalls else None)

        def hear(self: Eager, words: np.ndarray) -> list[Answer]:
            nonlocal heard
            heard += 1
            return in_eager(self, words)

        with monkeypatch.context() as patch:
            patch.setattr(bmt_compose, "Stepper", stepper)
            patch.setattr(Eager, "hear", hear)
            BMTEngine(provider="cpu", folder=stored["fp16"]).compose(EIGHT_BARS, seed)
        return heard

    def as_published(seed: int) -> int:
        stepper = Eager(slow, official=True)
        rows = condition_rows([0.0], [1.0], 120, 400.0, bars=200)
        sampler = OfficialSampler(published(), rows, 1, np.random.default_rng(seed), most=PUBLISHED_WORDS)
        words = sampler.write()
        word = next(words)
        while True:
            try:
                word = words.send(stepper.hear(word[None])[0])
            except StopIteration:
                return len(sampler.words)

    monkeypatch.setattr(Stepper, "hear", counted)
    engines = {name: BMTEngine(provider="cpu", folder=folder) for name, folder in stored.items()}
    ways: dict[str, Callable[[int], int]] = {
        f"onnxruntime, {name}": lambda seed, engine=engine: composed(engine, seed)  # type: ignore[misc]
        for name, engine in engines.items()
    }
    ways |= {"torch eager, our size": in_torch, "published recurrence, published size": as_published}
    timed = {name: Timed() for name in ways}
    for work in ways.values():
        work(0)
    for seed in range(1, ROUNDS + 1):
        for name, work in ways.items():
            timed[name].add(lambda work=work, seed=seed: work(seed))  # type: ignore[misc]
    for folder in stored.values():  # one word of each, so that the sessions stay alive to the end
        assert BMTEngine(provider="cpu", folder=folder).model
    words_a_bar = median(timed["onnxruntime, fp16"].words) / BARS
    slowest = timed["published recurrence, published size"].rate(timed["published recurrence, published size"].processor)
    table = {}
    for name, t in timed.items():
        rate = t.rate(t.processor)
        table[name] = {
            "words_per_s": round(rate, 1),
            "words_per_s_wall": round(t.rate(t.wall), 1),
            "seconds_8_bars": round(BARS * words_a_bar / rate, 3),
            "seconds_8_bars_wall": round(BARS * words_a_bar / t.rate(t.wall), 3),
            "times_published": round(rate / slowest, 2),
        }
    print(f"\n{words_a_bar:.1f} words a bar; one thread; the median of {ROUNDS} rounds")
    print(f"{'':38}{'words/s':>9}{'(wall)':>9}{'8 bars s':>10}{'(wall)':>9}{'x published':>13}")
    for name, row in table.items():
        print(f"{name:38}" + "".join(f"{v:>{w}}" for v, w in zip(row.values(), (9, 9, 10, 9, 13), strict=True)))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"words_per_bar": words_a_bar, "ways": table}, indent=2) + "\n")
    assert table["onnxruntime, fp16"]["times_published"] >= 5
