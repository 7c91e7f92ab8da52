"""How every network learns: the same whether it was interrupted or not, kept when a save fails, and refused where it is another's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.bmt import export as bmt_export  # noqa: E402
from engines.bmt.data import build_corpus as bmt_corpus  # noqa: E402
from engines.bmt.network import BMTConfig, BMTransformer  # noqa: E402
from engines.bmt.train import TrainSettings as WordSettings  # noqa: E402
from engines.bmt.train import Words  # noqa: E402
from engines.diffbgm import export as diffbgm_export  # noqa: E402
from engines.diffbgm import train as diffbgm_train  # noqa: E402
from engines.diffbgm.config import OURS  # noqa: E402
from engines.diffbgm.data import build_corpus as diffbgm_corpus  # noqa: E402
from engines.diffbgm.network import DiffBGM  # noqa: E402
from engines.diffbgm.train import Rolls  # noqa: E402
from engines.diffbgm.train import TrainSettings as RollSettings  # noqa: E402
from engines.errors import ModelError, OutputError  # noqa: E402
from engines.training.request import train_engine  # noqa: E402
from engines.training.train import Pace, Run, corpora, learn, load_checkpoint, rate_at, train_step  # noqa: E402

QUICK = Pace(steps=6, warmup=2, validate_every=3, save_every_s=0.0, seed=4)


@dataclass(frozen=True)
class Line:
    """The sizes of a network that learns a straight line."""

    width: int = 3
    name: str = "line"

    def as_dict(self) -> dict[str, object]:
        return {"width": self.width, "name": self.name}


@dataclass(frozen=True)
class Lines:
    """A subject that takes a millisecond a step; dropout shows whether masks are a matter of the step alone."""

    config: Line = Line()
    engine: str = "bmt"
    measure: str = "far"

    def network(self) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(self.config.width, 1))

    def loss(self, network: torch.nn.Module, step: int) -> torch.Tensor:
        x = torch.from_numpy(np.random.default_rng([7, step]).standard_normal((8, self.config.width), np.float32))
        return ((network(x)[:, 0] - x.sum(1)) ** 2).mean()

    def validate(self, network: torch.nn.Module) -> dict[str, float]:
        network.eval()
        with torch.no_grad():
            return {"far": float(self.loss(network, 10**6))}

    def remembered(self) -> dict[str, object]:
        return {"colour": "red"}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(diffbgm_train.validate, "__defaults__", (2,))


def weights(path: Path, engine: str = "bmt") -> dict[str, torch.Tensor]:
    state = load_checkpoint(path, engine)
    return {f"{part}.{k}": v for part in ("network", "average") for k, v in state[part].items()}


@pytest.fixture(scope="module")
def subjects(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[object, Pace]]:
    """What each engine learns, in a small network and from one song."""
    folder = tmp_path_factory.mktemp("pop")
    for name in ("001", "005"):
        (folder / name).symlink_to(shared / "data" / "pop909" / name)
    words = WordSettings(steps=4, words=320, warmup=2, validate_every=10, save_every_s=0.0, seed=4)
    rolls = RollSettings(steps=2, batch=1, warmup=2, validate_every=10, save_every_s=0.0, seed=4)
    config = BMTConfig("ours", 32, 1, 2, 48, 2048, 0.1, carry=True, recalls=(8, 4))
    tiny = replace(OURS, width=16, groups=4, heads=2, local=2)
    return {
        "lines": (Lines(), QUICK),
        "bmt": (Words.of(*(bmt_corpus(folder, v) for v in (False, True)), config, words), words),
        "diffbgm": (Rolls.of(*(diffbgm_corpus(folder, v) for v in (False, True)), tiny, rolls), rolls),
    }


@pytest.mark.parametrize("name", ["lines", "bmt", "diffbgm"])
def test_an_interrupted_run_ends_bit_for_bit_like_an_uninterrupted_one(
    subjects: dict[str, tuple[Lines, Pace]], tmp_path: Path, name: str
) -> None:
    subject, pace = subjects[name]
    stop, whole, parts = pace.steps // 2, tmp_path / "whole", tmp_path / "parts"
    learn(subject, whole, pace)
    asked: Iterator[int] = iter(range(100))
    learn(subject, parts, pace, cancelled=lambda: next(asked) >= stop)
    assert load_checkpoint(parts / "last.pt", subject.engine)["step"] == stop
    learn(subject, parts, pace, hours=0.0)  # no time: nothing is lost, nothing is done
    assert load_checkpoint(parts / "last.pt", subject.engine)["step"] == stop
    learn(subject, parts, pace)
    a, b = weights(whole / "last.pt", subject.engine), weights(parts / "last.pt", subject.engine)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)
    torch.manual_seed(pace.seed)
    first = subject.network().state_dict()
    assert any(not torch.equal(a[f"network.{key}"], first[key]) for key in first)
    assert any(not torch.equal(a[f"network.{key}"], a[f"average.{key}"]) for key in first)


def test_the_log_and_the_best_checkpoint(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    best = learn(Lines(), tmp_path, QUICK, rows.append)
    assert best == tmp_path / "best.pt"
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert logged == rows
    assert [row["step"] for row in logged] == [3, 6]
    found = [row["validation"]["far"] for row in logged]
    kept = load_checkpoint(best, "bmt")
    assert kept["best"] == pytest.approx(min(found), abs=1e-4)
    assert kept["colour"] == "red"
    assert not list(tmp_path.glob("*.part"))


def test_it_learns_and_the_averaged_weights_follow() -> None:
    pace = replace(QUICK, steps=400, rate=0.05, warmup=1)
    run = Run.new(Lines(), pace)
    before = Lines().validate(run.average)["far"]
    found = [train_step(run, pace) for _ in range(300)]
    assert np.mean(found[-20:]) < 0.5 * np.mean(found[:20])
    assert Lines().validate(run.average)["far"] < 0.5 * before


def test_the_rate_rises_stays_and_falls() -> None:
    pace = Pace(steps=1000, warmup=100, cooldown=0.3, rate=1.0)
    assert [round(rate_at(k, pace), 3) for k in (0, 49, 99, 500, 700, 850, 999)] == [0.01, 0.5, 1.0, 1.0, 1.0, 0.5, 0.003]


def test_the_first_checkpoints_of_bmt_are_gone_on_with(tmp_path: Path) -> None:
    """They did not say whose they are, and their optimiser was not fused; sizes that came later have their defaults."""
    pace = replace(QUICK, steps=3)
    learn(Lines(), tmp_path / "new", pace)
    state = load_checkpoint(tmp_path / "new" / "last.pt", "bmt")
    for part in ("engine", "colour"):
        del state[part]
    del state["config"]["name"]
    for group in state["optimiser"]["param_groups"]:
        group["fused"] = None
    (tmp_path / "old").mkdir()
    torch.save(state, tmp_path / "old" / "last.pt")
    for name in ("new", "old"):
        learn(Lines(), tmp_path / name, QUICK)
    a, b = (weights(tmp_path / name / "last.pt") for name in ("new", "old"))
    assert all(torch.allclose(a[key], b[key], atol=1e-6) for key in a)


def test_a_run_of_another_size_is_not_gone_on_with(tmp_path: Path) -> None:
    learn(Lines(), tmp_path, QUICK, hours=0)
    before = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(ModelError, match="a run of another size; train into another folder"):
        learn(Lines(Line(4)), tmp_path, QUICK)
    with pytest.raises(ModelError, match="not a checkpoint of this trainer"):
        learn(Lines(engine="diffbgm"), tmp_path, QUICK)
    assert (tmp_path / "last.pt").read_bytes() == before
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(OutputError, match="is a file"):
        learn(Lines(), tmp_path / "taken", QUICK)


def test_a_save_that_fails_keeps_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.new(Lines(), QUICK)
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


def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "noise.pt").write_bytes(b"noise")
    torch.save({"step": 3}, tmp_path / "part.pt")
    torch.save([1], tmp_path / "list.pt")
    for name in ("noise", "part", "list", "none"):
        with pytest.raises(ModelError, match="not a checkpoint of this trainer") as caught:
            load_checkpoint(tmp_path / f"{name}.pt", "bmt")
        assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class Numbers:
    """A corpus."""

    some: np.ndarray
    more: np.ndarray


def test_corpora_are_kept_and_broken_or_old_ones_are_made_again(tmp_path: Path) -> None:
    asked: list[bool] = []

    def build(data: Path, validation: bool) -> Numbers:
        asked.append(validation)
        return Numbers(np.arange(9) + validation, np.ones(2))

    first, held_out = corpora(Numbers, build, tmp_path, tmp_path)
    assert (first.some[0], held_out.some[0]) == (0, 1)
    again, _ = corpora(Numbers, build, tmp_path, tmp_path)
    assert (again.some == first.some).all()
    assert asked == [False, True], "the second time from the disk"
    file = tmp_path / "corpus-training.npz"
    for content in (b"", file.read_bytes()[:100], file.read_bytes()[:-100]):
        file.write_bytes(content)
        anew, _ = corpora(Numbers, build, tmp_path, tmp_path)
        assert (anew.some == first.some).all()
    np.savez(file, some=first.some)
    anew, _ = corpora(Numbers, build, tmp_path, tmp_path)
    assert (anew.more == first.more).all()
    assert asked == [False, True, *[False] * 4]
    corpora(Numbers, build, tmp_path)
    assert asked[-2:] == [False, True]


@pytest.mark.parametrize("engine", ["bmt", "diffbgm"])
def test_the_verb_trains_each_engine_and_no_hours_are_none(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    (tmp_path / "pop").mkdir()
    for name in ("001", "005"):
        (tmp_path / "pop" / name).symlink_to(shared / "data" / "pop909" / name)
    monkeypatch.setattr("engines.bmt.network.OURS", BMTConfig("ours", 32, 1, 2, 48, 2048, 0.1, carry=True, recalls=(8, 4)))
    monkeypatch.setattr("engines.diffbgm.config.OURS", replace(OURS, width=16, groups=4, heads=2, local=2))
    train_engine(engine, tmp_path / "pop", tmp_path / "run", 2, 0.0, "ours", lambda row: None)
    kept = load_checkpoint(tmp_path / "run" / "last.pt", engine)
    assert kept["step"] == 0
    assert ("progressions" in kept) == (engine == "diffbgm")
    assert ("outlines" in kept) == (engine == "diffbgm")


SMALL_WORDS = BMTConfig(width=32, layers=2, heads=2, feedforward=48, positions=128, carry=True, recalls=(4,))
SMALL_ROLLS = replace(OURS, width=32, condition=OURS.condition, groups=8)


@pytest.mark.parametrize("storage", ["fp32", "fp16"])
@pytest.mark.parametrize("engine", ["bmt", "diffbgm"])
def test_a_model_is_gone_on_with(engine: str, storage: str, tmp_path: Path) -> None:
    """Weights that went through the exporter, its folding and its halving come back each to its place."""
    pytest.importorskip("onnx", reason="onnx is in the extra 'train' alone")
    torch.manual_seed(3)
    module = {"bmt": bmt_export, "diffbgm": diffbgm_export}[engine]
    network = BMTransformer(SMALL_WORDS) if engine == "bmt" else DiffBGM(SMALL_ROLLS)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.05 * torch.randn(value.shape))  # norms of ones and zeros would be alike
    state = {
        "engine": engine,
        "config": network.config.as_dict(),
        "average": network.state_dict(),
        "network": network.state_dict(),
        "optimiser": {},
        "step": 7,
        "hours": 0.1,
        "best": 3.0,
    }
    torch.save(state, tmp_path / "checkpoint.pt")
    made = module.export(tmp_path / "checkpoint.pt", tmp_path / "model", storage)  # type: ignore[attr-defined]
    again = module.network_from(made.graph)  # type: ignore[attr-defined]
    assert again.config == network.config
    meant = dict(network.named_parameters())
    moved = {name: float((value - meant[name]).detach().abs().max()) for name, value in again.named_parameters()}
    assert max(moved.values()) < (1e-6 if storage == "fp32" else 2e-3)


def test_a_run_begins_with_a_model_says_so_and_keeps_to_its_own_checkpoint_from_then_on(tmp_path: Path) -> None:
    subject = Lines()
    begun = subject.network()
    with torch.no_grad():
        begun[1].weight.fill_(0.25)  # type: ignore[index]
    out = tmp_path / "run"
    learn(subject, out, replace(QUICK, steps=0), start=lambda: (begun, "abc"))
    assert bool((weights(out / "last.pt")["average.1.weight"] == 0.25).all())
    assert load_checkpoint(out / "last.pt", "bmt")["begun_with"] == "abc"
    learn(subject, out, QUICK, start=lambda: pytest.fail("there is a checkpoint to go on from"))
    assert load_checkpoint(out / "last.pt", "bmt")["begun_with"] == "abc"
    assert not bool((weights(out / "last.pt")["average.1.weight"] == 0.25).all())


@pytest.mark.parametrize("engine", ["bmt", "diffbgm"])
def test_what_is_no_model_is_not_begun_with(engine: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is in the extra 'train' alone")
    with pytest.raises(ModelError, match="holds no model"):
        train_engine(engine, tmp_path, tmp_path / "run", 1, None, "ours", lambda row: None, tmp_path)
    graph = tmp_path / "1" / "model.onnx"
    graph.parent.mkdir()
    graph.write_bytes(b"no graph")
    with pytest.raises(ModelError, match="no graph of an engine"):
        train_engine(engine, tmp_path, tmp_path / "run", 1, None, "ours", lambda row: None, tmp_path)
    assert not (tmp_path / "run").exists()
