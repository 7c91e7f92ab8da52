"""The DAW on the page of links: which one, where the film lies in its project, whether it goes along, and its markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from bridge.places import NON_DROP, Place
from bridge.ports import CONTROL
from bridge.project import Project
from desktop import theme
from desktop.aside import Aside
from desktop.eliding import lean
from desktop.language import words
from desktop.links_markers import Markers
from engines.errors import HitpointError

if TYPE_CHECKING:
    from bridge.events import SessionChanged
    from bridge.marking import Marked
    from desktop.document import Document

tr = words("links")
OVER_OSC = ("ardour", "reaper", "live")
"""The DAWs whose transport is followed by their own OSC or web interface."""
PATIENCE_S = 120.0
"""Seconds for which a DAW may read its markers."""


class DawBox(QWidget):
    """What is said here is kept beside the session, and holds for the command line and the server too."""

    driven = pyqtSignal(object)  # the name of the DAW that goes along from now on, None for none
    refused = pyqtSignal(object)  # HitpointError

    def __init__(self, document: Document, parent: QWidget | None = None, ask: type[QFileDialog] = QFileDialog) -> None:
        super().__init__(parent)
        self._document, self._ask, self._aside = document, ask, Aside(self)
        self.project = Project()
        self.markers: Markers | None = None
        self._lay_out()
        self._aside.refused.connect(self._refused)
        document.session_changed.connect(self._session_changed)
        self.look()

    def _lay_out(self) -> None:
        self.daw = QComboBox(self)
        names = {"ardour": "Ardour", "reaper": "Reaper", "live": "Live"}
        names |= {"generic": tr("another, over MIDI"), "folder": tr("an exported MIDI file")}
        self.daw.setPlaceholderText(tr("none"))
        for name, shown in names.items():
            self.daw.addItem(shown, name)
        self.daw.setAccessibleName(tr("DAW"))
        self.daw.setToolTip(tr("The DAW in which this cue lies: it is followed, goes along, and has markers"))
        self.daw.activated.connect(lambda _: self._say(daw=self.daw.currentData()))
        self.at = QLineEdit(self)
        self.at.setPlaceholderText(tr("where its project begins"))
        self.at.setAccessibleName(tr("Where the film begins in the DAW"))
        self.at.setToolTip(
            tr("Timecode or seconds at which the film's first frame lies in the DAW's project, such as 01:00:00:00")
        )
        self.at.editingFinished.connect(self._moved)
        self.file = QPushButton(tr("Project…"), self)
        self.file.setToolTip(tr("The session of Ardour, or the project of Reaper that is not running: its markers are in it"))
        self.file.clicked.connect(self._choose_file)
        self.along = QCheckBox(tr("it goes along"), self)
        self.along.setToolTip(tr("While the window leads, the DAW plays, stops and goes where the picture does"))
        self.along.toggled.connect(lambda on: self.driven.emit(self.project.daw if on else None))
        self.beats = QCheckBox(tr("has the cue's tempo map"), self)
        self.beats.setToolTip(tr("The cue's MIDI file was imported into Live with its tempo map: beats are the cue's"))
        self.beats.clicked.connect(lambda on: self._say(beats=on))
        self.control = QComboBox(self)
        self.control.setAccessibleName(tr("Where machine control goes"))
        self.control.setToolTip(tr("The MIDI port at which the DAW takes machine control (MMC)"))
        self.control.activated.connect(lambda _: self._say(midi=self.control.currentData()))
        self.read = QPushButton(tr("Read markers"), self)
        self.read.setToolTip(tr("Markers and regions of the DAW's project; you choose which become hits"))
        self.read.clicked.connect(self.read_markers)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.GAP)
        for row, (text, box, beside) in enumerate(
            ((tr("DAW"), self.daw, self.file), (tr("Film at"), self.at, self.read), ("", self.along, self.beats))
        ):
            if text:
                grid.addWidget(QLabel(text, self), row, 0)
            grid.addWidget(box, row, 1)
            grid.addWidget(beside, row, 2)
        grid.addWidget(self.control, 3, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, self.fontMetrics().horizontalAdvance(tr("Plays to")))  # in line with the rows above
        lean(self.daw, self.control)
        self.offer(())
        self._show(self.project)

    @property
    def over_osc(self) -> str | None:
        """The DAW that is followed by its own OSC when it leads; None where it speaks over MIDI."""
        return self.project.daw if self.project.daw in OVER_OSC else None

    def offer(self, ports: Sequence[str]) -> None:
        """The ports of other programs that there are now."""
        self._ports = tuple(ports)
        self.control.clear()
        self.control.addItem(tr("our own port, “Hitpoint control”"), f"virtual:{CONTROL}")
        for name in ports:
            self.control.addItem(name, f"system:{name}")
        kept = self.project.midi
        if kept is not None and self.control.findData(kept) < 0:
            self.control.addItem(kept.partition(":")[2], kept)
        self.control.setCurrentIndex(max(0, self.control.findData(kept)))

    def look(self) -> None:
        """Reads what is kept for the open session."""
        neighbours = self._document.studio.neighbours
        self._aside.ask("project", lambda: neighbours.project, self._show)

    def read_markers(self) -> None:
        """Asks the DAW for its markers, beside the window, and lets the composer choose."""
        neighbours = self._document.studio.neighbours
        self.read.setEnabled(False)
        self._aside.ask("markers", lambda: neighbours.markers().result(PATIENCE_S), self._show_markers)

    @property
    def _can_read(self) -> bool:
        return self._document.now is not None and self.project.daw is not None

    def _refused(self, error: HitpointError) -> None:
        self.read.setEnabled(self._can_read)
        self.refused.emit(error)

    def _show_markers(self, found: Marked) -> None:
        self.read.setEnabled(self._can_read)
        self.markers = Markers(found, self._document, self)
        self.markers.open()

    def _session_changed(self, event: SessionChanged) -> None:
        if event.change in ("opened", "closed"):
            self.look()

    def _show(self, project: Project) -> None:
        self.project = project
        is_open = self._document.now is not None
        for box in (self.daw, self.at, self.file):
            box.setEnabled(is_open)
        self.daw.setCurrentIndex(self.daw.findData(project.daw) if project.daw else -1)
        self.at.setText(self._place(project))
        self.file.setVisible(project.daw in ("ardour", "reaper"))
        self.file.setText(tr("Project…") if project.file is None else project.file.name)
        self.control.setVisible(project.daw == "generic")
        self.offer(self._ports)
        self.beats.setVisible(project.daw == "live")
        self.beats.setChecked(project.beats)
        goes = is_open and project.daw not in (None, "folder")
        self.along.setEnabled(goes)
        drives = self._document.studio.neighbours.drives
        self.along.setChecked(goes and drives == project.daw)
        self.read.setEnabled(self._can_read)

    def _place(self, project: Project) -> str:
        now = self._document.now
        place = None if now is None else project.place(now.session.start)
        if now is None or place is None:
            return ""
        if place.label is None:
            return f"{float(place.seconds):g}"
        return f"{place.label} {NON_DROP}" if now.session.start.drop and not place.label.drop else str(place.label)

    def _moved(self) -> None:
        text, now = self.at.text().strip(), self._document.now
        if now is None or text == self._place(self.project):
            return
        try:
            self._say(at=Place.in_project(text or "0", now.session.start, tr("Film at")))
        except HitpointError as error:
            self.at.setText(self._place(self.project))
            self.refused.emit(error)

    def _choose_file(self) -> None:
        last = str(self.project.file or Path.home())
        if self.project.daw == "ardour":
            name = self._ask.getExistingDirectory(self, tr("The session of Ardour"), last)
        else:
            name, _ = self._ask.getOpenFileName(self, tr("The project of Reaper"), last, "REAPER (*.rpp *.RPP)")
        if name:
            self._say(file=Path(name))

    def _say(
        self,
        daw: str | None = None,
        at: Place | None = None,
        file: Path | None = None,
        beats: bool | None = None,
        midi: str | None = None,
    ) -> None:
        """Keeps what is said now, beside the window."""
        neighbours = self._document.studio.neighbours
        self._aside.ask("project", lambda: neighbours.lie(daw, at, file, beats, midi), self._show)
        if daw is not None and neighbours.drives is not None:
            self.driven.emit(None)
