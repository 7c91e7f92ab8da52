"""All takes of one scene: what each was made with, what the composer thought of it, and its hits, red among them always in sight."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop.language import words
from desktop.row_list import RowList
from desktop.takes_cells import fitting
from desktop.takes_marks import STARS, draw_stars, draw_verdict, soften
from desktop.takes_midi import Piece
from desktop.takes_table import NOWHERE, Role, TakesTable, name_of, verdict_words
from desktop.theme import current, figures
from engines.commands import Choose, Delete, Remark
from engines.session.model import SceneTake, Span

ROW = 24
NUMBER, HITS, RATING, NAME, REMARK, MADE = range(6)
Key = Qt.Key

tr = words("takes")


class VersionsTable(QAbstractTableModel):
    """The takes of the current scene, in the order of their numbers. Names and notes are edited in place, as wishes."""

    acted = pyqtSignal(object, bool)

    def __init__(self, grid: TakesTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.grid = grid
        self.home: Span | None = None
        self.takes: tuple[SceneTake, ...] = ()
        self.rival: int | None = None

    def show(self, span: Span | None, rival: int | None) -> None:
        """Another scene, or the same after an act."""
        session = self.grid.session
        takes = () if span is None or session is None else tuple(session.takes_of(span.scene).values())
        same = (
            len(takes) == len(self.takes) and span is not None and self.home is not None and span.scene.id == self.home.scene.id
        )
        if not same:
            self.beginResetModel()
        self.home, self.takes, self.rival = span, takes, rival
        if not same:
            self.endResetModel()
        elif takes:
            self.dataChanged.emit(self.index(0, 0), self.index(len(takes) - 1, MADE))

    def fits(self, take: SceneTake) -> bool:
        """Whether a take was made for the bars that the scene has now."""
        verdict = None if self.home is None else self.grid.verdict(self.home, take)
        return verdict is not None and verdict.lines is not None

    def is_chosen(self, take: SceneTake) -> bool:
        """Whether a take is the one that is heard."""
        return self.home is not None and self.grid.take(self.home) is take

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802  Qt's names
        return 0 if parent.isValid() else len(self.takes)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else MADE + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:  # noqa: N802
        if role == Role.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return (tr("Take"), tr("Hits"), tr("Rating"), tr("Name"), tr("Note"), tr("Made"))[section]
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        editable = Qt.ItemFlag.ItemIsEditable if index.column() in (NAME, REMARK) else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | editable

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        take, column = self.takes[index.row()], index.column()
        if role == Role.EditRole:
            return {NAME: take.name, REMARK: take.remark}.get(column)
        if role == Role.FontRole and column == MADE:
            return figures(8)
        if role == Role.ForegroundRole:
            return current().colour("text" if self.fits(take) and column != MADE else "dim")
        if role == Role.ToolTipRole and column == MADE and take.facts.get("form"):
            return tr(
                "The form: a letter for every phrase of four bars, the same for one that returns. X and Y were played eight and four bars"
                " before the scene, T and U are the phrases of its theme"
            )
        if role == Role.ToolTipRole:
            return tr(
                "Enter hears it · A compares it with the one that is heard · 1 to 5 rate · F2 names it · Delete throws it away"
            )
        if role in (Role.DisplayRole, Role.AccessibleTextRole):
            return self.say(take, column)
        return None

    def say(self, take: SceneTake, column: int) -> str:
        """A cell as it is read aloud."""
        assert self.home is not None
        if column == NUMBER:
            heard = ", " + tr("heard") if self.is_chosen(take) else ""
            return tr("take {}").format(take.number) + heard
        if column == HITS:
            return verdict_words(self.grid.verdict(self.home, take))
        if column == RATING:
            return tr("not rated") if take.rating is None else tr("rated {} of 5").format(take.rating)
        if column == MADE:
            return made_with(take)
        return name_of(take) if column == NAME else take.remark

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:  # noqa: N802
        if role != Role.EditRole or self.home is None or index.column() not in (NAME, REMARK):
            return False
        take, text = self.takes[index.row()], str(value).strip()
        if text != (take.name if index.column() == NAME else take.remark):
            field = {"name" if index.column() == NAME else "remark": text}
            self.acted.emit(Remark(self.home.number, take.number, **field), False)  # type: ignore[arg-type]
        return False  # what is shown is what the session says, once it says it


def made_with(take: SceneTake) -> str:
    """Engine, seed, form and when, on the composer's own clock."""
    try:
        when = datetime.fromisoformat(take.made).astimezone().strftime("%d.%m. %H:%M")
    except ValueError:
        when = take.made
    engine = str(take.facts.get("engine", "") or "")
    seed = "" if take.seed is None else tr("seed {}").format(take.seed)
    form = tr("form {}").format(take.facts["form"]) if take.facts.get("form") else ""
    return "  ".join(word for word in (when, engine, seed, form) if word)


