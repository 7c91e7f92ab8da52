"""The grid of takes as a table: a row a scene, a column a stem between the scene and its take, the verdict of the hits always last."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from desktop.language import words
from desktop.roll_notes import Shapes
from desktop.takes_keep import shut
from desktop.takes_marks import told_mood
from desktop.takes_verdict import Verdict, Verdicts, verdicts_of
from engines.score.notes import STEMS
from engines.session.before import AFTER, BEFORE
from engines.session.model import SceneTake, Session, Span

NOWHERE = QModelIndex()
SCENE = 0
TAKE = 1 + len(STEMS)
HITS = TAKE + 1
COLUMNS = HITS + 1

Role = Qt.ItemDataRole
tr = words("takes")


@dataclass(frozen=True)
class SceneFacts:
    """A scene's first frame and the first after it; its bar lines in seconds; metres, nominal tempo in beats a minute, mood, takes."""

    timecodes: tuple[str, str]
    seconds: tuple[float, float]
    metres: str
    bpm: float
    mood: int | None
    takes: int


class TakesTable(QAbstractTableModel):
    """A session as the grid shows it; frozen, so that a new session replaces it whole."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session: Session | None = None
        self.shapes = Shapes()
        self.verdicts: Verdicts | None = None
        self.sounds = False
        """Whether a take is heard anywhere."""
        self._facts: dict[int, SceneFacts] = {}
        self.composing: dict[int, float] = {}
        """How far (0..1) the scenes are that are being composed, by number."""

    def show(self, session: Session | None) -> None:
        """Another session, or the same after an act; rows keep their place where there are as many."""
        rows = self.rowCount()
        same = session is not None and rows == len(session.scenes)
        if not same:
            self.beginResetModel()
        self.verdicts = None if session is None else verdicts_of(session)
        self.session, self._facts = session, {}
        self.sounds = session is not None and any(scene.chosen is not None for scene in session.scenes)
        if session is not None:
            self.shapes.clear_but(session.takes.values())
        if same:
            self.dataChanged.emit(self.index(0, 0), self.index(rows - 1, COLUMNS - 1))
        else:
            self.endResetModel()

    def show_composing(self, composing: dict[int, float]) -> None:
        """Which scenes are being composed, and how far they are."""
        self.composing = composing
        if rows := self.rowCount():
            self.dataChanged.emit(self.index(0, TAKE), self.index(rows - 1, TAKE))

    def scene_at(self, row: int) -> Span | None:
        """The scene of a row."""
        if self.session is None or not 0 <= row < len(self.session.spans):
            return None
        return self.session.spans[row]

    def take(self, span: Span) -> SceneTake | None:
        """The take of a scene that is heard."""
        assert self.session is not None
        return None if span.scene.chosen is None else self.session.takes[span.scene.chosen]

    def verdict(self, span: Span, take: SceneTake | None = None) -> Verdict | None:
        """The hits of a take, by default of what is heard: of silence, too, once anything sounds in the cue."""
        take = take or self.take(span)
        return None if self.verdicts is None or (take is None and not self.sounds) else self.verdicts.of(span, take)

    def knows_verdict(self, span: Span) -> bool:
        """Whether the verdict of what is heard was worked out already, or there is none."""
        return self.verdicts is None or not self.sounds or self.verdicts.knows(span, self.take(span))

    def facts(self, span: Span) -> SceneFacts:
        """What a scene says of itself, worked out when it is first in sight."""
        if span.number not in self._facts:
            assert self.session is not None
            session, seconds = self.session, span.seconds
            start, end = (min(floor(s * session.film.rate), session.film.frames) for s in seconds)
            self._facts[span.number] = SceneFacts(
                (str(session.start + start), str(session.start + end)),
                (float(seconds[0]), float(seconds[1])),
                " ".join(dict.fromkeys(str(bar.metre) for bar in span.bars)),
                float(span.scene.bpm or session.map.bpm),
                told_mood(session, span),
                len(session.takes_of(span.scene)),
            )
        return self._facts[span.number]

    # what Qt asks for

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802  Qt's names
        return 0 if self.session is None or parent.isValid() else len(self.session.scenes)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:  # noqa: N802
        if role == Role.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return (tr("Scene"), *(tr(stem).capitalize() for stem in STEMS), tr("Take"), tr("Hits"))[section]
        return None

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        span = self.scene_at(index.row())
        if span is None:
            return None
        if role in (Role.DisplayRole, Role.AccessibleTextRole):
            return self.say(span, index.column())
        if role == Role.ToolTipRole:
            return self.hint(span, index.column())
        return None

    def say(self, span: Span, column: int) -> str:
        """A cell as it is read aloud."""
        if column == SCENE:
            start, end = self.facts(span).timecodes
            name = f" {span.scene.name}" if span.scene.name else ""
            kept = ", " + tr("kept") if shut(span) else ""
            bars = tr("bars {}–{}").format(span.first + 1, span.first + len(span.bars))
            return tr("Scene {}").format(span.number) + f"{name}, {bars}, {start} – {end}{kept}"
        take = self.take(span)
        if column == TAKE:
            if span.number in self.composing:
                return tr("composing, {} %").format(round(100 * self.composing[span.number]))
            return tr("no take") if take is None else self.take_words(span, take)
        if column == HITS:
            said = verdict_words(self.verdict(span))
            return ", ".join(word for word in ("" if take else tr("no take"), said) if word)
        stem = STEMS[column - 1]
        count = 0 if take is None else sum(row.note.stem == stem for row in take.notes)
        kept = ", " + tr("kept") if shut(span, stem) else ""
        return f"{tr(stem)}, {tr('%n notes', count)}{kept}"

    def take_words(self, span: Span, take: SceneTake) -> str:
        """A take's number among how many, its name and rating."""
        said = [tr("take {} of {}").format(take.number, self.facts(span).takes), name_of(take)]
        said.append("" if take.rating is None else tr("rated {} of 5").format(take.rating))
        return ", ".join(word for word in said if word)

    def hint(self, span: Span, column: int) -> str:
        """What can be done in a cell, with its keys."""
        if column == SCENE:
            return tr(
                "Enter composes the scene again · Shift+K keeps it · Ctrl+C copies it as MIDI, or drag it out · F2 names it"
            )
        if column == TAKE:
            return tr(
                "[ and ] step through the takes · X goes back and forth between the last two · 1 to 5 rate, 0 takes it back"
            )
        if column == HITS:
            return self.say(span, column)
        return tr("Enter composes this stem again · Shift+K keeps it · Ctrl+C copies it as MIDI, or drag it out")


