"""How every network becomes a model: a graph that is checked against torch, ways to store its weights, and its card.

A model is a folder as an inference server's repository has it: ``1/model.onnx``, ``config.pbtxt``, and ``card.toml``, the rights card.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engines.errors import ModelError, OptionError
from engines.files import atomic, folder, write
from engines.runtime import library

OPSET = 17
PARITY = 1e-4
"""Largest difference of a value that an export may show against torch."""
Tensors = Sequence[tuple[str, str, str, Sequence[int]]]
"""(``input`` or ``output``, name, kind, shape with -1 for what is free) of everything that goes in and comes out of a graph."""


@dataclass(frozen=True)
class Exported:
    """A written graph: its path, hash, size in bytes, the largest difference from torch, and keys of the checkpoint left out."""

    graph: Path
    sha256: str
    size: int
    parity: float
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """A network on its way to a model: what its card says of it, who ``draw``s its graph and who measures its ``parity``."""

    architecture: str
    network: nn.Module
    config: Mapping[str, object]
    tensors: Tensors
    draw: Callable[[Path], None]
    parity: Callable[[Path], float]
    trained: Mapping[str, object]


def read_weights(checkpoint: Path) -> Any:
    """What a checkpoint holds, without running any code in it. Raises ModelError."""
    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=True)
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


def begun(state: Mapping[str, Any]) -> dict[str, str]:
    """What a checkpoint says of the model that its run began with."""
    return {"begun_with": str(state["begun_with"])} if state.get("begun_with") else {}


def trace(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    free: Mapping[str, dict[int, str]],
    path: Path,
    metadata: Mapping[str, str],
) -> None:
    """Writes a module as one file with its weights, by running it once; ``free`` names the axes of any length."""
    import onnx

    with atomic(path) as part:
        with warnings.catch_warnings():
            # the scripted exporter: its graphs run faster than the dynamo one's, and the batch stays free (specs/env.md section 4);
            # what its tracer warns of are sizes, which are fixed, and constants that onnxruntime folds when it loads them
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
            warnings.filterwarnings("ignore", "Constant folding", UserWarning)
            torch.onnx.export(
                module.eval(),
                tuple(inputs.values()),
                str(part),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=dict(free),
                opset_version=OPSET,
                dynamo=False,
            )
        graph = onnx.load(str(part))
        for key, value in metadata.items():
            graph.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(graph)
        onnx.save(graph, str(part))


def checked(graph: Path) -> Any:
    """A session that is only asked a few times: one thread, which a busy machine does not keep waiting."""
    ort = library()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # what it has to say is raised
    return ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


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


def _whole(source: Path, target: Path) -> None:
    write(target, source.read_bytes())


STORAGES = {"fp32": _whole, "fp16": halved, "int8": quantised}
"""``fp16`` stores weights in 16 bits and reckons in 32."""


def check_storage(storage: str, storages: Sequence[str]) -> None:
    """Raises OptionError for a storage that an engine does not have."""
    if storage not in storages:
        raise OptionError(
            f"no storage is named {storage!r}",
            where="--storage",
            cure=f"choose {', '.join(storages[:-1])} or {storages[-1]}",
        )


def ship(drawing: Drawing, checkpoint: Path, out: Path, storage: str, facts: Mapping[str, Any] | None = None) -> Exported:
    """Writes ``out/1/model.onnx``, ``out/config.pbtxt`` and ``out/card.toml``; ModelError where the graph does not match torch.

    ``facts`` are sections of the card, over what is known here.
    """
    graph = folder(out / "1") / "model.onnx"
    with tempfile.TemporaryDirectory() as room:
        whole = Path(room) / "model.onnx"
        drawing.draw(whole)
        difference = drawing.parity(whole)
        if not difference <= PARITY:
            raise ModelError(
                f"differs from torch by {difference:.1e}", where=checkpoint, cure="report this: the exporter is at fault"
            )
        STORAGES[storage](whole, graph)
    digest = hashlib.sha256(graph.read_bytes()).hexdigest()
    write(out / "config.pbtxt", pbtxt(out.name, drawing.tensors))
    write(out / "card.toml", card(drawing, digest, storage, difference, facts or {}))
    return Exported(graph, digest, graph.stat().st_size, difference)


def pbtxt(name: str, tensors: Tensors) -> str:
    """The configuration by which an inference server serves the graph."""
    lines = [f'name: "{name}"', 'platform: "onnxruntime_onnx"', "max_batch_size: 0"]
    lines += [f'{side} {{ name: "{n}" data_type: {kind} dims: {list(dims)} }}' for side, n, kind, dims in tensors]
    return "\n".join(lines) + "\n"


def card(drawing: Drawing, digest: str, storage: str, difference: float, facts: Mapping[str, Any]) -> str:
    """The rights card: what it is, what it learned, who may use it, what was measured."""
    lines = [
        'version = "1"',
        f"sha256 = {_toml(digest)}",
        f"opset = {OPSET}",
        f"architecture = {_toml(drawing.architecture)}",
        f"storage = {_toml(storage)}",
        f"parameters = {sum(p.numel() for p in drawing.network.parameters())}",
        "",
        "[config]",
        *(f"{k} = {_toml(v)}" for k, v in drawing.config.items()),
    ]
    sections: dict[str, dict[str, Any]] = {"training": dict(drawing.trained), "measured": {"parity_with_torch": difference}}
    for section, values in facts.items():
        sections[section] = sections.get(section, {}) | values
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{k} = {_toml(v)}" for k, v in values.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
