"""Conform: the old cut beside the new one, what became of every shot, and what of it is accepted, all at once or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.aside import Aside
from desktop.eliding import Elided
from desktop.kinds import CUT_LISTS, FILMS, kind
from desktop.language import words
from desktop.recut_laid import Recutting, laid_out
from desktop.recut_pictures import Pictures
from desktop.recut_rows import BARS, KIND, NEW, OLD, WHAT, ChangeList, Changes, Tick
from desktop.recut_strips import Strips
from desktop.recut_watch import Watching
from engines.session.before import AFTER, BEFORE

if TYPE_CHECKING:
    from bridge.events import SessionChanged
    from bridge.jobs import Job, JobReading
    from bridge.studio import Offer
    from desktop.document import Document
    from desktop.transport import Transport

tr = words("recut")

FLAT = 300
"""Pixels of height below which strips and list do not lie over one another."""
LEAST = QSize(520, 156)
BEGINNING = -1
"""In place of the number of a job that has none yet."""


class Recut(QWidget):
    """The panel. A new cut is looked at first, and nothing changes; then what is ticked is accepted, as one act that can be undone."""

    def __init__(self, document: Document, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._transport = document, transport
        self._aside = Aside(self)
        self._job = 0
        self._accepting = 0
        self._listing = False
        self.recutting: Recutting | None = None
        self.model = Changes(self)
        self._lay_out()
        self.model.refused.connect(self._refused)
        document.job_changed.connect(self._job_changed)
        document.session_changed.connect(self._session_changed)
        document.refused.connect(self._not_begun)
        self.pictures = Pictures(document, self)
        self.pictures.made.connect(self.strips.show_image)
        document.reel_changed.connect(self.pictures.forget)
        self._tell()

    def _lay_out(self) -> None:
        self.setAccessibleName(tr("Conform"))
        self.setAcceptDrops(True)
        self.look = QPushButton(tr("Look at a new cut…"), self)
        self.look.setToolTip(
            tr("A cut list (EDL, OTIO, XML, AAF, CSV) or the new film; both may be dropped here at once (Ctrl+Alt+O)")
        )
        self.look.clicked.connect(self.new_cut)
        self.watching = Watching(self._document, self)
        self.name = Elided(self)
        self.summary = Elided(self, 120)
        self.summary.setProperty("quiet", True)
        self.every = QCheckBox(tr("Every shot"), self)
        self.every.setToolTip(tr("List the shots too that are as they were, or only slid along with those before them"))
        self.every.toggled.connect(lambda _: self._list())
        self.strips = Strips(self)
        self.strips.selected.connect(self._select_row)
        self.strips.wanted.connect(self._want_pictures)
        self.table = ChangeList(self.model, parent=self)
        self.table.setAccessibleName(tr("Change list"))
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setWordWrap(False)
        self.table.columns.setMinimumSectionSize(24)
        for column, wide in ((0, 26), (KIND, 96), (OLD, 196), (NEW, 196), (WHAT, 190), (BARS, 120)):
            self.table.setColumnWidth(column, wide)
        self.table.columns.setSectionResizeMode(WHAT, QHeaderView.ResizeMode.Stretch)
        self.table.setItemDelegateForColumn(0, Tick(self.table))
        self.table.gone_to.connect(self._row_chosen)
        self.table.ticked.connect(self.toggle_selected)
        self.all = QPushButton(tr("Accept all"), self)
        self.all.setToolTip(tr("Carry the session to the new cut and compose every bar that it touched"))
        self.all.clicked.connect(self.accept_all)
        self.ticked = QPushButton(tr("Accept what is ticked"), self)
        self.ticked.setToolTip(
            tr("The rest keeps its old notes in the new bars, for your own hand (Ctrl+Alt+Enter; Space ticks)")
        )
        self.ticked.clicked.connect(self.accept_cut)
        self.drop = QPushButton(tr("Put aside"), self)
        self.drop.setToolTip(tr("Forget the new cut; the session stays as it is"))
        self.drop.clicked.connect(self.put_aside)
        head, foot = QHBoxLayout(), QHBoxLayout()
        for part in (self.look, self.watching, self.name):
            head.addWidget(part)
        head.addStretch(1)
        head.addWidget(self.every)
        foot.addWidget(self.summary, 1)
        for part in (self.drop, self.ticked, self.all):
            foot.addWidget(part)
        split = self._halves = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(self.strips)
        split.addWidget(self.table)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setSizes([200, 200])
        self.setMinimumSize(LEAST)
        page = QVBoxLayout(self)
        page.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        page.setSpacing(theme.GAP)
        page.addLayout(head)
        page.addWidget(split, 1)
        page.addLayout(foot)

    def kept(self) -> tuple[Offer | None, frozenset[int], bool, int, int]:
        """The offer, what is refused of it, whether every shot is listed, and the jobs in hand."""
        looked = self.recutting
        offer, refused = (None, frozenset[int]()) if looked is None else (looked.offer, looked.refused)
        return offer, refused, self.every.isChecked(), self._job, self._accepting

    def resume(self, kept: tuple[Offer | None, frozenset[int], bool, int, int]) -> None:
        """Goes on with the same."""
        offer, refused, every, self._job, self._accepting = kept
        self.every.setChecked(every)
        now = self._document.now
        if offer is not None and now is not None:
            old = now.session.programme
            self._aside.ask("lay", lambda: laid_out(offer, old).refusing(refused), self._show)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        return QSize(960, 460)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        """In a flat dock the list lies beside the strips."""
        super().resizeEvent(event)
        way = Qt.Orientation.Horizontal if self.height() < FLAT else Qt.Orientation.Vertical
        if way != self._halves.orientation():
            self._halves.setOrientation(way)
            half = (self.width() if self.height() < FLAT else self.height()) // 2
            self._halves.setSizes([half, half])

    # a new cut

    def new_cut(self) -> None:
        """Asks for a cut list or a film."""
        suffixes = " ".join(f"*{suffix}" for suffix in (*CUT_LISTS, *FILMS))
        name, _ = QFileDialog.getOpenFileName(self, tr("The new cut"), "", f"{tr('Cut lists and films')} ({suffixes})")
        if name:
            self.look_at([Path(name)])

    def look_at(self, paths: Sequence[Path]) -> None:
        """Compares the session with a new cut: a cut list, a film, or both. Nothing changes."""
        cuts = next((path for path in paths if kind(path) == "cuts"), None)
        film = next((path for path in paths if kind(path) == "film"), None)
        if cuts is None and film is None:
            return
        if self._document.now is None:
            self.summary.setText(tr("There is no session to carry over: open one first."))
            return
        self.summary.setText(tr("comparing…"))
        document = self._document
        document.do(lambda: document.studio.look_at_cut(cuts, film), self._began)

    def _began(self, job: Job[Offer]) -> None:
        self._job = job.number
        if job.reading.ended:
            self._job_changed(job.reading)

    def _job_changed(self, reading: JobReading) -> None:
        if not reading.ended:
            return
        if reading.number == self._job:
            self._job = 0
            if reading.state == "done" and self._document.studio.offer is not None:
                self.show_offer(self._document.studio.offer)
            else:
                self._tell()
        elif reading.number == self._accepting:
            self._accepting = 0
            if reading.state == "done":
                self._accepted()
            else:
                self._tell()
        elif reading.state == "done" and reading.sentence.startswith("Look at ") and not self._accepting:
            offer = self._document.studio.offer  # an editor or another client looked at a new cut
            if offer is not None and (self.recutting is None or self.recutting.offer is not offer):
                self.show_offer(offer)

    def show_offer(self, offer: Offer) -> None:
        """Shows what a new cut would do."""
        now = self._document.now
        if now is None:
            return
        old = now.session.programme
        self._aside.ask("lay", lambda: laid_out(offer, old), self._show)

    def _show(self, recutting: Recutting) -> None:
        self.recutting = recutting
        self.pictures.forget()
        self._list()
        self.strips.show_recut(recutting)
        self._tell()

    def put_aside(self) -> None:
        """Forgets the new cut."""
        self._aside.forget("lay")
        self.recutting = None
        self.pictures.forget()
        self.model.show(())
        self.strips.show_recut(None)
        self._tell()

    def _session_changed(self, event: SessionChanged) -> None:
        if event.change in ("opened", "closed"):
            self.put_aside()
        elif self._accepting or self.recutting is None or event.now is None:
            return
        elif event.now.session.programme != self.recutting.old:
            self.put_aside()  # the session is on another cut by now

    # accepting

    def accept_all(self) -> None:
        """Carries the session to the new cut, everything composed that it touched."""
        if self.recutting is not None:
            self._refused(frozenset())
            self._list()
            self.accept_cut()

    def accept_cut(self) -> None:
        """Carries the session to the new cut; nothing is composed for what is not ticked."""
        recutting, document = self.recutting, self._document
        if recutting is None or self._accepting:
            return
        self._accepting = BEGINNING

        def begin() -> Job[Any]:
            document.studio.offer = recutting.offer  # the one that is seen, whatever another client looked at meanwhile
            return document.studio.conform(None, recutting.refused)

        document.do(begin, self._compose_began)

    def _compose_began(self, job: Job[Any]) -> None:
        self._accepting = job.number
        self._tell()
        if job.reading.ended:
            self._job_changed(job.reading)

    def _not_begun(self, *_: object) -> None:
        if self._accepting == BEGINNING:
            self._accepting = 0
            self._tell()

    def _accepted(self) -> None:
        now = self._document.now
        session = self._document.studio.now.session if self._document.studio.is_open else now.session if now else None
        self.put_aside()
        if session is not None:
            both = [
                str(span.number)
                for span in session.spans
                if {BEFORE, AFTER} & {t.name for t in session.takes_of(span.scene).values()}
            ]
            if both:
                self.summary.setText(tr("Carried over. Before and after are takes of scenes {}.").format(", ".join(both)))
            else:
                self.summary.setText(tr("Carried over; no bar was touched."))

    def toggle_selected(self) -> None:
        """Ticks the selected changes, or takes their ticks away where all have one."""
        selection = self.table.selectionModel()
        if selection is None or self.recutting is None:
            return
        numbers = {self.model.rows[index.row()].number for index in selection.selectedRows()}
        costly = {row.number for row in self.recutting.rows if row.runs and row.number in numbers}
        self.model.tick(numbers, bool(costly & self.recutting.refused))

    def _refused(self, refused: frozenset[int]) -> None:
        if self.recutting is not None and refused != self.recutting.refused:
            self.recutting = self.recutting.refusing(refused)
            self.strips.show_recut(self.recutting)
            self._tell()

    # showing

    def _list(self) -> None:
        recutting = self.recutting
        if recutting is None:
            return
        rows = recutting.rows if self.every.isChecked() else tuple(row for row in recutting.rows if row.telling)
        self.model.show(rows, recutting.refused)
        first = next((k for k, row in enumerate(rows) if row.runs), 0)
        if rows:
            self._listing = True  # what is listed is not gone to: the playhead stays
            self.table.selectRow(first)
            self._listing = False

    def _tell(self) -> None:
        recutting = self.recutting
        for part in (self.all, self.ticked, self.drop):
            part.setEnabled(
                recutting is not None and not self._accepting and not (self._document.read_only and part is not self.drop)
            )
        if recutting is None:
            self.name.setText("")
            self.summary.setText(
                tr("Drop a new cut here: a cut list, a film, or both. What it would do is shown before anything changes.")
            )
            return
        matched = recutting.offer.recut.matched
        how = {"source": tr("by their sources"), "picture": tr("by their pictures"), "lengths": tr("by their lengths alone")}[
            matched.how
        ]
        self.name.setText(f"{recutting.offer.name}:  " + tr("shots matched {}").format(how))
        kept, composed, hand = recutting.counts()
        total = kept + composed + hand
        said = tr("{} of {} bars kept, {} composed again").format(kept, total, composed)
        self.summary.setText(f"{said}, " + tr("{} left to your hand").format(hand) if hand else said)
        if self._accepting:
            self.summary.setText(tr("carrying the session over…"))
        self.strips.setAccessibleDescription(self.summary.text())

    def _row_chosen(self, at: int) -> None:
        if 0 <= at < len(self.model.rows):
            row = self.model.rows[at]
            self.strips.select(row.number)
            if row.change.old is not None and not self._listing:
                self._transport.locate(row.change.old.start)

    def _select_row(self, number: int) -> None:
        if self.model.row_of(number) < 0:
            self.every.setChecked(True)
        self.table.selectRow(self.model.row_of(number))

    def _want_pictures(self, old: list[int], new: list[int]) -> None:
        if self.recutting is not None:
            self.pictures.want(self.recutting.offer.new.film, old, new)

    # drops

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802  Qt's name
        data = None if event is None else event.mimeData()
        urls = [] if data is None or self._document.now is None else data.urls()
        if event is not None and any(kind(Path(url.toLocalFile())) in ("cuts", "film") for url in urls):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802  Qt's name
        data = None if event is None else event.mimeData()
        if event is not None and data is not None:
            event.acceptProposedAction()
            self.look_at([Path(url.toLocalFile()) for url in data.urls()])
