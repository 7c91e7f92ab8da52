"""Refill: a scene, some of its bars, or some of its stems composed again, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import groupby
from pathlib import Path

from engines import __version__
from engines.engine import Engine, load_engine
from engines.errors import OptionError
from engines.form import TOLD
from engines.score.land import caught_at
from engines.score.notes import STEMS, Note
from engines.session.compose import Answered, Made, beside, make
from engines.session.heard import feature_files, paths_of, told_apart
from engines.session.keep import Keep, bar_of, held, kept
from engines.session.model import Answer, FeatureFile, Order, PlayedNote, SceneTake, Session, Span
from engines.session.origins import composed
from engines.session.theme import fitting, from_bar, taken_up, theme_of
from engines.session.told import scene_brief, scopes, seen, stings, word
from engines.spotting.hits import Hit
from engines.watch import Watch

HEARD_BEFORE, HEARD_AFTER = Fraction(32), Fraction(16)
"""Beats before and after what is composed that the engine is given of its neighbours: eight bars of 4/4, which may come back in the
new ones, and four."""


@dataclass(frozen=True)
class Wish:
    """What to compose again of a scene (its ``number``): all of it, or runs of ``bars`` (of the cue, from 1, first and last), in
    ``stems``, without touching what ``keep`` says. ``seed`` None takes one that the session has not used; ``mode``, ``engine`` and
    ``features`` (files, see `engines.engine.load_engine`) None are the session's, but for another engine; features that are given hold
    from then on."""

    scene: int
    bars: tuple[tuple[int, int], ...] | None = None
    stems: tuple[str, ...] | None = None
    keep: tuple[Keep, ...] = ()
    seed: int | None = None
    engine: str | None = None
    mode: str | None = None
    features: tuple[Path, ...] | None = None


def next_seed(session: Session) -> int:
    """A seed that no take of the session was made with."""
    used = [order.seed for take in session.takes.values() for order in take.orders]
    return max([session.seed - 1, *used]) + 1


def refilled(
    session: Session, wish: Wish, watch: Watch, provider: str | None = None, known: Answered | None = None
) -> tuple[Session, SceneTake]:
    """The session with one more take of the scene, chosen, and that take. Raises OptionError, and what the engine raises.

    What is kept is bit by bit as it was in the chosen take; the rest is composed in one go for each run of bars, in order, and
    hears the scenes before it. What is ``known`` already is not asked again.
    """
    span = session.span(wish.scene)
    words = (*wish.keep, *held(span))
    stems = tuple(stem for stem in STEMS if wish.stems is None or stem in wish.stems)
    unknown = [stem for stem in wish.stems or () if stem not in STEMS]
    if unknown:
        raise OptionError(f"no stem is named {unknown[0]!r}", where="--stem", cure=f"choose from {', '.join(STEMS)}")
    wanted = _wanted(span, wish, words, stems)
    if not wanted:
        raise OptionError(f"everything of scene {wish.scene} is kept", where="--keep", cure="keep less, or release what is kept")
    base, old = _base(session, span, whole=len(wanted) == len(span.bars) and stems == STEMS and not words)
    stay = kept((row.note for row in old), span, words)
    rows = [row for row in old if row.note in stay or row.note.stem not in wanted.get(_place(row.note, span), ())]
    engine, question = _asked(session, wish, provider)
    asked = wanted if wish.stems else _under_dialogue(session, span, wanted)
    rows, made = compose_runs(session, span, asked, rows, question, engine, watch, known)
    takes = session.takes_of(span.scene)
    take = SceneTake(
        scene=span.scene.id,
        number=max((t.number for t in takes.values()), default=0) + 1,
        name="",
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        tempo_map=session.part(span),
        orders=tuple(order for order, _ in made),
        facts={**made[-1][1].facts, "hitpoint": __version__} | taken_up(session, span, _letters(made), HEARD_BEFORE),
        notes=tuple(rows),
        chords=_chords(session, span, wanted, base, [m for _, m in made]),
        answers=_answers(session, span, wanted, base, [m for _, m in made]),
        base=base if any(row in rows for row in old) else None,
    )
    if wish.features is not None and not wish.engine:
        session = replace(session, features=question.features)
    return with_take(session, span, take), take


def _letters(made: Iterable[tuple[Order, Made]]) -> set[str]:
    """The letters of the forms in which runs were composed; an engine that names none takes up the theme that it is given."""
    theme = (TOLD if order.brief.theme is not None and order.brief.theme.notes else "" for order, _ in made)
    return set("".join(str(answer.facts.get("form", other)) for (_, answer), other in zip(made, theme, strict=True)))


@dataclass(frozen=True)
class Question:
    """Who is asked, and how: what every order of one refill has in common."""

    engine: str
    mode: str | None
    seed: int
    features: tuple[FeatureFile, ...] = ()


def _asked(session: Session, wish: Wish, provider: str | None) -> tuple[Engine, Question]:
    """The engine of a wish, loaded, and the question to it."""
    name, features = wish.engine or session.engine, wish.features
    if features is None:
        features = () if wish.engine else paths_of(session.features)
    mode = wish.mode if wish.mode or wish.engine else session.mode
    seed = next_seed(session) if wish.seed is None else wish.seed
    files = feature_files(features)
    return load_engine(name, provider, mode, features), Question(name, mode, seed, files)


def _under_dialogue(session: Session, span: Span, wanted: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """The stems of bars without the melody where the composer asks to keep out of the way, unless nothing else is left."""
    quiet = {k for k in wanted if word(session, *scopes(span, k + 1)).avoid}
    return {k: tuple(s for s in stems if s != STEMS[0]) or stems if k in quiet else stems for k, stems in wanted.items()}


def with_take(session: Session, span: Span, take: SceneTake) -> Session:
    """The session with a take more, chosen; the first key that an engine chose becomes the cue's."""
    name = session.fresh("t")
    key = session.key or take.facts.get("key")
    chosen = replace(session, takes={**session.takes, name: take}, key=key if isinstance(key, str) else None)
    return chosen.with_scene(replace(span.scene, chosen=name))


