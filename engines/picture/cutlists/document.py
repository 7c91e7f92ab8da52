"""The text or XML of a cut list, however it was encoded, and never more than is sane."""

from __future__ import annotations

import codecs
import re
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from engines import files
from engines.errors import CutListError
from engines.picture.cutlist import LARGEST_TEXT

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DEEPEST = 200
"""Elements inside one another beyond which XML is taken for an attack or for damage."""


def content(path: Path) -> bytes:
    """The bytes of the file. Raises CutListError for one that cannot be read, is empty, or is far too large."""
    try:
        data = files.read(path, LARGEST_TEXT)
    except OSError as error:
        raise CutListError(
            f"cannot be read ({error.strerror})", where=path, cure="check the path, and whether it is a cut list"
        ) from None
    if not data.strip(b"\x00 \t\r\n\x1a"):
        raise CutListError("the file is empty", where=path, cure="export the cut list again")
    return data


def text(path: Path) -> str:
    """The file as text: UTF-8 or UTF-16 by its mark, else UTF-8, else Windows' Latin, which any EDL of old is."""
    data = content(path)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def xml(path: Path) -> Element:
    """The root of an XML file. Raises CutListError with the line for one that is broken, and for one that declares entities."""
    data = content(path)
    # expanding entities is how a small file fills a memory; no editor writes any
    if re.search(rb"<!ENTITY|<\0?!\0?E\0?N\0?T\0?I\0?T\0?Y", data[:LARGEST_TEXT], re.IGNORECASE):
        raise CutListError("declares entities, as no editor does", where=path, cure="export the cut list again")
    depth = 0
    root: Element | None = None
    try:
        for event, element in ElementTree.iterparse(BytesIO(data), ("start", "end")):  # noqa: S314 - entities were refused above
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            if depth > DEEPEST:
                raise CutListError(f"nests deeper than {DEEPEST} elements", where=path, cure="export the cut list again")
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        what = f"the XML is broken or cut short: {error}"
        raise CutListError(what, where=path, cure="export the cut list again") from None
    if root is None:
        raise CutListError("there is no XML in this file", where=path, cure="export the cut list again")
    return root
