"""One word in, the logits of the next one out: the recurrent step of BM-Transformer as an ONNX graph, with its card.

Inputs: ``word`` (batch, fields) int64, ``position`` (batch,) int64, ``s`` (layers, batch, heads, f, f) and ``z`` (layers, batch, heads,
f) float32. Outputs: ``type_logits`` (batch, types), ``field_logits`` (batch, types, values of every other field in order), ``s`` and
``z`` after the word. The vocabulary travels in the graph's metadata, so that a graph explains itself.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engines.bmt.network import BMTConfig, BMTransformer, load_state
from engines.bmt.vocabulary import Vocabulary
from engines.errors import ModelError, OptionError
from engines.files import atomic, folder, write
from engines.runtime import library

OPSET = 17
INPUTS, OUTPUTS = ("word", "position", "s", "z"), ("type_logits", "field_logits", "s_out", "z_out")
PARITY = 1e-4
"""Largest difference of a logit that an export may show against torch."""


class Step(nn.Module):
    """The network's recurrent step with every head, as the graph holds it."""

    def __init__(self, network: BMTransformer) -> None:
        super().__init__()
        self.network = network

    def forward(self, word: Tensor, position: Tensor, s: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        """See the module."""
        heard, s, z = self.network.step(word, position, s, z)
        return self.network.type_logits(heard), self.network.all_logits(heard), s, z


def vocabulary_json(vocabulary: Vocabulary) -> str:
    """The fields of a vocabulary, as the graph's metadata holds them."""
    return json.dumps([[f.name, f.key, f.width, list(f.values)] for f in vocabulary.fields])


@dataclass(frozen=True)
class Exported:
    """A written graph: its path, hash, size in bytes, and the largest difference of a logit from torch."""

    graph: Path
    sha256: str
    size: int
    parity: float


def export_graph(network: BMTransformer, path: Path, positions: int = 2048) -> None:
    """Writes the step of ``network`` as one file with its weights; ``positions`` rows of the position table go with it."""
    import onnx

    network.eval()
    whole = network.pos_emb.pe
    rows = min(positions, whole.shape[1])
    s, z = network.empty_state(2)
    word = torch.zeros(2, len(network.vocabulary.fields), dtype=torch.int64)
    batch = {"word": {0: "batch"}, "position": {0: "batch"}, "s": {1: "batch"}, "z": {1: "batch"}}
    batch |= {"type_logits": {0: "batch"}, "field_logits": {0: "batch"}, "s_out": {1: "batch"}, "z_out": {1: "batch"}}
    network.pos_emb.pe = whole[:, :rows].contiguous()
    with atomic(path) as part:
        try:
            with warnings.catch_warnings():
                # the scripted exporter: its graph of this step runs faster than the dynamo one's (specs/env.md section 4)
                warnings.simplefilter("ignore", DeprecationWarning)
                torch.onnx.export(
                    Step(network).eval(),
                    (word, torch.zeros(2, dtype=torch.int64), s, z),
                    str(part),
                    input_names=list(INPUTS),
                    output_names=list(OUTPUTS),
                    dynamic_axes=batch,
                    opset_version=OPSET,
                    dynamo=False,
                )
        finally:
            network.pos_emb.pe = whole
        graph = onnx.load(str(part))
        for key, value in {
            "vocabulary": vocabulary_json(network.vocabulary),
            "vocabulary_name": network.vocabulary.name,
            "config": json.dumps(network.config.as_dict() | {"positions": rows}),
        }.items():
            graph.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(graph)
        onnx.save(graph, str(part))


def halved(source: Path, target: Path) -> None:
    """The same graph with its weights stored in 16 bits and widened when a session loads it: half the file, 32-bit arithmetic."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(source))
    casts, kept = [], []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < 1024:
            kept.append(tensor)
            continue
        narrow = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_16")
        kept.append(narrow)
        casts.append(helper.make_node("Cast", [narrow.name], [tensor.name], to=TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    write(target, model.SerializeToString())


def widened(source: Path, target: Path) -> None:
    """A graph of `halved` with its weights in 32 bits again, as other tools want them; they keep what 16 bits held."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(source))
    narrow = {tensor.name: tensor for tensor in model.graph.initializer}
    casts = [node for node in model.graph.node if node.op_type == "Cast" and node.input[0] in narrow]
    for node in casts:
        tensor = narrow[node.input[0]]
        wide = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), node.output[0])
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(wide)
        model.graph.node.remove(node)
    write(target, model.SerializeToString())


