"""The denoiser as an ONNX graph of any batch, with its card.

Inputs: ``x`` (batch, layers, 128, pitches) float32, ``t`` (batch,) int64, ``condition`` (rows, 32, width) float32, where rows is the
batch or a multiple of it: guidance asks for a window with and without its conditions, and what does not hear them is reckoned once.
Output ``answer`` (rows, ...) as large as ``x``: the noise, or the clean roll (see ``predicts`` in the metadata ``config``). A network
with a caption projection also takes ``caption`` (captions, 32, caption width) and gives ``projected``, the condition that these are;
the sampler, guidance and the switch between the sources are the host's (`engines.diffbgm.sampler`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engines.diffbgm.config import PAPER, DiffBGMConfig
from engines.diffbgm.network import DiffBGM
from engines.diffbgm.pianoroll import BEATS, STEPS
from engines.diffbgm.schedule import TIMES
from engines.errors import ModelError, OptionError
from engines.training.export import Drawing, Exported, Tensors, begun, check_storage, checked, read_weights, ship, trace
from engines.training.start import metadata_of, read_into

STORAGES = ("fp32", "fp16")
EXTRAS = ("ldm.eps_model.mmfc.", "chord_enc.", "chord_dec.", "pnotree_", "txt_enc.", "visual_enc.")
"""Keys that published checkpoints may hold and that nothing here needs."""

REMEMBERED = ("progressions", "outlines")
"""What a checkpoint of ours holds of the songs it learned: `engines.diffbgm.progressions`, `engines.diffbgm.outlines`."""


class Denoiser(nn.Module):
    """The network as the graph holds it."""

    def __init__(self, network: DiffBGM) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, t: Tensor, condition: Tensor, caption: Tensor | None = None) -> Any:
        """See the module."""
        answer = self.network(x, t, condition)
        return answer if caption is None else (answer, self.network.caption_enc(caption))


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


def export_graph(network: DiffBGM, path: Path, remembered: Mapping[str, object] | None = None) -> None:
    """Writes ``network`` as one file with its weights; only the batch is free. ``remembered`` is what the sampler's host draws from,
    by the names of `REMEMBERED`, for the metadata."""
    network.eval()
    inputs = {name: torch.from_numpy(value) for name, value in example(network.config, 2).items()}
    inputs |= {"x": inputs["x"][:1], "t": inputs["t"][:1]}  # one roll with two conditions: neither count is a constant
    free = {"x": "batch", "t": "batch", "condition": "rows", "answer": "rows"}
    if network.config.caption:
        free |= {"caption": "captions", "projected": "captions"}
    metadata = {"engine": "diffbgm", "config": json.dumps(network.config.as_dict()), "conditions": "multiple"}
    metadata |= {name: json.dumps(value, separators=(",", ":")) for name, value in (remembered or {}).items()}
    outputs = [name for name in free if name not in inputs]
    trace(Denoiser(network), inputs, outputs, {name: {0: axis} for name, axis in free.items()}, path, metadata)


def parity(network: DiffBGM, graph: Path, batch: int = 3, seed: int = 1) -> float:
    """Largest difference between the graph in onnxruntime and torch, over times from clean to noise: windows with a condition each,
    and one window with all of them."""
    network.eval()
    session = checked(graph)
    each = example(network.config, batch, seed)
    worst = 0.0
    for inputs in (each, each | {"x": each["x"][1:2], "t": each["t"][1:2]}):
        found = session.run(None, inputs)
        with torch.no_grad():
            meant = Denoiser(network)(*(torch.from_numpy(value) for value in inputs.values()))
        wanted = [m.numpy() for m in (meant if isinstance(meant, tuple) else (meant,))]
        worst = np.maximum(worst, max(np.abs(a - b).max() for a, b in zip(found, wanted, strict=True)))
    return float(worst)


def network_of(checkpoint: Path, segments: int | None = None) -> tuple[DiffBGM, dict[str, Any], list[str]]:
    """The averaged network of our trainer's checkpoint, or that of a published one; what the file says; the keys left out.

    ``segments`` is w of the published attention, which no checkpoint tells (2 by default). Raises ModelError.
    """
    cure = "give one of `train diffbgm`, or a published one"
    state = read_weights(checkpoint)
    if not isinstance(state, dict):
        raise ModelError("is not a checkpoint of Diff-BGM", where=checkpoint, cure=cure)
    if state.get("engine") == "diffbgm":
        network = DiffBGM(DiffBGMConfig.from_dict(state["config"]))
        weights, facts = (
            state["average"],
            {"steps": state["step"], "hours": state["hours"], "validation": state["best"]} | begun(state),
        )
        facts |= {name: state[name].tolist() for name in REMEMBERED if state.get(name) is not None}
    else:
        shares = 2 if segments is None else segments
        if BEATS % shares:
            raise OptionError(f"{BEATS} tokens have no {shares} equal shares", where="--segments", cure="choose 1, 2, 4 or 8")
        network = DiffBGM(replace(PAPER, segments=shares, heard=shares))
        weights, facts = state.get("model", state), {k: state[k] for k in ("step", "epoch") if isinstance(state.get(k), int)}
    if not isinstance(weights, Mapping) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise ModelError("is not a checkpoint of Diff-BGM", where=checkpoint, cure=cure)
    return network, facts, load_state(network, weights, checkpoint)


def network_from(graph: Path) -> DiffBGM:
    """The network of a model of ours, to be gone on with. Raises ModelError."""
    try:
        network = DiffBGM(DiffBGMConfig.from_dict(metadata_of(graph)))
    except ModelError as error:
        raise ModelError(error.what, where=graph, cure="give a model of `export diffbgm`") from error
    return read_into(network, graph, export_graph, parity)


def load_state(network: DiffBGM, state: Mapping[str, Tensor], where: Path | str) -> list[str]:
    """Loads every key strictly; returns the keys that were left out because `EXTRAS` names them.

    Raises ModelError for a key that is missing, unknown or of another shape, and for a checkpoint of another noise schedule.
    """
    wanted = network.state_dict()
    dropped = sorted(k for k in state if k not in wanted and k.startswith(EXTRAS))
    given = {k: v for k, v in state.items() if k not in dropped}
    cure = "give a checkpoint of Diff-BGM, or one of `train diffbgm`"
    for what, names in (("lacks", wanted.keys() - given.keys()), ("holds unknown", given.keys() - wanted.keys())):
        if names:
            first = sorted(names)[0]
            raise ModelError(f"{what} {len(names)} keys, the first {first}", where=where, cure=cure)
    for name, value in wanted.items():
        if given[name].shape != value.shape:
            found, meant = tuple(given[name].shape), tuple(value.shape)
            raise ModelError(f"{name} has the shape {found}, not {meant}", where=where, cure=cure)
    for name in ("ldm.beta", "ldm.alpha_bar"):
        if not torch.allclose(given[name].float(), wanted[name], rtol=1e-4, atol=1e-7):
            raise ModelError(
                f"was trained with another noise schedule than {network.config.schedule}",
                where=where,
                cure="check its params.json for beta_start and beta_end",
            )
    network.load_state_dict(given)
    return dropped


def export(
    checkpoint: Path, out: Path, storage: str = "fp16", segments: int | None = None, facts: dict[str, Any] | None = None
) -> Exported:
    """Writes a model to ``out``; see `engines.training.export.ship`. ``storage`` is one of `STORAGES`; for ``segments`` see
    `network_of`. Raises ModelError and OptionError."""
    check_storage(storage, STORAGES)
    network, trained, dropped = network_of(checkpoint, segments)
    remembered = {name: trained.pop(name) for name in REMEMBERED if name in trained}
    drawing = Drawing(
        f"Diff-BGM: a UNet over rolls of {STEPS} sixteenths, attention by segment",
        network,
        network.config.as_dict(),
        _tensors(network.config),
        lambda path: export_graph(network, path, remembered),
        lambda path: parity(network, path),
        trained,
    )
    return replace(ship(drawing, checkpoint, out, storage, facts), dropped=tuple(dropped))


def _tensors(config: DiffBGMConfig) -> Tensors:
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
    return rows
