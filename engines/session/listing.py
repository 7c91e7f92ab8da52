"""Scenes, takes and history as a person and as a program reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engines.score.metrics import measure
from engines.session.deliver import scenes_json
from engines.session.history import History
from engines.session.keep import held
from engines.session.model import SceneTake, Session, Span
from engines.session.refill import again
from engines.watch import Watch


def scenes_lines(session: Session) -> str:
    """One line a scene."""
    rows = ["scene  bars      from         to           take   notes  name"]
    for row in scenes_json(session):
        take = f"{row['take']}/{row['takes']}" if row["takes"] else "-"
        bars = f"{row['bars'][0]}-{row['bars'][1]}"
        rows.append(
            f"{row['scene']:>5}  {bars:9} {row['start']:12} {row['end']:12} {take:6}{row['notes']:>6}  {row['name']}".rstrip()
        )
    return "\n".join(rows)


def takes_json(session: Session, scene: int | None = None) -> list[dict[str, Any]]:
    """The takes of one scene, or of all."""
    spans = session.spans if scene is None else (session.span(scene),)
    return [
        {
            "scene": span.number,
            "chosen": next((t.number for k, t in session.takes_of(span.scene).items() if k == span.scene.chosen), None),
            "keep": [str(word) for word in held(span)],
            "takes": [_take_json(session, span, take) for take in session.takes_of(span.scene).values()],
        }
        for span in spans
    ]


def _take_json(session: Session, span: Span, take: SceneTake) -> dict[str, Any]:
    landed = [answer for answer in take.answers if answer.landed_by != "none"]
    return {
        "take": take.number,
        "name": take.name,
        "made": take.made,
        "seed": take.seed,
        "rating": take.rating,
        "note": take.remark,
        "notes": len(take.notes),
        "hits": len(take.answers),
        "landed": len(landed),
        "fits": session.fits(span, take),
        **{key: take.facts.get(key) for key in ("engine", "model", "provider", "key", "form")},
    }


def takes_lines(session: Session, scene: int | None = None) -> str:
    """One line a take; the chosen one of each scene is marked."""
    rows = ["scene  take  seed  form  notes  hits   rating  made                       name"]
    for told in takes_json(session, scene):
        if not told["takes"]:
            rows.append(f"{told['scene']:>5}  no take: refill --scene {told['scene']} composes one")
        for take in told["takes"]:
            mark = "*" if take["take"] == told["chosen"] else " " if take["fits"] else "x"
            stars = "*" * take["rating"] if take["rating"] else "-"
            words = "  ".join(word for word in (take["name"], take["note"], "" if take["fits"] else "(for other bars)") if word)
            seed = "-" if take["seed"] is None else take["seed"]
            form = take["form"] or "-"
            rows.append(
                f"{told['scene']:>5} {mark}{take['take']:>4} {seed:>6} {form:>5} {take['notes']:>6}  "
                f"{take['landed']:>2}/{take['hits']:<3} {stars:>6}  {take['made']:25}  {words}".rstrip()
            )
    return "\n".join(rows)


def compared_lines(session: Session, scene: int, numbers: list[int]) -> tuple[dict[str, Any], str]:
    """Two takes of a scene beside each other, as a table and as text."""
    span = session.span(scene)
    takes = [session.take(span.scene, number)[1] for number in numbers]
    tables = [_measures(span, take) for take in takes]
    one, two = (set(take.notes) for take in takes)
    told: dict[str, Any] = {"scene": scene, "takes": numbers, "same_notes": len(one & two), "measures": {}}
    lines = [f"{'':24} {f'take {numbers[0]}':>10} {f'take {numbers[1]}':>10}"]
    for name in tables[0]:
        values = [table.get(name) for table in tables]
        told["measures"][name] = values
        lines.append(f"{name.replace('_', ' '):24} " + " ".join(f"{'-' if v is None else format(v, '.3g'):>10}" for v in values))
    lines.append(f"{'notes in both':24} {len(one & two):>10}")
    return told, "\n".join(lines)


def _measures(span: Span, take: SceneTake) -> dict[str, float | None]:
    lines = [bar.start - span.start for bar in span.bars] + [span.end - span.start]
    key = take.facts.get("key")
    measured = measure([row.note for row in take.notes], lines, key if isinstance(key, str) else None)
    landed = sum(answer.landed_by != "none" for answer in take.answers)
    return {"notes": len(take.notes), "hits_landed": landed, **measured}


def again_lines(
    session: Session, scene: int, number: int | None, provider: str | None, watch: Watch, features: Sequence[Path] = ()
) -> tuple[dict[str, Any], str]:
    """A take composed again from its recipe: whether its notes are the same, and what differs."""
    _, take = session.take(session.span(scene).scene, number)
    found = again(take, provider, watch, features)
    head = "the same notes" if found.same else "other notes"
    told = {"scene": scene, "take": take.number, "same": found.same, "differs": list(found.differs)}
    return told, "\n".join([f"scene {scene}, take {take.number}: {head}", *found.differs])


def history_json(history: History) -> dict[str, Any]:
    """What was done, in order, and what can be redone, the next first."""
    done = [{"sentence": step.sentence, "when": step.when} for step in history.done]
    return {"done": done, "undone": [{"sentence": step.sentence, "when": step.when} for step in reversed(history.undone)]}


def history_lines(history: History) -> str:
    """The same for a person."""
    rows = [f"{step.when}  {step.sentence}" for step in history.done]
    rows += [f"{step.when}  {step.sentence}  (undone)" for step in reversed(history.undone)]
    return "\n".join(rows) or "nothing was done yet"
