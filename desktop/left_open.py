"""What every window has open, told to the disk as long as it is: what a killed one had open is found by the next, and no other is.

Each window has two files of its own in one folder: what it has open, and a lock, of which the system lets go however the program ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from filelock import BaseFileLock, FileLock, Timeout

TOLD, LOCK = ".open", ".lock"


class LeftOpen:
    """One window's, in a folder of all windows of a person. Where it cannot be written, nothing is remembered and nothing said."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"{os.getpid()}-{uuid4().hex[:8]}"
        self._lock: BaseFileLock | None = None
        self._offered: Path | None = None

    def keep(self, path: Path | None) -> None:
        """This is open here from now on; None: nothing is."""
        with suppress(OSError, Timeout):
            if path is not None:
                if self._lock is None:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    self._lock = FileLock(self._folder / f"{self._name}{LOCK}", thread_local=False)
                    self._lock.acquire(timeout=0)
                (self._folder / f"{self._name}{TOLD}").write_text(str(path.resolve()), "utf-8")
                self._forget(path.resolve())
            elif self._lock is not None:
                self._remove(self._folder / f"{self._name}{TOLD}", self._lock)
                self._lock = None

    def end(self) -> None:
        """The window closes as it should: nothing is left of it, nor of what it offered and nobody wanted."""
        self.keep(None)
        if self._offered is not None:
            self._forget(self._offered)

    def offer(self) -> Path | None:
        """What is to be offered here: the last of what is left. Those before it wait for the next window."""
        self._offered = next(iter(self.left), None)
        return self._offered

    @property
    def left(self) -> list[Path]:
        """What was open in windows that were killed, is there and is open in no other window; the last one first."""
        dead: list[tuple[float, Path]] = []
        living: set[Path] = set()
        for told, lock in self._others():
            with suppress(OSError, ValueError):
                path = Path(told.read_text("utf-8"))
                if lock is None:
                    living.add(path)
                elif path.is_file():
                    dead.append((told.stat().st_mtime, path))
            if lock is not None:
                lock.release()
        return list(dict.fromkeys(path for _, path in sorted(dead, reverse=True) if path not in living))

    def _forget(self, path: Path) -> None:
        """Forgets that killed windows had a file open, and files that are no more."""
        for told, lock in self._others():
            if lock is None:
                continue
            with suppress(OSError):
                if (said := told.read_text("utf-8")) == str(path) or not Path(said).is_file():
                    self._remove(told, lock)
            lock.release()

    def _others(self) -> Iterator[tuple[Path, BaseFileLock | None]]:
        """What other windows told, each with its lock in our hands; None for one whose window lives."""
        with suppress(OSError):
            for told in sorted(self._folder.glob(f"*{TOLD}")):
                if told.stem == self._name:
                    continue
                lock = FileLock(told.with_suffix(LOCK), thread_local=False)
                try:
                    lock.acquire(timeout=0)
                except (OSError, Timeout):
                    yield told, None
                else:
                    yield told, lock

    def _remove(self, told: Path, lock: BaseFileLock) -> None:
        """Removes both files of a window whose lock is ours, and lets go of it."""
        for remove in (told, told.with_suffix(LOCK)):  # where the system removes no file that is open, the lock is left empty
            with suppress(OSError):
                remove.unlink(missing_ok=True)
        lock.release()
