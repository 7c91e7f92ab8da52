"""Conform: a session carried to a new cut. Bars whose picture is still there keep every note; only what the recut touched is
composed again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import count as counting
from itertools import groupby
from typing import TYPE_CHECKING, Any

from engines.conform.carry import new_runs
from engines.conform.costs import Run, costs
from engines.conform.match import Matched, match
from engines.conform.replan import Replan, replan
from engines.errors import OptionError
from engines.picture.cutlist import CutList
from engines.scoring import programme_hits
from engines.session.before import AFTER, inside_scene, with_before
from engines.session.compose import Answered
from engines.session.keep import parse
from engines.session.lock import as_runs, numbers
from engines.session.model import ChosenMap, Film, Picture, PlayedNote, Scene, SceneTake, Session, Span, Told
from engines.session.picture import packed, retimed, unpacked
from engines.session.plain import plain
from engines.session.refill import Wish, next_seed, refilled
from engines.session.theme import without_lost
from engines.spotting.hits import Override
from engines.spotting.tempo import TempoMap
from engines.watch import Watch

if TYPE_CHECKING:
    from engines.picture.motion import Motion

_DOUBT = " alone (no sources, no picture: what moved cannot be seen, and every trim is taken for one of the tail)"
OWN_SCENE = 6
"""New bars in a row that are a scene of their own; fewer belong to the scene before them."""


@dataclass(frozen=True)
class NewCut:
    """A new cut of a session's picture: its list, and, where its ``film`` is at hand, what was measured of it."""

    programme: CutList
    film: Film | None = None
    prints: bytes | None = None
    motion: Motion | None = None


@dataclass(frozen=True)
class Recut:
    """A session carried to a new cut: how the shots were matched, which old bar (from 0) each new bar is (None: it is new), the old
    bars, for each change the runs of new bars that it brought about, the new map, and the changes (from 1) that were ``refused``."""

    session: Session
    matched: Matched
    bars: tuple[int | None, ...]
    old_bars: int
    costs: tuple[tuple[Run, ...], ...]
    tempo_map: TempoMap
    refused: tuple[int, ...] = ()

    @property
    def by_hand(self) -> tuple[Run, ...]:
        """Runs of new bars that nothing is composed for, because a change that brought them about was refused."""
        return _by_hand(self.costs, self.refused)

    def json(self) -> dict[str, Any]:
        """What was done, as other programs read it."""
        kept = sum(bar is not None for bar in self.bars)
        left = sum(end - first for first, end in self.by_hand)
        kinds = [change.kind for change in self.matched.changes]
        return {
            "how": self.matched.how,
            "changes": [
                _row(change) | {"bars": [[first + 1, end] for first, end in runs], "refused": number in self.refused}
                for number, (change, runs) in enumerate(zip(self.matched.changes, self.costs, strict=True), 1)
            ],
            "counts": {kind: kinds.count(kind) for kind in ("unmoved", "moved", "trimmed", "new", "gone")},
            "bars": {"before": self.old_bars, "total": len(self.bars), "kept": kept, "refilled": len(self.bars) - kept - left},
            "refilled": [[first + 1, last] for first, last in new_runs(self.bars) if (first, last) not in self.by_hand],
            "by_hand": [[first + 1, last] for first, last in self.by_hand],
        }

    def text(self) -> str:
        """The same for a person: the change list, and what it meant for the music."""
        told = self.json()
        counts = ", ".join(f"{count} {kind}" for kind, count in told["counts"].items() if count)
        refilled, by_hand = (_said(told[name]) for name in ("refilled", "by_hand"))
        bars = told["bars"]
        rows = []
        for number, (change, row) in enumerate(zip(self.matched.changes, told["changes"], strict=True), 1):
            if change.kind != "unmoved":
                cost = f"  bars {_said(row['bars'])}" if row["bars"] else ""
                rows.append(f"{number:>3} {change.text()}{cost}{'  by hand' if row['refused'] else ''}")
        left = f"; left to be written by hand: {by_hand}" if self.by_hand else ""
        return "\n".join(
            [
                *rows,
                f"shots matched by {self.matched.how}{_DOUBT if self.matched.how == 'lengths' else ''}: {counts}",
                f"{bars['kept']} of {bars['total']} bars kept; composed again: {refilled}{left}",
            ]
        )