def compose_runs(
    session: Session,
    span: Span,
    wanted: Mapping[int, tuple[str, ...]],
    rows: list[PlayedNote],
    question: Question,
    engine: Engine,
    watch: Watch,
    known: Answered | None = None,
) -> tuple[list[PlayedNote], list[tuple[Order, Made]]]:
    """Composes the stems ``wanted`` of bars (by their places in the scene) run by run beside ``rows``, which stay; what came of it,
    with its orders."""
    whole = scene_brief(session, span, seen(session))
    tempo_map = session.part(span)
    theme, why = fitting(theme_of(session, span), whole)
    if why is not None and (line := f"scene {span.number} cannot take up its theme: {why}") not in watch.said:
        watch.said.append(line)
    hits = _hits(session, span)
    made: list[tuple[Order, Made]] = []
    for run in _runs(wanted):
        bars = tuple(whole.bars[k] for k in run)
        begin, end = bars[0].start, bars[-1].start + bars[-1].length
        before, after = _neighbours(session, span, rows, begin, end)
        inside = tuple(hit for beat, hit in hits if begin <= beat < end)
        order = Order(
            question.engine,
            question.mode,
            question.seed,
            replace(
                whole,
                bars=bars,
                stems=wanted[run[0]],
                hits=tuple(hit for hit in whole.hits if begin <= hit.beat < end),
                before=before,
                after=after,
                part=_part(session, span.start + begin, span.start + end),
                theme=from_bar(theme, run[0]),
            ),
            tuple(row.note for row in rows if begin <= row.note.start < end),
            inside,
            min(end, session.end - span.start),
            session.performance,
            session.instruments,
            question.features,
        )
        answer = None if known is None else known.of(order, tempo_map)
        if answer is None:
            with watch.stage("compose") as progress:
                answer = make(order, tempo_map, engine, progress, watch.cancelled)
            if known is not None:
                known.add(order, tempo_map, answer)
        rows = list(beside(rows, answer.notes))
        made.append((order, answer))
    return rows, made


def _part(session: Session, begin: Fraction, end: Fraction) -> tuple[Fraction, Fraction]:
    """The stretch of the film, 0 to 1 in whole frames, between two beats of the cue."""
    film = session.film
    first, last = (round(session.tempo_map.seconds(beat) * film.rate) for beat in (begin, end))
    return Fraction(min(max(first, 0), film.frames), film.frames), Fraction(min(max(last, 0), film.frames), film.frames)


@dataclass(frozen=True)
class Comparison:
    """Whether a take's notes came out the ``same``, and what differs, in sentences."""

    same: bool
    differs: tuple[str, ...]


def again(take: SceneTake, provider: str | None = None, watch: Watch | None = None, features: Sequence[Path] = ()) -> Comparison:
    """A take composed again from its recipe, here, and how it differs. ``features`` are its files where they do not lie where they
    lay. Raises what the engine raises, and OptionError where files are missing."""
    watch = watch or Watch()
    if not take.orders:
        return Comparison(False, ("the take has no recipe: it comes from a session of version 1, or was carried over a recut",))
    rows = [row for row in take.notes if not any(composed(row.note, order) for order in take.orders)]
    differs: list[str] = []
    for order in take.orders:
        paths = tuple(features) or paths_of(order.features)
        if said := told_apart(order.features, feature_files(paths)):
            differs.append(said)
        engine = load_engine(order.engine, provider, order.mode, paths)
        with watch.stage("compose") as progress:
            made = make(order, take.tempo_map, engine, progress, watch.cancelled)
        rows = list(beside(rows, made.notes))
        for part in ("model", "provider", "key"):
            then, now = take.facts.get(part), made.facts.get(part)
            if then != now:
                differs.append(f"the {part} was {then}, here it is {now}")
    lost = sorted({row.note.start for row in set(take.notes) ^ set(rows)})
    if lost:
        differs.append(f"the notes differ at {len(lost)} places, first at beat {float(lost[0]) + 1:g} of the scene")
    return Comparison(not lost, tuple(dict.fromkeys(differs)))


