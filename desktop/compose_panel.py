"""Compose: what the picture suggests and what the composer says of the cue or the scene, who composes, and with which seed."""

from __future__ import annotations

from functools import partial
from secrets import randbelow
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.aside import Aside
from desktop.compose_brief import NAMES, Brief
from desktop.compose_features import Features
from desktop.compose_told import Maker, Suggested, maker, own, suggested, wider
from desktop.compose_wish import wishes_of
from desktop.compose_work import Work
from desktop.eliding import Elided, lean
from desktop.language import words
from desktop.lately import Lately
from desktop.plainly import plainly
from desktop.rights_card import RightsCard
from desktop.takes_follow import Follow
from desktop.takes_keep import bars_of, shut
from desktop.theme import GAP
from desktop.worn import Worn, rank
from engines.commands import Tell
from engines.errors import HitpointError
from engines.session.refill import next_seed

if TYPE_CHECKING:
    from desktop.document import Document
    from desktop.transport import Transport
    from engines.session.model import Session, Told

tr = words("compose")
FRESH = -1
"""What the field of the seed stands at where a seed is taken that the session has not used."""
LARGEST = 2**31 - 1
DICE = 10**6
"""A thrown seed is below it: it can be read aloud and typed in again."""


class Compose(QWidget):
    """The dock. It works on the scene under the playhead, or on the cue."""

    def __init__(self, document: Document, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self.session = document, None
        self.wishes = wishes_of(document)
        self.aside = Aside(self)
        self.follow = Follow(transport, self)
        self.brief, self.work = Brief(self), Work(self)
        self.engine, self.model, self.rights = QComboBox(self), QLabel(self), QPushButton(tr("Rights…"), self)
        self.features, self._hears = Features(self), False
        self.seed, self.dice, self.lock = QSpinBox(self), QToolButton(self), QToolButton(self)
        self.refill, self.refill_all = QPushButton(self), QPushButton(tr("Refill all"), self)
        self.scope = QButtonGroup(self)
        self.shut = QLabel(tr("Read-only here: save a copy to compose (Ctrl+Shift+S)"), self)
        self._seen: dict[int | None, Suggested] = {}
        self._lately = Lately(self, self.show_session)
        self._arrange()
        self._connect(document)
        self.show_session(document.session)

    session: Session | None

    def _arrange(self) -> None:
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(2 * GAP, GAP, 2 * GAP, GAP)
        column.setSpacing(2 * GAP)
        column.addLayout(self._scopes())
        column.addWidget(self.brief)
        column.addWidget(_rule(self))
        column.addLayout(self._makers())
        column.addWidget(_rule(self))
        self.shut.setWordWrap(True)
        column.addWidget(self.shut)
        row = QHBoxLayout()
        self.refill.setProperty("primary", True)
        row.addWidget(self.refill, 1)
        row.addWidget(self.refill_all)
        column.addLayout(row)
        column.addWidget(self.work)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        lean(self.engine)
        self.setMinimumWidth(inner.minimumSizeHint().width())

    def _scopes(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(0)
        for number, text, tip in (
            (0, tr("Cue"), tr("What is set here holds for the whole cue, where a scene says nothing else")),
            (1, tr("Scene"), tr("What is set here holds for the scene under the playhead")),
        ):
            button = QToolButton(self)
            button.setText(text)
            button.setMinimumWidth(56)
            button.setCheckable(True)
            button.setChecked(number == 1)
            button.setToolTip(tip)
            self.scope.addButton(button, number)
            row.addWidget(button)
        self.where = Elided(self)
        row.addSpacing(2 * GAP)
        row.addWidget(self.where, 1)
        return row

    def _makers(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GAP)
        grid.setVerticalSpacing(GAP)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, NAMES)
        self.model.setWordWrap(True)
        self.model.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.engine.setAccessibleName(tr("Engine"))
        self.engine.setToolTip(tr("Who composes next; takes keep the name of the engine that made them"))
        self.rights.setToolTip(tr("What the model learned from, under which licences, and what this cue was made by"))
        self.seed.setRange(FRESH, LARGEST)
        self.seed.setSpecialValueText(tr("a new one"))
        self.seed.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.seed.setAccessibleName(tr("Seed"))
        self.seed.setToolTip(tr("The same brief and the same seed give the same notes"))
        self.dice.setText("⚄")
        self.dice.setAccessibleName(tr("Throw a seed"))
        self.dice.setToolTip(tr("Throw the dice for a seed"))
        self.lock.setText(tr("Lock"))
        self.lock.setCheckable(True)
        self.lock.setToolTip(tr("Use this seed for every refill until it is unlocked"))
        for row, (text, parts) in enumerate(
            (
                (tr("Engine"), (self.engine, self.rights)),
                ("", (self.model,)),
                (tr("Features"), (self.features,)),
                (tr("Seed"), (self.seed, self.dice, self.lock)),
            )
        ):
            grid.addWidget(QLabel(text, self), row, 0)
            line = QHBoxLayout()
            line.setSpacing(GAP)
            for k, part in enumerate(parts):
                line.addWidget(part, 1 if k == 0 else 0)
            grid.addLayout(line, row, 1)
        return grid

    def _connect(self, document: Document) -> None:
        document.shown.connect(self._lately.tell)
        document.job_changed.connect(self.work.show_job)
        document.scoring_changed.connect(self.show_scope)
        self.work.cancel_asked.connect(document.cancel)
        self.follow.scene_changed.connect(lambda _: self.show_scope())
        self.scope.idClicked.connect(lambda _: self.show_scope())
        self.brief.told.connect(self._tell)
        self.brief.refused.connect(document.refused)
        self.engine.activated.connect(lambda _: self._wish())
        self.features.chosen.connect(self.wishes.hear)
        self.seed.valueChanged.connect(lambda _: self._wish())
        self.lock.toggled.connect(self._lock)
        self.dice.clicked.connect(lambda: self.seed.setValue(randbelow(DICE)))
        self.rights.clicked.connect(self.show_rights)
        self.refill.clicked.connect(lambda: self.wishes.refill(self.follow.scene))
        self.refill_all.clicked.connect(self.wishes.refill_all)
        self.wishes.changed.connect(self._show_wishes)
        self.aside.refused.connect(document.refused)
        Worn(self, self._show_brief)

    def kept(self) -> int:
        """Whether the brief of the cue (0) or of the scene (1) is shown."""
        return self.scope.checkedId()

    def resume(self, kept: int) -> None:
        """Shows the same."""
        button = self.scope.button(kept)
        if button is not None:
            button.setChecked(True)
        self.show_scope()

    # what is shown

    @property
    def scene(self) -> int | None:
        """The scene that the brief is of; None for the cue."""
        return (self.follow.scene or None) if self.scope.checkedId() == 1 else None

    def show_session(self, session: Session | None) -> None:
        """Another session, or the same after an act."""
        self.session = session
        self._seen = {}
        if session is not None:
            self.wishes.kept(session)
        self.follow.show_session(session)
        self._show_wishes()
        self.show_scope()

    def show_scope(self) -> None:
        """Another scene, or the cue."""
        session, scene, shut_here = self.session, self.scene, self._document.read_only
        for part in (self.brief, self.engine, self.features, self.seed, self.dice, self.lock):
            part.setEnabled(session is not None and not shut_here)
        self.refill_all.setEnabled(session is not None and not shut_here and not self._document.scoring)
        self.rights.setEnabled(session is not None)
        self.shut.setVisible(shut_here)
        for button, tip in (
            (self.refill, tr("Compose this scene again; what is kept stays note for note (Enter)")),
            (self.refill_all, tr("Compose every scene again, in order; what is kept stays (Ctrl+Enter)")),
        ):
            button.setToolTip(self.shut.text() if shut_here else tip)
        here = session is not None and self.follow.scene > 0
        locked = here and session is not None and shut(session.span(self.follow.scene))
        self.refill.setEnabled(here and not locked and not shut_here)
        self.refill.setText(tr("Refill scene {}").format(self.follow.scene) if here else tr("Refill"))
        if locked:
            self.refill.setText(tr("Scene {} is kept").format(self.follow.scene))
        if session is None:
            self.where.setText("")
            return
        self.where.setText(self._where(session, scene))
        self._show_brief()
        if scene not in self._seen:
            self.aside.ask("seen", partial(suggested, session, scene), partial(self._suggested, session, scene))

    def _where(self, session: Session, scene: int | None) -> str:
        if scene is None:
            return f"{session.cue}, " + tr("%n scenes", len(session.scenes))
        span = session.span(scene)
        name = f" {span.scene.name}" if span.scene.name else ""
        return f"{scene}{name}, " + tr("bars {}–{}").format(*bars_of(span))

    def _suggested(self, session: Session, scene: int | None, seen: Suggested) -> None:
        if session is self.session:
            self._seen[scene] = seen
            self._show_brief()

    def _show_brief(self) -> None:
        if self.session is not None:
            scene = self.scene
            seen = self._seen.get(scene, Suggested())
            scope = self.session.film.digest, scene
            self.brief.show_told(own(self.session, scene), wider(self.session, scene), seen, scope, self._scenes(self.session))

    def _scenes(self, session: Session) -> dict[str, str]:
        """The scenes by id, as they are named."""
        names = ((span, f", {span.scene.name}" if span.scene.name else "") for span in session.spans)
        return {span.scene.id: tr("scene {}").format(span.number) + name for span, name in names}

    def _show_wishes(self) -> None:
        session = self.session
        if session is None:
            return
        engines, chosen = self.wishes.engines(session), self.wishes.engine_of(session)
        if [self.engine.itemText(k) for k in range(self.engine.count())] != engines:
            self.engine.clear()
            self.engine.addItems(engines)
        if self.engine.currentText() != chosen or not self.model.text():
            self.engine.setCurrentText(chosen)
            self.aside.ask("maker", partial(maker, chosen), self._show_maker)
        for part, value in ((self.seed, FRESH if self.wishes.seed is None else self.wishes.seed),):
            part.blockSignals(True)
            part.setValue(value)
            part.blockSignals(False)
        self.lock.blockSignals(True)
        self.lock.setChecked(self.wishes.locked)
        self.lock.blockSignals(False)
        self.seed.setSpecialValueText(tr("a new one, {}").format(next_seed(session)))
        self.features.show_files(self.wishes.features_of(session), self._hears)

    def _show_maker(self, who: Maker) -> None:
        self._hears = who.hears
        self.features.show_files(self.features.files, who.hears)
        runs = tr("on the processor") if who.provider == "cpu" else tr("on {}").format(who.provider)
        lines = [who.model or tr("no model")] + ([runs] if who.provider else [])
        self.model.setToolTip(who.said)
        self.model.setText("\n".join(lines) if who.trouble is None else plainly(HitpointError(who.trouble)))
        rank(self.model, "dim" if who.trouble is None else "missed")
        self.model.setAccessibleName(tr("Model and provider: {}").format(", ".join(lines)))

    # what is wished

    def _tell(self, told: Told, forget: tuple[str, ...]) -> None:
        if self.session is not None:
            self._document.act(Tell(told, self.scene, None, forget))

    def _wish(self) -> None:
        if self.session is None:
            return
        before, engine = self.wishes.engine_of(self.session), self.engine.currentText()
        seed = None if self.seed.value() == FRESH else self.seed.value()
        self.wishes.wish(None if engine == self.session.engine else engine, seed, self.lock.isChecked() and seed is not None)
        if engine != before:
            self.aside.ask("maker", partial(maker, engine), self._show_maker)

    def _lock(self, on: bool) -> None:
        """Locking where no seed was set locks the one that would be taken."""
        if on and self.seed.value() == FRESH and self.session is not None:
            self.seed.setValue(next_seed(self.session))
        self._wish()

    def show_rights(self) -> RightsCard:
        """Opens the rights card of the engine that is chosen."""
        card = RightsCard(self.engine.currentText(), self.session, self)
        card.show()
        return card


def _rule(parent: QWidget) -> QFrame:
    line = QFrame(parent)
    line.setFrameShape(QFrame.Shape.HLine)
    rank(line, "rule")
    return line
