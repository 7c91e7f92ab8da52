"""Training and exporting an engine from the command line; the one place that says what to install for it."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engines.errors import MissingLibraryError


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
) -> Path:
    """Trains ``engine`` on POP909 in ``data``, going on from ``out``; returns the best checkpoint."""
    _need("torch")
    from engines.bmt.network import OURS, PUBLISHED, BMTConfig
    from engines.bmt.train import TrainSettings, train

    config = OURS if size == "ours" else replace(OURS, **_sizes(PUBLISHED))
    settings = TrainSettings() if steps is None else TrainSettings(steps=steps)
    assert isinstance(config, BMTConfig)
    return train(data, out, config, settings, report, hours=hours or math.inf)


def _sizes(config: object) -> dict[str, int]:
    """The published sizes, for our vocabulary."""
    return {name: getattr(config, name) for name in ("width", "layers", "heads", "feedforward")}


def export_engine(engine: str, checkpoint: Path, out: Path, storage: str, dictionary: Path | None) -> dict[str, object]:
    """Exports a checkpoint of ``engine`` to ``out``; what was written, as plain values."""
    _need("torch", "onnx")
    from engines.bmt.export import export
    from engines.bmt.vocabulary import load_dictionary

    made = export(checkpoint, out, storage, load_dictionary(dictionary) if dictionary else None)
    return {"graph": str(made.graph), "sha256": made.sha256, "bytes": made.size, "parity": made.parity}
