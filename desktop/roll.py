"""The piano roll as a dock: its stems to show, hide and drag out, and what to do with what is selected."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, Qt, QTimer
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from desktop.allowance import Allowance
from desktop.compose_wish import wishes_of
from desktop.dragging import Giver
from desktop.eliding import Elided
from desktop.hollow import Hollow
from desktop.language import words
from desktop.lately import Lately
from desktop.roll_count import Tally
from desktop.roll_select import Selection, keep_or_release, piece_of, refills
from desktop.roll_view import STEP, WORTH, RollView
from desktop.takes_cue import Handle
from desktop.takes_follow import Follow
from desktop.takes_marks import stem_colour
from desktop.takes_midi import Piece
from desktop.theme import GAP
from desktop.worn import rank
from engines.score.notes import STEMS

if TYPE_CHECKING:
    from desktop.document import Document
    from desktop.transport import Transport
    from engines.session.model import Session

tr = words("roll")


class StemChip(Handle):
    """One stem: a click shows or hides it in the roll, dragging it takes it to another program."""

    def __init__(self, stem: str, parent: QWidget | None = None) -> None:
        super().__init__(stem, parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.setText(tr(stem).capitalize())
        self.setAccessibleName(tr("Show the {}").format(tr(stem)))
        self.setToolTip(tr("Click to show or hide the {0}; drag it out as a MIDI file of this scene").format(tr(stem)))

    def draw_mark(self, painter: QPainter, rect: QRectF) -> None:
        """A swatch, full while the stem is in sight."""
        painter.setPen(stem_colour(self.name))
        painter.setBrush(stem_colour(self.name) if self.isChecked() else Qt.BrushStyle.NoBrush)
        painter.drawRect(rect.adjusted(0, 0, -1, -1))


class Roll(QWidget):
    """The dock."""

    def __init__(self, document: Document, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._transport = document, transport
        self.view = RollView(self)
        self.giver, self.hollow = Giver(self), Hollow(document, self)
        self.follow = Follow(transport, self)
        self.chips = [StemChip(stem, self) for stem in STEMS]
        self.told = Elided(self)
        rank(self.told, "dim")
        self.keep = QPushButton(self)
        self.again = QPushButton(tr("Refill"), self)
        self._lately = Lately(self, self.show_session)
        self._tally: Tally | None = None
        self._turns = QTimer(self)
        self._turns.setSingleShot(True)
        self._turns.setInterval(1)
        self._turns.timeout.connect(self._count)
        self._arrange()
        self._connect()
        self.show_session(document.session)
        self.view.show_scene(self.follow.scene)

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(GAP, 3, GAP, 3)
        row.setSpacing(GAP)
        for chip in self.chips:
            row.addWidget(chip)
        row.addSpacing(2 * GAP)
        row.addWidget(self.told, 1)
        row.addWidget(self.keep)
        row.addWidget(self.again)
        for text, name, tip, call in (
            ("−", tr("Zoom out"), tr("See more of the music (−, or Ctrl and the wheel)"), lambda: self.view.zoom(1 / STEP)),
            ("+", tr("Zoom in"), tr("See less of the music, larger (+, or Ctrl and the wheel)"), lambda: self.view.zoom(STEP)),
        ):
            button = QToolButton(self)
            button.setText(text)
            button.setAccessibleName(name)
            button.setToolTip(tip)
            button.clicked.connect(call)
            row.addWidget(button)
        self.again.setToolTip(tr("Compose the selected bars again, in the stems that are selected (Enter)"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.view, 1)
        column.addWidget(self.hollow, 1)

    def _connect(self) -> None:
        view, giver, document = self.view, self.giver, self._document
        document.shown.connect(self._lately.tell)
        self._transport.moved.connect(self._moved)
        self.follow.scene_changed.connect(view.show_scene)
        view.selection_changed.connect(self._tell)
        view.located.connect(self._locate)
        view.keep_asked.connect(self.keep_selected)
        view.refill_asked.connect(self.refill_selected)
        view.lift_asked.connect(lambda: self._with_piece(giver.lift))
        view.drag_asked.connect(lambda: self._with_piece(lambda _, piece: giver.drag(piece, view)))
        view.copy_asked.connect(lambda: self._with_piece(giver.copy))
        self.keep.clicked.connect(self.keep_selected)
        self.again.clicked.connect(self.refill_selected)
        for chip in self.chips:
            chip.toggled.connect(self._show_stems)
            chip.lifted.connect(self._lift_stem)
            chip.copied.connect(self._copy_stem)
            chip.dragged.connect(self._drag_stem)
        giver.refused.connect(document.refused)
        giver.said.connect(document.said)

    def kept(self) -> tuple[Selection, frozenset[str]]:
        """What is selected, and the stems in sight."""
        return self.view.selection, frozenset(chip.name for chip in self.chips if chip.isChecked())

    def resume(self, kept: tuple[Selection, frozenset[str]]) -> None:
        """The same is selected, and in sight."""
        selection, seen = kept
        for chip in self.chips:
            chip.setChecked(chip.name in seen)
        self.view.select(selection)

    def show_session(self, session: Session | None) -> None:
        """Another session, or the same after an act."""
        silent = session is None or all(scene.chosen is None for scene in session.scenes)
        self.hollow.setVisible(silent)
        self.view.setVisible(not silent)
        self.follow.show_session(session)
        self.view.show_session(session)

    def keep_selected(self) -> None:
        """Keeps what is selected, or lets it go where all of it is kept."""
        session = self.view.session
        if session is not None and self.view.selection:
            selection, studio = self.view.selection, self._document.studio

            def hold(path: Path | None) -> None:
                for k, act in enumerate(keep_or_release(session, selection)):
                    studio.act(act, k > 0, path)  # scenes of one selection are one step

            self._document.begin(hold)  # of a whole reel, the words for every note take seconds

    def refill_selected(self) -> None:
        """Asks for the bars of what is selected again."""
        session = self.view.session
        if session is not None and self.view.selection:
            selection, wishes = self.view.selection, wishes_of(self._document)

            def ask(wanted: list[tuple[int, tuple[str, ...] | None, tuple[tuple[int, int], ...]]]) -> None:
                for scene, stems, bars in wanted:
                    wishes.refill(scene, stems, bars)

            self._document.do(lambda: refills(session, selection), ask)

    def _moved(self, *_: int) -> None:
        self.view.show_playhead(float(self._transport.seconds))

    def _show_stems(self) -> None:
        self.view.show_stems(tuple(chip.name for chip in self.chips if chip.isChecked()))

    def _locate(self, seconds: float) -> None:
        self._transport.locate(self._transport.timing.at(Fraction(seconds)))

    def _with_piece(self, call: Callable[[Session, Piece], object]) -> None:
        session = self.view.session
        piece = None if session is None else piece_of(session, self.view.selection)
        if session is not None and piece is not None:
            call(session, piece)

    def _stem_piece(self, stem: str) -> Piece | None:
        session, scene = self.view.session, self.follow.scene
        if session is None or not scene:
            return None
        span = session.span(scene)
        take = None if span.scene.chosen is None else session.takes[span.scene.chosen]
        here = take is not None and any(row.note.stem == stem for row in take.notes)
        return Piece(scene, take.number, stem) if take is not None and here else None

    def _lift_stem(self, stem: str) -> None:
        piece = self._stem_piece(stem)
        if piece is not None and self.view.session is not None:
            self.giver.lift(self.view.session, piece)

    def _copy_stem(self, stem: str) -> None:
        if (piece := self._stem_piece(stem)) is not None and self.view.session is not None:
            self.giver.copy(self.view.session, piece)

    def _drag_stem(self, stem: str) -> None:
        if (piece := self._stem_piece(stem)) is not None:
            self.giver.drag(piece, self)

    def _tell(self) -> None:
        """What is selected, in words; they are what a screen reader says of the roll. A selection that takes long to be counted is told
        once it is."""
        stage, selection = self.view.stage, self.view.selection
        self._tally = None if stage is None or not selection else Tally(stage, selection)
        self.keep.setToolTip(tr("What is kept stays note for note when the scene is composed again (Shift+K)"))
        for part in (self.keep, self.again):
            part.setEnabled(False)
        self._count()

    def _count(self) -> None:
        tally, selection = self._tally, self.view.selection
        if tally is not None and not tally.go(Allowance(WORTH)):
            self.told.setText("…")
            self._turns.start()
            return
        words_ = ""
        if tally is not None:
            words_ = tr("%n notes", tally.notes)
            if selection.bars is not None:
                words_ = tr("bars {}–{}").format(*selection.bars) + f", {words_}"
            if tally.kept:
                words_ += ", " + tr("kept")
        kept = tally is not None and tally.kept
        self.told.setText(words_)
        self.view.setAccessibleDescription(words_ or tr("nothing is selected"))
        self.keep.setText(tr("Release") if kept else tr("Keep"))
        free = bool(selection) and not self._document.read_only
        self.keep.setEnabled(free)
        self.again.setEnabled(free and not kept)