def previewed(session: Session, new: NewCut, refused: Collection[int] = ()) -> Recut:
    """What a conform would do, without composing anything; nothing is ``refused`` in vain: OptionError for what is no change."""
    matched = _matched(session, new)
    return _found(session, session, new, matched, _planned(session, new, matched), refused)


def _found(old: Session, session: Session, new: NewCut, matched: Matched, plan: Replan, refused: Collection[int] = ()) -> Recut:
    wrong = [number for number in refused if not 1 <= number <= len(matched.changes)]
    if wrong:
        raise OptionError(
            f"there is no change {wrong[0]}", where="--refuse", cure=f"this recut has changes 1 to {len(matched.changes)}"
        )
    owned = costs(matched.changes, new_runs(plan.bars), plan.tempo_map, new.programme.rate)
    return Recut(session, matched, plan.bars, len(old.bars), owned, plan.tempo_map, tuple(sorted(refused)))


def _by_hand(owned: Sequence[Sequence[Run]], refused: Collection[int]) -> tuple[Run, ...]:
    return tuple(sorted({run for number, runs in enumerate(owned, 1) if number in refused for run in runs}))


def _said(runs: Sequence[Sequence[int]]) -> str:
    return ", ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in runs) or "none"


def conformed(
    session: Session,
    new: NewCut,
    watch: Watch,
    provider: str | None = None,
    refused: Collection[int] = (),
    known: Answered | None = None,
) -> Recut:
    """The session on the new cut, with what it touched composed again; the old one is among its ``versions``.

    In the new bars of a change that is ``refused`` (by its place in the change list, from 1) nothing is composed. Every scene with
    new bars has what the old cut played there as a take called `engines.session.before.BEFORE`. What is ``known`` from an earlier
    turn is not composed again. Raises OptionError for what is no change, and the errors of the solver and the engine; then nothing has
    changed.
    """
    known = Answered() if known is None else known
    left_out = "the features are of the old cut and are left out; give the new ones with refill --features"
    if session.features and left_out not in watch.said:
        watch.said.append(left_out)
    with watch.stage("match"):
        matched = _matched(session, new)
    with watch.stage("solve"):
        plan = _planned(session, new, matched)
    found = _found(session, session, new, matched, plan, refused)
    carried, lost = without_lost(_carried(session, new, matched, plan))
    for number in lost:
        line = f"the theme of scene {number} is gone with this recut; name another, or leave it open"
        if line not in watch.said:
            watch.said.append(line)
    for span in carried.spans:
        carried = with_before(session, carried, span, plan.bars)
    wanted = [run for run in new_runs(plan.bars) if run not in found.by_hand]
    for span in carried.spans:
        runs, scene = inside_scene(wanted, span), span.scene
        if runs:
            whole = scene.chosen is None and not found.by_hand
            wish = Wish(span.number, None if whole else runs, seed=known.seeds.setdefault(scene.id, next_seed(carried)))
            # what is kept lies in other bars
            loose, take = refilled(carried.with_scene(replace(scene, keep=())), wish, watch, provider, known)
            if scene.chosen is not None:
                key = loose.span(span.number).scene.chosen or ""
                loose = replace(loose, takes={**loose.takes, key: replace(take, name=AFTER)})
            carried = loose.with_scene(replace(loose.span(span.number).scene, keep=scene.keep))
    return replace(found, session=carried)


def _matched(session: Session, new: NewCut) -> Matched:
    prints = b64decode(session.picture.prints) or None
    return match(session.programme, new.programme, prints, new.prints)


def _planned(session: Session, new: NewCut, matched: Matched) -> Replan:
    limits = session.limits
    hits = programme_hits(new.programme, _duration(new), _overrides(session, matched))
    return replan(
        session.tempo_map,
        len(session.bars),
        matched,
        hits,
        _duration(new),
        limits.tempo,
        limits.max_bend,
        limits.metres,
        limits.subdivision,
        session.map.bpm,
    )


def _duration(new: NewCut) -> Fraction:
    return new.film.duration if new.film else new.programme.frames / new.programme.rate


def _overrides(session: Session, matched: Matched) -> tuple[Override, ...]:
    """The composer's words on hits, at the frames that they mean now; those on frames that are gone fall away."""
    moved = ((word, _new_frame(session, matched, word.frame)) for word in session.overrides)
    return tuple(replace(word, frame=frame) for word, frame in moved if frame is not None)


