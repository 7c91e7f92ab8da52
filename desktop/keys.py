"""Keys between window and widgets: a list that has them keeps its arrows, a button its space, a line that is written its Enter; everything
else goes to the window; Tab goes to what is seen."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QLineEdit,
    QMenu,
    QTabBar,
    QWidget,
)  # fmt: skip

Key = Qt.Key
ALONG, DOWN = {Key.Key_Left, Key.Key_Right}, {Key.Key_Up, Key.Key_Down}
ENDS = {Key.Key_Home, Key.Key_End, Key.Key_PageUp, Key.Key_PageDown}
OWN: tuple[tuple[type[QWidget], set[Qt.Key]], ...] = (
    (QAbstractItemView, ALONG | DOWN | ENDS),
    (QAbstractSlider, ALONG | DOWN | ENDS),
    (QAbstractSpinBox, DOWN | ENDS | {Key.Key_Return, Key.Key_Enter}),
    (QLineEdit, {Key.Key_Return, Key.Key_Enter}),
    (QComboBox, DOWN | ENDS | {Key.Key_Space}),
    (QTabBar, ALONG | ENDS),
    (QAbstractButton, {Key.Key_Space}),
    (QMenu, ALONG | DOWN | ENDS | {Key.Key_Return, Key.Key_Enter, Key.Key_Space}),
)
"""Plain keys that each kind of widget is moved by; without this the window's own acts on them would come first."""
_HELD = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


def is_own(event: QEvent | None) -> bool:
    """Whether an event asks who has a key, and the widget that has the keyboard needs it for itself.

    A window answers it in its own `event`, where Qt asks last. A filter over the whole application would be called for every event, and
    wait for the interpreter each time.
    """
    if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride or event.modifiers() & _HELD:
        return False
    focus = QApplication.focusWidget()
    return any(isinstance(focus, kind) and event.key() in keys for kind, keys in OWN)


def tab_on(window: QWidget, on: bool) -> bool:
    """Gives the keys to the next widget of a window (or to the one before) that takes them by Tab and is seen; whether there is one.

    Qt itself walks into docks that lie under others: to it they are visible, and only lie beyond the window's edge.
    """
    hints = QApplication.styleHints()
    everything = hints is None or hints.tabFocusBehavior() == Qt.TabFocusBehavior.TabFocusAllControls
    taken = Qt.FocusPolicy.TabFocus if everything else Qt.FocusPolicy.StrongFocus
    first = other = window.focusWidget() or window
    while True:
        along = other.nextInFocusChain() if on else other.previousInFocusChain()
        if along is None or along is first:
            return False
        other = along
        takes = other.focusPolicy() & taken == taken and other.focusProxy() is None and other.isEnabled()
        if takes and other.window() is window and other.isVisibleTo(window) and not is_covered(other):
            other.setFocus(Qt.FocusReason.TabFocusReason if on else Qt.FocusReason.BacktabFocusReason)
            return True


def is_covered(widget: QWidget) -> bool:
    """Whether a widget belongs to a dock that lies under another."""
    above: QWidget | None = widget
    while above is not None and not isinstance(above, QDockWidget):
        above = above.parentWidget()
    return above is not None and above.visibleRegion().isEmpty()
