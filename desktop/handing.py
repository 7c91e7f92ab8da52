"""Handing over: the cue as a folder, a preview, a cue sheet, its cuts, a click, its brief; each asks where to."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QFileDialog

from desktop.language import words
from desktop.refusals import heard

if TYPE_CHECKING:
    from bridge.jobs import JobReading
    from desktop.window import Window

tr = words("handing")
TEXTS, PAGES, TABLES, MUSIC = "*.txt", "*.html", "*.csv *.edl *.otio", "*.mid"


class Handing:
    """One window's. What is asked are addresses of `bridge.addresses`: the wire and the command line do the same."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._jobs: set[int] = set()
        self._ended: deque[int] = deque(maxlen=64)  # a job may end before its number is known here
        window.document.job_changed.connect(self._job_changed)

    def deliver(self) -> None:
        """All of the cue in one folder."""
        home = self._home()
        name = QFileDialog.getExistingDirectory(self.window, tr("Deliver to which folder?"), str(home))
        if name:
            self._ask("/hitpoint/deliver", folder=name, stems=True)

    def place(self) -> None:
        """The cue into the DAW of its project, or as files to drag in; what the DAW confirmed is told."""
        daw = self.window.document.studio.neighbours.project.daw
        self._ask("/hitpoint/place", **({} if daw is None else {"daw": daw}))

    def preview(self) -> None:
        """The music on the film's picture."""
        name = QFileDialog.getExistingDirectory(self.window, tr("Into which folder goes the preview?"), str(self._home()))
        if name:
            self._ask("/hitpoint/preview", folder=name)

    def cue_sheet(self) -> None:
        """The cue sheet as a page to print."""
        if path := self._where(tr("Cue sheet"), "cue-sheet.html", PAGES):
            self._ask("/hitpoint/cuesheet/write", html=path)

    def cuts_out(self) -> None:
        """The cuts as a cut list."""
        if path := self._where(tr("Cut list"), "cuts.csv", TABLES):
            self._ask("/hitpoint/cuts/write", path=path)

    def click_out(self) -> None:
        """A click on the tempo map."""
        if path := self._where(tr("Click track"), "click.mid", MUSIC):
            self._ask("/hitpoint/click/write", path=path)

    def brief_out(self) -> None:
        """The brief as a text sheet."""
        if path := self._where(tr("Brief"), "brief.txt", TEXTS):
            self._ask("/hitpoint/brief/write", path=path)

    def brief_in(self) -> None:
        """A brief sheet, edited elsewhere, read back."""
        name, _ = QFileDialog.getOpenFileName(self.window, tr("Read a brief"), str(self._home()), f"{tr('Brief')} ({TEXTS})")
        if name:
            self._ask("/hitpoint/brief/read", path=name)

    def _home(self) -> Path:
        now, film = self.window.document.now, self.window.document.film
        return now.path.parent if now is not None else film.reel.path.parent if film is not None else Path.home()

    def _where(self, title: str, name: str, kinds: str) -> str:
        chosen, _ = QFileDialog.getSaveFileName(self.window, title, str(self._home() / name), f"{title} ({kinds})")
        return chosen if not chosen or Path(chosen).suffix else chosen + Path(name).suffix

    def _ask(self, address: str, **given: Any) -> None:
        studio = self.window.document.studio

        def ask() -> dict[str, Any]:
            from bridge.calls import answer  # beside the window: it takes a moment the first time

            return answer(studio, address, given)

        self.window.document.do(ask, self._told)

    def _told(self, told: dict[str, Any]) -> None:
        if "job" not in told:
            self._wrote(told)
        elif "result" in told:
            self._wrote(told["result"])
        elif told["job"] in self._ended:
            self._look(told["job"])
        else:
            self._jobs.add(told["job"])

    def _job_changed(self, reading: JobReading) -> None:
        if reading.state != "done":
            return
        self._ended.append(reading.number)
        if reading.number in self._jobs:
            self._jobs.discard(reading.number)
            self._look(reading.number)

    def _look(self, job: int) -> None:
        self._ask("/hitpoint/job", job=job)

    def _wrote(self, told: dict[str, Any]) -> None:
        if said := told.get("said"):
            self.window.message.say(lambda: heard(str(said)))
            return
        files = told.get("files", [told["file"]] if "file" in told else [])
        paths = [Path(path) for path in (files.values() if isinstance(files, dict) else files)]
        if len(paths) == 1:
            self.window.message.say(lambda: tr("Wrote {}").format(paths[0]))
        elif paths:
            self.window.message.say(lambda: tr("Wrote %n files into {}", n=len(paths)).format(paths[0].parent))