def quantised(source: Path, target: Path) -> None:
    """The same graph with its matrix products in 8 bits (dynamic, one scale a channel)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with atomic(target) as part:
        quantize_dynamic(str(source), str(part), per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])


def parity(network: BMTransformer, graph: Path, words: int = 64, seed: int = 0) -> float:
    """Largest difference of a logit between the graph in onnxruntime and torch, batch of 3: over a run of random words, and over as
    many that the network itself expects, since a network that is at home divides by smaller sums than one that is lost."""
    rng = np.random.default_rng(seed)
    network.eval()
    session = library().InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    sizes, at_type = network.vocabulary.sizes, network.vocabulary.column["type"]
    ends = np.cumsum([size for k, size in enumerate(sizes) if k != at_type])[:-1]
    worst = 0.0
    for own in (False, True):
        s, z = network.empty_state(3)
        arrays = s.numpy(), z.numpy()
        word = np.stack([rng.integers(0, size, 3) for size in sizes], axis=1)
        for k in range(words):
            position = np.full(3, k)
            kinds, fields, *arrays = session.run(None, dict(zip(INPUTS, (word, position, *arrays), strict=True)))
            with torch.no_grad():
                heard, s, z = network.step(torch.from_numpy(word), torch.from_numpy(position), s, z)
                expected = network.type_logits(heard).numpy(), network.all_logits(heard).numpy()
            worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(expected, (kinds, fields), strict=True)))
            word = np.stack([rng.integers(0, size, 3) for size in sizes], axis=1)
            if own:
                kind = (kinds + rng.gumbel(size=kinds.shape)).argmax(1)
                parts = np.split(fields[np.arange(3), kind], ends, axis=1)
                word = np.insert(np.stack([part.argmax(1) for part in parts], axis=1), at_type, kind, axis=1)
    return worst


def network_of(checkpoint: Path, dictionary: Vocabulary | None = None) -> tuple[BMTransformer, dict[str, Any]]:
    """The averaged network of our trainer's checkpoint, or that of a published one with its dictionary; and what the file says.

    A published checkpoint's layout is read from its shapes. Raises ModelError.
    """
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(
            f"cannot be read ({error.strerror})", where=checkpoint, cure="give --checkpoint a file that exists"
        ) from error
    except Exception as error:  # torch raises many kinds for a file that is not its own
        raise ModelError(
            "is not a file of weights that can be loaded without running code",
            where=checkpoint,
            cure="give a .pt of tensors only",
        ) from error
    try:
        if "average" in state:
            network = BMTransformer(BMTConfig(**state["config"]), dictionary)
            facts = {"steps": state["step"], "hours": state["hours"], "validation": state["best"]}
            weights = state["average"]
        else:
            weights = {str(k).removeprefix("module."): v for k, v in state.items()}
            network, facts = BMTransformer(_published_config(weights), dictionary), {}
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            "is not a checkpoint of BM-Transformer", where=checkpoint, cure="give one of `train bmt`, or a published one"
        ) from error
    load_state(network, weights, checkpoint)
    return network, facts


def _published_config(table: Mapping[str, Tensor]) -> BMTConfig:
    """The layout of a published checkpoint by its shapes. KeyError or ValueError where it is none."""
    layers = 1 + max(int(k.split(".")[2]) for k in table if k.startswith("transformer_encoder.layers."))
    width = int(table["in_linear.weight"].shape[0])
    feedforward = int(table["transformer_encoder.layers.0.linear1.weight"].shape[0])
    positions = table["pos_emb.pe"].shape[1]
    return BMTConfig("published", width, layers, max(1, width // 64), feedforward, positions, 0.1, head_gelu=False)


def export(
    checkpoint: Path, out: Path, storage: str = "fp16", dictionary: Vocabulary | None = None, facts: dict[str, Any] | None = None
) -> Exported:
    """Writes ``out/1/model.onnx``, ``out/config.pbtxt`` and ``out/card.toml``; ModelError where the graph does not match torch.

    ``storage``: ``fp32``, ``fp16`` (weights stored in 16 bits, arithmetic in 32) or ``int8``.
    """
    if storage not in ("fp32", "fp16", "int8"):
        raise OptionError(f"no storage is named {storage!r}", where="--storage", cure="choose fp32, fp16 or int8")
    network, trained = network_of(checkpoint, dictionary)
    graph = folder(out / "1") / "model.onnx"
    with tempfile.TemporaryDirectory() as room:
        whole = Path(room) / "model.onnx"
        export_graph(network, whole)
        difference = parity(network, whole)
        if difference > PARITY:
            raise ModelError(
                f"differs from torch by {difference:.1e}", where=checkpoint, cure="report this: the exporter is at fault"
            )
        if storage == "fp32":
            write(graph, whole.read_bytes())
        else:
            (halved if storage == "fp16" else quantised)(whole, graph)
    digest = hashlib.sha256(graph.read_bytes()).hexdigest()
    write(out / "config.pbtxt", _config_pbtxt(network, out.name))
    write(out / "card.toml", _card(network, digest, storage, trained, difference, facts or {}))
    return Exported(graph, digest, graph.stat().st_size, difference)


def _config_pbtxt(network: BMTransformer, name: str) -> str:
    c = network.config
    f = c.width // c.heads
    types, rest = network.vocabulary.sizes[network.vocabulary.column["type"]], sum(network.vocabulary.sizes)
    shapes = [
        ("input", "word", "TYPE_INT64", [-1, len(network.vocabulary.fields)]),
        ("input", "position", "TYPE_INT64", [-1]),
        ("input", "s", "TYPE_FP32", [c.layers, -1, c.heads, f, f]),
        ("input", "z", "TYPE_FP32", [c.layers, -1, c.heads, f]),
        ("output", "type_logits", "TYPE_FP32", [-1, types]),
        ("output", "field_logits", "TYPE_FP32", [-1, types, rest - types]),
        ("output", "s_out", "TYPE_FP32", [c.layers, -1, c.heads, f, f]),
        ("output", "z_out", "TYPE_FP32", [c.layers, -1, c.heads, f]),
    ]
    lines = [f'name: "{name}"', 'platform: "onnxruntime_onnx"', "max_batch_size: 0"]
    lines += [f'{side} {{ name: "{n}" data_type: {kind} dims: {dims} }}' for side, n, kind, dims in shapes]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _card(
    network: BMTransformer, digest: str, storage: str, trained: dict[str, Any], difference: float, facts: dict[str, Any]
) -> str:
    """The rights card: what it is, what it learned, who may use it, what was measured."""
    lines = [
        'version = "1"',
        f"sha256 = {_toml(digest)}",
        f"opset = {OPSET}",
        'architecture = "BM-Transformer: compound words, causal linear attention, one recurrent step"',
        f"storage = {_toml(storage)}",
        f"parameters = {sum(p.numel() for p in network.parameters())}",
        "",
        "[config]",
        *(f"{k} = {_toml(v)}" for k, v in network.config.as_dict().items()),
    ]
    sections: dict[str, dict[str, Any]] = {"training": dict(trained), "measured": {"parity_with_torch": difference}}
    for section, values in facts.items():
        sections[section] = sections.get(section, {}) | values
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{k} = {_toml(v)}" for k, v in values.items())]
    return "\n".join(lines) + "\n"
