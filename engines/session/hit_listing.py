"""The hits of a session as a table, for programs and for people."""

from __future__ import annotations

from typing import Any

from engines.session.model import Session


def hits_json(session: Session) -> list[dict[str, Any]]:
    """One row a hit, in the order of the film."""
    return [
        {
            "frame": hit.frame,
            "time_s": round(float(hit.time), 6),
            "timecode": str(session.start + hit.frame),
            "weight": hit.weight,
            "hard": hit.hard,
            "label": hit.label,
        }
        for hit in session.hits
    ]


def hits_lines(session: Session) -> str:
    """The same for a person."""
    rows = [" frame  timecode     weight        name"]
    for row in hits_json(session):
        kind = "hard" if row["hard"] else "soft"
        rows.append(f"{row['frame']:>6}  {row['timecode']}  {row['weight']:>6.2f}  {kind}  {row['label'] or ''}".rstrip())
    return "\n".join(rows) if session.hits else "there is no hit"
