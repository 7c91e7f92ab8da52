"""What leaves a session: the MIDI file of the cue beside it, the hit report, and what a composer hands over."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

from engines.score.land import Landing, caught_at
from engines.score.report import Report, bend_percent, hit_report
from engines.score.smf import Score, cut_markers, read_smf, tempo_track_of, write_smf
from engines.session.model import Session
from engines.session.told import word
from engines.spotting.hits import Hit


def score_of(session: Session, scenes: Iterable[int] = ()) -> Score:
    """The cue as a MIDI file holds it: the chosen takes of all scenes, or of those with these numbers."""
    wanted = set(scenes)
    notes = session.notes
    if wanted:
        spans = [session.span(number) for number in sorted(wanted)]
        notes = tuple(note for note in notes if any(span.start <= note.start < span.end for span in spans))
    return Score(
        session.tempo_map,
        notes,
        title=f"{Path(session.film.path).stem} {session.cue}",
        key=word(session, "cue").key or session.key,
        markers=cut_markers(session.programme.cuts, session.start),
        start=session.start,
        length=session.film.duration,
        instruments=session.instruments,
    )


def write_cue(session: Session, path: str | Path) -> tuple[Path, Report]:
    """Writes the cue's MIDI file, and reports on it as it lies on the disk. Raises OutputError."""
    written = write_smf(path, score_of(session))
    return written, cue_report(session, written)


def cue_report(session: Session, midi: Path) -> Report:
    """The hit report of a cue's MIDI file, with who answered each hit."""
    zero = score_of(session).zero
    onsets = [note.start + zero for note in read_smf(midi).notes]
    return hit_report(onsets, session.hits, session.film.rate, session.start, tuple(landings(session)), max_bend(session))


def max_bend(session: Session) -> float | None:
    """How far any beat leaves the nominal tempo of the cue, or of its scene where that has its own, in percent."""
    bends = []
    for span in session.spans:
        lines = (span.start, min(span.end, max(session.end, span.start + 1)))
        beats = [session.tempo_map.seconds(beat) for beat in range(ceil(lines[0]), floor(lines[1]) + 1)]
        bends.append(bend_percent(beats, float(span.scene.bpm or session.map.bpm)))
    return max((bend for bend in bends if bend is not None), default=None)


def landings(session: Session) -> Iterable[Landing]:
    """Who answers each hit, by the chosen takes."""
    by_frame: dict[int, Hit] = {hit.frame: hit for hit in session.hits}
    for span in session.spans:
        if span.scene.chosen is None:
            continue
        for answer in session.takes[span.scene.chosen].answers:
            hit = by_frame.get(answer.frame)
            if hit is not None:
                yield Landing(hit, caught_at(hit, session.tempo_map), answer.landed_by, answer.how)  # type: ignore[arg-type]


def seam(session: Session, midi: Path, beats: Iterable[Fraction]) -> list[float]:
    """Seconds of the film at which beats of the cue sound in its MIDI file, rounded down to the microsecond: whatever the file has
    from that beat on lies at or after it."""
    score = score_of(session)
    track, _ = tempo_track_of(score)
    clock = read_smf(midi)
    return [floor((clock.seconds(track.tick(beat)) + score.zero) * 1_000_000) / 1_000_000 for beat in beats]


def recipe_card(session: Session) -> dict[str, Any]:
    """What every chosen take was made with, by scene."""
    out: dict[str, Any] = {}
    for span in session.spans:
        if span.scene.chosen is not None:
            take = session.takes[span.scene.chosen]
            out[f"scene {span.number}"] = dict(take.facts) | {"take": take.number, "seed": take.seed, "made": take.made}
    return out


def scenes_json(session: Session) -> list[dict[str, Any]]:
    """Where the scenes lie and what they hold, as other programs read it."""
    out = []
    for span in session.spans:
        start, end = (min(second, session.film.duration) for second in span.seconds)
        takes = session.takes_of(span.scene)
        chosen = takes.get(span.scene.chosen or "")
        out.append(
            {
                "scene": span.number,
                "name": span.scene.name,
                "bars": [span.first + 1, span.first + len(span.bars)],
                "start_s": round(float(start), 6),
                "end_s": round(float(end), 6),
                "start": str(session.start + floor(start * session.film.rate)),
                "end": str(session.start + floor(end * session.film.rate)),
                "takes": len(takes),
                "take": None if chosen is None else chosen.number,
                "seed": None if chosen is None else chosen.seed,
                "notes": 0 if chosen is None else len(chosen.notes),
            }
        )
    return out
