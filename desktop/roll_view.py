"""The piano roll itself: zoomed and scrolled, selected from with the rubber band, the ruler or the keys; it changes no note."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from PyQt6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QToolTip, QWidget

from desktop.allowance import Allowance
from desktop.language import words
from desktop.roll_bars import set_bars
from desktop.roll_find import bar_at, inside, is_placed, note_at, note_words
from desktop.roll_fit import fitted, reaching
from desktop.roll_keys import meaning, next_bar, next_note
from desktop.roll_notes import Shapes, Stage
from desktop.roll_paint import HIGHEST, KEYS, LANE, RULER, Frame, Looks, draw_edge, paint, prepare
from desktop.roll_select import Selection
from desktop.scale import Scale
from desktop.takes_verdict import Verdicts, verdicts_of
from desktop.theme import current
from engines.session.model import Session, Span

tr = words("roll")
FINEST, COARSEST = 2.5, 24.0
"""Pixels a semitone."""
WORTH = 0.012
"""Seconds that one turn may take for what was never drawn before."""
SHOWN = 0.4
"""Seconds after which what there is so far is shown."""
STEP = 1.25
"""One step of zooming."""
MARGIN = 0.04
"""Share of a scene's length that is shown before it when it is gone to."""


class RollView(QAbstractScrollArea):
    """Notes over time. Everything but the playhead and the rubber band is drawn once, and again only when it changes."""

    selection_changed = pyqtSignal()
    keep_asked = pyqtSignal()
    refill_asked = pyqtSignal()
    copy_asked = pyqtSignal()
    lift_asked = pyqtSignal()  # the mouse went down on what is selected
    drag_asked = pyqtSignal()  # and went off with it
    located = pyqtSignal(float)  # a film time to go to

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session: Session | None = None
        self.stage: Stage | None = None
        self.verdicts: Verdicts | None = None
        self.shapes = Shapes()
        self.frame = Frame(Scale(), 100, 100)
        self.looks = Looks()
        self._layer: QPixmap | None = None
        self._playhead = 0.0
        self._fitted: int | None = None  # the scene that is shown from end to end, until something else is
        self._drawn = 0.0
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(1)
        self._rest.timeout.connect(self._catch_up)
        self._pressed: QPointF | None = None
        self._doing = ""
        self._band = QRectF()
        self._swept: tuple[QRectF, Frame, bool] | None = None  # a band that was let go of, where, and whether it adds
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setAccessibleName(tr("Piano roll"))
        bars = [self.horizontalScrollBar(), self.verticalScrollBar()]
        self._bars = [bar for bar in bars if bar is not None]
        for bar in self._bars:
            bar.valueChanged.connect(self._scrolled)
        pane = self.viewport()
        assert pane is not None
        pane.setMouseTracking(True)
        self.setMinimumHeight(RULER + LANE + 20)

    # what is shown

    def show_session(self, session: Session | None) -> None:
        """Another session, or the same after an act; a selection of notes that are no longer there is dropped."""
        before, self.session = self.session, session
        if session is None:
            self.stage, self.verdicts, self._fitted = None, None, None
        else:
            self.shapes.clear_but(session.takes.values())
            self.stage, self.verdicts = Stage(session, self.shapes, self.stage), verdicts_of(session)
            chosen = {} if before is None else {scene.id: scene.chosen for scene in before.scenes}
            left = {scene.id for scene in session.scenes if scene.chosen is not None and chosen.get(scene.id) == scene.chosen}
            stay = frozenset(pair for pair in self.looks.selection.notes if pair[0] in left)
            self.looks = replace(self.looks, selection=replace(self.looks.selection, notes=stay))
            scale = replace(self.frame.scale, length=max(1.0, self.stage.seconds))
            self.frame = replace(self.frame, scale=scale.held())
            if before is None and session.scenes:
                self.go_to(session.spans[max(0, self.looks.scene - 1)])
        self.redraw()
        self.selection_changed.emit()

    def show_stems(self, stems: tuple[str, ...]) -> None:
        """Which stems are in sight; only these are selected from."""
        selection = self.looks.selection
        if selection.bars is not None:
            selection = replace(selection, stems=stems)
        self.looks = replace(self.looks, stems=stems, selection=selection)
        self.redraw()
        self.selection_changed.emit()

    def show_scene(self, scene: int) -> None:
        """Another scene is the current one; it is gone to where most of it is out of sight."""
        self.looks = replace(self.looks, scene=scene)
        if self.session is not None and self.stage is not None and 1 <= scene <= len(self.session.spans):
            start, end = self.stage.lines[scene - 1 : scene + 1]
            scale = self.frame.scale
            if min(end, scale.right) - max(start, scale.left) < (end - start) / 2:
                self.go_to(self.session.spans[scene - 1])
        self.redraw()

    def show_playhead(self, seconds: float) -> None:
        """Only the strips of the old and the new place are drawn again."""
        pane = self.viewport()
        assert pane is not None
        before, self._playhead = self._playhead, seconds
        paged = self.frame.scale.follow(seconds)
        if paged is not self.frame.scale and not self.hasFocus():
            self._show(replace(self.frame, scale=paged))
            return
        for second in (before, seconds):
            pane.update(QRect(int(self.frame.x(second)) - 2, 0, 5, self.frame.height))

    def select(self, selection: Selection) -> None:
        """Another selection."""
        if selection != self.looks.selection:
            self.looks = replace(self.looks, selection=selection)
            self.redraw()
            self.selection_changed.emit()

    @property
    def selection(self) -> Selection:
        """What is selected."""
        return self.looks.selection

    def go_to(self, span: Span) -> None:
        """Shows one scene from end to end, and the pitches that it has."""
        assert self.stage is not None
        start, end = self.stage.lines[span.number - 1], self.stage.lines[span.number]
        width = max(1, self.frame.width - KEYS)
        room = (end - start) * (1 + 2 * MARGIN)
        scale = Scale(start - room * MARGIN, room / width, width, max(1.0, self.stage.seconds)).held()
        placed = self.stage.scene(span)
        frame = replace(self.frame, scale=scale)
        if placed is not None and len(placed.shape.pitch):
            frame = fitted(frame, placed.shape.pitch)
        self._show(frame)
        self._fitted = span.number

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Closer in time by a factor, around a pixel."""
        at = (self.frame.width - KEYS) / 2 if x is None else x - KEYS
        self._show(replace(self.frame, scale=self.frame.scale.zoomed(factor, at)))

    def zoom_keys(self, factor: float) -> None:
        """Higher or lower keys, around the middle."""
        rows = self.frame.notes.height() / self.frame.key
        key = min(COARSEST, max(FINEST, self.frame.key * factor))
        middle = self.frame.top - rows / 2
        self._show(replace(self.frame, key=key).raised(middle + self.frame.notes.height() / key / 2))

    def _sweep(self) -> None:
        """Selects what the rubber band touched, once all of it is worked out."""
        if self._swept is None or self.stage is None:
            return
        band, frame, more = self._swept
        if not band.isNull() and not is_placed(band, frame, self.stage):
            self._rest.start()
            return
        self._swept = None
        found = Selection() if band.isNull() else inside(band, frame, self.stage, self.looks)
        self.select(Selection(notes=self.selection.notes | found.notes) if more else found)

    def _catch_up(self) -> None:
        """Works out more of what is in view and was never seen before; it is drawn when all of it is there, or some time went by."""
        if self.stage is None or self.verdicts is None:
            return
        allowance = Allowance(WORTH)
        if self._swept is not None:
            prepare(self._swept[1], self.stage, self.verdicts, allowance)
            self._sweep()
        prepare(self.frame, self.stage, self.verdicts, allowance)
        if allowance.short:
            self._rest.start()
        if not allowance.short or perf_counter() - self._drawn > SHOWN:
            self.redraw()

    def redraw(self) -> None:
        """Everything again."""
        self._layer = None
        pane = self.viewport()
        assert pane is not None
        pane.update()

    def _show(self, frame: Frame) -> None:
        self._fitted = None
        self.frame = frame.raised(frame.top)
        set_bars(self._bars[0], self._bars[1], self.frame)
        self.redraw()

    def _scrolled(self) -> None:
        across, down = self._bars
        self._fitted = None
        scale = self.frame.scale.moved(across.value() * self.frame.scale.step)
        self.frame = replace(self.frame, scale=scale).raised(HIGHEST - down.value() / self.frame.key)
        self.redraw()

    # drawing

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's names
        pane = self.viewport()
        assert pane is not None
        width, height = pane.width(), pane.height()
        scale = replace(self.frame.scale, width=max(1, width - KEYS))
        fitted, session = self._fitted, self.session
        self._show(replace(self.frame, scale=scale.held(), width=width, height=height))
        if fitted is not None and session is not None and fitted <= len(session.spans):
            self.go_to(session.spans[fitted - 1])  # a scene that was shown whole stays so
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.redraw()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        pane, theme = self.viewport(), current()
        assert pane is not None
        painter = QPainter(pane)
        if self.stage is None or self.verdicts is None:
            painter.fillRect(pane.rect(), theme.colour("ground"))
            painter.end()
            return
        if self._layer is None:
            ratio = self.devicePixelRatioF()
            self._layer = QPixmap(round(pane.width() * ratio), round(pane.height() * ratio))
            self._layer.setDevicePixelRatio(ratio)
            layer = QPainter(self._layer)
            allowance = Allowance(WORTH / 4)  # the painting itself takes time, too
            paint(layer, self.frame, self.stage, self.verdicts, self.looks, allowance)
            layer.end()
            self._drawn = perf_counter()
            if allowance.short:
                self._rest.start()  # the rest in turns of their own, so that none takes long
        painter.drawPixmap(0, 0, self._layer)
        x = self.frame.x(self._playhead)
        if x >= KEYS:
            painter.fillRect(QRectF(x, 0, 1, self.frame.height), theme.colour("accent"))
        if not self._band.isNull():
            painter.fillRect(self._band, theme.colour("text", 24))
            painter.setPen(theme.colour("text", 140))
            painter.drawRect(self._band)
        if self.hasFocus():
            draw_edge(painter, pane.rect(), theme.colour("accent", 160))
        painter.end()

    # the mouse

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        if event.button() != Qt.MouseButton.LeftButton or self.stage is None or not self.stage.session.bars:
            return
        place = event.position()
        self._pressed, more = place, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if place.y() < RULER:
            self._doing = "bars"
            bar, old = bar_at(place.x(), self.frame, self.stage), self.selection.bars
            longer = old if old is not None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier else (bar, bar)
            self.select(Selection(bars=(min(longer[0], bar), max(longer[1], bar)), stems=self.looks.stems))
            return
        found = note_at(place, self.frame, self.stage, self.looks)
        if found is None:
            self._doing = "band+" if more else "band"
            return
        one = (found[0].span.scene.id, found[1])
        if more:
            self._doing = ""
            self.select(Selection(notes=self.selection.notes ^ {one}))
            return
        if one not in self.selection.notes:
            self.select(Selection(notes=frozenset({one})))
        self._doing = "drag"
        self.lift_asked.emit()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        place = event.position()
        if self.stage is None:
            return
        if self._pressed is None:
            found = note_at(place, self.frame, self.stage, self.looks)
            said = "" if found is None else note_words(*found, self.stage)
            QToolTip.showText(event.globalPosition().toPoint(), said, self)
        elif self._doing == "bars":
            first, bar = (bar_at(x, self.frame, self.stage) for x in (self._pressed.x(), place.x()))
            self.select(Selection(bars=(min(first, bar), max(first, bar)), stems=self.looks.stems))
        elif self._doing == "drag" and (place - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            self._pressed, self._doing = None, ""
            self.drag_asked.emit()
        elif self._doing.startswith("band"):
            self._band = QRectF(self._pressed, place).normalized().intersected(self.frame.notes)
            self.viewport().update()  # type: ignore[union-attr]

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if self._doing.startswith("band") and self.stage is not None:
            self._swept = self._band, self.frame, self._doing == "band+"
            self._sweep()
        self._pressed, self._doing, self._band = None, "", QRectF()
        self.viewport().update()  # type: ignore[union-attr]

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        assert event is not None
        self.located.emit(max(0.0, self.frame.seconds(event.position().x())))

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        assert event is not None
        turn, keys = event.angleDelta(), event.modifiers()
        amount = turn.y() or turn.x()
        if keys & Qt.KeyboardModifier.ControlModifier:
            factor = STEP ** (amount / 120)
            if keys & Qt.KeyboardModifier.ShiftModifier:
                self.zoom_keys(factor)
            else:
                self.zoom(factor, event.position().x())
        else:
            across = bool(keys & Qt.KeyboardModifier.ShiftModifier) or abs(turn.x()) > abs(turn.y())
            bar = self._bars[0 if across else 1]
            bar.setValue(bar.value() - amount)
        event.accept()

    # keys

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._meaning(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        assert event is not None
        said = self._meaning(event)
        if said is None or self.stage is None or self.session is None:
            event.ignore()
        elif said.startswith("note"):
            self.select(next_note(self.stage, self.looks, said, self._playhead))
            self._reveal()
        elif said.startswith("bar"):
            self.select(next_bar(self.session, self.looks, said))
            self._reveal()
        else:
            self._do(said)

    def _meaning(self, event: QKeyEvent) -> str | None:
        said = meaning(event)
        return None if said in ("clear", "refill") and not self.selection else said

    def _do(self, said: str) -> None:
        if said == "all" and self.session is not None and self.looks.scene:
            first = self.session.span(self.looks.scene).first
            self.select(
                Selection(bars=(first + 1, first + self.session.span(self.looks.scene).scene.bars), stems=self.looks.stems)
            )
        elif said == "clear":
            self.select(Selection())
        elif said in ("closer", "further"):
            self.zoom(STEP if said == "closer" else 1 / STEP)
        elif said == "fit" and self.session is not None:
            self.go_to(self.session.spans[max(0, self.looks.scene - 1)])
        elif said in ("up", "down"):
            rows = self.frame.notes.height() / self.frame.key / 2
            self._show(self.frame.raised(self.frame.top + (rows if said == "up" else -rows)))
        elif said in ("keep", "refill", "copy") and self.selection:
            {"keep": self.keep_asked, "refill": self.refill_asked, "copy": self.copy_asked}[said].emit()

    def _reveal(self) -> None:
        """Scrolls to what the keys selected last."""
        if self.stage is None or self.session is None or not self.selection:
            return
        frame = self.frame
        if self.selection.bars is not None:
            second = float(self.session.tempo_map.seconds(self.session.bars[self.selection.bars[0] - 1].start))
        else:
            places = {span.scene.id: placed for span in self.session.spans if (placed := self.stage.scene(span))}
            picked = [(float(places[n].start[k]), int(places[n].shape.pitch[k])) for n, k in self.selection.notes if n in places]
            second, pitch = max(picked, default=(self._playhead, None))
            frame = frame if pitch is None else reaching(frame, pitch)
        self._show(replace(frame, scale=frame.scale.follow(second)))
