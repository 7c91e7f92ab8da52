"""What a film looks like, for a published checkpoint: rows of features from a file, one token a beat.

The published networks hear CLIP2Video features of 512 numbers and BERT captions of 768, each stretched over the whole cue
(``specs/diffbgm.md`` section 1.5). Their networks' licences do not let them be shipped, so the rows come from a file.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engines import files
from engines.diffbgm.pianoroll import BEATS
from engines.errors import OptionError

VISUAL, CAPTION = 512, 768
LARGEST = 1 << 30
"""Bytes of a file of features; ten hours of captions, a row a second, take a tenth of it."""

CURE = "give .npy or .pt files with 512 (visual) or 768 (captions) numbers a row"
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """Rows over the length of a film; None where no file holds them."""

    visual: Rows | None = None
    caption: Rows | None = None


def load_features(paths: Sequence[Path]) -> Features:
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
        return np.asarray(np.load(io.BytesIO(files.read(path, LARGEST)), allow_pickle=False), np.float32)
    except OSError as error:
        raise OptionError(f"cannot be read ({error.strerror})", where=path, cure=CURE) from error
    except (ValueError, TypeError, EOFError, KeyError, MemoryError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise OptionError("cannot be read as features", where=path, cure=CURE) from error


STORED = {"FloatStorage": np.float32, "HalfStorage": np.float16, "DoubleStorage": np.float64}


class _Tensors(pickle.Unpickler):
    """Reads the one tensor of a torch file without torch, and nothing else: no other name is looked up."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        super().__init__(io.BytesIO(archive.read(name)))
        self._archive, self._folder = archive, name.rpartition("/")[0]

    def find_class(self, module: str, name: str) -> Any:
        """The few names that a tensor is written with."""
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _strided
        if module == "torch" and name in STORED:
            return STORED[name]
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        raise ValueError(f"holds {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        """The numbers of a storage."""
        _, kind, key, _, count = pid
        return np.frombuffer(self._archive.read(f"{self._folder}/data/{key}"), kind, count)


def _strided(
    storage: npt.NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *rest: object
) -> npt.NDArray[Any]:
    """A tensor's view of its storage; ValueError where it would reach beyond it."""
    reach = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min((offset, *size, *stride), default=0) < 0 or reach >= len(storage):
        raise ValueError("reaches beyond its storage")
    steps = tuple(step * storage.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)


def _tensor(path: Path) -> Rows:
    with zipfile.ZipFile(io.BytesIO(files.read(path, LARGEST))) as archive:
        if sum(part.file_size for part in archive.infolist()) > LARGEST:
            raise ValueError("is far larger than it looks")
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise ValueError("is no file of torch")
        return np.array(_Tensors(archive, names[0]).load(), np.float32)


def by_beat(rows: Rows, beats: int, part: tuple[Fraction, Fraction] = (Fraction(0), Fraction(1))) -> Rows:
    """One row a beat of the beats that lie over a part of the film: row floor(i T / M) for beat i of the M of a whole film, as
    published."""
    first, last = part
    places = [int((first + (last - first) * beat / beats) * len(rows)) for beat in range(beats)]
    found: Rows = rows[np.clip(places, 0, len(rows) - 1)]
    return found


def window(rows: Rows, beat: int) -> Rows:
    """The 32 rows of a window from a beat on; beyond the end zeros, as published. A beat before the first is the first."""
    out = np.zeros((BEATS, rows.shape[1]), np.float32)
    inside = np.arange(beat, beat + BEATS)
    there = inside < len(rows)
    out[there] = rows[np.maximum(0, inside[there])]
    return out