def _new_frame(session: Session, matched: Matched, frame: int) -> int | None:
    """Where a frame of the old cut is in the new one; None where it is gone."""
    if matched.old_rate != session.film.rate:  # a programme converted in time counts at the new rate
        frame = round(frame * matched.old_rate / session.film.rate)
    for piece in matched.pieces:
        if piece.old_frame <= frame < piece.old_frame + piece.frames:
            return piece.new_frame + frame - piece.old_frame
    return None


def _carried(session: Session, new: NewCut, matched: Matched, plan: Replan) -> Session:
    """The session on the new map with all notes of the bars that stay, and nothing in the others."""
    old_scene = [span for span in session.spans for _ in span.bars]
    runs = _scene_runs(plan.bars, [span.number for span in old_scene])
    film = new.film or Film("", "", 0, new.programme.rate, new.programme.frames, _duration(new))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    version = plain(replace(session, versions={}))
    bare = replace(
        session,
        film=film,
        programme=new.programme,
        overrides=_overrides(session, matched),
        hits=programme_hits(new.programme, _duration(new), _overrides(session, matched)),
        map=ChosenMap(session.map.kind, plan.tempo_map, plan.bpm, session.map.cost),
        scenes=(),
        takes={},
        told={scope: word for scope, word in session.told.items() if scope == "cue"},
        picture=_picture(session, new, matched),
        versions={**session.versions, _name(session, now): version},
        features=(),  # they are of the old cut
    )
    scenes, used = [], set()
    fresh = (f"s{n}" for n in range(int(session.fresh("s")[1:]), 10**9))
    for owner, count in runs:
        old = session.spans[owner - 1].scene if owner else None
        name = old.id if old and old.id not in used else next(fresh)
        used.add(name)
        scenes.append(replace(old, id=name, bars=count, chosen=None, locked=()) if old else Scene(name, count))
    bare = replace(bare, scenes=tuple(scenes))
    for span, (owner, _) in zip(bare.spans, runs, strict=True):
        if owner:
            bare = _with_takes(session, bare, span, session.spans[owner - 1], plan, matched)
    return bare


def _name(session: Session, now: str) -> str:
    """A name for the cut that is left behind, which no earlier version has."""
    name = f"{session.programme.title or 'cut'}, until {now}"
    others = (f"{name} ({number})" for number in counting(2))
    return name if name not in session.versions else next(other for other in others if other not in session.versions)


def _scene_runs(bars: Sequence[int | None], scene_of: Sequence[int]) -> list[tuple[int, int]]:
    """(old scene number, or 0 for a new one; how many bars) in the order of the new cut."""
    owners: list[int] = []
    for bar, group in groupby(enumerate(bars), key=lambda pair: pair[1] is None):
        run = [k for k, _ in group]
        if not bar:
            owners += [scene_of[old] for k in run if (old := bars[k]) is not None]
        elif len(run) >= OWN_SCENE or not any(b is not None for b in bars):
            owners += [0] * len(run)
        else:
            following = next((scene_of[b] for b in bars[run[-1] + 1 :] if b is not None), 0)
            owners += [owners[-1] if owners and owners[-1] else following] * len(run)
    return [(owner, len(list(group))) for owner, group in groupby(owners)]


def _with_takes(session: Session, bare: Session, span: Span, old: Span, plan: Replan, matched: Matched) -> Session:
    """The takes of an old scene in its new place, with the notes of the bars that stay; every note is where it was in its bar."""
    stays = {b - old.first: k for k, b in enumerate(plan.bars[span.first : span.first + len(span.bars)]) if b is not None}
    whole = stays == {k: k for k in range(len(old.bars))} and len(span.bars) == len(old.bars)
    takes, chosen = dict(bare.takes), None
    part = bare.part(span)
    for name, take in session.takes_of(old.scene).items():
        key = name if name not in takes else replace(bare, takes={**session.takes, **takes}).fresh("t")
        if session.fits(old, take):
            same = whole and (part.segments, part.metres) == (take.tempo_map.segments, take.tempo_map.metres)
            takes[key] = replace(
                take,
                scene=span.scene.id,
                tempo_map=take.tempo_map if same else part,
                orders=take.orders if same else (),
                notes=take.notes if whole else _rows(take, old, span, stays),
                chords=take.chords if whole else _chords(take, old, span, stays),
                answers=tuple(
                    replace(answer, frame=frame)
                    for answer in take.answers
                    if (frame := _new_frame(session, matched, answer.frame)) is not None
                ),
            )
            chosen = key if name == old.scene.chosen else chosen
        elif span.scene.id == old.scene.id:
            takes[key] = take
    told = dict(bare.told)
    for k in range(len(old.bars)):
        word = session.told.get(f"{old.scene.id}/{k + 1}")
        if word is not None and k in stays:
            told[f"{span.scene.id}/{stays[k] + 1}"] = word
    if (wide := session.told.get(old.scene.id, Told())) != Told():
        told[span.scene.id] = wide
    return replace(bare, takes=takes, told=told).with_scene(
        replace(
            span.scene,
            chosen=chosen,
            keep=_held(old.scene, stays),
            locked=as_runs(stays[bar - 1] + 1 for bar in numbers(old.scene.locked) if bar - 1 in stays),
        )
    )


