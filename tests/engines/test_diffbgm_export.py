"""The graph: the same numbers as torch, any batch, two ways to store weights, a card that says what it is."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.diffbgm import export as exporter  # noqa: E402
from engines.diffbgm.config import OURS, PAPER, DiffBGMConfig  # noqa: E402
from engines.diffbgm.export import example, export, export_graph, network_of, parity  # noqa: E402
from engines.diffbgm.network import DiffBGM  # noqa: E402
from engines.errors import ModelError, OptionError  # noqa: E402
from engines.runtime import read_card  # noqa: E402
from engines.training.export import PARITY, checked  # noqa: E402
from engines.training.request import export_engine  # noqa: E402

SMALL = replace(OURS, width=32, groups=4, heads=2, local=2)
SMALL_PAPER = replace(
    PAPER, width=8, groups=4, heads=2, condition=24, caption=12, multipliers=(1, 1, 1), attention=(2,), blocks=1
)


@pytest.fixture(scope="module", params=[SMALL, SMALL_PAPER], ids=["ours", "paper"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[DiffBGM, Path]:
    torch.set_num_threads(1)
    torch.manual_seed(2)
    network = DiffBGM(request.param).eval()
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    export_graph(network, path)
    return network, path


opened = cache(checked)


def run(graph: Path, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    found: list[np.ndarray] = opened(graph).run(None, inputs)
    return found


def test_the_graph_gives_what_torch_gives(exported: tuple[DiffBGM, Path]) -> None:
    network, graph = exported
    assert parity(network, graph) <= PARITY
    torch.manual_seed(3)
    assert parity(DiffBGM(network.config), graph) > PARITY, "a graph of other weights is told apart"


def test_any_batch_and_windows_do_not_hear_one_another(exported: tuple[DiffBGM, Path]) -> None:
    network, graph = exported
    inputs = example(network.config, 4)
    together = run(graph, inputs)[0]
    assert together.shape == (4, *network.config.roll.shape)
    alone = run(graph, {name: value[3:] for name, value in inputs.items()})[0]
    assert np.abs(together[3] - alone[0]).max() < 1e-5
    twice = {name: np.concatenate([value[2:], value[2:]]) for name, value in inputs.items() if name in ("x", "t")}
    apart = run(graph, inputs | twice)[0]
    once = run(graph, inputs | {name: inputs[name][2:] for name in twice})[0]
    assert np.abs(once - apart).max() < 1e-5, "rolls that come with two conditions each are those rolls twice"


def test_captions_are_projected_beside(exported: tuple[DiffBGM, Path]) -> None:
    network, graph = exported
    outputs = run(graph, example(network.config, 2))
    assert len(outputs) == (2 if network.config.caption else 1)
    if network.config.caption:
        heard = torch.from_numpy(example(network.config, 2)["caption"])
        assert np.abs(outputs[1] - network.caption_enc(heard).detach().numpy()).max() < 1e-5


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "best.pt"
    torch.manual_seed(9)
    network, average = (DiffBGM(SMALL).state_dict() for _ in range(2))
    state = {"engine": "diffbgm", "config": SMALL.as_dict(), "network": network, "average": average}
    torch.save(state | {"step": 7, "hours": 0.5, "best": 4.2}, path)
    return path


def test_what_is_written_opens_again(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "diffbgm"
    done = export(checkpoint, folder, "fp16", facts={"training": {"machine": "two cores"}})
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == [
        "1/model.onnx",
        "card.toml",
        "config.pbtxt",
    ]
    card = tomllib.loads((folder / "card.toml").read_text())
    assert card["sha256"] == hashlib.sha256(done.graph.read_bytes()).hexdigest() == done.sha256
    assert card["storage"] == "fp16"
    assert DiffBGMConfig.from_dict(card["config"]) == SMALL
    assert card["training"] == {"steps": 7, "hours": 0.5, "validation": 4.2, "machine": "two cores"}
    assert card["measured"]["parity_with_torch"] == done.parity <= PARITY
    assert read_card("diffbgm", tmp_path).graph == done.graph
    network, _, _ = network_of(checkpoint)
    assert done.size < 4 * sum(p.numel() for p in network.parameters()), "weights in 16 bits"
    assert 0 < parity(network, done.graph) < 0.02


def test_the_graph_carries_its_sizes(exported: tuple[DiffBGM, Path]) -> None:
    import onnx

    network, graph = exported
    said = {entry.key: entry.value for entry in onnx.load(str(graph)).metadata_props}
    assert DiffBGMConfig.from_dict(json.loads(said["config"])) == network.config


@pytest.mark.parametrize("wrong", [1.0, float("nan")])
def test_a_graph_that_differs_is_not_shipped(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    monkeypatch.setattr(exporter, "export_graph", lambda *args: None)
    monkeypatch.setattr(exporter, "parity", lambda network, graph: wrong)
    with pytest.raises(ModelError, match="differs from torch by"):
        export(checkpoint, tmp_path / "diffbgm")
    assert not (tmp_path / "diffbgm" / "card.toml").exists()


def test_options_that_cannot_be(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no storage is named 'int8'; choose fp32 or fp16"):
        export(checkpoint, tmp_path, "int8")
    with pytest.raises(OptionError, match="--dictionary: is an option of bmt"):
        export_engine("diffbgm", checkpoint, tmp_path, "fp16", tmp_path / "dictionary.pkl")
    with pytest.raises(OptionError, match="--segments: is an option of diffbgm"):
        export_engine("bmt", checkpoint, tmp_path, "fp16", None, 2)


def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "noise.pt").write_bytes(b"noise")
    torch.save([1], tmp_path / "list.pt")
    torch.save({"model": {"a": torch.zeros(1)}}, tmp_path / "other.pt")
    for name, said in (("none", "cannot be read"), ("noise", "without running code"), ("list", "is not"), ("other", "lacks")):
        with pytest.raises(ModelError, match=said) as caught:
            network_of(tmp_path / f"{name}.pt")
        assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("segments", [None, 1, 4])
def test_a_published_checkpoint_becomes_a_graph(tmp_path: Path, segments: int | None) -> None:
    """The published layout: ``model`` in a dictionary, with extras; attention in as many shares as asked for."""
    torch.manual_seed(0)
    weights = DiffBGM(PAPER).state_dict() | {"ldm.eps_model.mmfc.bias": torch.zeros(4)}
    torch.save({"step": 10, "epoch": 1, "model": weights, "optimizer": {}, "scaler": {}}, tmp_path / "weights.pt")
    done = export(tmp_path / "weights.pt", tmp_path / "diffbgm", "fp16", segments)
    assert done.dropped == ("ldm.eps_model.mmfc.bias",)
    assert done.parity <= PARITY
    assert done.size < 90e6
    card = tomllib.loads((tmp_path / "diffbgm" / "card.toml").read_text())
    assert card["config"]["segments"] == card["config"]["heard"] == (segments or 2)
    assert card["training"] == {"step": 10, "epoch": 1}
    with pytest.raises(OptionError, match="32 tokens have no 3 equal shares"):
        network_of(tmp_path / "weights.pt", 3)
