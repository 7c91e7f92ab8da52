"""A folder in which a script inside a DAW finds a job and leaves an answer: what works wherever a script can read and write files.

A job is ``job.txt``: lines of words between tabs, the first ``hitpoint VERSION ID ACT``, the last ``end``. The answer is
``answer-ID.txt``. Both are written under another name and renamed, so that nobody reads half of one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from engines import files
from engines.errors import DawError

VERSION = "1"

LARGEST = 64 << 20
"""Bytes of an answer; a larger one is none."""

_LOOK_EVERY_S = 0.02  # a script in a DAW looks some thirty times a second
_ABANDONED_S = 60

Row = Sequence[str]


class Mailbox:
    """The folder of one DAW's ``script``, which is the file that a person copies into the DAW."""

    def __init__(self, daw: str, folder: Path, timeout_s: float, script: Path) -> None:
        self.daw, self.folder, self.timeout_s, self.script = daw, folder, timeout_s, script
        self._never = Event()

    def ask(self, act: str, rows: Iterable[Row] = ()) -> list[list[str]]:
        """The rows of the answer to a job. Raises DawError where none comes in time, or where it says what went wrong."""
        number = secrets.token_hex(8)
        job, answer = files.folder(self.folder) / "job.txt", self.folder / f"answer-{number}.txt"
        self._tidy()
        if not self._wait(lambda: not self._busy(job)):
            raise DawError("its script has another job", where=self.daw, cure="wait until that is done, and try again")
        lines = [("hitpoint", VERSION, number, act), *rows, ("end",)]
        files.write(job, "".join("\t".join(_plain(word) for word in line) + "\n" for line in lines))
        try:
            if not self._wait(answer.is_file):
                cure = f"load {self.script} in it and run it; it looks into {self.folder}"
                raise DawError("its script does not answer", where=self.daw, cure=cure)
            return self._read(answer)
        finally:
            if self._ours(job, number):
                job.unlink(missing_ok=True)
            answer.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Removes answers that came when nobody waited for them any more."""
        for late in self.folder.glob(f"answer-{'[0-9a-f]' * 16}.txt"):
            with suppress(OSError):
                if time.time() - late.stat().st_mtime >= _ABANDONED_S:
                    late.unlink()

    def _ours(self, job: Path, number: str) -> bool:
        """Whether the job that lies there is the one of that number, and not another program's that came after it."""
        try:
            return files.read(job, LARGEST).split(b"\t")[2:3] == [number.encode("ascii")]
        except OSError:
            return False

    def _busy(self, job: Path) -> bool:
        """Whether somebody else's job lies there; one that has lain for a minute was never taken."""
        try:
            return time.time() - job.stat().st_mtime < _ABANDONED_S
        except FileNotFoundError:
            return False

    def _wait(self, true: Callable[[], bool]) -> bool:
        end = time.monotonic() + self.timeout_s
        while not true():
            if time.monotonic() > end:
                return False
            self._never.wait(_LOOK_EVERY_S)
        return True

    def _read(self, answer: Path) -> list[list[str]]:
        try:
            rows = [line.split("\t") for line in files.read(answer, LARGEST).decode("utf-8", "replace").splitlines()]
        except OSError as error:
            raise DawError(f"its answer cannot be read ({error.strerror})", where=answer, cure="try again") from error
        if not rows or rows[0][:2] != ["hitpoint", VERSION] or rows[-1] != ["end"]:
            raise DawError("its script is another version's", where=self.daw, cure="copy the companion script into it again")
        for row in rows:
            if row[0] == "error":
                raise DawError(f"refused: {' '.join(row[1:])[:200]}", where=self.daw, cure="undo in the DAW, and try again")
        return rows[1:-1]


def _plain(word: str) -> str:
    """A word that cannot end its line or its place in it."""
    return "".join(" " if c in "\t\r\n" or not c.isprintable() else c for c in word)
