"""Going on from a model: the weights of a shipped graph as a network's again, so that who has no checkpoint need not begin anew.

An exporter folds, turns and renames what it writes. So the same network is written once more with weights that nobody could mistake
for others, and each weight of the graph is known by the place where its stand-in is found.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from engines.errors import ModelError
from engines.training.export import checked

N = TypeVar("N", bound=nn.Module)
Arrays = dict[str, npt.NDArray[Any]]
ALIKE = 1e-3
"""Largest difference of a value between the graph and the network that was read from it."""
_CURE = "give a model folder of this version's export (fp32 or fp16), or train from nothing"


def graph_of(folder: Path) -> Path:
    """The graph of a model folder. Raises ModelError where there is none."""
    graph = folder / "1" / "model.onnx"
    if not graph.is_file():
        raise ModelError("holds no model", where=folder, cure="give a folder as export writes it, such as onnx/bmt")
    return graph


def digest(graph: Path) -> str:
    """The SHA-256 of a graph, by which its card and a checkpoint name it."""
    return hashlib.sha256(graph.read_bytes()).hexdigest()


def metadata_of(graph: Path) -> dict[str, Any]:
    """The ``config`` that a graph carries. Raises ModelError where it carries none."""
    try:
        config = json.loads(checked(graph).get_modelmeta().custom_metadata_map["config"])
    except Exception as error:  # onnxruntime raises many kinds for a file that is no graph
        raise ModelError("is no graph of an engine of ours", where=graph, cure=_CURE) from error
    return dict(config)


def read_into(network: N, graph: Path, draw: Callable[[N, Path], None], parity: Callable[[N, Path], float]) -> N:
    """Puts the weights of ``graph`` into ``network``, which must be of its sizes; ``draw`` writes a network's graph, ``parity`` tells
    how far a network and a graph differ. What the graph has no use for stays as it was. Raises ModelError where they do not fit."""
    told = _initialisers(graph)
    own = {name: value.detach().clone() for name, value in network.named_parameters()}
    try:
        _mark(network)
        with tempfile.TemporaryDirectory() as room:
            draw(network, Path(room) / "marked.onnx")
            places = _initialisers(Path(room) / "marked.onnx")
        found = {name: _placed(value.detach().numpy(), places, told) for name, value in network.named_parameters()}
    finally:
        with torch.no_grad():
            for name, value in network.named_parameters():
                value.copy_(own[name])
    if not any(weight is not None for weight in found.values()):
        raise ModelError("holds none of this network's weights", where=graph, cure=_CURE)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if (weight := found[name]) is not None:
                value.copy_(torch.from_numpy(weight))
    try:
        difference = parity(network, graph)
    except Exception as error:  # onnxruntime raises many kinds for a graph that takes other inputs
        raise ModelError("was written by another version's export", where=graph, cure=_CURE) from error
    if not difference <= ALIKE:
        raise ModelError(f"cannot be gone on from (a network read from it differs by {difference:.1e})", where=graph, cure=_CURE)
    return network


def _mark(network: nn.Module) -> None:
    """Weights of which no two tensors are alike."""
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(0.02 * torch.randn(value.shape, generator=rng) + 0.01 * torch.rand((), generator=rng))


def _initialisers(graph: Path) -> Arrays:
    """Every stored tensor of a graph by name; those stored in 16 bits by the name that they have once they are widened."""
    import onnx
    from onnx import numpy_helper

    content = onnx.load(str(graph)).graph
    wide = {node.input[0]: node.output[0] for node in content.node if node.op_type == "Cast"}
    return {wide.get(t.name, t.name): numpy_helper.to_array(t) for t in content.initializer}


def _placed(marked: npt.NDArray[Any], places: Mapping[str, npt.NDArray[Any]], told: Arrays) -> npt.NDArray[np.float32] | None:
    """What the graph holds where ``marked`` lies: as it is, in another shape, turned, or in two halves; None where it lies nowhere."""
    for name, there in places.items():
        if there.size != marked.size or name not in told or told[name].shape != there.shape:
            continue
        if np.array_equal(there.ravel(), marked.ravel()):
            return told[name].reshape(marked.shape).astype(np.float32)
        if marked.ndim == there.ndim == 2 and np.array_equal(there.T, marked):
            return told[name].T.astype(np.float32)
    if len(marked) < 4 or len(marked) % 2:
        return None
    halves = [_placed(half, places, told) for half in np.split(marked, 2)]
    return None if halves[0] is None or halves[1] is None else np.concatenate([halves[0], halves[1]])
