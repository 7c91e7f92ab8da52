"""A watched file: an editor exports its cut list again, or its script hands it over, and whoever waits is told once it is whole."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

from bridge.doctor import Finding
from bridge.editors import CUTS, HANDED, PLACE
from engines import files
from engines.errors import DawError, OptionError
from engines.picture.timecode import Timecode, parse_rate

EVERY_S = 1.0
"""Between two looks; a file must be the same in two of them, since editors write large ones for a while."""

FRESH_S = 10.0
"""Seconds within which an editor's script that is at work says where its playhead is."""

_LARGEST = 1 << 16


@dataclass(frozen=True)
class _Look:
    size: int
    changed_ns: int


class WatchedFile:
    """Calls ``changed`` with the path, in a thread of its own, each time that the content of a file is another one and whole.

    What it holds at the start is known already, unless ``known`` is False. The file may be missing for a while: many programs remove it
    and write it anew.
    """

    def __init__(self, path: Path, changed: Callable[[Path], None], every_s: float = EVERY_S, known: bool = True) -> None:
        self.path, self._changed, self._every_s = path, changed, every_s
        self._last: _Look | None = None
        self._digest = self._hash() if known else None
        self._done = Event()
        self._thread: Thread | None = None

    def start(self) -> WatchedFile:
        """Begins to look."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name=f"watch {self.path.name}", daemon=True)
            self._thread.start()
        return self

    def close(self) -> None:
        """Looks no more; a second time does nothing."""
        self._done.set()
        if self._thread is not None:
            self._thread.join(5)

    def look(self) -> bool:
        """One look; whether ``changed`` was called."""
        now = self._seen()
        last, self._last = self._last, now
        if now is None or now != last:
            return False
        digest = self._hash()
        if digest is None or digest == self._digest or self._seen() != now:
            return False
        self._digest = digest
        self._changed(self.path)
        return True

    def _run(self) -> None:
        while not self._done.wait(self._every_s):
            self.look()

    @property
    def _file(self) -> Path:
        return self.path / "Info.fcpxml" if self.path.is_dir() else self.path  # newer Final Cuts export a bundle

    def _seen(self) -> _Look | None:
        try:
            about = self._file.stat()
        except OSError:
            return None
        return _Look(about.st_size, about.st_mtime_ns)

    def _hash(self) -> str | None:
        try:
            with files.opened(self._file) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None


def changes(path: Path, every_s: float = EVERY_S, known: bool = True) -> Iterator[Path]:
    """The path, each time that its content is another one and whole; for ever."""
    news: SimpleQueue[Path] = SimpleQueue()
    watched = WatchedFile(path, news.put, every_s, known).start()
    try:
        while True:
            try:
                yield news.get(timeout=EVERY_S)
            except Empty:  # a wait without end hears no Ctrl-C on Windows
                continue
    finally:
        watched.close()


def awaited(cuts: Path | None) -> str | None:
    """A word on a cut list that is to be watched and does not lie there yet, the scripts' own where None is given; None where it does.
    Raises OptionError where nothing will ever come: its folder does not exist."""
    path = HANDED.expanduser() / CUTS if cuts is None else cuts
    if os.path.exists(path):  # which, unlike pathlib's, never calls a folder that may not be seen an error
        return None
    if cuts is not None and not os.path.isdir(path.parent):
        cure = "correct the path, or make the folder first"
        raise OptionError(f"the folder {path.parent} does not exist", where="--cuts", cure=cure)
    return f"{path} is not there yet: it is waited for"


@dataclass(frozen=True)
class EditorPlace:
    """Where an editor's playhead stands: the timecode on its timeline, the frame of the film, and how long ago it said so."""

    program: str
    timecode: Timecode
    frame: int
    age_s: float


def editor_place(folder: Path | None = None) -> EditorPlace | None:
    """What the script in an editor said last; None where none ever did. Raises DawError for a file that is broken."""
    path = (folder or HANDED.expanduser()) / PLACE
    try:
        age = max(0.0, time.time() - path.stat().st_mtime)
        table = json.loads(files.read(path, _LARGEST))
        rate: Fraction = parse_rate(str(table["rate"]))
        return EditorPlace(
            str(table["program"]), Timecode.parse(str(table["timecode"]), rate), int(table["frame"]), age
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, OptionError) as error:
        raise DawError(f"cannot be read ({error})", where=path, cure="run the script in the editor again") from error


def editor(folder: Path | None = None) -> Finding:
    """The link to the editing program, for the doctor."""
    home = folder or HANDED.expanduser()
    here = Path(__file__).parent
    scripts = f"{here / 'blender_addon.py'} in Blender, {here / 'resolve_script.py'} in Resolve"
    try:
        place = editor_place(home)
    except DawError as error:
        return Finding("editor", "odd", error.what, error.cure or "")
    handed = (home / CUTS).is_file()
    if place is None and not handed:
        cure = f"run {scripts}, or export a cut list and watch that file: python main.py watch SESSION --cuts FILE"
        return Finding("editor", "absent", "no editing program has handed over its cuts", cure, {"folder": str(home)})
    facts = {"folder": str(home), "cuts": handed}
    if place is None:
        return Finding("editor", "well", f"its cuts lie in {home / CUTS}", facts=facts)
    facts |= {"program": place.program, "timecode": str(place.timecode), "frame": place.frame, "age_s": round(place.age_s, 1)}
    if place.age_s > FRESH_S:
        said = f"{place.program} handed over its cuts {_ago(place.age_s)} ago and says nothing now"
        return Finding("editor", "odd", said, "run the script in it again, if it should go on", facts)
    return Finding("editor", "well", f"{place.program} stands at {place.timecode}, frame {place.frame} of the film", facts=facts)


def _ago(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
