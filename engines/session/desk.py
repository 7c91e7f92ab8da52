"""A session open for work: its file, the lock that keeps a second program from writing to it, and its history."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from glob import escape
from itertools import count
from pathlib import Path
from time import time
from types import TracebackType
from typing import Any, Protocol, Self

from filelock import BaseFileLock, FileLock, Timeout

from engines.errors import HitpointError, OptionError, OutputError, SessionError
from engines.files import read, refusal, write
from engines.session.history import Change, History, Step, differences
from engines.session.model import Session
from engines.session.plain import plain, plain_after, session_after, session_of
from engines.session.upgrades import FORMAT, VERSION, upgraded
from engines.watch import Watch

LARGEST = 2**30
"""Bytes of a session beyond which the file is taken for something else."""

SUFFIX = ".hitpoint"

_LONGEST_NAME = 1024  # bytes of who holds a lock

ABANDONED = 60
"""Seconds after which nobody can still be writing a report."""


class Act(Protocol):
    """One thing that a composer does to a session."""

    @property
    def sentence(self) -> str:
        """What it does, for a menu: ``Refill scene 3``."""
        ...

    def do(self, session: Session, watch: Watch) -> Session:
        """The session after it. Raises an error of `engines.errors` and changes nothing where it cannot be."""
        ...


@dataclass
class Desk:
    """A session while it is worked on. ``path`` is its file, None for one that was never saved. ``why`` says what of the disk makes it
    read-only; None where another program has it open. ``spared`` is where the session that lay in its place before lies now."""

    session: Session
    path: Path | None = None
    history: History = field(default_factory=History)
    read_only: bool = False
    why: OutputError | None = None
    spared: Path | None = None
    _lock: BaseFileLock | None = None
    _content: Any = None
    _replaces: bool = False

    @classmethod
    def open(cls, path: str | Path, read_only: bool = False) -> Desk:
        """Opens a session's file; a second program gets it read-only (`read_only` says so), and so does anybody on a read-only disk.

        Raises SessionError for a file that is damaged, of a newer version, or no session.
        """
        path = Path(path)
        table = _read(path)
        lock, why = None, None
        if not read_only:
            try:
                lock = _locked(path)
            except OutputError as refused:
                why = refused
        try:
            if lock is not None:
                _tidy(path)
                table = _read(path)  # another program may have saved between our reading and our locking
            content, history = table["session"], table["history"]
            steps = [tuple(_step(row) for row in history[name]) for name in ("done", "undone")]
            return cls(session_of(content), path, History(*steps), lock is None, why, _lock=lock, _content=content)
        except (SessionError, KeyError, TypeError, ValueError) as error:
            _unlocked(lock)
            what, cure = (error.what, error.cure) if isinstance(error, SessionError) else ("is damaged", None)
            raise SessionError(what, where=path, cure=cure or "open an earlier copy of it") from error

    @classmethod
    def new(cls, session: Session, path: str | Path) -> Desk:
        """A session that is about to be saved to ``path`` for the first time. One that lies there already keeps its takes under
        another name (``cue-1.hitpoint``). Raises SessionError where another program has it open."""
        path = Path(path)
        lock = _free(path)
        _tidy(path)
        return cls(session, path, _lock=lock, _replaces=path.exists())

    @property
    def content(self) -> Any:
        """The session as plain JSON."""
        if self._content is None:
            self._content = plain(self.session)
        return self._content

    def do(self, act: Act, watch: Watch | None = None, merge: bool = False) -> Session:
        """Does an act and remembers how to undo it; ``merge`` makes it one step with the last. Raises what the act raises."""
        self.writable()
        before, after = self.content, act.do(self.session, watch or Watch())
        content = plain_after(after, self.session, before)
        step = Step(act.sentence, datetime.now(UTC).isoformat(timespec="seconds"), differences(before, content))
        self.history = self.history.merged(step) if merge and self.history.done else self.history.with_step(step)
        self.session, self._content = after, content
        return after

    def undo(self) -> Step:
        """Takes the last act back, every note of it. Raises SessionError where there is none."""
        return self._go(self.history.back)

    def redo(self) -> Step:
        """Does again what was undone last, without composing anew. Raises SessionError where there is nothing."""
        return self._go(self.history.forth)

    def _go(self, way: Callable[[Any], tuple[Any, Step, History]]) -> Step:
        self.writable()
        content, step, history = way(self.content)
        session = session_after(content, self.session, self.content)
        self.session, self._content, self.history = session, content, history
        return step

    def save(self, path: str | Path | None = None) -> Path:
        """Writes the file, whole or not at all; a new ``path`` becomes the session's once it is written, and a session that lies there
        keeps its takes under another name. Raises OutputError, SessionError, and OptionError for a name that is no session's; then
        nothing has changed."""
        target = Path(path) if path is not None else self.path
        if target is None:
            raise OptionError("the session has no file yet", where="save", cure="say where to save it")
        if self.path is not None and self.path.resolve() == target.resolve():
            self.writable()
            if self._lock is not None:
                self._write(self.path, self._replaces)
                self._replaces = False
                return self.path
        lock = _free(target)
        try:
            self._write(target, target.exists())
        except BaseException:
            _unlocked(lock)
            raise
        self.close()
        self._lock, self.path, self.read_only, self.why, self._replaces = lock, target, False, None, False
        return target

    def _write(self, target: Path, replaces: bool) -> None:
        table = {"format": FORMAT, "version": VERSION, "session": self.content, "history": _history_table(self.history)}
        spare = _spared(target) if replaces else None
        try:
            write(target, text_of(table))
        except BaseException:
            if spare is not None:
                spare.unlink(missing_ok=True)
            raise
        self.spared = spare

    def moved(self, copy: Desk) -> None:
        """Has the file, and the lock on it, of a copy that was saved elsewhere."""
        self._lock, self.path, self._replaces = copy._lock, copy.path, copy._replaces
        self.read_only, self.why = copy.read_only, copy.why

    def close(self) -> None:
        """Lets another program write to the file."""
        _unlocked(self._lock)
        self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def writable(self) -> None:
        """Raises SessionError where another program has the session open, and OutputError where its disk refuses, so that nothing can be
        done to it here."""
        if self.read_only:
            raise self.why or _busy(self.path)


def text_of(table: Any) -> str:
    """A table as the file holds it: JSON with sorted keys, so that equal sessions are equal bytes; one line an entry of the top
    level and of the session, so that a difference between two files can be read."""

    def dense(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

    def rows(value: dict[str, Any], depth: int) -> str:
        inner = (
            f"{json.dumps(k)}:{rows(v, depth - 1) if depth and isinstance(v, dict) and v else dense(v)}"
            for k, v in sorted(value.items())
        )
        return "{\n" + ",\n".join(inner) + "\n}"

    return rows(table, 2) + "\n"


def holder(path: Path) -> str:
    """Who has a session open, as far as they said so: a program and its process; empty where nobody knows."""
    with suppress(OSError):
        said = read(_lock_file(path), _LONGEST_NAME).decode("utf-8", "replace")
        return "".join(letter for letter in said if letter.isprintable())
    return ""


def vacant(path: Path) -> None:
    """Raises what `Desk.new` would there: SessionError where another program has a session open, OptionError, OutputError."""
    _unlocked(_free(path))


def _free(path: Path) -> BaseFileLock:
    """The lock on a place where a session is to lie."""
    _named(path)
    lock = _locked(path)
    if lock is None:
        raise _busy(path)
    return lock


def _busy(path: Path | None) -> SessionError:
    who = holder(path) if path is not None else ""
    what = f"is open in another program{f' ({who})' if who else ''}, here it is read-only"
    return SessionError(what, where=path, cure="close it there, or save a copy")


def _named(path: Path) -> None:
    """Raises OptionError for a name that is no session's: what lies there might be a film."""
    if path.suffix.lower() != SUFFIX:
        raise OptionError(f"a session's name ends with {SUFFIX}", where=path, cure=f"call it {path.with_suffix(SUFFIX).name}")


