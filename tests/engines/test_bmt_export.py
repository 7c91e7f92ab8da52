"""The graph: the same numbers as torch, any batch, three ways to store weights, a card that says what it is."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.bmt import export as exporter  # noqa: E402
from engines.bmt.export import INPUTS, OUTPUTS, export, export_graph, network_of, parity  # noqa: E402
from engines.bmt.network import BMTConfig, BMTransformer  # noqa: E402
from engines.bmt.step import vocabulary_of  # noqa: E402
from engines.bmt.vocabulary import Field, Vocabulary, ours, published  # noqa: E402
from engines.errors import ModelError, OptionError, OutputError  # noqa: E402
from engines.runtime import open_model, read_card  # noqa: E402
from engines.training import export as shipping  # noqa: E402
from engines.training.export import PARITY, halved, quantised, widened  # noqa: E402

SMALL = BMTConfig("ours", 64, 2, 1, 96, 256, 0.0)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def network() -> BMTransformer:
    torch.manual_seed(2)
    return BMTransformer(SMALL).eval()


@pytest.fixture(scope="module")
def graph(network: BMTransformer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    export_graph(network, path, positions=100)
    return path


def session(graph: Path) -> object:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def some_steps(graph: Path, batch: int, steps: int = 8) -> list[np.ndarray]:
    """What the graph gives after a few words."""
    rng = np.random.default_rng(0)
    run = session(graph).run  # type: ignore[attr-defined]
    state = [np.zeros((2, batch, 1, 64, 64), np.float32), np.zeros((2, batch, 1, 64), np.float32)]
    out: list[np.ndarray] = []
    for k in range(steps):
        word = np.stack([rng.integers(0, size, batch) for size in ours().sizes], axis=1)
        out = run(None, dict(zip(INPUTS, (word, np.full(batch, k), *state), strict=True)))
        state = out[2:]
    return out


def test_the_graph_gives_what_torch_gives(network: BMTransformer, graph: Path) -> None:
    assert parity(network, graph, words=80) <= PARITY
    assert network.positions().shape[1] == 256, "exporting leaves the network as it was"


def test_a_graph_of_other_weights_is_told_apart(graph: Path) -> None:
    torch.manual_seed(3)
    assert parity(BMTransformer(SMALL), graph, words=4) > 0.1


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_any_batch(graph: Path, batch: int) -> None:
    together = some_steps(graph, batch)
    types = len(ours().field("type").values)
    rest = sum(ours().sizes) - types
    assert [a.shape for a in together] == [(batch, types), (batch, types, rest), (2, batch, 1, 64, 64), (2, batch, 1, 64)]
    assert [o.name for o in session(graph).get_outputs()] == list(OUTPUTS)  # type: ignore[attr-defined]


def test_pieces_of_a_batch_do_not_hear_one_another(graph: Path) -> None:
    run = session(graph).run  # type: ignore[attr-defined]
    rng = np.random.default_rng(1)
    word = np.stack([rng.integers(0, size, 3) for size in ours().sizes], axis=1)
    s, z = np.zeros((2, 3, 1, 64, 64), np.float32), np.zeros((2, 3, 1, 64), np.float32)
    every = run(None, dict(zip(INPUTS, (word, np.zeros(3, np.int64), s, z), strict=True)))
    alone = run(None, dict(zip(INPUTS, (word[1:2], np.zeros(1, np.int64), s[:, 1:2], z[:, 1:2]), strict=True)))
    assert np.abs(every[1][1] - alone[1][0]).max() < 1e-5


def test_weights_stored_in_16_and_in_8_bits(graph: Path, tmp_path: Path) -> None:
    halved(graph, tmp_path / "fp16.onnx")
    quantised(graph, tmp_path / "int8.onnx")
    sizes = [p.stat().st_size for p in (graph, tmp_path / "fp16.onnx", tmp_path / "int8.onnx")]
    assert sizes[1] < 0.7 * sizes[0]
    assert sizes[2] < sizes[0]
    whole, half, eighth = (some_steps(p, 2) for p in (graph, tmp_path / "fp16.onnx", tmp_path / "int8.onnx"))
    for k in (0, 1):
        assert 0 < np.abs(whole[k] - half[k]).max() < 0.02
        assert 0 < np.abs(whole[k] - eighth[k]).max() < 0.3
    assert half[2].dtype == np.float32, "the running sums stay in 32 bits"
    widened(tmp_path / "fp16.onnx", tmp_path / "again.onnx")
    again = some_steps(tmp_path / "again.onnx", 2)
    assert all(np.abs(a - b).max() < 1e-5 for a, b in zip(again, half, strict=True))
    assert abs((tmp_path / "again.onnx").stat().st_size - sizes[0]) < 0.05 * sizes[0]


@pytest.fixture(scope="module")
def checkpoint(network: BMTransformer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "best.pt"
    torch.manual_seed(9)
    other = BMTransformer(SMALL).state_dict()
    state = {"config": SMALL.as_dict(), "network": other, "average": network.state_dict(), "step": 7, "hours": 0.5, "best": 4.2}
    torch.save(state, path)
    return path


@pytest.mark.parametrize("storage", ["fp32", "fp16", "int8"])
def test_what_is_written_opens_again(checkpoint: Path, tmp_path: Path, storage: str) -> None:
    done = export(
        checkpoint, tmp_path / "bmt", storage, facts={"weights": {"licence": "MIT"}, "training": {"machine": "two cores"}}
    )
    assert done.parity <= PARITY
    assert sorted(p.relative_to(tmp_path / "bmt").as_posix() for p in (tmp_path / "bmt").rglob("*") if p.is_file()) == [
        "1/model.onnx",
        "card.toml",
        "config.pbtxt",
    ]
    card = tomllib.loads((tmp_path / "bmt" / "card.toml").read_text())
    assert card["sha256"] == hashlib.sha256(done.graph.read_bytes()).hexdigest() == done.sha256
    assert card["storage"] == storage
    assert card["config"] == SMALL.as_dict()
    assert card["training"] == {"steps": 7, "hours": 0.5, "validation": 4.2, "machine": "two cores"}
    assert card["weights"]["licence"] == "MIT"
    model = open_model("bmt", "cpu", tmp_path)
    assert vocabulary_of(model) == ours()
    assert json.loads(model.metadata["config"])["positions"] == 256
    config = (tmp_path / "bmt" / "config.pbtxt").read_text()
    assert 'input { name: "s" data_type: TYPE_FP32 dims: [2, -1, 1, 64, 64] }' in config
    assert read_card("bmt", tmp_path).facts["opset"] == 17


def test_the_averaged_weights_are_exported(checkpoint: Path, network: BMTransformer) -> None:
    found, trained = network_of(checkpoint)
    assert all(torch.equal(a, b) for a, b in zip(found.state_dict().values(), network.state_dict().values(), strict=True))
    assert trained == {"steps": 7, "hours": 0.5, "validation": 4.2}


def test_a_published_checkpoint_is_known_by_its_shapes(tmp_path: Path) -> None:
    config = BMTConfig("published", 128, 2, 2, 96, 3000, 0.1, head_gelu=False)
    torch.manual_seed(0)
    network = BMTransformer(config)
    torch.save({f"module.{k}": v for k, v in network.state_dict().items()}, tmp_path / "loss_8_params.pt")
    found, _ = network_of(tmp_path / "loss_8_params.pt")
    assert found.config == config
    export(tmp_path / "loss_8_params.pt", tmp_path / "bmt", "fp32")
    model = open_model("bmt", "cpu", tmp_path)
    assert vocabulary_of(model) == published()
    assert json.loads(model.metadata["config"])["positions"] == 2048, "as many rows as the graph holds, not as the checkpoint did"


def test_a_dictionary_of_other_sizes_is_refused(tmp_path: Path) -> None:
    torch.save(BMTransformer(BMTConfig("published", 64, 1, 1, 32, 64, head_gelu=False)).state_dict(), tmp_path / "a.pt")
    p = published()
    fewer = Vocabulary("external", (Field("tempo", "tempo", 128, p.fields[0].values[:-1]), *p.fields[1:]))
    with pytest.raises(ModelError, match="word_emb_tempo") as caught:
        network_of(tmp_path / "a.pt", fewer)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_exported_is_said_in_one_line(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "noise.pt").write_bytes(b"noise")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"average": {}, "config": {"size": 3}, "step": 1, "hours": 1.0, "best": 1.0}, tmp_path / "foreign.pt")
    torch.save({"pos_emb.pe": torch.zeros(1, 4, 8), "in_linear.weight": torch.zeros(8, 8)}, tmp_path / "no-layers.pt")
    for name in ("noise.pt", "other.pt", "list.pt", "none.pt", "foreign.pt", "no-layers.pt"):
        with pytest.raises(ModelError) as caught:
            export(tmp_path / name, tmp_path / "out")
        assert "\n" not in str(caught.value)
    with pytest.raises(OptionError, match="fp32, fp16 or int8"):
        export(checkpoint, tmp_path / "out", "fp8")
    assert not (tmp_path / "out").exists()
    (tmp_path / "taken").write_bytes(b"mine")
    with pytest.raises(OutputError, match="is a file"):
        export(checkpoint, tmp_path / "taken")


@pytest.mark.parametrize("storage", ["fp32", "fp16", "int8"])
def test_nothing_but_the_model_is_left_whenever_it_was_stopped(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    whole = ["1", "card.toml", "config.pbtxt", "model.onnx"]
    for module, name in ((exporter, "parity"), (shipping, "card")):
        with monkeypatch.context() as patched:
            patched.setattr(exporter, "parity", lambda network, graph: 0.0)
            patched.setattr(module, name, stopped)
            with pytest.raises(KeyboardInterrupt):
                export(checkpoint, tmp_path / name, storage)
        assert {path.name for path in (tmp_path / name).rglob("*")} <= set(whole)


def test_a_graph_that_differs_from_torch_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "parity", lambda network, graph: 2e-4)
    with pytest.raises(ModelError, match="differs from torch by"):
        export(checkpoint, tmp_path / "out")
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
