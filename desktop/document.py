"""What is open, as the window knows it: the studio's events on the window's own thread, and every act handed to it from there.

Widgets read the frozen values that come with the signals and call the methods; nothing here waits for a disk, an engine or a lock.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from PyQt6.QtCore import QObject, QTimer, pyqtSignal, pyqtSlot
from PyQt6.sip import isdeleted

from bridge.beginning import place_of
from bridge.events import LOG, Event, FilmChanged, JobProgressed, Message, OpenSession, SessionChanged, TransportRead
from bridge.jobs import fault
from bridge.studio import OpenFilm, Studio
from desktop.gathering import Gathering
from desktop.kinds import SESSIONS
from desktop.scores import Scores
from desktop.sheet import Sheet, sheet_of_film, sheet_of_session
from engines.errors import HitpointError, OutputError
from engines.session.film import find_film

if TYPE_CHECKING:
    from engines.picture.reel import Reel
    from engines.session.desk import Act
    from engines.session.model import Session

T = TypeVar("T")

TURN_S = 0.0005
"""Seconds after which a thread that computes lets the window's go on: Python's own 5 ms, a few threads and a few turns a painting are
what a hand feels."""


class Document(QObject):
    """One `Studio` for the window. Signals come on the thread of the window, in the order in which things happened."""

    session_changed = pyqtSignal(object)  # SessionChanged: .now is the OpenSession then, None once it is closed
    shown = pyqtSignal(object)  # Session that is looked at: the open one, else what the film begins with; None without either
    film_changed = pyqtSignal(object)  # OpenFilm, as it was opened or spotted; None once it was put away
    reel_changed = pyqtSignal(object)  # the Reel to be shown; None where its film is not at hand
    film_missing = pyqtSignal(object)  # FilmError: the session's film is nowhere near
    homeless = pyqtSignal(object, object)  # OutputError: no session can begin there; and a call that tries again, in `home`
    drawn = pyqtSignal(object)  # Sheet: all that the timeline draws; None where nothing is open
    job_changed = pyqtSignal(object)  # JobReading
    scoring_changed = pyqtSignal()  # all of something begins to be composed, or has ended
    transport_read = pyqtSignal(object)  # TransportRead: where the player, or the DAW that it follows, is
    said = pyqtSignal(str)  # a word to the composer
    refused = pyqtSignal(object)  # HitpointError: what could not be done, in one line
    ailing = pyqtSignal(object, object)  # HitpointError: what is not as it should be; and a call: does it still hold?
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
        self.draft: Session | None = None
        """What the open film begins with at its first act, once that is worked out."""
        self.home: Path | None = None
        """The folder in which the session of the open film shall begin; None is beside the film."""
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
        self._scores = Scores(self)
        self._shown_film = ""
        self._waiting: deque[tuple[Callable[[Any], object], object]] = deque()
        self._resting = QTimer(self)  # one session is closed for another: what is between them need not be seen
        self._resting.setSingleShot(True)
        self._resting.timeout.connect(self._look_again)
        self._posted.connect(self._call)
        self._unsubscribe = self.studio.subscribe(self._hear)

    @property
    def session(self) -> Session | None:
        """The session that is looked at: the open one, else what the open film begins with."""
        return self.draft if self.now is None else self.now.session

    @property
    def read_only(self) -> bool:
        """Whether a session is open that nothing can be done to."""
        return self.now is not None and self.now.read_only

    def is_of_film(self, session: Session) -> bool:
        """Whether a session is of the open film, whose picture is there already."""
        film, draft = self.film, self.draft
        return film is not None and self.reel is film.reel and draft is not None and draft.film == session.film

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

    def begin(self, call: Callable[[Path | None], object]) -> None:
        """Has something done that may be a film's first act; ``call`` gets the path at which its session then begins. Where none can,
        that comes as `homeless`."""

        def work() -> None:
            film = None if self.studio.is_open else self.studio.film
            try:
                call(None if film is None else place_of(film, None, self.home))
            except OutputError as error:
                if film is None:
                    raise
                self.post(partial(self.homeless.emit, error), partial(self.begin, call))

        self.do(work)

    def act(self, act: Act, merge: bool = False) -> None:
        """Does an act of `engines.commands`; ``merge`` makes it one step with the last."""
        self.begin(lambda path: self.studio.act(act, merge, path))

    def compose(self, act: Act) -> None:
        """Does an act that composes, beside the composer."""
        self.begin(lambda path: self.studio.compose(act, path=path))

    def undo(self) -> None:
        """Takes the last act back."""
        self.do(self.studio.undo)

    def redo(self) -> None:
        """Does it again."""
        self.do(self.studio.redo)

    def refill(self, scene: int, **wish: Any) -> None:
        """Composes a scene again, as `Studio.refill` takes it."""
        self.do(lambda: self.studio.refill(scene, **wish))

    @property
    def at_hand(self) -> Path | None:
        """The file of what is open: a session, else a film."""
        if self.now is not None:
            return self.now.path
        return None if self.film is None else self.film.reel.path

    @property
    def scoring(self) -> bool:
        """Whether all of what is open is being composed, or waits to be."""
        return self._scores.at(self.at_hand)

    def score(self, seed: int | None = None, features: Sequence[Path] | None = None, engine: str | None = None) -> None:
        """Composes every scene of what is shown: of the session, or of the open film in a new one, for which ``engine`` may be named."""
        self._scores.begin(seed, features, engine)

    def save(self, then: Callable[[Path], object], path: Path | None = None) -> None:
        """Saves the session now, or elsewhere from now on (``path``); that of an open film begins with it. ``then`` gets its file."""

        def save(where: Path | None) -> None:
            saved = self.studio.save(path) if where is None else self.studio.new(path or where).path
            self.post(then, saved)

        self.begin(save)

    def shut(self) -> None:
        """Closes the session, which is saved, and the film; what was worked on for them ends."""

        def close() -> None:
            self.studio.close_session()
            self.studio.jobs.cancel_all()
            self.studio.close_film()

        self.do(close)

    def cancel(self, job: int) -> None:
        """Stops a job."""
        self.do(lambda: self.studio.jobs.job(job).cancel())

    def open(self, path: Path, cuts: Path | None = None) -> None:
        """Opens a session or a film, by what the file is called, the film with its editor's cut list where there is one; cut lists alone
        and MIDI files are others' to take (`kind`)."""
        session = path.suffix.lower() in SESSIONS
        self.do(lambda: self.studio.open_session(path) if session else self.studio.open_film(path, cuts))

    def open_cuts(self, path: Path) -> None:
        """Takes an editor's cut list for the open film: its cuts instead of those of the pixels."""
        if (film := self.film) is not None:
            return self.do(lambda: self.studio.open_film(film.reel.path, path))
        return self.refused.emit(HitpointError("there is no film for this cut list", where=path.name, cure="open the film first"))

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
            self.post(self._session_changed, event)
        elif isinstance(event, FilmChanged):
            self.post(self._film_changed, self.studio.film)
        elif isinstance(event, JobProgressed):
            self.post(self._job_changed, event.reading)
        elif isinstance(event, TransportRead):
            self.post(self.transport_read.emit, event)
        elif isinstance(event, Message):
            self.post(self._message, event)

    def post(self, call: Callable[[Any], object], value: object) -> None:
        """Has a function called with a value on the window's thread; from any thread."""
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
                self.post(self.refused.emit, error)
            except Exception as unforeseen:  # noqa: BLE001  a thread's end would be silent; the log has it
                LOG.exception("the window's call failed")
                self.post(self.refused.emit, fault(unforeseen))
            else:
                if then is not None:
                    self.post(then, value)

        pool.submit(work)

    # the same, on the window's thread

    def _session_changed(self, event: SessionChanged) -> None:
        self.now = event.now
        now, film = event.now, "" if event.now is None else f"{event.now.session.film.digest} {event.now.session.film.path}"
        another = now is not None and self._shown_film != film
        if now is None or another:
            self.missing = None
        self.session_changed.emit(event)
        if now is None:
            self._resting.start(0)
            return
        self._resting.stop()
        if event.change == "opened" and self.film is not None and self.is_of_film(now.session):
            self._scores.moved(self.film.reel.path, now.path)
        self.shown.emit(now.session)
        self._draw(lambda: sheet_of_session(now.session))
        self._shown_film = film
        if another and not self.is_of_film(now.session):
            self._enter(self._films, lambda: self._reel_of(now), partial(self._show_reel, film))

    def _film_changed(self, film: OpenFilm | None) -> None:
        fresh = film is None or self.film is None or film.reel is not self.film.reel
        self.film = film
        if fresh:
            self.draft = self.home = None
        self.film_changed.emit(film)
        if film is None:
            self._resting.start(0)
            return
        if fresh:
            if self.now is not None:
                self.do(self.studio.close_session)  # it is saved; the window shows one thing
            self._shown_film = ""
            self._show_reel("", film.reel)
            self.do(self.studio.spot)
        if self.now is None or fresh:
            self._show_film(film)

    def _look_again(self) -> None:
        """A session or a film was closed, and nothing was opened in its place: the film is shown, or nothing."""
        if self.now is not None:
            return
        self._shown_film = ""
        reel = None if self.film is None else self.film.reel
        if self.reel is not reel:
            self._show_reel("", reel)
        if self.film is not None:
            self._show_film(self.film)
            return
        self.draft = None
        self.shown.emit(None)
        self._draw(None)

    def _show_film(self, film: OpenFilm) -> None:
        self._draw(lambda: sheet_of_film(film))
        if film.spotted is not None:
            self._enter(self._draws, lambda: film.draft, partial(self._drafted, film))

    def _drafted(self, film: OpenFilm, draft: Session) -> None:
        if self.film is film and self.now is None:
            self.draft = draft
            self.shown.emit(draft)
            self._draw(lambda: sheet_of_session(draft))

    def _job_changed(self, reading: Any) -> None:
        self.job_changed.emit(reading)
        self._scores.hear(reading)
        if reading.state == "failed":
            self.refused.emit(reading.error)

    def _message(self, message: Message) -> None:
        if message.level != "error":
            self.said.emit(message.text)
        elif message.holds is not None:
            self.ailing.emit(HitpointError(message.text), message.holds)
        else:
            self.refused.emit(HitpointError(message.text))

    def _draw(self, make: Callable[[], Sheet] | None) -> None:
        """Has a sheet made beside the window, None for an empty one; of many that are wanted at once, the last."""
        with self._drawing:
            self._wanted += 1
            mine = self._wanted

        def work() -> Sheet | None:
            with self._drawing:
                late = mine != self._wanted
            return None if late or make is None else make()

        self._enter(self._draws, work, partial(self._show_sheet, mine))

    def _show_sheet(self, asked: int, sheet: Sheet | None) -> None:
        if asked == self._wanted or sheet is not None:
            self.sheet = sheet
            self.drawn.emit(sheet)

    def _reel_of(self, now: OpenSession) -> Reel | None:
        from engines.picture.reel import Reel

        try:
            path = find_film(now.session, now.path)
        except HitpointError as error:
            self.post(lambda lost: self._lost(lost, now), error)
            return None
        reel = Reel.open(path)
        _ = reel.timing  # read here, where it may take its time
        return reel

    def _lost(self, error: HitpointError, asked: OpenSession) -> None:
        if self.now is not None and self.now.session.film == asked.session.film:  # else another was opened meanwhile
            self.missing = error
            self.film_missing.emit(error)

    def _show_reel(self, film: str, reel: Reel | None) -> None:
        if film == self._shown_film:
            self.reel = reel
            self.reel_changed.emit(reel)