def _locked(path: Path) -> BaseFileLock | None:
    """The lock on a session, which the system lets go of when its program ends; None where another program holds it."""
    lock = FileLock(_lock_file(path), thread_local=False)
    if not Path(lock.lock_file).parent.is_dir():  # it would be made
        raise refusal(path, OSError(errno.ENOENT, "no folder"))
    try:
        lock.acquire(timeout=0)
        if not Path(lock.lock_file).exists():  # its last holder removed it while we were getting hold of it
            lock.release()
            lock.acquire(timeout=0)
    except Timeout:
        return None
    except OSError as error:
        raise refusal(path, error) from error
    with suppress(OSError):  # Windows lets nobody write there, and nobody read who it is
        program = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
        Path(lock.lock_file).write_text(f"{program}, process {os.getpid()}"[: _LONGEST_NAME // 4], "utf-8")
    return lock


def _unlocked(lock: BaseFileLock | None) -> None:
    """Lets go of a lock and removes its file."""
    if lock is not None:
        with suppress(OSError):  # Windows removes it as it lets go
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _lock_file(path: Path) -> Path:
    target = path.resolve()
    return target.with_name(f".{target.name}.lock")


def _spared(path: Path) -> Path:
    """A second name for a session that is about to be replaced by another. Raises OutputError."""
    if not path.is_file():
        raise refusal(path, OSError(errno.EISDIR if path.is_dir() else errno.ENXIO, "is no file"))
    spare = next(name for n in count(1) if not (name := path.with_stem(f"{path.stem}-{n}")).exists())
    try:
        os.link(path, spare)
    except OSError:  # a disk without links
        try:
            shutil.copy2(path, spare)
        except OSError as error:
            raise refusal(spare, error) from error
    return spare


def _tidy(path: Path) -> None:
    """Removes what a program that was killed while saving left behind; nobody else can be saving, since the lock is ours.

    The report has no name of the session's own, so another one in the folder may be writing it just now.
    """
    target = path.resolve()
    for name, age in ((target, 0), (target.with_suffix(".mid"), 0), (target.with_name("report.json"), ABANDONED)):
        for left in target.parent.glob(f".{escape(name.stem[:64])}.{'[0-9a-f]' * 12}{escape(name.suffix)}"):
            with suppress(OSError):
                if time() - left.stat().st_mtime >= age:
                    left.unlink()


def _read(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(read(path, LARGEST))
    except OSError as error:
        what = "is a folder" if path.is_dir() else f"cannot be read ({error.strerror or error})"
        raise SessionError(what, where=path, cure="give the .hitpoint file that score wrote") from error
    except (ValueError, RecursionError) as error:
        raise SessionError("is no session, or damaged", where=path, cure="give the .hitpoint file that score wrote") from error
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise SessionError("is no session", where=path, cure="give the .hitpoint file that score wrote")
    try:
        return upgraded(table, path)
    except SessionError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, HitpointError) as error:
        raise SessionError("is damaged", where=path, cure="open an earlier copy of it") from error


def _step(row: dict[str, Any]) -> Step:
    said = row["sentence"], row["when"]
    if not all(isinstance(word, str) for word in said):
        raise ValueError("a step without a sentence")
    return Step(*said, tuple(_change(change) for change in row["changes"]))


def _change(row: dict[str, Any]) -> Change:
    at, old, new = (row[name] for name in ("at", "old", "new"))
    if not all(isinstance(part, list) for part in (at, old, new)) or not at or max(len(old), len(new)) > 1:
        raise ValueError("a step that changes nothing known")
    if not all(isinstance(key, str) for key in at):
        raise ValueError("a step that changes nothing known")
    return Change(tuple(at), tuple(old), tuple(new))


def _history_table(history: History) -> dict[str, Any]:
    def rows(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
        return [
            {
                "sentence": step.sentence,
                "when": step.when,
                "changes": [{"at": list(c.at), "old": list(c.old), "new": list(c.new)} for c in step.changes],
            }
            for step in steps
        ]

    return {"done": rows(history.done), "undone": rows(history.undone)}
