"""Errors in the words of the window: what the engines say of options and verbs of the command line, said of what is there to be clicked.

The tables are ``translations/LANGUAGE/errors.json``: a sentence as it was raised, and what the window says; nothing where it has no
use for it. What they do not have stays as it is.
"""

from __future__ import annotations

import re

from desktop.language import current, said_elsewhere
from desktop.refusals import told
from engines.errors import HitpointError

OPTION = re.compile(r"--[a-z]+(-[a-z]+)*")


def plainly(error: HitpointError) -> str:
    """An error in one line: where, what, and what to try."""
    if current() != "en":
        return told(error)
    where = "" if error.where is None else str(error.where)
    if OPTION.fullmatch(where):
        where = ""  # there is no such option here, and what is wrong says enough
    parts = [_said(part) for part in (where, error.what, error.cure or "")]
    return str(HitpointError(parts[1], where=parts[0] or None, cure=parts[2] or None))


def _said(text: str) -> str:
    """A sentence, or several that were joined into one line."""
    whole = said_elsewhere(text, "errors")
    return whole if whole != text else "; ".join(part for piece in text.split("; ") if (part := said_elsewhere(piece, "errors")))
