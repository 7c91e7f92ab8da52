"""Files into the window: what a file is decides what becomes of it; sessions of late, the demo film, a film that has moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QStandardPaths
from PyQt6.QtWidgets import QFileDialog

from desktop.document import CUT_LISTS, FILMS, MIDI, SESSIONS, kind
from desktop.language import words
from engines import files
from engines.commands import Relink
from engines.errors import OptionError

if TYPE_CHECKING:
    from desktop.window import Window

tr = words("opening")


class Opening:
    """One window's."""

    def __init__(self, window: Window) -> None:
        self.window = window

    def open(self) -> None:
        """Asks for a file and opens it."""
        every = " ".join(f"*{suffix}" for suffix in (*FILMS, *SESSIONS, *CUT_LISTS, *MIDI))
        last = self.window.preferences.text("folder")
        rest = tr("All files")
        name, _ = QFileDialog.getOpenFileName(
            self.window, tr("Open"), last, f"{tr('Films, sessions, cut lists, MIDI')} ({every});;{rest} (*)"
        )
        if name:
            self.window.preferences.set("folder", str(Path(name).parent))
            self.take(Path(name))

    def take(self, path: Path) -> None:
        """Opens whatever a file is."""
        what = kind(path)
        if what in ("session", "film"):
            self.window.document.open(path)
        elif what == "cuts":
            self._take_cuts(path)
        elif what == "midi":
            takes = self.window.docks["takes"].bring_up()  # whose report holds it against the hits
            takes.report_file(path)  # type: ignore[attr-defined]  # the panel of that dock
        else:
            cure = tr("give a film, a session, a cut list or a MIDI file")
            self.window.message.refuse(OptionError(tr("is nothing that can be opened here"), where=path.name, cure=cure))

    def _take_cuts(self, path: Path) -> None:
        """An editor's list: for a film its cuts, for a session the new cut that it may be carried to."""
        if self.window.document.now is None:
            self.window.document.open_cuts(path)
            return
        self.window.docks["recut"].bring_up().look_at([path])  # type: ignore[attr-defined]  # the panel of that dock

    def relink(self) -> None:
        """Asks where the session's film lies now."""
        every = " ".join(f"*{suffix}" for suffix in FILMS)
        last = self.window.preferences.text("folder")
        name, _ = QFileDialog.getOpenFileName(self.window, tr("Where is the film?"), last, f"{tr('Films')} ({every})")
        if name:
            self.window.document.act(Relink(Path(name)))

    def list_recent(self) -> None:
        """Brings the menu of sessions of late in line with what is remembered."""
        menu = self.window.recent_menu
        menu.clear()
        for path in self.window.preferences.recent:
            action = menu.addAction(f"{Path(path).parent.name} / {Path(path).stem}")
            assert action is not None
            action.setToolTip(path)
            action.triggered.connect(lambda checked=False, path=path: self.window.document.open(Path(path)))
        menu.setEnabled(not menu.isEmpty())

    def demo(self) -> None:
        """Makes the demo film where programs keep their data, and opens it."""
        from engines.picture.demo_film import make_demo_film

        home = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)
        path = Path(home) / "demo" / "demo.mp4"
        document = self.window.document

        def made() -> Path:
            files.folder(path.parent)
            job = document.studio.jobs.begin(
                tr("Make the demo film"),
                lambda watch: make_demo_film(
                    path, lambda done, total: watch.on_progress and watch.on_progress("film", done, total)
                ),
                "picture",
            )
            return job.result()

        document.do(lambda: path if path.is_file() else made(), lambda film: document.open(film))

    def save_as(self) -> None:
        """Asks for another file to go on in."""
        now = self.window.document.now
        if now is None:
            return
        name, _ = QFileDialog.getSaveFileName(self.window, tr("Save session as"), str(now.path), "Hitpoint (*.hitpoint)")
        if name:
            path = Path(name).with_suffix(".hitpoint")
            self.window.document.do(lambda: self.window.document.studio.save(path))
