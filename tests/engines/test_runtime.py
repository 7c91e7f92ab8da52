"""Models: what runs is what the card describes, on the provider that was asked for, or an error in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engines import runtime
from engines.bmt.compose import BMTEngine
from engines.errors import MissingLibraryError, ModelError, ProviderError
from engines.runtime import choose, listed, open_model, read_card, really_loads, repository


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No provider in the environment, and none remembered."""
    monkeypatch.delenv("HITPOINT_PROVIDER", raising=False)
    choose.cache_clear()
    listed.cache_clear()
    yield
    choose.cache_clear()
    listed.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model of one node, in a repository."""
    import hashlib

    (tmp_path / "tiny" / "1").mkdir(parents=True)
    graph = runtime._probe_graph()
    (tmp_path / "tiny" / "1" / "model.onnx").write_bytes(graph)
    (tmp_path / "tiny" / "card.toml").write_text(f'sha256 = "{hashlib.sha256(graph).hexdigest()}"\n')
    return tmp_path


def one_line(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text
    assert ";" in text, "it says what to try"
    return text


def test_a_model_is_opened_once_and_runs(folder: Path) -> None:
    warmed: list[object] = []
    model = open_model("tiny", "cpu", folder, warm=warmed.append)
    assert model.run({"x": np.array([3], np.float32)})[0].tolist() == [6]
    assert open_model("tiny", "cpu", folder, warm=warmed.append) is model
    assert warmed == [model]
    assert model.provider.said == "composing on cpu, as asked"


def test_bound_inputs_give_the_same_outputs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a card of its own memory is asked through, tried on the processor."""
    model = open_model("tiny", "cpu", folder)
    value = np.array([3, 9], np.float32)[1:]
    plain = model.run({"x": value})
    monkeypatch.setattr(runtime, "BOUND", {"cpu"})
    bound = model.run({"x": value})
    assert [array.tolist() for array in plain] == [array.tolist() for array in bound] == [[18]]


def test_nothing_is_told_to_anybody(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """onnxruntime would leave a session file, a number for this machine and what it has to tell its maker."""
    home = tmp_path_factory.mktemp("home")
    script = f"from pathlib import Path; from engines.runtime import open_model; open_model('tiny', 'cpu', Path({str(folder)!r}))"
    own = {
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    own |= {k: v for k, v in os.environ.items() if k in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")}
    subprocess.run([sys.executable, "-c", script], check=True, env=own, cwd=home)
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_a_graph_that_was_changed_is_refused(folder: Path) -> None:
    graph = folder / "tiny" / "1" / "model.onnx"
    graph.write_bytes(graph.read_bytes().replace(b"Add", b"Mul"))
    with pytest.raises(ModelError, match="not the graph that its card describes") as caught:
        open_model("tiny", "cpu", folder)
    one_line(caught.value)


def test_a_graph_that_is_noise_is_refused_though_its_card_fits(folder: Path) -> None:
    import hashlib

    (folder / "tiny" / "1" / "model.onnx").write_bytes(b"noise")
    (folder / "tiny" / "card.toml").write_text(f'sha256 = "{hashlib.sha256(b"noise").hexdigest()}"\n')
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        open_model("tiny", "cpu", folder)
    one_line(caught.value)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (None, "no such model"),
        ("sha256 = ", "card cannot be read"),
        ('version = "1"\n', "names no sha256"),
        ('sha256 = "00"\nversion = "../../etc"\n', "names no sha256"),
        ('sha256 = "00"\nversion = "2"\n', "graph is missing"),
    ],
)
def test_a_model_without_a_card_or_a_graph_is_said(folder: Path, card: str | None, said: str) -> None:
    file = folder / "tiny" / "card.toml"
    file.unlink()
    if card is not None:
        file.write_text(card)
    with pytest.raises(ModelError, match=said) as caught:
        read_card("tiny", folder)
    one_line(caught.value)


def test_the_processor_really_loads_and_is_believed() -> None:
    assert really_loads("cpu")
    assert choose("cpu").name == "cpu"
    assert choose().name in runtime.PROVIDERS
    assert "\n" not in choose().said


def test_a_provider_that_is_listed_but_does_not_load_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where onnxruntime-gpu finds no GPU: it lists CUDA, and falls back to the processor without a word."""
    monkeypatch.setattr(runtime, "listed", lambda: frozenset({"cuda", "cpu"}))
    monkeypatch.setattr(runtime, "really_loads", lambda name: name == "cpu")
    chosen = choose()
    assert chosen.name == "cpu"
    assert "cuda is in this build but does not load" in chosen.said, "the fall-back is said"
    with pytest.raises(ProviderError, match="its libraries do not load here") as caught:
        choose("cuda")
    assert "--provider cpu" in one_line(caught.value)


def test_a_gpu_that_loads_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "listed", lambda: frozenset({"cuda", "tensorrt", "cpu"}))
    monkeypatch.setattr(runtime, "really_loads", lambda name: True)
    assert choose().name == "cuda"
    assert choose("tensorrt").name == "tensorrt", "taken where it is asked for by name"


def test_asking_is_not_a_wish() -> None:
    """Whichever of these this machine lacks is an error, never the processor."""
    absent = [name for name in runtime.PROVIDERS if not really_loads(name)]
    assert absent, "no machine has all of them"
    for name in absent:
        with pytest.raises(ProviderError, match=name) as caught:
            choose(name)
        one_line(caught.value)
    with pytest.raises(ProviderError, match="no provider is named 'gpu'"):
        choose("gpu")


def test_the_environment_asks_too(monkeypatch: pytest.MonkeyPatch, small_models: Path) -> None:
    absent = next(name for name in runtime.PROVIDERS if not really_loads(name))
    monkeypatch.setenv("HITPOINT_PROVIDER", absent)
    with pytest.raises(ProviderError):
        _ = BMTEngine(folder=small_models).model


def test_an_engine_forced_to_what_is_not_there_composes_nothing(small_models: Path) -> None:
    absent = next(name for name in runtime.PROVIDERS if not really_loads(name))
    with pytest.raises(ProviderError):
        _ = BMTEngine(provider=absent, folder=small_models).model


def test_nothing_at_all_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "really_loads", lambda name: False)
    with pytest.raises(ProviderError, match="not even the processor"):
        choose()


def test_two_builds_in_one_environment_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    monkeypatch.setitem(sys.modules, "onnxruntime", ModuleType("onnxruntime"))
    with pytest.raises(MissingLibraryError, match="damaged") as caught:
        runtime.library()
    one_line(caught.value)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingLibraryError, match="not installed"):
        runtime.library()


def test_the_repository_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HITPOINT_MODELS", str(tmp_path))
    assert repository() == tmp_path
    monkeypatch.delenv("HITPOINT_MODELS")
    assert repository().name == "onnx"
