"""Errors as programs on the wire read them: the engines name options of the command line, here they are arguments of an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engines.errors import HitpointError

_OPTION = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)")

_OTHERWISE = {"stem": "stems", "hit": "hits", "metre": "metres", "choose": "take", "refuse": "refused", "candidate": "map"}
"""Arguments that are called otherwise than the option of the same meaning."""


_WRONG = {
    "missing": "is missing",
    "extra_forbidden": "is no argument",
    "finite_number": "is no number",
    "greater_than_equal": "is below {ge:g}",
    "less_than_equal": "is above {le:g}",
    "greater_than": "is not above {gt:g}",
    "less_than": "is not below {lt:g}",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "json_invalid": "is no JSON",
}
_KINDS = {"int": "is no whole number", "float": "is no number", "bool": "is neither true nor false", "string": "is no text"}
_SHAPES = {"model": "is no object of arguments", "dict": "is no object of arguments", "list": "is no list"}


def argument_said(first: Mapping[str, Any], skip: int = 0) -> str:
    """What is wrong with an argument, from pydantic's account of it; ``skip`` parts of its place name no argument."""
    place = ".".join(str(part) for part in first["loc"][skip:])
    kind = str(first["type"])
    shape = {**_KINDS, **_SHAPES}.get(kind.split("_")[0])
    told = _WRONG.get(kind, shape)
    if told is None:
        return " ".join([place, str(first["msg"])]).strip()  # a sentence of our own
    if kind == "json_invalid":
        place = ""
    return f"{place or 'what was sent'} {told.format(**first.get('ctx') or {})}"


def said(error: HitpointError) -> tuple[str, str | None, str | None]:
    """What is wrong, where, and what to do."""
    where = None if error.where is None else str(error.where)
    if where is not None and _OPTION.fullmatch(where):
        where = _plain(where)
    return _plain(error.what), where, None if error.cure is None else _plain(error.cure)


def line(error: HitpointError) -> str:
    """The same in one line."""
    what, where, cure = said(error)
    return str(HitpointError(what, where=where, cure=cure))


def _plain(text: str) -> str:
    if "main.py" in text or "--osc" in text:  # how a program is started is said to the person
        return text
    return _OPTION.sub(lambda found: _OTHERWISE.get(found[1], found[1].replace("-", "_")), text)
