"""Training and exporting an engine from the command line; the one place that says what to install for it."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engines.errors import MissingLibraryError, OptionError


def _need(*libraries: str) -> None:
    found = {name: importlib.util.find_spec(name) for name in libraries}
    # a folder of that name is no library: in a checkout, onnx/ is the model repository
    missing = [name for name, spec in found.items() if spec is None or spec.origin is None]
    if missing:
        raise MissingLibraryError(f"{', '.join(missing)} is not installed", cure='run: pip install -e ".[train]"')


def train_engine(
    engine: str,
    data: Path,
    out: Path,
    steps: int | None,
    hours: float | None,
    size: str,
    report: Callable[[dict[str, object]], None],
    model: Path | None = None,
) -> Path:
    """Trains ``engine`` on POP909 in ``data``, going on from ``out``, or where nothing is there yet from the weights of a ``model``'s
    folder; returns the best checkpoint. Raises ModelError and OptionError."""
    _need(*(("torch",) if model is None else ("torch", "onnx")))
    most = math.inf if hours is None else hours
    if model is not None and size != "ours":
        raise OptionError("goes with a model of ours", where="--size", cure="leave it out: the model says its sizes")
    if engine == "diffbgm":
        return _train_diffbgm(data, out, steps, most, size, report, model)
    from engines.bmt.network import OURS, PUBLISHED
    from engines.bmt.train import TrainSettings, train

    large = replace(
        OURS, width=PUBLISHED.width, layers=PUBLISHED.layers, heads=PUBLISHED.heads, feedforward=PUBLISHED.feedforward
    )
    config = OURS if size == "ours" else large
    settings = TrainSettings() if steps is None else TrainSettings(steps=steps)
    if model is None:
        return train(data, out, config, settings, report, hours=most)
    from engines.bmt.export import network_from
    from engines.training.start import digest, graph_of

    graph = graph_of(model)
    network = network_from(graph)
    return train(data, out, network.config, settings, report, hours=most, start=lambda: (network, digest(graph)))


def _train_diffbgm(
    data: Path,
    out: Path,
    steps: int | None,
    hours: float,
    size: str,
    report: Callable[[dict[str, object]], None],
    model: Path | None,
) -> Path:
    from engines.diffbgm.config import OURS, PAPER
    from engines.diffbgm.train import PAPER_SETTINGS, TrainSettings, train

    settings = TrainSettings() if size == "ours" else PAPER_SETTINGS
    if steps is not None:
        settings = replace(settings, steps=steps)
    if model is None:
        return train(data, out, OURS if size == "ours" else PAPER, settings, report, hours=hours)
    from engines.diffbgm.export import network_from
    from engines.training.start import digest, graph_of

    graph = graph_of(model)
    network = network_from(graph)
    return train(data, out, network.config, settings, report, hours=hours, start=lambda: (network, digest(graph)))


def export_engine(
    engine: str, checkpoint: Path, out: Path, storage: str, dictionary: Path | None, segments: int | None = None
) -> dict[str, object]:
    """Exports a checkpoint of ``engine`` to ``out``; what was written, as plain values. OptionError for an option of the other
    engine."""
    _need("torch", "onnx")
    for name, value, owner in (("--dictionary", dictionary, "bmt"), ("--segments", segments, "diffbgm")):
        if value is not None and engine != owner:
            raise OptionError(f"is an option of {owner}", where=name, cure="leave it out")
    if engine == "diffbgm":
        from engines.diffbgm import export as diffbgm

        drawn = diffbgm.export(checkpoint, out, storage, segments)
        told: dict[str, object] = {"graph": str(drawn.graph), "sha256": drawn.sha256, "bytes": drawn.size, "parity": drawn.parity}
        return told | ({"left out": ", ".join(drawn.dropped)} if drawn.dropped else {})
    from engines.bmt.export import export
    from engines.bmt.vocabulary import load_dictionary

    made = export(checkpoint, out, storage, load_dictionary(dictionary) if dictionary else None)
    return {"graph": str(made.graph), "sha256": made.sha256, "bytes": made.size, "parity": made.parity}
