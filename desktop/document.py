"""What is open, as the window knows it: the studio's events on the window's own thread, and every act handed to it from there.

Widgets read the frozen values that come with the signals and call the methods; nothing here waits for a disk, an engine or a lock.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from PyQt6.QtCore import QObject, QTimer, pyqtSignal, pyqtSlot
from PyQt6.sip import isdeleted

from bridge.events import LOG, Event, FilmChanged, JobProgressed, Message, OpenSession, SessionChanged, TransportRead
from bridge.jobs import fault
from bridge.studio import OpenFilm, Studio
from desktop.gathering import Gathering
from desktop.sheet import Sheet, sheet_of_film, sheet_of_session
from engines.errors import HitpointError, OptionError
from engines.session.film import SUFFIXES, find_film

if TYPE_CHECKING:
    from bridge.jobs import Job
    from bridge.sitting import Acted
    from engines.picture.reel import Reel
    from engines.session.desk import Act

T = TypeVar("T")

TURN_S = 0.0005
"""Seconds after which a thread that computes lets the window's go on: Python's own 5 ms, a few threads and a few turns a painting are
what a hand feels."""

SESSIONS = (".hitpoint",)
FILMS = SUFFIXES
CUT_LISTS = (".edl", ".otio", ".fcpxml", ".xml", ".aaf", ".csv", ".json", ".otioz")
MIDI = (".mid", ".midi", ".smf")


class Document(QObject):
    """One `Studio` for the window. Signals come on the thread of the window, in the order in which things happened."""

    session_changed = pyqtSignal(object)  # SessionChanged: .now is the OpenSession then, None once it is closed
    film_changed = pyqtSignal(object)  # OpenFilm, as it was opened or spotted
    reel_changed = pyqtSignal(object)  # the Reel to be shown; None where its film is not at hand
    film_missing = pyqtSignal(object)  # FilmError: the session's film is nowhere near
    drawn = pyqtSignal(object)  # Sheet: all that the timeline draws
    job_changed = pyqtSignal(object)  # JobReading
    scoring_changed = pyqtSignal()  # all of something begins to be composed, or has ended
    transport_read = pyqtSignal(object)  # TransportRead: where the player, or the DAW that it follows, is
    said = pyqtSignal(str)  # a word to the composer
    refused = pyqtSignal(object)  # HitpointError: what could not be done, in one line
    ailing = pyqtSignal(
        object, object
    )  # HitpointError: what is not as it should be, and a call that tells whether it still is so
    _posted = pyqtSignal(object, object)  # a function and what it is called with, on the window's thread

    def __init__(self, studio: Studio | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._turn = sys.getswitchinterval()
        sys.setswitchinterval(TURN_S)
        self._gathering = Gathering(self)
        self.studio = studio or Studio()
        self.now: OpenSession | None = None
        """The open session, as it was told of last."""
        self.film: OpenFilm | None = None
        """The open film, as it was told of last; a session may be open over another."""
        self.reel: Reel | None = None
        """The film that is shown."""
        self.sheet: Sheet | None = None
        """What the timeline draws."""
        self.missing: HitpointError | None = None
        """Why the film of the open session is not shown; None where it is."""
        self._acts = ThreadPoolExecutor(1, "hitpoint desk")
        self._draws = ThreadPoolExecutor(1, "hitpoint sheet")
        self._films = ThreadPoolExecutor(1, "hitpoint reel")
        self._plays = ThreadPoolExecutor(1, "hitpoint play")
        self._drawing, self._wanted = Lock(), 0
        self._closed = False
        self._scores: dict[Path, int] = {}
        """What is being scored, a session or a film, and by which job; 0 until it is queued."""
        self._shown_film = ""
        self._waiting: deque[tuple[Callable[[Any], object], object]] = deque()
        self._posted.connect(self._call)
        self._unsubscribe = self.studio.subscribe(self._hear)

    # acts: each returns at once; what comes of it comes as a signal

    def do(self, call: Callable[[], T], then: Callable[[T], object] | None = None) -> None:
        """Has a call of the studio made, after those before it; ``then`` gets its result on the window's thread. What it raises comes
        as `refused`."""
        self._enter(self._acts, call, then)

    def hear(self, call: Callable[[], T], then: Callable[[T], object] | None = None) -> None:
        """The same for what is played, which waits for no act."""
        self._enter(self._plays, call, then)

    def beside(self, call: Callable[[], T], then: Callable[[T], object]) -> None:
        """Has something worked out from frozen values beside the window, such as a report of a session; ``then`` gets it on the
        window's thread. Whatever takes more than a few milliseconds belongs here."""
        self._enter(self._draws, call, then)

    def act(self, act: Act, merge: bool = False) -> None:
        """Does an act of `engines.commands`; ``merge`` makes it one step with the last."""
        self.do(lambda: self.studio.act(act, merge))

    def compose(self, act: Act) -> None:
        """Does an act that composes, beside the composer."""
        self.do(lambda: self.studio.compose(act))

    def undo(self) -> None:
        """Takes the last act back."""
        self.do(self.studio.undo)

    def redo(self) -> None:
        """Does again what was undone last."""
        self.do(self.studio.redo)

    def refill(self, scene: int, **wish: Any) -> None:
        """Composes a scene again, as `Studio.refill` takes it."""
        self.do(lambda: self.studio.refill(scene, **wish))

    @property
    def scoring(self) -> bool:
        """Whether all of what is open is being composed, or waits to be."""
        return self.home in self._scores

    @property
    def home(self) -> Path | None:
        """The file of what is open: a session, else a film."""
        if self.now is not None:
            return self.now.path
        return None if self.film is None else self.film.reel.path

    def score(self, seed: int | None = None, features: Sequence[Path] | None = None) -> None:
        """Composes every scene of what is shown: of the session, or of a film that was opened after it, in a new session beside it. While
        that is done a second request is refused: it would come to a session that the first has open."""
        home, film = self.home, self.film
        if home in self._scores:
            self.refused.emit(OptionError("is being scored already", where=home.name, cure="wait for it, or cancel it first"))
            return
        path = None
        if self.now is None and film is not None:
            beside = film.reel.path.resolve()
            path = beside.with_name(f"{beside.stem}-score") / "cue.hitpoint"
        if home is None:
            self.do(lambda: self.studio.score(seed, features=features))
            return

        def begin() -> Job[Acted]:
            try:
                return self.studio.score(seed, path=path, features=features)
            except BaseException:
                self._post(self._score_ended, home)
                raise

        self._scores[home] = 0
        self.scoring_changed.emit()
        self.do(begin, lambda job: self._score_began(home, job))

    def _score_began(self, home: Path, job: Job[Acted]) -> None:
        self._scores[home] = job.number
        if job.reading.ended:  # before anybody here had heard its number
            self._score_ended(home)

    def _score_ended(self, home: Path) -> None:
        if self._scores.pop(home, None) is not None:
            self.scoring_changed.emit()

    def cancel(self, job: int) -> None:
        """Stops a job, by its number."""
        self.do(lambda: self.studio.jobs.job(job).cancel())

    def open(self, path: Path, then: Callable[[object], object] | None = None) -> None:
        """Opens a session or a film, by what the file is called; cut lists and MIDI files are others' to take (`kind`)."""
        if path.suffix.lower() in SESSIONS:
            self.do(lambda: self.studio.open_session(path), then)
        else:
            self.do(lambda: self._open_film(path), then)

    def _open_film(self, path: Path, cuts: Path | None = None) -> Job[OpenFilm]:
        return self.studio.open_film(path, cuts)

    def open_cuts(self, path: Path) -> None:
        """Takes an editor's cut list for the open film: its cuts instead of those of the pixels."""
        film = self.film
        if film is None:
            error = HitpointError("there is no film for this cut list", where=path.name, cure="open the film first")
            self.refused.emit(error)
        else:
            self.do(lambda: self._open_film(film.reel.path, path))

    def close(self) -> None:
        """Does what was asked for already, saves, cancels the jobs, and ends every thread. Raises OutputError where the session cannot
        be saved: then nothing has ended, and the composer may save it elsewhere."""
        if self._closed:
            return
        self._acts.submit(lambda: None).result()  # an act that waits for its turn was done, as far as the composer knows
        self.studio.close_session()
        self._closed = True
        for pool in (self._acts, self._draws, self._films, self._plays):
            pool.shutdown(cancel_futures=True)
        self.studio.close()
        self._unsubscribe()
        self._gathering.end()
        sys.setswitchinterval(self._turn)

    # what the studio tells, in any thread

    def _hear(self, event: Event) -> None:
        if isinstance(event, SessionChanged):
            self._post(self._session_changed, event)
        elif isinstance(event, FilmChanged):
            self._post(self._film_changed, self.studio.film)
        elif isinstance(event, JobProgressed):
            self._post(self._job_changed, event.reading)
        elif isinstance(event, TransportRead):
            self._post(self.transport_read.emit, event)
        elif isinstance(event, Message):
            self._post(self._message, event)

    def _post(self, call: Callable[[Any], object], value: object) -> None:
        self._posted.emit(call, value)

    @pyqtSlot(object, object)
    def _call(self, call: Callable[[Any], object], value: object) -> None:
        """One a turn of the window's loop, so that many that come at once leave it time to paint and to hear."""
        self._waiting.append((call, value))
        if len(self._waiting) == 1:
            QTimer.singleShot(0, self._turned)

    def _turned(self) -> None:
        call, value = self._waiting[0]
        asked = getattr(call, "__self__", None)
        gone = self._closed or (isinstance(asked, QObject) and isdeleted(asked))  # nobody is there any more to hear it
        try:
            if not gone:
                call(value)
        finally:
            self._waiting.popleft()
            if self._waiting:
                QTimer.singleShot(0, self._turned)

    def _enter(self, pool: ThreadPoolExecutor, call: Callable[[], T], then: Callable[[T], object] | None) -> None:
        if self._closed:  # a timer, or a signal on its way, of a window that is gone
            return

        def work() -> None:
            try:
                value = call()
            except HitpointError as error:
                self._post(self.refused.emit, error)
            except Exception as unforeseen:  # noqa: BLE001  a thread's end would be silent; the log has it
                LOG.exception("the window's call failed")
                self._post(self.refused.emit, fault(unforeseen))
            else:
                if then is not None:
                    self._post(then, value)

        future: Future[None] = pool.submit(work)
        future.add_done_callback(lambda _: None)

    # the same, on the window's thread

    def _session_changed(self, event: SessionChanged) -> None:
        self.now = event.now
        now, film = event.now, "" if event.now is None else f"{event.now.session.film.digest} {event.now.session.film.path}"
        another = now is not None and self._shown_film != film
        if now is None or another:
            self.missing = None
        self.session_changed.emit(event)
        if now is not None:
            self._draw(lambda: sheet_of_session(now.session))
            if another:
                self._shown_film = film
                if not self.shows_of(event):
                    self._enter(self._films, lambda: self._reel_of(now), self._show_reel)

    def shows_of(self, event: SessionChanged) -> bool:
        """Whether a session that was begun just now is of the very film that is open: it goes on as it is, rolling too."""
        reel = None if self.film is None else self.film.reel
        known = (
            "" if reel is None or reel is not self.reel else vars(reel).get("digest", "")
        )  # never read here: a disk may be slow
        return event.change == "opened" and event.now is not None and event.now.session.film.digest == known

    def _film_changed(self, film: OpenFilm | None) -> None:
        if film is None:
            return
        fresh = self.film is None or film.reel is not self.film.reel
        self.film = film
        self.film_changed.emit(film)
        if fresh:
            if self.now is not None:
                self.do(self.studio.close_session)  # it is saved; the window shows one thing
            self._shown_film = ""
            self._show_reel(film.reel)
            self.do(self.studio.spot)
        if self.now is None or fresh:
            self._draw(lambda: sheet_of_film(film))

    def _job_changed(self, reading: Any) -> None:
        self.job_changed.emit(reading)
        if reading.ended:
            for home in [home for home, job in self._scores.items() if job == reading.number]:
                self._score_ended(home)
        if reading.state == "failed":
            self.refused.emit(reading.error)

    def _message(self, message: Message) -> None:
        if message.level == "error" and message.holds is not None:
            self.ailing.emit(HitpointError(message.text), message.holds)
        elif message.level == "error":
            self.refused.emit(HitpointError(message.text))
        else:
            self.said.emit(message.text)

    def _draw(self, make: Callable[[], Sheet]) -> None:
        """Has a sheet made beside the window; of many that are wanted at once, the last."""
        with self._drawing:
            self._wanted += 1
            mine = self._wanted

        def work() -> Sheet | None:
            with self._drawing:
                late = mine != self._wanted
            return None if late else make()

        self._enter(self._draws, work, self._show_sheet)

    def _show_sheet(self, sheet: Sheet | None) -> None:
        if sheet is not None:
            self.sheet = sheet
            self.drawn.emit(sheet)

    def _reel_of(self, now: OpenSession) -> Reel | None:
        from engines.picture.reel import Reel

        try:
            path = find_film(now.session, now.path)
        except HitpointError as error:
            self._post(lambda lost: self._lost(lost, now), error)
            return None
        reel = Reel.open(path)
        _ = reel.timing  # read here, where it may take its time
        return reel

    def _lost(self, error: HitpointError, asked: OpenSession) -> None:
        if self.now is not None and self.now.session.film == asked.session.film:  # else another was opened meanwhile
            self.missing = error
            self.film_missing.emit(error)

    def _show_reel(self, reel: Reel | None) -> None:
        self.reel = reel
        self.reel_changed.emit(reel)


def kind(path: Path) -> str:
    """What a file is by its name: ``session``, ``film``, ``cuts``, ``midi``, or nothing that we know ("")."""
    suffix = path.suffix.lower()
    for name, suffixes in (("session", SESSIONS), ("film", FILMS), ("cuts", CUT_LISTS), ("midi", MIDI)):
        if suffix in suffixes:
            return name
    return ""
