"""Errors as programs on the wire read them: the engines name options of the command line, here they are arguments of an address."""

from __future__ import annotations

import re

from engines.errors import HitpointError

_OPTION = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)")

_OTHERWISE = {"stem": "stems", "hit": "hits", "metre": "metres", "choose": "take", "refuse": "refused", "candidate": "map"}
"""Arguments that are called otherwise than the option of the same meaning."""


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
