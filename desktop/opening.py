"""Files into the window: what a file is decides what becomes of it; sessions and films of late, the demo film, a film that has moved;
and where a session is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QStandardPaths
from PyQt6.QtWidgets import QFileDialog

from bridge.beginning import place_of
from desktop.kinds import CUT_LISTS, FILMS, MIDI, SESSIONS, kind
from desktop.language import words
from desktop.welcome import called
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

    def take_all(self, paths: Sequence[Path]) -> None:
        """Opens files that came at once: a film with its editor's cut list, in whichever order they came, and each of the others."""
        film, cuts = (next((path for path in paths if kind(path) == what), None) for what in ("film", "cuts"))
        both = film is not None and cuts is not None
        if film is not None and both:
            self.window.document.open(film, cuts)
        for path in paths:
            if not (both and path in (film, cuts)):
                self.take(path)

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
        """Brings the menu of sessions and films of late in line with what is remembered."""
        menu = self.window.recent_menu
        menu.clear()
        for path in self.window.preferences.recent:
            action = menu.addAction(called(path))
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

    def save(self) -> None:
        """Saves now, and says where; everything is saved anyway, and people press it."""
        self.window.document.save(self._saved)

    def save_as(self) -> None:
        """Asks for another file to go on in."""
        document = self.window.document
        now, film = document.now, document.film
        if now is None and film is None:
            return
        place = now.path if now is not None else place_of(film, None, document.home)  # type: ignore[arg-type]  # one of them is
        name, _ = QFileDialog.getSaveFileName(self.window, tr("Save session as"), str(place), "Hitpoint (*.hitpoint)")
        if name:
            document.save(self._saved, Path(name).with_suffix(".hitpoint"))

    def _saved(self, path: Path) -> None:
        self.window.message.say(lambda: tr("Saved: {}").format(path))

    def close(self) -> None:
        """Closes the session and the film: the window is as it was before anything was opened."""
        self.window.message.hide()
        self.window.document.shut()

    def find_home(self, again: Callable[[], object]) -> None:
        """Asks for a folder in which the film's session shall begin, and does ``again`` what could not be saved."""
        last = self.window.preferences.text("home")
        name = QFileDialog.getExistingDirectory(self.window, tr("In which folder shall its session lie?"), last)
        if name:
            self.window.preferences.set("home", name)
            self.window.document.home = Path(name)
            again()
