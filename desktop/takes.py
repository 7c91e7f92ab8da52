"""Takes: scenes by stems with keep and refill, the versions of the scene in hand, and the hit report of whichever is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QInputDialog, QSplitter, QVBoxLayout, QWidget

from desktop.aside import Aside
from desktop.compose_wish import wishes_of
from desktop.dragging import Giver
from desktop.hollow import Hollow
from desktop.language import words
from desktop.lately import Lately
from desktop.takes_cue import CueBar
from desktop.takes_follow import Follow
from desktop.takes_grid import TakesGrid
from desktop.takes_midi import Piece, file_zero
from desktop.takes_progress import composing
from desktop.takes_report import FileReport, HitReport
from desktop.takes_table import name_of
from desktop.takes_versions import Versions
from engines.commands import Choose, Title
from engines.errors import OptionError
from engines.score.report import Report, file_report
from engines.score.smf_reader import read_smf

if TYPE_CHECKING:
    from bridge.jobs import JobReading
    from desktop.document import Document
    from desktop.transport import Transport
    from engines.session.desk import Act
    from engines.session.model import SceneTake


GRID = 0.6
"""Share of the dock that the grid has when it was not drawn otherwise."""
WIDE = 2.5
"""Times as wide as it is high, from which on a dock counts as wide."""
LEAST = QSize(620, 160)
"""Pixels; a dock as flat as that is wide."""

tr = words("takes")


class Takes(QWidget):
    """The dock. The current scene is the one under the playhead: going to another moves the playhead to its first frame."""

    def __init__(self, document: Document, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._transport = document, transport
        self._lately = Lately(self, self.show_session, always=True)  # its keys work on what it shows, seen or not
        self._aside = Aside(self)
        self._aside.refused.connect(document.refused)
        self.bar = CueBar(self)
        self.grid = TakesGrid(self)
        self.versions = Versions(self.grid.table, self)
        self.report = HitReport(self)
        self.giver = Giver(self)
        self.hollow = Hollow(document, self)
        self._arrange()
        self._showing = False
        self._jobs: dict[int, JobReading] = {}
        self._last: Act | None = None
        self.follow = Follow(transport, self)
        self._connect(document, transport)
        self.show_session(document.session)

    def _arrange(self) -> None:
        low = self._low = QSplitter(Qt.Orientation.Horizontal, self)
        low.addWidget(self.versions)
        low.addWidget(self.report)
        low.setStretchFactor(0, 3)
        low.setStretchFactor(1, 2)
        self._halves = QSplitter(Qt.Orientation.Vertical, self)
        self._halves.addWidget(self.grid)
        self._halves.addWidget(low)
        self._halves.setStretchFactor(0, 3)
        self._halves.setStretchFactor(1, 2)
        for splitter in (low, self._halves):
            splitter.setChildrenCollapsible(False)  # a report that can be dragged shut could hide a red hit
            splitter.setHandleWidth(4)
        self.setMinimumSize(LEAST)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._halves, 1)
        column.addWidget(self.hollow, 1)

    def _connect(self, document: Document, transport: Transport) -> None:
        grid, versions, giver = self.grid, self.versions, self.giver
        document.shown.connect(self._lately.tell)
        document.job_changed.connect(self._job_changed)
        self.follow.scene_changed.connect(grid.go_to)
        grid.scene_chosen.connect(self._scene_chosen)
        grid.doubleClicked.connect(lambda index: self.follow.go_to(index.row() + 1))
        grid.refill_asked.connect(wishes_of(document).refill)
        grid.rename_asked.connect(self._rename)
        for part in (grid, versions):
            part.acted.connect(self._act)
        for source in (grid, versions, self.bar):
            source.lifted.connect(self._lift)
            source.dragged.connect(lambda piece, source=source: giver.drag(piece, source))
            source.copied.connect(self._copy)
        versions.rival_chosen.connect(self._compare)
        versions.looked_at.connect(self._look_at)
        self.report.located.connect(transport.locate)
        giver.refused.connect(document.refused)
        giver.said.connect(document.said)

    def kept(self) -> dict[str, int]:
        """By scene, the take that the one which is heard is compared with."""
        return dict(self.grid.cells.rivals)

    def resume(self, kept: dict[str, int]) -> None:
        """Goes on comparing."""
        self.grid.cells.rivals.update(kept)
        self._show_scene()

    def show_session(self, session: object | None) -> None:
        """Another session, or the same after an act."""
        from engines.session.model import Session

        shown = session if isinstance(session, Session) and session.scenes else None
        self.hollow.setVisible(shown is None)
        self._halves.setVisible(shown is not None)
        self.bar.setVisible(shown is not None)
        self.bar.show_session(shown)
        self._showing = True  # rows that come and go choose no scene: the playhead does
        self.follow.show_session(shown)
        self.grid.show_session(shown)
        self.grid.go_to(self.follow.scene)
        self._showing = False
        self._show_scene()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        """In a wide dock the takes lie beside the grid, in a tall one below it."""
        super().resizeEvent(event)
        wide = self.width() > WIDE * self.height()
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        if (self._halves.orientation() == across) != wide:
            self._halves.setOrientation(across if wide else down)
            self._low.setOrientation(down if wide else across)
            long, side = (self.width(), self.height()) if wide else (self.height(), self.width())
            self._halves.setSizes([round(long * GRID), round(long * (1 - GRID))])
            self._low.setSizes([side * 2 // 5, side * 3 // 5] if wide else [side * 3 // 5, side * 2 // 5])

    # rows of the menus: they work on the scene under the playhead, wherever the keys go

    def take_keep(self) -> None:
        """Keeps the scene or the stem that the grid stands on, or lets it go."""
        self.grid.keep()

    def take_on(self) -> None:
        """The next take of the scene is heard."""
        self.grid.step(1)

    def take_back(self) -> None:
        """The take before is heard."""
        self.grid.step(-1)

    def take_swap(self) -> None:
        """Back and forth between the last two takes."""
        self.grid.swap()

    def take_name(self) -> None:
        """Asks for the scene's name."""
        self._rename(self.grid.scene)

    def cue_copy(self) -> None:
        """Puts the cue on the clipboard as a MIDI file."""
        self._copy(Piece())

    def report_file(self, path: Path) -> None:
        """Holds anybody's MIDI file against the hits: its report opens beside the window."""
        now, film = self._document.now, self._document.film
        if now is not None:
            hits, start, frames = now.session.hits, now.session.start, now.session.film.frames
        elif film is not None and film.spotted is not None:
            hits, start, frames = film.spotted.hits, film.programme.start, film.reel.frames
        else:
            cure = tr("open the film first")
            self._document.refused.emit(OptionError(tr("there are no hits to hold it against"), where=path.name, cure=cure))
            return

        def held() -> Report:
            smf = read_smf(path)
            return file_report(smf, hits, start.rate, start, file_zero(smf, start, frames))

        self._aside.ask("file", held, lambda told: self._open_report(path, told))

    def _open_report(self, path: Path, told: Report) -> None:
        made = FileReport(path.name, told, self)
        made.report.located.connect(self._transport.locate)
        made.show()

    def _job_changed(self, reading: JobReading) -> None:
        self._jobs[reading.number] = reading
        if reading.ended:
            del self._jobs[reading.number]
        session = self.grid.table.session
        self.grid.table.show_composing({} if session is None else composing(session, self._jobs.values()))

    def _scene_chosen(self, scene: int) -> None:
        if not self._showing:
            self._show_scene()
            self.follow.go_to(scene)

    def _show_scene(self) -> None:
        span = self.grid.span
        self.versions.show_scene(span, None if span is None else self.grid.cells.rivals.get(span.scene.id))

    def _look_at(self, take: SceneTake | None) -> None:
        span = self.versions.table.home
        if span is None or take is None:
            self.report.show_verdict("", None)
            return
        name = f" {name_of(take)}" if take.name else ""
        title = tr("Scene {}").format(span.number) + ", " + tr("take {}").format(take.number)
        self.report.show_verdict(title + name.replace("&", "&amp;").replace("<", "&lt;"), self.grid.table.verdict(span, take))

    def _compare(self, scene: int, take: int) -> None:
        self.grid.compare_with(scene, take)
        self._show_scene()

    def _act(self, act: Act, merge: bool) -> None:
        """Hands an act over. Going through the takes of a scene is one step of undo, but never one with whatever came before."""
        now, last = self._document.now, self._last
        done = now.history.done[-1].sentence if now is not None and now.history.done else ""
        same = isinstance(act, Choose) and isinstance(last, Choose) and act.scene == last.scene and done == last.sentence
        self._last = act
        self._document.act(act, merge and same)

    def _rename(self, scene: int) -> None:
        span = self.grid.table.scene_at(scene - 1)
        if span is None:
            return
        name, done = QInputDialog.getText(self, tr("Name the scene"), tr("Scene {}").format(scene), text=span.scene.name)
        if done and name.strip() != span.scene.name:
            self._document.act(Title(name.strip(), scene))

    def _lift(self, piece: Piece) -> None:
        if (session := self.grid.table.session) is not None:
            self.giver.lift(session, piece)

    def _copy(self, piece: Piece) -> None:
        if (session := self.grid.table.session) is not None:
            self.giver.copy(session, piece)
