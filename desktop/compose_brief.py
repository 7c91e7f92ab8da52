"""The brief as a form: each field shows what the picture suggests beside what the composer says, and can be given back to the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QButtonGroup, QComboBox, QGridLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QWidget

from desktop.compose_slider import ToldSlider
from desktop.compose_told import KEYS, MOOD_NAMES, NUMBERS, Spread, Suggested
from desktop.eliding import lean
from desktop.language import words
from desktop.roll_paint import pitch_name
from desktop.takes_marks import mood_colour
from desktop.theme import GAP, ROW, current
from desktop.worn import mark
from engines.errors import OptionError
from engines.score.harmony import chord_name, chord_names, chord_said
from engines.session.model import Told
from engines.session.theme import NOTHING

tr = words("compose")
NAMES = 58
"""Pixels of the names of fields, so that fields stand in one line."""
SAID = 78
"""Pixels of what the picture and the composer say, so that nothing moves as it changes."""
Scenes = Mapping[str, str]
"""Scenes by id, and how each is named."""
NO_SCENES: Scenes = {}
RESET = 20
"""Pixels of the cross that gives a field back."""
FIELDS = ("mood", "density", "energy", "register", "key", "chords", "theme", "avoid")


def field_words(name: str, value: Any) -> str:
    """A value as a composer says it."""
    if name == "mood":
        return tr(MOOD_NAMES[value])
    if name == "density":
        return f"{value:.0f}"
    if name == "energy":
        return f"{100 * value:.0f} %"
    if name == "register":
        return pitch_name(round(value))
    if name == "key":
        tonic, _, mode = str(value).partition(":")
        return f"{tonic} {tr('major') if mode == 'maj' else tr('minor')}"
    return " ".join(map(chord_said, value)) if isinstance(value, tuple) else str(value)


class MoodButton(QToolButton):
    """One of the four moods; lit where it is said, framed and underlined where the picture suggests it."""

    def __init__(self, mood: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mood, self.suggested = mood, False
        self.setCheckable(True)
        self.setText(tr(MOOD_NAMES[mood]).capitalize())
        self.setAccessibleName(tr("Mood: {}").format(tr(MOOD_NAMES[mood])))

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's names
        return QSize(64, ROW)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        theme, painter, rect = current(), QPainter(self), self.rect().adjusted(0, 0, -1, -1)
        on, off = self.isChecked(), not self.isEnabled()
        painter.fillRect(rect, mood_colour(self.mood) if on else theme.colour("panel" if off else "raised"))
        lit = "accent" if self.hasFocus() else "dim" if self.suggested or (self.underMouse() and not off) else "line"
        painter.setPen(theme.colour(lit))
        painter.drawRect(rect)
        if self.suggested:
            painter.fillRect(rect.x() + 1, rect.bottom() - 2, rect.width() - 1, 2, theme.colour("faint" if off else "dim"))
        painter.setPen(theme.colour("on_accent" if on else "faint" if off else "text"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()


class Brief(QWidget):
    """The form. It says what was set as a `Told`, and which fields go back to the picture."""

    told = pyqtSignal(object, tuple)  # Told, and the names of fields to forget
    refused = pyqtSignal(object)  # OptionError: what was written is none of the words that a field takes

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sliders: dict[str, ToldSlider] = {}
        self.said: dict[str, QLabel] = {}
        self.resets: dict[str, QToolButton] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(GAP)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, NAMES)
        self.moods = self._mood_buttons()
        self._numbers()
        self._words()
        self._showing = False

    def _row(self, name: str, title: str, control: QWidget, tip: str) -> None:
        row = FIELDS.index(name)
        label, said, reset = QLabel(title, self), QLabel(self), QToolButton(self)
        label.setBuddy(control)
        control.setToolTip(tip)
        if not control.accessibleName():
            control.setAccessibleName(title)
        said.setMinimumWidth(SAID)
        said.setTextFormat(Qt.TextFormat.RichText)
        reset.setText("×")
        reset.setAccessibleName(tr("{}: as the picture suggests").format(title))
        reset.setToolTip(tr("Let the picture decide again"))
        reset.setAutoRaise(True)
        reset.setFixedSize(RESET, RESET)
        reset.setStyleSheet("padding: 0")
        reset.clicked.connect(lambda: self.told.emit(Told(), (name,)))
        policy = reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        reset.setSizePolicy(policy)
        for column, part in enumerate((label, control, said, reset)):
            self._grid.addWidget(part, row, column)
        self.said[name], self.resets[name] = said, reset

    def _mood_buttons(self) -> QButtonGroup:
        box, group = QWidget(self), QButtonGroup(self)
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        for mood, place in ((2, (0, 0)), (1, (0, 1)), (3, (1, 0)), (4, (1, 1))):  # valence to the right, arousal up
            button = MoodButton(mood, box)
            group.addButton(button, mood)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            grid.addWidget(button, *place)
        group.idClicked.connect(lambda mood: self._say(mood=mood))
        self._row("mood", tr("Mood"), box, tr("Valence to the right, arousal up"))
        return group

    def _numbers(self) -> None:
        rows = {
            "density": (tr("Density"), tr("Onsets in a bar of 4/4: 0 is silence, 16 a run of sixteenths")),
            "energy": (tr("Energy"), tr("How loud and driven, 0 to 100 %")),
            "register": (tr("Register"), tr("Where the music lies: its mean pitch")),
        }
        for name, (title, tip) in rows.items():
            slider = self.sliders[name] = ToldSlider(*NUMBERS[name], self)
            slider.said.connect(lambda value, name=name: self._say(**{name: int(value) if name == "density" else value}))
            slider.valueChanged.connect(lambda _, name=name: self._show_said(name))
            self._row(name, title, slider, tip)

    def _words(self) -> None:
        self.key = QComboBox(self)
        self.key.addItem(tr("as it comes"), None)
        for key in KEYS:
            self.key.addItem(field_words("key", key), key)
        lean(self.key)
        self.key.activated.connect(self._key_chosen)
        self._row("key", tr("Key"), self.key, tr("The key of the music; free, the engine chooses one and the cue keeps it"))
        self.chords = QLineEdit(self)
        self.chords.setPlaceholderText("C Am F/A G7")
        self.chords.editingFinished.connect(self._chords_written)
        self.chords.textEdited.connect(lambda _: self._mark())
        self._tip = tr("One a bar, in a round, such as C Am F/A G7")
        self._row("chords", tr("Chords"), self.chords, self._tip)
        self.theme = QComboBox(self)
        lean(self.theme)
        self.theme.activated.connect(self._theme_chosen)
        tip = tr(
            "Take up the theme of a scene, its first eight bars in the key of this one; or let nothing return. Left open, chance decides"
        )
        self._row("theme", tr("Theme"), self.theme, tip)
        self.avoid = QToolButton(self)
        self.avoid.setText(tr("Under dialogue"))
        self.avoid.setCheckable(True)
        self.avoid.clicked.connect(lambda on: self._say(avoid=True) if on else self.told.emit(Told(), ("avoid",)))
        self._row("avoid", tr("Thin out"), self.avoid, tr("Thin, low and soft, without the melody, so that speech is understood"))

    def _key_chosen(self) -> None:
        key = self.key.currentData()
        self.told.emit(Told(), ("key",)) if key is None else self._say(key=key)

    def _theme_chosen(self) -> None:
        theme = self.theme.currentData()
        self.told.emit(Told(), ("theme",)) if theme is None else self._say(theme=theme)

    def _show_themes(self, held: str | None, scenes: Scenes) -> None:
        """What may be taken up: chance decides, nothing, or a scene."""
        rows = [(tr("by chance"), None), (tr("nothing returns"), NOTHING), *((said, name) for name, said in scenes.items())]
        if held is not None and held not in dict(scenes) and held != NOTHING:
            rows.append((tr("a scene that is gone"), held))
        if rows != [(self.theme.itemText(k), self.theme.itemData(k)) for k in range(self.theme.count())]:
            self.theme.clear()
            for said, name in rows:
                self.theme.addItem(said, name)
        self.theme.setCurrentIndex(max(0, self.theme.findData(held)) if held else 0)

    def _chords_written(self) -> None:
        """What is no chord stays in its field, marked, until it is put right."""
        try:
            written = chord_names(self.chords.text())
        except OptionError:
            wrong = next(word for word in self.chords.text().replace("|", " ").split() if chord_name(word) is None)
            cure = tr("write chords as C, Am7, F/A, Bb, F#m7b5, G7sus4 or C:min7, and N for none")
            error = OptionError(tr("no chord is named {}").format(wrong), where=tr("Chords"), cure=cure)
            if not self.chords.property("refused"):
                self.refused.emit(error)
            self._mark(str(error))
            return
        self._mark()
        self.chords.setModified(False)
        if written != (self._own.chords or ()):
            self._say(chords=written) if written else self.told.emit(Told(), ("chords",))

    def _mark(self, fault: str = "") -> None:
        """Marks the chords as refused, and says why; without a fault it takes the mark away."""
        mark(self.chords, "refused", bool(fault))
        self.chords.setToolTip(fault or self._tip)
        self.chords.setAccessibleDescription(fault)

    def _say(self, **fields: Any) -> None:
        if not self._showing:
            self.told.emit(Told(**fields), ())

    # what is shown

    _own, _wider, _seen = Told(), Told(), Suggested()
    _scope: object = None

    def show_told(self, own: Told, wider: Told, seen: Suggested, scope: object = None, scenes: Scenes = NO_SCENES) -> None:
        """What is said of the scope itself, what holds for it from the cue, and what the picture suggests; the ``scenes`` are those whose
        theme can be taken up. Of another ``scope`` nothing is left in the fields."""
        if scope != self._scope:
            self._scope = scope
            self._mark()
            self.chords.setModified(False)
        self._own, self._wider, self._seen, self._showing = own, wider, seen, True
        held = own.over(wider)
        for name, slider in self.sliders.items():
            slider.show_values(getattr(held, name), getattr(seen, name), getattr(own, name) is None)
        self.moods.setExclusive(False)
        for button in self.moods.buttons():
            assert isinstance(button, MoodButton)
            button.setChecked(held.mood == button.mood)
            button.suggested = seen.mood == button.mood
            button.update()
        self.moods.setExclusive(held.mood is not None)
        self.key.setCurrentIndex(max(0, self.key.findData(held.key)) if held.key else 0)
        self._show_themes(held.theme, scenes)
        if not self.chords.property("refused") and not (self.chords.hasFocus() and self.chords.isModified()):
            self.chords.setText(" ".join(map(chord_said, held.chords or ())))
        self.avoid.setChecked(bool(held.avoid))
        for name, reset in self.resets.items():
            reset.setVisible(getattr(own, name) is not None)
            self._show_said(name)
        self._showing = False

    def _show_said(self, name: str) -> None:
        """Bright what the composer says, grey what the picture suggests, or that it comes from the cue."""
        if name not in self.said:
            return
        theme, own, wider = current(), getattr(self._own, name), getattr(self._wider, name)
        seen = getattr(self._seen, name, None)
        grey = "" if seen is None else self._seen_words(name, seen)
        bright = ""
        slider = self.sliders.get(name)
        if slider is not None and (own is not None or slider.touched):
            bright = field_words(name, slider.amount)
        elif own is not None and name in ("mood", "key"):
            bright = field_words(name, own)
        elif own is None and wider is not None:
            told = name not in ("chords", "theme", "avoid")
            bright = tr("cue: {}").format(field_words(name, wider)) if told else tr("from the cue")
        parts = [f"<span style='color:{theme.text}'>{bright}</span>"] if bright else []
        parts += [f"<span style='color:{theme.dim}'>{grey}</span>"] if grey else []
        self.said[name].setText("&nbsp; ".join(parts))
        self.said[name].setToolTip(tr("You: {0}. The picture: {1}").format(bright or "–", grey or "–"))

    def _seen_words(self, name: str, seen: Any) -> str:
        if isinstance(seen, Spread):
            low, high = field_words(name, seen.low), field_words(name, seen.high)
            return low if low == high else f"{low.removesuffix(' %')}–{high}"
        return field_words(name, seen)