def name_of(take: SceneTake) -> str:
    """What a take is called: as the composer named it, or in the window's language what a recut called it."""
    return {BEFORE: tr("before the recut"), AFTER: tr("after the recut")}.get(take.name, take.name)


def verdict_words(verdict: Verdict | None) -> str:
    """A verdict in a line: hits within a frame, those that are missed, and the worst."""
    if verdict is None:
        return ""
    if verdict.lines is None:
        return tr("made for other bars")
    if not verdict.lines:
        return tr("no hits here")
    said = [tr("{} of {} hits within a frame").format(verdict.count("on"), verdict.total)]
    for name, counted in (("near", tr("%n near", verdict.count("near"))), ("missed", tr("%n missed", verdict.count("missed")))):
        if verdict.count(name):
            said.append(counted)
    if verdict.light != "on" and verdict.worst is not None:
        said.append(tr("worst {} at {}").format(error_words(verdict), verdict.worst.timecode))
    return ", ".join(said)


def brief_words(verdict: Verdict) -> str:
    """The same in figures: hits within a frame of all, and those that are near or missed."""
    near, missed = verdict.count("near"), verdict.count("missed")
    said = (
        f"{verdict.count('on')} / {verdict.total}",
        tr("%n near", near) if near else "",
        tr("%n missed", missed) if missed else "",
    )
    return ", ".join(word for word in said if word)


def error_words(verdict: Verdict) -> str:
    """By how much the worst hit is missed, in frames and milliseconds."""
    worst = verdict.worst
    if worst is None:
        return ""
    if worst.error is None:
        return tr("no onset")
    frames = "" if worst.rate is None else f"{float(worst.error * worst.rate):+.1f} f  "
    return f"{frames}{float(worst.error * 1000):+.0f} ms"
