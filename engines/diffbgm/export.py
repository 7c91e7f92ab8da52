"""The denoiser as an ONNX graph of any batch, with its card.

Inputs: ``x`` (batch, layers, 128, pitches) float32, ``t`` (batch,) int64, ``condition`` (batch, 32, width) float32. Output ``answer``,
as large as ``x``: the noise, or the clean roll (see ``predicts`` in the metadata ``config``). A network with a caption projection
also takes ``caption`` (batch, 32, caption width) and gives ``projected``, the condition that these are; the sampler, guidance and
the switch between the sources are the host's (`engines.diffbgm.sampler`).
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engines.bmt.export import halved
from engines.diffbgm.config import PAPER, DiffBGMConfig
from engines.diffbgm.network import DiffBGM, load_state
from engines.diffbgm.pianoroll import BEATS, STEPS
from engines.diffbgm.schedule import TIMES
from engines.errors import ModelError, OptionError
from engines.files import atomic, folder, write
from engines.runtime import library

OPSET = 17
PARITY = 1e-4
"""Largest difference of a value that an export may show against torch."""
STORAGES = ("fp32", "fp16")


class Denoiser(nn.Module):
    """The network as the graph holds it."""

    def __init__(self, network: DiffBGM) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, t: Tensor, condition: Tensor, caption: Tensor | None = None) -> Any:
        """See the module."""
        answer = self.network(x, t, condition)
        return answer if caption is None else (answer, self.network.caption_enc(caption))


@dataclass(frozen=True)
class Exported:
    """A written graph: its path, hash, size in bytes, the largest difference from torch, and the keys that were left out."""

    graph: Path
    sha256: str
    size: int
    parity: float
    dropped: tuple[str, ...]


def example(config: DiffBGMConfig, batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs of the graph, by name: noise, times spread over all, some conditions."""
    rng = np.random.default_rng(seed)
    inputs: dict[str, np.ndarray] = {
        "x": rng.standard_normal((batch, *config.roll.shape), np.float32),
        "t": np.linspace(0, TIMES - 1, batch).astype(np.int64),
        "condition": rng.standard_normal((batch, BEATS, config.condition), np.float32),
    }
    if config.caption:
        inputs["caption"] = rng.standard_normal((batch, BEATS, config.caption), np.float32)
    return inputs


def export_graph(network: DiffBGM, path: Path, progressions: list[list[list[int]]] | None = None) -> None:
    """Writes ``network`` as one file with its weights; only the batch is free. ``progressions`` are the counts of
    `engines.diffbgm.progressions`, for the metadata."""
    import onnx

    network.eval()
    inputs = example(network.config, 2)
    outputs = ["answer", "projected"] if network.config.caption else ["answer"]
    with atomic(path) as part:
        with warnings.catch_warnings():
            # the scripted exporter makes no constants of the batch; what its tracer warns of are sizes, which are fixed
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
            torch.onnx.export(
                Denoiser(network).eval(),
                tuple(torch.from_numpy(value) for value in inputs.values()),
                str(part),
                input_names=list(inputs),
                output_names=outputs,
                dynamic_axes={name: {0: "batch"} for name in (*inputs, *outputs)},
                opset_version=OPSET,
                dynamo=False,
            )
        graph = onnx.load(str(part))
        graph.metadata_props.add(key="engine", value="diffbgm")
        graph.metadata_props.add(key="config", value=json.dumps(network.config.as_dict()))
        if progressions is not None:
            graph.metadata_props.add(key="progressions", value=json.dumps(progressions))
        onnx.checker.check_model(graph)
        onnx.save(graph, str(part))


def parity(network: DiffBGM, graph: Path, batch: int = 3, seed: int = 1) -> float:
    """Largest difference between the graph in onnxruntime and torch, over times from clean to noise."""
    network.eval()
    inputs = example(network.config, batch, seed)
    session = library().InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    found = session.run(None, inputs)
    with torch.no_grad():
        meant = Denoiser(network)(*(torch.from_numpy(value) for value in inputs.values()))
    wanted = [m.numpy() for m in (meant if isinstance(meant, tuple) else (meant,))]
    return max(float(np.abs(a - b).max()) for a, b in zip(found, wanted, strict=True))


