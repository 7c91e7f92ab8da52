"""What a film looks like, for a published checkpoint: rows of features from a file, one token a beat.

The published networks hear CLIP2Video features of 512 numbers and BERT captions of 768, each stretched over the whole cue
(``specs/diffbgm.md`` section 1.5). Their networks' licences do not let them be shipped, so the rows come from a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.diffbgm.pianoroll import BEATS
from engines.errors import MissingLibraryError, OptionError

VISUAL, CAPTION = 512, 768
CURE = "give .npy or .pt files with 512 (visual) or 768 (captions) numbers a row"
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """Rows over the length of a film; None where no file holds them."""

    visual: Rows | None = None
    caption: Rows | None = None


def load_features(paths: list[Path]) -> Features:
    """Visual and caption rows, told apart by their width. Raises OptionError for a file that holds neither."""
    found: dict[int, Rows] = {}
    for path in paths:
        rows = _rows(path)
        if rows.ndim != 2 or rows.shape[1] not in (VISUAL, CAPTION) or not len(rows) or not np.isfinite(rows).all():
            raise OptionError(f"holds numbers of the shape {rows.shape}", where=path, cure=CURE)
        if rows.shape[1] in found:
            raise OptionError(f"is a second file of {rows.shape[1]} numbers a row", where=path, cure="give one of each kind")
        found[rows.shape[1]] = rows
    return Features(found.get(VISUAL), found.get(CAPTION))


def _rows(path: Path) -> Rows:
    try:
        if path.suffix in (".pt", ".pth"):
            return _tensor(path)
        return np.asarray(np.load(path, allow_pickle=False), np.float32)
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise OptionError("cannot be read as features", where=path, cure=CURE) from error


def _tensor(path: Path) -> Rows:
    try:
        import torch
    except ImportError as error:
        raise MissingLibraryError("torch is not installed", where=path, cure="save the features as .npy") from error
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        return np.asarray(loaded.float().numpy())
    except Exception as error:  # torch raises many kinds for a file that is not its own
        raise OptionError("cannot be read as features", where=path, cure=CURE) from error


def by_beat(rows: Rows, beats: int) -> Rows:
    """One row a beat, stretched over all of them: row floor(i T / M) for beat i of M, as published."""
    return rows[np.arange(beats) * len(rows) // beats]


def window(rows: Rows, beat: int) -> Rows:
    """The 32 rows of a window from a beat on; beyond the end zeros, as published. A beat before the first is the first."""
    out = np.zeros((BEATS, rows.shape[1]), np.float32)
    inside = np.arange(beat, beat + BEATS)
    there = inside < len(rows)
    out[there] = rows[np.maximum(0, inside[there])]
    return out
