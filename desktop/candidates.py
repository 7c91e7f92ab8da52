"""Tempo candidates: every map with its price in plain words, heard against the picture before it is chosen, and bars that are locked."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from PyQt6.QtCore import QModelIndex, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.aside import Aside
from desktop.candidate_limits import LimitsForm, Locks
from desktop.candidate_list import List, Unasked, effect, spotting_button
from desktop.candidate_rows import Painted, Row, Rows, row_of
from desktop.click_sound import beats_of
from desktop.language import words
from desktop.refusals import told
from desktop.seen import Seen
from desktop.sheet import with_map
from desktop.sound import sound_of
from engines.commands import Lock, UseMap
from engines.session.lock import locked_bars
from engines.session.remap import remapped
from engines.spotting.locked import runs

if TYPE_CHECKING:
    from bridge.events import SessionChanged
    from bridge.jobs import Job, JobReading
    from bridge.studio import OpenFilm
    from desktop.document import Document
    from desktop.transport import Transport
    from engines.session.model import Limits, Session
    from engines.session.remap import Maps
    from engines.spotting.candidates import Candidate

tr = words("candidates")

DWELL_MS = 300
"""How long the mouse rests on a row before the picture rolls for it."""
SETTLE_MS = 250
"""After the last act, before the cue is spotted again by itself."""
MANY = 400
"""Hits beyond which spotting takes seconds, and waits to be asked."""


class Candidates(QWidget):
    """The panel. `shown` tells which map is looked at: its beats are on the timeline and its click is heard until another is."""

    shown = pyqtSignal(object)  # the Candidate that is looked at; None when the one in use is seen again

    def __init__(self, document: Document, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._transport = document, transport
        self._aside = Aside(self)
        self.seen = Seen(self, self._turned)
        self.sound = sound_of(transport)
        self.model = Rows(self)
        self._session: Session | None = None
        self._spotted_for: tuple[object, ...] = ()
        self._job = 0
        self._maps: Maps | None = None
        self._looked_at: Candidate | None = None
        self._rolling = self._hushed = self._stale = False
        self._dwell, self._settle = QTimer(self), QTimer(self)
        for timer, after, call in ((self._dwell, DWELL_MS, self._roll), (self._settle, SETTLE_MS, self.spot_again)):
            timer.setSingleShot(True)
            timer.setInterval(after)
            timer.timeout.connect(call)
        self._lay_out()
        document.session_changed.connect(self._session_changed)
        document.film_changed.connect(self._film_changed)
        document.job_changed.connect(self._job_changed)
        self._aside.refused.connect(lambda error: self.effect.setText(told(error)))
        self._look_again()

    # how it is laid out

    def _lay_out(self) -> None:
        self.setAccessibleName(tr("Tempo candidates"))
        self.list = List(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(Painted(self.list))
        self.list.setAccessibleName(tr("Tempo maps, the best first"))
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.entered.connect(self._hovered)
        self.list.left.connect(self._leave)
        self.list.chosen.connect(self.choose)
        self.list.doubleClicked.connect(lambda _: self.choose())
        selection = self.list.selectionModel()
        assert selection is not None
        selection.currentChanged.connect(lambda index, _: self._pointed(index))
        self.limits = LimitsForm(self)
        self.locks = Locks(self)
        self.locks.locked.connect(lambda first, last, shut: self._document.act(Lock((first, last), shut)))
        self.limits.changed.connect(self._settle.start)
        self.again = spotting_button(self.spot_again, self)
        self.use = QPushButton(tr("Use this map"), self)
        self.use.setToolTip(tr("Put the cue on the selected tempo map (Enter)"))
        self.use.clicked.connect(self.choose)
        self.listens = QToolButton(self)
        self.listens.setText(tr("Hear"))
        self.listens.setCheckable(True)
        self.listens.setChecked(True)
        self.listens.setToolTip(tr("While the mouse is on a tempo map, roll the picture with its click (Ctrl+Alt+H)"))
        self.listens.setAccessibleName(tr("Hear candidates"))
        self.listens.toggled.connect(self._listening)
        self.word = QLabel(self)
        self.word.setWordWrap(True)
        self.word.setVisible(False)
        self.sound.changed.connect(self._say_sound)
        self.effect = QLabel(self)
        self.effect.setWordWrap(True)
        self.effect.setMinimumHeight(2 * self.fontMetrics().height())
        self.effect.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.effect.setAccessibleName(tr("What choosing it does"))
        legend = QLabel(tr("hits caught · on downbeats · price"), self)
        legend.setAlignment(Qt.AlignmentFlag.AlignRight)
        legend.setContentsMargins(0, 0, 10, 0)
        for label in (self.word, self.effect, legend):
            label.setForegroundRole(self.foregroundRole())
            label.setProperty("quiet", True)
        foot = QHBoxLayout()
        foot.addWidget(self.again)
        foot.addWidget(self.listens)
        foot.addStretch(1)
        foot.addWidget(self.use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        layout.setSpacing(theme.GAP)
        self.unasked = Unasked(self.spot_again, self)
        for part in (self.limits, self.locks, legend, self.list, self.unasked, self.effect, self.word):
            layout.addWidget(part, 1 if part in (self.list, self.unasked) else 0)
        layout.addLayout(foot)
        self.list.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def _turned(self, seen: bool) -> None:
        """The panel is seen from now on, or no longer."""
        if not seen:
            self._leave()
        elif self._stale:  # nobody looked when the cue changed
            self._settle.start()

    def kept(self) -> tuple[tuple[object, ...], Maps | None, int, bool, Limits]:
        """What was spotted for, what came of it, the job in hand, whether candidates are heard, and the form."""
        return self._spotted_for, self._maps, self._job, self.listens.isChecked(), self.limits.limits

    def resume(self, kept: tuple[tuple[object, ...], Maps | None, int, bool, Limits]) -> None:
        """Goes on with the same, and spots nothing twice."""
        asked, maps, self._job, listens, limits = kept
        self.listens.setChecked(listens)
        self.limits.fill(limits)
        if self._session is not None and asked == self._spotted_for and (maps is not None or self._job):
            self._settle.stop()
            self._stale = False
            if maps is not None:
                self._show_maps(maps, self._session)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        return QSize(400, 560)

    # what there is to choose from

    def _look_again(self) -> None:
        now, film = self._document.now, self._document.film
        if now is not None:
            self._show_session(now.session)
        elif film is not None:
            self._film_changed(film)

    def _session_changed(self, event: SessionChanged) -> None:
        if event.now is not None:
            self._show_session(event.now.session)
        elif (film := self._document.film) is not None:  # it takes the session's place
            self._film_changed(film)
        else:
            self._session, self._maps = None, None
            self._show([], ())

    def _show_session(self, session: Session) -> None:
        fresh = self._session is None or session.film.digest != self._session.film.digest
        self._session = session
        self.limits.fill(session.limits)
        self.locks.fill(len(session.bars), runs(sorted(locked_bars(session))))
        asked = (session.hits, session.tempo_map, session.limits, locked_bars(session), session.told)
        if fresh:
            self._maps, self._spotted_for = None, ()  # it may have been here before, and another film since
            self._show([], ())
        if asked != self._spotted_for:
            self._spotted_for = asked
            self.effect.setText("")
            self._stale = len(session.hits) <= MANY
            self._wait(not self._stale)
            if self._stale and self.seen.on:
                self._settle.start()

    def _film_changed(self, film: OpenFilm) -> None:
        if self._document.now is not None or film is None:
            return
        self._session, self._maps, self._stale = None, None, False
        self._settle.stop()
        if film.spotted is None:
            self._show([], ())
            return
        self.limits.fill_wishes(film.wishes)
        self.locks.fill(0, ())
        rate, spotted = film.reel.rate, film.spotted
        self._aside.ask(
            "rows", lambda: [row_of(c, not k, rate) for k, c in enumerate(spotted.candidates)], lambda rows: self._show(rows, ())
        )

    def spot_again(self) -> None:
        """Looks for tempo maps within the limits of the form, beside the window."""
        self._settle.stop()
        self._stale = False
        self._wait(False)
        limits, document = self.limits.limits, self._document
        if self._session is not None:
            document.do(lambda: document.studio.spot_again(limits), self._began)
        elif (film := document.film) is not None:
            wishes = replace(
                film.wishes, tempo=limits.tempo, max_bend=limits.max_bend, metres=limits.metres, subdivision=limits.subdivision
            )
            document.do(lambda: document.studio.spot(wishes))

    def _began(self, job: Job[Maps]) -> None:
        old, self._job = self._job, job.number
        if old:
            self._document.cancel(old)
        if job.reading.ended:
            self._job_changed(job.reading)

    def _job_changed(self, reading: JobReading) -> None:
        if reading.number != self._job or not reading.ended:
            return
        self._job = 0
        maps, session = self._document.studio.maps, self._session
        if reading.state != "done" or maps is None or session is None:
            self._wait(session is not None and len(session.hits) > MANY)
            return
        self._show_maps(maps, session)

    def _show_maps(self, maps: Maps, session: Session) -> None:
        self._maps = maps
        rate, whole = session.film.rate, float(session.film.duration)
        bars, seconds = session.bars, session.tempo_map.seconds
        locked = runs(sorted(locked_bars(session)))
        shut = [(float(seconds(bars[a].start)) / whole, float(seconds(bars[b - 1].end)) / whole) for a, b in locked]
        known = sorted(maps.all, key=lambda c: (round(c.cost, 9), c is not maps.in_use))
        self._aside.ask("rows", lambda: [row_of(c, c is maps.in_use, rate) for c in known], lambda rows: self._show(rows, shut))

    def _show(self, rows: list[Row], locked: object) -> None:
        self._leave()
        self.model.show(rows, locked)  # type: ignore[arg-type]
        self.use.setEnabled(bool(rows))
        self._wait(False)
        if not rows:
            self._aside.forget("effect")
            self.effect.setText("")
        at = next((k for k, row in enumerate(rows) if row.in_use), 0)
        if rows:
            self.list.setCurrentIndex(self.model.index(at))
            self._say_effect(rows[at])  # also where the list stands on the same row as before

    def _wait(self, unasked: bool) -> None:
        """Says in the list's place that maps are looked for when somebody asks, or shows the list."""
        if unasked:
            self._leave()
        self.list.setVisible(not unasked)
        self.unasked.setVisible(unasked)

    # looking and listening

    @property
    def current(self) -> Row | None:
        """The selected row."""
        index = self.list.currentIndex()
        return self.model.rows[index.row()] if 0 <= index.row() < len(self.model.rows) else None

    def _hovered(self, index: QModelIndex) -> None:
        self._look_at(self.model.rows[index.row()].candidate)
        if self.listens.isChecked():
            self._dwell.start()

    def _pointed(self, index: QModelIndex) -> None:
        row = self.current
        if row is None or not index.isValid():
            return
        self._look_at(None if row.in_use else row.candidate)
        self._say_effect(row)

    def _leave(self) -> None:
        self._dwell.stop()
        if self._rolling:
            self._rolling = False
            self._transport.stop()
        self._look_at(None)
        self._hush(False)

    def _hush(self, silent: bool) -> None:
        """Keeps the music, which is on the map in use, from playing against the click of another."""
        heard = getattr(self.window(), "heard", None)
        if heard is None:
            return
        if silent and heard.on:
            self._hushed = True
            heard.switch(False)
        elif not silent and self._hushed:
            self._hushed = False
            heard.switch(True)

    def _look_at(self, candidate: Candidate | None) -> None:
        if candidate is self._looked_at:
            return
        self._looked_at = candidate
        self.shown.emit(candidate)
        self._draw(candidate)
        if candidate is None or not self.listens.isChecked():
            self._aside.forget("beats")
            self.sound.click(None)
        else:
            tempo_map, end = candidate.tempo_map, candidate.end
            self._aside.ask("beats", lambda: beats_of(tempo_map, end), self.sound.click)

    def _draw(self, candidate: Candidate | None) -> None:
        """Has the timeline show a candidate's beats, which are worked out beside the window; None shows the map in use."""
        self._aside.forget("sheet")
        sheet, draw = self._document.sheet, self._document.drawn.emit
        if sheet is None:
            return
        if candidate is None:
            draw(sheet)
        else:
            tempo_map, end = candidate.tempo_map, candidate.end
            self._aside.ask("sheet", lambda: with_map(sheet, tempo_map, end), draw)

    def _roll(self) -> None:
        if self._looked_at is not None and self._transport.speed == 0 and not self._transport.follows:
            self._rolling = True
            self._hush(True)
            self._transport.play(1)

    def _listening(self, on: bool) -> None:
        if not on:
            self.sound.click(None)

    def _say_sound(self) -> None:
        self.word.setText(self.sound.word)
        self.word.setVisible(bool(self.sound.word))

    # choosing

    def choose(self) -> None:
        """Puts the cue, or the film that is about to be scored, on the selected map."""
        row, document = self.current, self._document
        if row is None or row.in_use:
            return
        self._leave()
        if self._session is not None:
            document.act(UseMap(row.candidate, None if self._maps is None else self._maps.limits))
        elif document.film is not None and document.film.spotted is not None:
            index = document.film.spotted.candidates.index(row.candidate)
            document.do(lambda: document.studio.choose_map(index))

    def listen(self) -> None:
        """Hears candidates from now on, or no longer."""
        self.listens.toggle()

    def lock_bar(self) -> None:
        """Locks the bar under the playhead, or unlocks it."""
        session = self._session
        if session is None:
            return
        bar = session.tempo_map.bar_at(max(Fraction(0), session.tempo_map.beat(self._transport.seconds))).index
        bar = min(bar, len(session.bars) - 1)
        self._document.act(Lock((bar + 1, bar + 1), bar not in locked_bars(session)))

    def _say_effect(self, row: Row) -> None:
        session, candidate = self._session, row.candidate
        if row.in_use or session is None:
            self._aside.forget("effect")
            self.effect.setText(tr("This map is in use.") if row.in_use else "")
            return
        limits: Limits | None = None if self._maps is None else self._maps.limits
        self._aside.ask("effect", lambda: effect(session, remapped(session, candidate, limits)), self.effect.setText)