def network_of(checkpoint: Path, segments: int | None = None) -> tuple[DiffBGM, dict[str, Any], list[str]]:
    """The averaged network of our trainer's checkpoint, or that of a published one; what the file says; the keys left out.

    ``segments`` is w of the published attention, which no checkpoint tells (2 by default). Raises ModelError.
    """
    cure = "give one of `train diffbgm`, or a published one"
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
    if not isinstance(state, dict):
        raise ModelError("is not a checkpoint of Diff-BGM", where=checkpoint, cure=cure)
    if state.get("engine") == "diffbgm":
        network = DiffBGM(DiffBGMConfig.from_dict(state["config"]))
        weights, facts = state["average"], {"steps": state["step"], "hours": state["hours"], "validation": state["best"]}
        if state.get("progressions") is not None:
            facts["progressions"] = state["progressions"].tolist()
    else:
        shares = 2 if segments is None else segments
        if BEATS % shares:
            raise OptionError(f"{BEATS} tokens have no {shares} equal shares", where="--segments", cure="choose 1, 2, 4 or 8")
        network = DiffBGM(replace(PAPER, segments=shares, heard=shares))
        weights, facts = state.get("model", state), {k: state[k] for k in ("step", "epoch") if isinstance(state.get(k), int)}
    if not isinstance(weights, Mapping) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise ModelError("is not a checkpoint of Diff-BGM", where=checkpoint, cure=cure)
    return network, facts, load_state(network, weights, checkpoint)


def export(
    checkpoint: Path, out: Path, storage: str = "fp16", segments: int | None = None, facts: dict[str, Any] | None = None
) -> Exported:
    """Writes ``out/1/model.onnx``, ``out/config.pbtxt`` and ``out/card.toml``; ModelError where the graph does not match torch.

    ``storage``: ``fp32``, or ``fp16`` (weights stored in 16 bits, arithmetic in 32).
    """
    if storage not in STORAGES:
        raise OptionError(f"no storage is named {storage!r}", where="--storage", cure=f"choose {' or '.join(STORAGES)}")
    network, trained, dropped = network_of(checkpoint, segments)
    graph = folder(out / "1") / "model.onnx"
    with tempfile.TemporaryDirectory() as room:
        whole = Path(room) / "model.onnx"
        export_graph(network, whole, trained.pop("progressions", None))
        difference = parity(network, whole)
        if not difference <= PARITY:
            raise ModelError(
                f"differs from torch by {difference:.1e}", where=checkpoint, cure="report this: the exporter is at fault"
            )
        if storage == "fp32":
            write(graph, whole.read_bytes())
        else:
            halved(whole, graph)
    digest = hashlib.sha256(graph.read_bytes()).hexdigest()
    write(out / "config.pbtxt", _config_pbtxt(network.config, out.name))
    write(out / "card.toml", _card(network, digest, storage, trained, difference, facts or {}))
    return Exported(graph, digest, graph.stat().st_size, difference, tuple(dropped))


def _config_pbtxt(config: DiffBGMConfig, name: str) -> str:
    shape = [-1, *config.roll.shape]
    rows = [
        ("input", "x", "TYPE_FP32", shape),
        ("input", "t", "TYPE_INT64", [-1]),
        ("input", "condition", "TYPE_FP32", [-1, BEATS, config.condition]),
        ("output", "answer", "TYPE_FP32", shape),
    ]
    if config.caption:
        rows.insert(3, ("input", "caption", "TYPE_FP32", [-1, BEATS, config.caption]))
        rows.append(("output", "projected", "TYPE_FP32", [-1, BEATS, config.condition]))
    lines = [f'name: "{name}"', 'platform: "onnxruntime_onnx"', "max_batch_size: 0"]
    lines += [f'{side} {{ name: "{n}" data_type: {kind} dims: {dims} }}' for side, n, kind, dims in rows]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _card(network: DiffBGM, digest: str, storage: str, trained: dict[str, Any], difference: float, facts: dict[str, Any]) -> str:
    """The rights card: what it is, what it learned, who may use it, what was measured."""
    config = network.config
    lines = [
        'version = "1"',
        f"sha256 = {_toml(digest)}",
        f"opset = {OPSET}",
        f'architecture = "Diff-BGM: a UNet over rolls of {STEPS} sixteenths, attention by segment"',
        f"storage = {_toml(storage)}",
        f"parameters = {sum(p.numel() for p in network.parameters())}",
        "",
        "[config]",
        *(f"{k} = {_toml(v)}" for k, v in config.as_dict().items()),
    ]
    sections: dict[str, dict[str, Any]] = {"training": dict(trained), "measured": {"parity_with_torch": difference}}
    for section, values in facts.items():
        sections[section] = sections.get(section, {}) | values
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{k} = {_toml(v)}" for k, v in values.items())]
    return "\n".join(lines) + "\n"
