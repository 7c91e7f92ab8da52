"""REAPER's project file (.RPP), read for its markers and regions: what can be had while REAPER does not run.

A marker is a line ``MARKER number seconds name flags ...``; a region is two of them with the same number and an odd flag, its end in the
second. A name stands in whichever quotes do not occur in it, or in none where it is one word.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from bridge.daw import ProjectMarker
from engines import files
from engines.errors import DawError

LARGEST = 256 << 20
"""Bytes; plug-ins keep their state in the file as text."""

_MARKER = re.compile(
    r"  MARKER (?P<number>\d{1,9}) (?P<at>-?\d{1,9}(?:\.\d{0,20})?) "
    r"""(?P<name>"[^"]*"|'[^']*'|`[^`]*`|[^\s"'`]\S*) (?P<flags>\d{1,9})(?: .*)?"""
)


def markers(path: Path) -> tuple[ProjectMarker, ...]:
    """Markers and regions of a project, in order. Raises DawError for a file that is none."""
    try:
        lines = files.read(path, LARGEST).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise DawError(f"cannot be read ({error.strerror})", where=path, cure="give REAPER's project, a .RPP file") from error
    if not lines or not lines[0].startswith("<REAPER_PROJECT"):
        raise DawError("is no project of REAPER's", where=path, cure="give the .RPP file that REAPER saved")
    out, begun = [], dict[str, tuple[Fraction, str]]()
    for line in lines:
        found = _MARKER.fullmatch(line)
        if found is None:
            continue
        at, name = Fraction(found["at"]), _unquoted(found["name"])
        if not int(found["flags"]) % 2:
            out.append(ProjectMarker(at, name))
        elif found["number"] in begun:
            start, name = begun.pop(found["number"])
            out.append(ProjectMarker(start, name, at))
        else:
            begun[found["number"]] = at, name
    return tuple(sorted(out, key=lambda marker: (marker.start, marker.end is None, marker.name)))


def _unquoted(name: str) -> str:
    return name[1:-1] if name[:1] in "\"'`" else name