def _base(session: Session, span: Span, whole: bool) -> tuple[str | None, tuple[PlayedNote, ...]]:
    """The take to which a refill keeps: the chosen one, which must fit the bars; none where nothing is to be kept."""
    if whole or span.scene.chosen is None:
        return None, ()
    take = session.takes[span.scene.chosen]
    if not session.fits(span, take):
        raise OptionError(
            f"take {take.number} of scene {span.number} was made for other bars",
            where="refill",
            cure=f"compose the whole scene: refill --scene {span.number}",
        )
    return span.scene.chosen, take.notes


def _wanted(span: Span, wish: Wish, words: Iterable[Keep], stems: tuple[str, ...]) -> dict[int, tuple[str, ...]]:
    """The stems to compose of each of the scene's bars, by its place; bars of which all is kept are not there."""
    first, last = span.first + 1, span.first + len(span.bars)
    runs = wish.bars or ((first, last),)
    for low, high in runs:
        if not (first <= low <= high <= last):
            cure = f"it has bars {first} to {last} of the cue"
            raise OptionError(f"bars {low}-{high} are not in scene {span.number}", where="--bars", cure=cure)
    closed = [word for word in words if word.beat is None]
    out = {}
    for bar in sorted({bar for low, high in runs for bar in range(low, high + 1)}):
        shut = {word.stem for word in closed if word.inside(bar, bar)}
        if None not in shut and (free := tuple(stem for stem in stems if stem not in shut)):
            out[bar - first] = free
    return out


def _place(note: Note, span: Span) -> int:
    """The bar of a scene, from 0, in which a written note starts."""
    return bar_of(note.start, span)[0] - 1 - span.first


def _runs(wanted: Mapping[int, tuple[str, ...]]) -> Iterator[list[int]]:
    """Bars in a row of which the same stems are composed."""
    for _, group in groupby(enumerate(wanted), key=lambda pair: (pair[1] - pair[0], wanted[pair[1]])):
        yield [place for _, place in group]


def _hits(session: Session, span: Span) -> list[tuple[Fraction, Hit]]:
    """The hits and stings that a scene answers, with the beat (from its first) at which it does; one that nobody catches belongs to
    the scene in which it lies."""
    out = []
    for hit in session.hits:
        caught = caught_at(hit, session.tempo_map)
        beat = session.tempo_map.beat(hit.time) if caught is None else caught
        out.append((beat - span.start, hit))
    out += [(session.tempo_map.beat(hit.time) - span.start, hit) for hit in stings(session, span)]
    return [(beat, hit) for beat, hit in out if 0 <= beat < span.end - span.start]


def _neighbours(
    session: Session, span: Span, rows: list[PlayedNote], begin: Fraction, end: Fraction
) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    """Written notes before and after some beats of a scene, in beats from the scene's first."""
    heard = [
        replace(row.note, start=row.note.start + other.start - span.start)
        for other in session.spans
        if other.scene.chosen is not None and other.scene.id != span.scene.id
        for row in session.takes[other.scene.chosen].notes
    ]
    heard += [row.note for row in rows]
    before = sorted(n for n in heard if begin - HEARD_BEFORE <= n.start < begin)
    after = sorted(n for n in heard if end <= n.start < end + HEARD_AFTER)
    return tuple(before), tuple(after)


def _chords(
    session: Session, span: Span, wanted: Iterable[int], base: str | None, made: list[Made]
) -> tuple[tuple[Fraction, str], ...]:
    """The harmony of the new take: the old one's where its bars stay."""
    old: Mapping[Fraction, str] = dict(session.takes[base].chords) if base else {}
    places = [(span.bars[k].start - span.start, span.bars[k].end - span.start) for k in wanted]
    stay = {beat: chord for beat, chord in old.items() if not any(a <= beat < b for a, b in places)}
    return tuple(sorted((stay | {beat: chord for m in made for beat, chord in m.chords}).items()))


def _answers(session: Session, span: Span, wanted: Iterable[int], base: str | None, made: list[Made]) -> tuple[Answer, ...]:
    old = {answer.frame: answer for answer in session.takes[base].answers} if base else {}
    new = {answer.frame: answer for m in made for answer in m.answers}
    return tuple((old | new)[frame] for frame in sorted(old | new))
