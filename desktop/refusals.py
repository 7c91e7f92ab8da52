"""What could not be done, in the language of the window. Engines and bridge know no window and say it in English: their sentences are
patterns here, and what none of them fits stays as it is."""

from __future__ import annotations

from desktop.language import current, patterns, table
from engines.errors import HitpointError

CONTEXT = "errors"
"""The table of the patterns: ``there is no scene {}`` has one place for whatever stands there."""


def told(error: HitpointError, code: str | None = None) -> str:
    """An error as one line: where, what, and what to try."""
    code = code or current()
    if code == "en" or not table(code).get(CONTEXT):
        return str(error)
    what, where = heard(error.what, code), "" if error.where is None else str(error.where)
    where = "" if where.startswith("--") else heard(where, code)  # options are the command line's
    cure = heard(error.cure, code) if error.cure else ""
    line = f"{where}：{what}" if where else what
    return " ".join((f"{line}；{cure}" if cure else line).split())


def heard(text: str, code: str | None = None) -> str:
    """A line that was made elsewhere, as far as its parts are known."""
    code = code or current()
    if code == "en":
        return text
    if (whole := _whole(text, code)) is not None:
        return whole
    first, rest = _parted(text, "; ")
    if rest:
        known = heard(first, code), heard(rest, code)
        return "；".join(known) if known != (first, rest) else text
    first, rest = _parted(text, ": ")
    if rest and (said := heard(rest, code)) != rest:
        return f"{heard(first, code)}：{said}"
    return text


def _parted(text: str, sign: str) -> tuple[str, str]:
    """What stands before and after the first sign that is in no brackets; nothing after it where there is none."""
    at = text.find(sign)
    while at >= 0 and text.count("(", 0, at) != text.count(")", 0, at):
        at = text.find(sign, at + 1)
    return (text, "") if at < 0 else (text[:at], text[at + len(sign) :])


def _whole(text: str, code: str) -> str | None:
    for pattern, target in patterns(code, CONTEXT, "(.*?)"):
        if found := pattern.fullmatch(text):
            return target.format(*(heard(part, code) if part else "" for part in found.groups()))
    return None