def _held(scene: Scene, stays: dict[int, int]) -> tuple[str, ...]:
    """What an old scene holds, in the bars that are still there."""
    out = []
    for word in map(parse, scene.keep):
        first, last = word.bars or (1, 0)
        places = sorted(stays[bar - 1] + 1 for bar in range(first, last + 1) if bar - 1 in stays)
        runs = [[k for _, k in group] for _, group in groupby(enumerate(places), key=lambda pair: pair[1] - pair[0])]
        out += [word] if word.bars is None else [replace(word, bars=(run[0], run[-1])) for run in runs]
    return tuple(map(str, out))


def _rows(take: SceneTake, old: Span, span: Span, stays: dict[int, int]) -> tuple[PlayedNote, ...]:
    moves = _moves(old, span, stays)
    rows = [row.moved(by) for row in take.notes for start, end, by in moves if start <= row.note.start < end]
    return tuple(sorted(rows, key=lambda row: (row.note, row.played)))


def _chords(take: SceneTake, old: Span, span: Span, stays: dict[int, int]) -> tuple[tuple[Fraction, str], ...]:
    moves = _moves(old, span, stays)
    return tuple(sorted((beat + by, chord) for beat, chord in take.chords for start, end, by in moves if start <= beat < end))


def _moves(old: Span, span: Span, stays: dict[int, int]) -> list[tuple[Fraction, Fraction, Fraction]]:
    """(first beat, end, by how much) of every bar of a scene that stays, in beats from the scene's first."""
    out = []
    for before, after in stays.items():
        bar = old.bars[before]
        by = (span.bars[after].start - span.start) - (bar.start - old.start)
        out.append((bar.start - old.start, bar.end - old.start, by))
    return out


def _picture(session: Session, new: NewCut, matched: Matched) -> Picture:
    """What is known of the new cut's picture: measured, or what the old one's measurements say of the frames that are still there."""
    prints = b64encode(new.prints).decode("ascii") if new.prints else _prints(session, new, matched)
    if new.motion is not None:
        return Picture(packed(new.motion, directograms=session.formula != "ours"), prints)
    if session.picture.motion is None:
        return Picture(None, prints)
    motion = retimed(unpacked(session.picture.motion), matched, session.film.rate, new.programme, _duration(new))
    return Picture(packed(motion, directograms=session.formula != "ours"), prints)


def _prints(session: Session, new: NewCut, matched: Matched) -> str:
    """The fingerprints of the frames that are still there; of the others nothing is known, as of black."""
    old = b64decode(session.picture.prints)
    if not old or matched.old_rate != session.film.rate:  # converted in time, frames are no longer frames
        return ""
    out = bytearray(8 * new.programme.frames)
    for piece in matched.pieces:
        out[8 * piece.new_frame : 8 * (piece.new_frame + piece.frames)] = old[
            8 * piece.old_frame : 8 * (piece.old_frame + piece.frames)
        ]
    return b64encode(bytes(out[: 8 * new.programme.frames])).decode("ascii")


def _row(change: Any) -> dict[str, Any]:
    def side(place: Any) -> dict[str, Any] | None:
        if place is None:
            return None
        return {"shot": place.shot, "start": place.start, "end": place.end, "in": place.timecode_in, "out": place.timecode_out}

    return {
        "kind": change.kind,
        "old": side(change.old),
        "new": side(change.new),
        "head": change.head,
        "tail": change.tail,
        "name": change.name,
    }
