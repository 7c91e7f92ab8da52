"""What an engine is told of a scene: the composer's words over what the picture suggests, and which is which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engines.engine import BarBrief, Brief, HitBrief
from engines.errors import OptionError
from engines.score.harmony import chord_names
from engines.session.model import Session, Span, Told
from engines.session.picture import unpacked
from engines.spotting.brief import Briefing, brief_for, key_name
from engines.spotting.hits import Hit
from engines.spotting.solve import FASTEST, SLOWEST
from engines.spotting.suggestion import mood

if TYPE_CHECKING:
    from engines.picture.motion import Motion

THIN = {"density": 3, "energy": 0.25, "register": 52.0}
"""What ``avoid`` allows at most in a bar of 4/4 under dialogue: a few soft onsets, below the range in which speech is understood
(around middle C; its consonants lie far above). No melody is written there either."""
SOFT = 0.2
"""The strength 0..1 that hits have at most where the music keeps out of the way: they are met, but not struck."""


RANGES = {"density": (0, 16), "energy": (0, 1), "mood": (1, 4), "register": (36, 96), "sting": (0, 1)}
"""What each number may be."""


@dataclass(frozen=True)
class BarSaid:
    """One bar of a scene: what the ``picture`` suggests, what the ``composer`` says, and the ``brief`` that follows."""

    picture: BarBrief
    composer: Told
    brief: BarBrief


def scopes(span: Span, bar: int) -> tuple[str, str, str]:
    """The scopes of a bar (from 1, in its scene), widest first."""
    return "cue", span.scene.id, f"{span.scene.id}/{bar}"


def word(session: Session, *names: str) -> Told:
    """What the composer says in these scopes, the last one above the others."""
    told = Told()
    for name in names:
        told = session.told.get(name, Told()).over(told)
    return told


def motion_of(session: Session) -> Motion | None:
    """What was measured of the picture; None where nothing was."""
    return None if session.picture.motion is None else unpacked(session.picture.motion)


def seen(session: Session) -> Briefing:
    """The brief of the whole cue by the picture alone."""
    return brief_for(session.tempo_map, session.hits, session.film.duration, motion_of(session), formula=session.formula)


def said(session: Session, span: Span, briefing: Briefing | None = None) -> list[BarSaid]:
    """Bar by bar of a scene. ``briefing`` is `seen`, where the caller has it already."""
    whole = (briefing or seen(session)).brief.bars
    out = []
    for k, bar in enumerate(whole[span.first : span.first + len(span.bars)], 1):
        composer = word(session, *scopes(span, k))
        local = replace(bar, start=bar.start - span.start)
        out.append(BarSaid(local, composer, _bar(local, composer, k, _chords_from(session, span, k))))
    return out


def _chords_from(session: Session, span: Span, bar: int) -> int:
    """The place of a bar in the round of chords that holds for it: rounds begin with the scope that they are said of."""
    narrow = session.told.get(scopes(span, bar)[2])
    if narrow and narrow.chords:
        return 0
    scene = session.told.get(span.scene.id)
    return bar - 1 if scene and scene.chords else span.first + bar - 1


def _bar(bar: BarBrief, told: Told, number: int, place: int) -> BarBrief:
    share = float(bar.length) / 4
    density = bar.density if told.density is None else round(told.density * share)
    energy = bar.energy if told.energy is None else told.energy
    register = bar.register if told.register is None else told.register
    if told.avoid:
        density = min(max(1, round(THIN["density"] * share)), 16 if density is None else density)
        energy = min(THIN["energy"], 1.0 if energy is None else energy)
        register = min(THIN["register"], 108.0 if register is None else register)
    chord = told.chords[place % len(told.chords)] if told.chords else bar.chord
    return replace(bar, density=density, energy=energy, register=register, chord=chord)


def scene_brief(session: Session, span: Span, briefing: Briefing | None = None) -> Brief:
    """The brief of a scene in beats from its first, without its neighbours. Its mood is what its own shots suggest."""
    briefing = briefing or seen(session)
    told = word(session, "cue", span.scene.id)
    hits = {
        hit.beat - span.start: replace(hit, beat=hit.beat - span.start)
        for hit in briefing.brief.hits
        if span.start <= hit.beat < span.end
    }
    rows = said(session, span, briefing)
    for row in rows:
        if row.composer.avoid:
            end = row.brief.start + row.brief.length
            soft = {b: replace(h, strength=min(h.strength, SOFT)) for b, h in hits.items() if row.brief.start <= b < end}
            hits |= soft
    for sting in stings(session, span):
        beat = session.tempo_map.beat(sting.time) - span.start
        hits[beat] = HitBrief(beat, sting.weight)
    return Brief(
        tuple(row.brief for row in rows),
        tuple(hits[beat] for beat in sorted(hits)),
        suggested_mood(session, span) if told.mood is None else told.mood,
        session.key if told.key is None else told.key,
    )


def suggested_mood(session: Session, span: Span) -> int | None:
    """The mood that the shots of a scene suggest, 1 to 4; None where nothing is to be seen."""
    motion = motion_of(session)
    if motion is None or not len(motion.times):
        return None
    start, end = (max(0.0, min(float(second), float(motion.duration))) for second in span.seconds)
    guess = mood(motion, start, max(end, start + 0.1))
    return None if guess is None else guess.mood


def stings(session: Session, span: Span) -> tuple[Hit, ...]:
    """The accents that the composer asks for in a scene, as hits: of a bar, a scene or the cue each on its first beat."""
    found = []
    for k, bar in enumerate(span.bars, 1):
        whole = [
            name for name, first in ((f"{span.scene.id}/{k}", True), (span.scene.id, k == 1), ("cue", bar.index == 0)) if first
        ]
        weights = [told.sting for name in whole if (told := session.told.get(name)) is not None and told.sting is not None]
        if weights and (time := session.tempo_map.seconds(bar.start)) >= 0:
            found.append(Hit(int(time * session.film.rate), time, weights[0], label="sting"))
    return tuple(found)


def named(told: Told) -> Told:
    """A word with its chords by the names that we keep, however they were written. Raises OptionError for what is no chord."""
    return told if told.chords is None else replace(told, chords=chord_names(told.chords))


def check(scope: str, told: Told) -> None:
    """Raises OptionError for a word that no engine or solver can follow."""
    for name, (low, high) in RANGES.items():
        value = getattr(told, name)
        if value is not None and not low <= value <= high:
            raise OptionError(
                f"{value:g} is not in {low:g} to {high:g}", where=name, cure="leave it out to let the picture decide"
            )
    if told.chords is not None:
        if not told.chords:
            raise OptionError("no chord is given", where="chords", cure='write them with spaces: "C Am F G7"')
        chord_names(told.chords)
    if told.key is not None:
        key_name(told.key)
    if told.tempo is not None and not (SLOWEST <= told.tempo[0] <= told.tempo[1] <= FASTEST):
        raise OptionError("is no range of tempo", where="tempo", cure="write 96 or 70-140")
    if "/" in scope and (told.metre is not None or told.tempo is not None):
        raise OptionError("a single bar has no metre or tempo of its own", where="brief", cure="say it of a scene")
    if "/" in scope and told.theme is not None:
        raise OptionError("a single bar has no theme of its own", where="brief", cure="say it of a scene")