class _Cells(QStyledItemDelegate):
    """Number, hits and rating as they are in the grid."""

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:  # noqa: N802  Qt's name
        super().initStyleOption(option, index)
        if option is not None:
            soften(option)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        table = index.model()
        if painter is None or not isinstance(table, VersionsTable) or index.column() not in (NUMBER, HITS, RATING):
            super().paint(painter, option, index)
            return
        take, theme, rect = table.takes[index.row()], current(), option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.colour("raised"))
        if index.column() == NUMBER:
            chosen = table.is_chosen(take)
            if chosen:
                painter.fillRect(rect.x(), rect.y() + 3, 3, rect.height() - 6, theme.colour("accent"))
            painter.setPen(theme.colour("text" if table.fits(take) else "faint"))
            font = painter.font()
            font.setBold(chosen)
            font.setStrikeOut(not table.fits(take))
            painter.setFont(font)
            painter.drawText(rect.adjusted(10, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, str(take.number))
            letter = "" if table.rival is None else "A" if chosen else "B" if take.number == table.rival else ""
            font.setStrikeOut(False)
            font.setBold(False)
            painter.setFont(font)
            painter.setPen(theme.colour("accent"))
            painter.drawText(rect.adjusted(0, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, letter)
        elif index.column() == RATING:
            draw_stars(painter, QRectF(rect.x() + 4, rect.y(), rect.width() - 8, rect.height()), take.rating)
        else:
            self._hits(painter, table, take, QRectF(rect))
        painter.restore()

    def _hits(self, painter: QPainter, table: VersionsTable, take: SceneTake, rect: QRectF) -> None:
        theme, verdict = current(), table.grid.verdict(table.home, take) if table.home else None
        if verdict is None or verdict.lines is None:
            painter.setPen(theme.colour("near"))
            painter.drawText(rect.adjusted(8, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, tr("made for other bars"))
            return
        draw_verdict(painter, QPointF(rect.x() + 12, rect.center().y()), 4, verdict.light)
        painter.setPen(theme.colour("text"))
        painter.drawText(rect.adjusted(24, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, f"{verdict.count('on')} / {verdict.total}")
        if verdict.light in ("near", "missed"):
            painter.setFont(figures(8))
            painter.setPen(theme.colour(verdict.light))
            room = rect.adjusted(76, 0, 0, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, fitting(painter, verdict, room.width()))


class Versions(RowList):
    """The list of takes."""

    acted = pyqtSignal(object, bool)
    rival_chosen = pyqtSignal(int, int)  # a scene, and the take that X goes to
    looked_at = pyqtSignal(object)  # the SceneTake that the list stands on
    lifted = pyqtSignal(object)  # as in `desktop.takes_grid.TakesGrid`
    dragged = pyqtSignal(object)
    copied = pyqtSignal(object)

    def __init__(self, grid: TakesTable, parent: QWidget | None = None) -> None:
        self.table = VersionsTable(grid)
        super().__init__(self.table, ROW, parent)
        self.table.setParent(self)
        self.table.acted.connect(self.acted)
        self.setItemDelegate(_Cells(self))
        self.setAccessibleName(tr("Takes of the scene"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.columns.setSectionsClickable(False)
        self.share(
            [(48, 40), (172, 84), (74, 44), (70, 24), (70, 24), (186, 24)],
            (NAME, REMARK),
            ((MADE,), (RATING, NAME, REMARK), (NUMBER, HITS)),
        )
        self.setMinimumSize(200, 2 * ROW)
        self._pressed: tuple[Any, Piece] | None = None
        selection = self.selectionModel()
        assert selection is not None
        selection.currentRowChanged.connect(lambda *_: self.looked_at.emit(self.take))

    @property
    def take(self) -> SceneTake | None:
        """The take that the list stands on."""
        row = self.currentIndex().row()
        return self.table.takes[row] if 0 <= row < len(self.table.takes) else None

    def show_scene(self, span: Span | None, rival: int | None) -> None:
        """Another scene, or the same after an act; the list stands on the take that is heard whenever another is."""
        before = self.table.home
        old = None if before is None else (before.scene.id, before.scene.chosen)
        self.table.show(span, rival)
        if (span is not None and old != (span.scene.id, span.scene.chosen)) or self.take is None:
            rows = [k for k, take in enumerate(self.table.takes) if self.table.is_chosen(take)]
            self.setCurrentIndex(self.table.index(rows[0] if rows else 0, NUMBER))
        self.looked_at.emit(self.take)

    def hear(self) -> None:
        """Asks for the take under the cursor."""
        span, take = self.table.home, self.take
        if span is not None and take is not None and not self.table.is_chosen(take):
            self.acted.emit(Choose(span.number, take.number), True)

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._meaning(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  Qt's name
        assert event is not None
        meaning, span, take = self._meaning(event), self.table.home, self.take
        if meaning in (None, "move"):
            if meaning:
                super().keyPressEvent(event)
            else:
                event.ignore()
        elif span is None or take is None:
            event.ignore()
        elif meaning == "hear":
            self.hear()
        elif meaning == "compare":
            self.rival_chosen.emit(span.number, take.number)
        elif meaning == "delete":
            self.acted.emit(Delete(span.number, take.number), False)
        elif meaning == "copy":
            self.copied.emit(Piece(span.number, take.number))
        elif meaning == "name":
            self.edit(self.table.index(self.currentIndex().row(), NAME))
        else:
            rating = int(meaning or 0)
            self.acted.emit(Remark(span.number, take.number, rating=0 if take.rating == rating else rating), False)

    def _meaning(self, event: QKeyEvent) -> str | None:
        key = event.key()
        if event.modifiers() == Qt.KeyboardModifier.ControlModifier and key == Key.Key_C:
            return "copy"
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        if Key.Key_0 <= key <= Key.Key_0 + STARS:
            return str(key - Key.Key_0)
        moves = (Key.Key_Up, Key.Key_Down, Key.Key_Left, Key.Key_Right, Key.Key_Home, Key.Key_End)
        if key in moves:
            return "move"
        return {
            Key.Key_Return: "hear",
            Key.Key_Enter: "hear",
            Key.Key_A: "compare",
            Key.Key_Delete: "delete",
            Key.Key_F2: "name",
        }.get(Key(key))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        super().mousePressEvent(event)
        assert event is not None
        place = event.position().toPoint()
        index, span, take = self.indexAt(place), self.table.home, self.take
        if not index.isValid() or span is None or take is None:
            return
        if index.column() == RATING:
            stars = self.visualRect(index).adjusted(4, 0, -4, 0)
            step = 1 + (place.x() - stars.x()) * STARS // max(1, stars.width())
            if 1 <= step <= STARS:
                self.acted.emit(Remark(span.number, take.number, rating=0 if take.rating == step else step), False)
        else:
            self._pressed = place, Piece(span.number, take.number)
            self.lifted.emit(self._pressed[1])

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        assert event is not None
        if self._pressed is not None:
            start, piece = self._pressed
            if (event.position().toPoint() - start).manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                self.dragged.emit(piece)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        self._pressed = None
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        assert event is not None
        index = self.indexAt(event.position().toPoint())
        if index.column() in (NAME, REMARK):
            self.edit(index)
        else:
            self.hear()
