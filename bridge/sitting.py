"""A session at work: acts at once or beside the composer, undo, redo, and a file on the disk that is never far behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, RLock

from bridge.events import Change, Event, Message, OpenSession, SessionChanged
from bridge.latest import Latest
from bridge.rebase import adds, aimed, rebased
from engines.errors import Cancelled, HitpointError, SessionError
from engines.picture.reel import Reel
from engines.session.desk import Act, Desk
from engines.session.history import Step
from engines.session.model import Session
from engines.session.working import Done, updated
from engines.watch import Watch

SLIDER_S = 0.3
"""Seconds for which a slider must rest before the session is saved: each of its steps is an act."""


@dataclass(frozen=True)
class Acted:
    """What an act did: the session before and after, its ``scenes`` (numbers) that sound otherwise, and words for the composer."""

    sentence: str
    before: Session
    session: Session
    scenes: tuple[int, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ready:
    """An act whose session was made beforehand."""

    sentence: str
    after: Session

    def do(self, session: Session, watch: Watch) -> Session:
        return self.after


class Sitting:
    """One open `Desk` that has been saved once, for many threads.

    After every act its files are brought up to date in a thread of their own, the newest state each time; a disk that refuses is
    told of, and tried again with the next act and on closing. ``reel`` is the open film where the session began with it.
    """

    def __init__(self, desk: Desk, publish: Callable[[Event], None], reel: Reel | None = None) -> None:
        self.reel = reel
        self._desk, self._publish = desk, publish
        self._lock, self._writing = RLock(), Lock()
        self._closed = False
        self._serial = 0
        self._disk = Latest(self.write, self._refused, "disk")

    @property
    def now(self) -> OpenSession:
        """The session, its file and its history, as they are."""
        with self._lock:
            assert self._desk.path is not None
            desk, why = self._desk, "" if self._desk.why is None else self._desk.why.what
            return OpenSession(desk.session, self._desk.path, desk.history, desk.read_only, why)

    def tell(self, change: Change, sentence: str, scenes: tuple[int, ...] = (), spared: Path | None = None) -> None:
        """Tells the listeners what became of the session."""
        with self._lock:
            self._serial += 1
            now = None if change == "closed" else self.now
            self._publish(SessionChanged(self._serial, change, sentence, scenes, now, spared))

    def act(self, act: Act, watch: Watch | None = None, merge: bool = False) -> Acted:
        """Does an act at once; nobody else acts meanwhile. ``merge`` makes it one step with the last. Raises what the act raises."""
        with self._lock:
            self._open()
            before = self._desk.session
            self._desk.do(act, watch, merge)
            return self._changed("acted", act.sentence, before, SLIDER_S if merge else 0.0)

    def compose(self, act: Act, watch: Watch, asked: Session | None = None, made: Session | None = None) -> Acted:
        """Does a long act on the session as it is now while others act too, then puts it onto the session as it is then. ``asked`` is
        the session on which it was asked for, if that is longer ago; ``made`` is what it made of that, if it did already.

        Takes are added, see `bridge.rebase.rebased` for what happens where both touched the same scene. What concerns the whole session
        (a conform) is done again on what it has become, until nobody acts meanwhile. Raises what the act raises, SessionError, and
        Cancelled; then nothing has changed, not a byte.
        """
        with self._lock:
            self._open()
            self._desk.writable()  # told before anything is composed, not after
            base = self._desk.session
        if made is not None and asked is not None:
            base, after = asked, made
        else:
            act = aimed(act, asked or base, base)
            after = act.do(base, watch)
        again = False
        while True:
            with self._lock:
                if watch.cancelled and watch.cancelled():
                    raise Cancelled
                self._open()
                before = self._desk.session
                if before is base or adds(act):
                    ready, said = rebased(act, base, after, before)
                    self._desk.do(Ready(act.sentence, ready))
                    acted = self._changed("acted", act.sentence, before)
                    break
            act, base, again = aimed(act, base, before), before, True
            after = act.do(base, watch)
        said += ["what was done meanwhile is in it, too"] * again
        for line in said:
            self._publish(Message(line))
        return replace(acted, said=tuple(said))

    def undo(self) -> Step:
        """Takes the last act back. Raises SessionError where there is none."""
        return self._go("undone", lambda desk: desk.undo())

    def redo(self) -> Step:
        """Does again what was undone last. Raises SessionError where there is nothing."""
        return self._go("redone", lambda desk: desk.redo())

    def _go(self, change: Change, way: Callable[[Desk], Step]) -> Step:
        with self._lock:
            self._open()
            before = self._desk.session
            step = way(self._desk)
            self._changed(change, step.sentence, before)
            return step

    def _changed(self, change: Change, sentence: str, before: Session, rest_s: float = 0.0) -> Acted:
        after = self._desk.session
        scenes = sounding_otherwise(before, after)
        self.tell(change, sentence, scenes)
        self._disk.touch(rest_s)
        return Acted(sentence, before, after, scenes)

    def _open(self) -> None:
        if self._closed:
            raise SessionError("was closed meanwhile", where=self._desk.path, cure="open it again")

    def write(self) -> Done:
        """Saves the session and the files beside it as they are now. Raises OutputError, SessionError."""
        with self._writing:  # an older state never after a newer one
            with self._lock:
                _ = self._desk.content  # made once, and shared
                copy = replace(self._desk)
            return updated(copy)

    def _refused(self, error: HitpointError) -> None:
        self._publish(Message(f"not saved: {error}", "error", lambda: self._disk.behind and not self._closed))

    def save(self, path: Path | None = None) -> Path:
        """Saves now; a new ``path`` becomes the session's once it lies there. Raises OptionError, OutputError, SessionError; then
        nothing has changed, and it goes on being saved where it was."""
        if path is None:
            return self.write().files["session"]
        self._disk.flush()
        with self._writing:
            with self._lock:
                self._open()
                _ = self._desk.content
                copy = replace(self._desk)
            written = copy.save(path)
            with self._lock:
                self._desk.moved(copy)
                self.tell("saved", f"Save as {path.name}", spared=copy.spared)
        self._disk.touch()  # the files beside it, and what was done meanwhile
        self._disk.flush()
        return written

    def flush(self) -> None:
        """Waits until what was done is on the disk, or the disk has refused it."""
        self._disk.flush()

    def close(self, discard: bool = False) -> None:
        """Saves what is not on the disk yet, and lets another program have the session. Where the disk refuses, raises OutputError and
        stays open, unless what is not saved may be lost (``discard``)."""
        with self._lock:
            self._closed = True
        self._disk.flush()
        if self._disk.behind and not discard:
            try:
                self.write()
            except HitpointError:
                self._closed = False
                raise
        self._disk.close()
        with self._lock:
            self._desk.close()
        self.tell("closed", "Close the session")


def sounding_otherwise(before: Session, after: Session) -> tuple[int, ...]:
    """The scenes of ``after``, by number, whose notes or bars are not those that the same scene had before."""

    def sound(session: Session) -> dict[str, object]:
        return {
            span.scene.id: (
                () if span.scene.chosen is None else session.takes[span.scene.chosen].notes,
                span.start,
                span.seconds[0],
                session.part(span),
            )
            for span in session.spans
        }

    if before is after:
        return ()
    old, new = sound(before), sound(after)
    return tuple(span.number for span in after.spans if new[span.scene.id] != old.get(span.scene.id))
