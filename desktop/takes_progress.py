"""Which scenes are being composed, and how far they are, from what the jobs say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.jobs import JobReading
    from engines.session.model import Session

_REFILL = re.compile(r"Refill .*?scene (\d+)")  # `engines.commands.Refill.sentence`
_SCORE = "Score "
"""How it begins where every scene is composed, of a session or of a film that had none."""


def composing(session: Session, readings: Iterable[JobReading]) -> dict[int, float]:
    """By the number of a scene, what is done of its notes, 0 to 1: of refills that wait or work, and of a cue that is scored, whose
    progress counts bars."""
    out: dict[int, float] = {}
    for reading in readings:
        if reading.ended:
            continue
        share = reading.done / reading.total if reading.stage == "compose" and reading.total else 0.0
        found = _REFILL.fullmatch(reading.sentence)
        if found and 1 <= int(found[1]) <= len(session.scenes):
            out[int(found[1])] = share
        elif reading.sentence.startswith(_SCORE):
            done = share * len(session.bars)
            for span in session.spans:
                part = (done - span.first) / len(span.bars)
                if part < 1:
                    out[span.number] = max(0.0, part)
    return out
