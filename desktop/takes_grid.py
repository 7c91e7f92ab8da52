"""The grid of takes: scenes by stems, worked with the keyboard or the mouse. It changes nothing itself: every wish leaves as a signal."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, QRect, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
from PyQt6.QtWidgets import QAbstractItemView, QApplication, QWidget

from desktop.language import words
from desktop.row_list import RowList
from desktop.takes_cells import HEIGHT, TakesCells, zones
from desktop.takes_keep import opening, shut, shutting
from desktop.takes_marks import STARS
from desktop.takes_midi import Piece
from desktop.takes_table import HITS, SCENE, TAKE, TakesTable
from engines.commands import Choose, Hold, Remark
from engines.score.notes import STEMS
from engines.session.model import SceneTake, Session, Span

Key = Qt.Key

BAR, LOW = 16, 60
"""Pixels of the scroll bar, and of the grid's height at least."""

tr = words("takes")


class TakesGrid(RowList):
    """The grid. The keys that it takes are those of `desktop.takes_table.TakesTable.hint`; all others go on to the window."""

    acted = pyqtSignal(object, bool)  # an act of engines.commands, and whether it is one step with the last
    refill_asked = pyqtSignal(int, object)  # the number of a scene; a tuple of stems, None for all
    scene_chosen = pyqtSignal(int)  # the number of the current scene, or 0
    lifted = pyqtSignal(object)  # a Piece that is being pressed: it may be dragged, so its file is worth writing
    dragged = pyqtSignal(object)  # a Piece that is being dragged out
    copied = pyqtSignal(object)  # a Piece for the clipboard
    rename_asked = pyqtSignal(int)  # the number of a scene

    def __init__(self, parent: QWidget | None = None) -> None:
        self.table = TakesTable()
        super().__init__(self.table, HEIGHT, parent)
        self.table.setParent(self)
        self.cells = TakesCells(self.table)
        self.setItemDelegate(self.cells)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(tr("Takes, scenes by stems"))
        self._columns()
        self._pressed: tuple[QPoint, Piece] | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(1)
        self._rest.timeout.connect(lambda: self.viewport().update())  # type: ignore[union-attr]
        selection = self.selectionModel()
        assert selection is not None
        selection.currentRowChanged.connect(lambda *_: self.scene_chosen.emit(self.scene))

    def _columns(self) -> None:
        """Every column is always in sight: none can be hidden, dragged shut or scrolled away, least of all the hits."""
        self.columns.setSectionsClickable(False)
        wide = {SCENE: (208, 88), TAKE: (116, 88), HITS: (138, 112)}
        widths = [wide.get(column, (60, 30)) for column in range(HITS + 1)]
        self.share(widths, tuple(range(SCENE + 1, TAKE)), (tuple(range(HITS)), (HITS,)))
        self.setMinimumSize(sum(least for _, least in widths) + BAR, LOW)

    # what is shown

    def show_session(self, session: Session | None) -> None:
        """Another session, or the same after an act. The take that a scene had before becomes the one to compare with."""
        before = self.table.session
        if before is not None and session is not None:
            old = {scene.id: scene.chosen for scene in before.scenes}
            for scene in session.scenes:
                last = old.get(scene.id)
                if last is not None and last != scene.chosen and last in session.takes:
                    self.cells.rivals[scene.id] = session.takes[last].number
            there = {(take.scene, take.number) for take in session.takes.values()}
            self.cells.rivals = {name: number for name, number in self.cells.rivals.items() if (name, number) in there}
        row = max(0, self.currentIndex().row())
        self.table.show(session)
        if session is not None and not self.currentIndex().isValid():
            self.go_to(min(row, len(session.scenes) - 1) + 1)

    def compare_with(self, scene: int, take: int) -> None:
        """Sets the take that X goes to."""
        span = self.table.scene_at(scene - 1)
        if span is not None:
            self.cells.rivals[span.scene.id] = take
            self.viewport().update()  # type: ignore[union-attr]

    @property
    def scene(self) -> int:
        """The number of the current scene; 0 where there is none."""
        return self.currentIndex().row() + 1

    @property
    def stem(self) -> str | None:
        """The stem of the current cell; None beside the stems."""
        column = self.currentIndex().column()
        return STEMS[column - 1] if SCENE < column < TAKE else None

    @property
    def span(self) -> Span | None:
        """The current scene."""
        return self.table.scene_at(self.currentIndex().row())

    def go_to(self, scene: int) -> None:
        """Makes a scene the current one."""
        if scene != self.scene and 0 < scene <= self.table.rowCount():
            column = max(0, self.currentIndex().column())
            self.setCurrentIndex(self.table.index(scene - 1, column))

    def selectionCommand(  # noqa: N802  Qt's name
        self, index: QModelIndex, event: QEvent | None = None
    ) -> QItemSelectionModel.SelectionFlag:
        flags = QItemSelectionModel.SelectionFlag
        return flags.ClearAndSelect | flags.Rows | flags.Current

    # what is wished

    def refill(self) -> None:
        """Asks for the current scene again, or for its current stem."""
        if self.span is not None:
            self.refill_asked.emit(self.scene, None if self.stem is None else (self.stem,))

    def keep(self) -> None:
        """Keeps the current stem, or the whole scene; what is kept is let go."""
        if (span := self.span) is not None:
            words = opening(span, self.stem) if shut(span, self.stem) else shutting(span, self.stem)
            self.acted.emit(Hold(span.number, words), False)

    def step(self, way: int) -> None:
        """Goes to the next take that fits (1), or the one before (-1)."""
        span, session = self.span, self.table.session
        if span is None or session is None:
            return
        takes = [take for take in session.takes_of(span.scene).values() if session.fits(span, take)]
        chosen = self.table.take(span)
        at = takes.index(chosen) + way if chosen in takes else (0 if way > 0 else len(takes) - 1)
        if 0 <= at < len(takes):
            self.acted.emit(Choose(span.number, takes[at].number), True)

    def swap(self) -> None:
        """A or B: goes to the take that was heard before, and back again."""
        if (span := self.span) is not None and (other := self.cells.rivals.get(span.scene.id)) is not None:
            self.acted.emit(Choose(span.number, other), True)

    def rate(self, rating: int) -> None:
        """Rates the take that is heard; the rating that it has already takes it back."""
        span = self.span
        take = None if span is None else self.table.take(span)
        if span is not None and take is not None:
            self.acted.emit(Remark(span.number, take.number, rating=0 if take.rating == rating else rating), False)

    def piece(self, index: QModelIndex) -> Piece | None:
        """What a cell gives to another program: a stem, or a scene's take; None where nothing was composed."""
        span = self.table.scene_at(index.row())
        take: SceneTake | None = None if span is None else self.table.take(span)
        if span is None or take is None or index.column() == HITS:
            return None
        stem = STEMS[index.column() - 1] if SCENE < index.column() < TAKE else None
        if stem is not None and not any(row.note.stem == stem for row in take.notes):
            return None
        return Piece(span.number, take.number, stem)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        self.cells.begin()
        super().paintEvent(event)
        if self.cells.allowance.short:
            self._rest.start()

    # keys

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._meaning(event):
            event.accept()  # with the grid in focus, these keys are its own
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  Qt's name
        assert event is not None
        meaning = self._meaning(event)
        if meaning is None:
            event.ignore()
        elif meaning == "move":
            super().keyPressEvent(event)
        else:
            self._do(meaning)

    def _meaning(self, event: QKeyEvent) -> str | None:
        key, bare = event.key(), not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.modifiers() == Qt.KeyboardModifier.ControlModifier and key == Key.Key_C:
            return "copy"
        if event.modifiers() == Qt.KeyboardModifier.ShiftModifier and key == Key.Key_K:
            return "keep"  # K alone is the transport's
        if not bare:
            return None
        if key in (Key.Key_Up, Key.Key_Down, Key.Key_Left, Key.Key_Right, Key.Key_Home, Key.Key_End):
            return "move"
        if Key.Key_0 <= key <= Key.Key_0 + STARS:
            return f"rate {key - Key.Key_0}"
        return {
            Key.Key_Return: "refill",
            Key.Key_Enter: "refill",
            Key.Key_BracketLeft: "back",
            Key.Key_BracketRight: "on",
            Key.Key_X: "swap",
            Key.Key_F2: "name",
        }.get(Key(key))

    def _do(self, meaning: str) -> None:
        if meaning.startswith("rate"):
            self.rate(int(meaning.split()[1]))
        elif meaning in ("back", "on"):
            self.step(-1 if meaning == "back" else 1)
        elif meaning == "copy":
            if (piece := self.piece(self.currentIndex())) is not None:
                self.copied.emit(piece)
        elif meaning == "name":
            self.rename_asked.emit(self.scene)
        else:
            {"refill": self.refill, "keep": self.keep, "swap": self.swap}[meaning]()

    # the mouse

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        super().mousePressEvent(event)
        assert event is not None
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = event.position().toPoint()
        index = self.indexAt(place)
        spot, rect = self._spot(index, place)
        if spot == "rate":
            self.rate(1 + (place.x() - rect.x()) * STARS // rect.width())
        elif spot:
            self._do(spot)
        elif (piece := self.piece(index)) is not None:
            self._pressed = place, piece
            self.lifted.emit(piece)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        assert event is not None
        place = event.position().toPoint()
        index = self.indexAt(place)
        if self._pressed is not None:
            start, piece = self._pressed
            if (place - start).manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                self.dragged.emit(piece)
            return
        hovered = index.row(), index.column()
        if hovered != self.cells.hovered:
            self.cells.hovered = hovered
            self.viewport().update()  # type: ignore[union-attr]
        spot = self._spot(index, place)[0]
        self.setCursor(Qt.CursorShape.PointingHandCursor if spot else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        self._pressed = None
        super().mouseReleaseEvent(event)

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        self.cells.hovered = (-1, -1)
        self.viewport().update()  # type: ignore[union-attr]
        super().leaveEvent(event)

    def _spot(self, index: QModelIndex, place: QPoint) -> tuple[str, QRect]:
        """The part of a cell under the pointer that does something, and where it lies."""
        if index.isValid():
            for name, rect in zones(index.column(), self.visualRect(index)).items():
                if rect.contains(place):
                    return name, rect
        return "", QRect()
