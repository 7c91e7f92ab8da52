"""The look: two palettes of neutral greys with one accent, dark and light, and the metrics that every part keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication, QWidget
from PyQt6.sip import isdeleted

Choice = Literal["system", "dark", "light"]

STYLE = "fusion"
"""Qt's own that looks alike on every system."""
GAP = 6
"""Pixels between things that belong together; twice as many between those that do not."""
ROW = 24
"""Pixels: the height of a row, a field or a button."""


@dataclass(frozen=True)
class Theme:
    """Colours by what they mean. The verdicts of a hit are told apart by shape as well (see `desktop.lanes.hits`); their hues are
    those of Okabe and Ito, which colour-blind people tell apart too."""

    name: str
    ground: str
    panel: str
    raised: str
    line: str
    text: str
    dim: str
    faint: str
    accent: str
    on_accent: str
    on: str
    near: str
    missed: str
    silent: str
    shade: str

    def colour(self, name: str, alpha: int = 255) -> QColor:
        """One of the colours, with 0..255 of opacity; made once, and not to be changed."""
        return _colour(getattr(self, name), alpha)


@cache
def _colour(name: str, alpha: int) -> QColor:
    colour = QColor(name)
    colour.setAlpha(alpha)
    return colour


DARK = Theme(
    "dark",
    ground="#1b1c1e",
    panel="#232427",
    raised="#2e3034",
    line="#3b3d42",
    text="#d8d9db",
    dim="#96999f",
    faint="#5d6067",
    accent="#5aa9e6",
    on_accent="#0e1a24",
    on="#2fb58a",
    near="#e6a23c",
    missed="#ef6a4c",
    silent="#8b8e95",
    shade="#151617",
)
LIGHT = Theme(
    "light",
    ground="#e9eaec",
    panel="#f4f4f5",
    raised="#ffffff",
    line="#c9cbd0",
    text="#1f2124",
    dim="#5f636a",
    faint="#9a9ea6",
    accent="#1769aa",
    on_accent="#ffffff",
    on="#00785a",
    near="#9a6200",
    missed="#c23a1c",
    silent="#6f737a",
    shade="#dcdde0",
)

_worn = DARK


def current() -> Theme:
    """The theme that the window wears now."""
    return _worn


def wanted(choice: Choice) -> Theme:
    """The theme of a choice; ``system`` follows what the desktop says, and is dark where it says nothing."""
    if choice != "system":
        return DARK if choice == "dark" else LIGHT
    hints = QGuiApplication.styleHints()
    return LIGHT if hints is not None and hints.colorScheme() == Qt.ColorScheme.Light else DARK


def wear(application: QApplication, choice: Choice) -> Theme:
    """Dresses the whole program; every widget hears of it as a change of palette. Windows that are on the screen change in three turns of
    the loop, since Qt takes four times as long to change one sheet for another as to put one off and one on."""
    global _worn
    _worn = wanted(choice)
    if not application.styleSheet() and ((style := application.style()) is None or style.name() != STYLE):
        application.setStyle(STYLE)
    seen = [window for window in application.topLevelWidgets() if window.isVisible() and window.updatesEnabled()]
    if application.styleSheet() not in ("", _sheet(_worn)):
        for window in seen:
            window.setUpdatesEnabled(False)  # what is bare for a moment is not seen
        application.setStyleSheet("")
    if seen and not application.styleSheet():
        QTimer.singleShot(0, lambda: _dress(application, seen))
    else:
        _dress(application, seen)
    return _worn


def _dress(application: QApplication, windows: list[QWidget]) -> None:
    application.setPalette(_palette(_worn))
    if application.styleSheet() != (sheet := _sheet(_worn)):
        application.setStyleSheet(sheet)
    if windows:
        QTimer.singleShot(0, lambda: _uncover(windows))  # painting all of it is a turn of its own


def _uncover(windows: list[QWidget]) -> None:
    for window in windows:
        if not isdeleted(window):
            window.setUpdatesEnabled(True)


def figures(points: float = 9.0, bold: bool = False) -> QFont:
    """The face of timecode and counts: every digit as wide as the next."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPointSizeF(points)
    font.setBold(bold)
    return font


def _palette(theme: Theme) -> QPalette:
    palette, role = QPalette(), QPalette.ColorRole
    for part, name in (
        (role.Window, "panel"), (role.WindowText, "text"), (role.Base, "ground"), (role.AlternateBase, "panel"),
        (role.Text, "text"), (role.PlaceholderText, "faint"), (role.Button, "raised"), (role.ButtonText, "text"),
        (role.BrightText, "missed"), (role.Highlight, "accent"), (role.HighlightedText, "on_accent"), (role.Link, "accent"),
        (role.ToolTipBase, "raised"), (role.ToolTipText, "text"), (role.Light, "raised"), (role.Mid, "line"),
        (role.Midlight, "raised"), (role.Dark, "shade"), (role.Shadow, "shade"), (role.Accent, "accent"),
    ):  # fmt: skip
        palette.setColor(part, theme.colour(name))
    for part in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, part, theme.colour("faint"))
    return palette


def _sheet(theme: Theme) -> str:
    return f"""
    QMainWindow, QDialog {{ background: {theme.panel}; }}
    QLabel[rank="dim"] {{ color: {theme.dim}; }}
    QLabel[rank="faint"] {{ color: {theme.faint}; }}
    QLabel[rank="missed"] {{ color: {theme.missed}; }}
    QFrame[rank="rule"] {{ color: {theme.line}; }}
    MessageBar {{ background: {theme.raised}; border-bottom: 1px solid {theme.line}; border-left: 3px solid {theme.accent}; }}
    MessageBar[kind="error"] {{ border-left-color: {theme.missed}; }}
    MessageBar QLabel[rank="mark"] {{ color: {theme.accent}; }}
    MessageBar[kind="error"] QLabel[rank="mark"] {{ color: {theme.missed}; }}
    QMainWindow::separator {{ background: {theme.shade}; width: 3px; height: 3px; }}
    QMainWindow::separator:hover {{ background: {theme.accent}; }}
    QDockWidget {{ color: {theme.dim}; font-weight: 600; }}
    QDockWidget::title {{ background: {theme.panel}; padding: 5px 8px; border-bottom: 1px solid {theme.line}; }}
    QLabel[quiet="true"] {{ color: {theme.dim}; }}
    QTabBar::tab {{ background: {theme.panel}; color: {theme.dim}; padding: 5px 12px; border: 0; }}
    QTabBar::tab:selected {{ color: {theme.text}; border-bottom: 2px solid {theme.accent}; }}
    QMenuBar {{ background: {theme.panel}; padding: 1px 4px; }}
    QMenuBar::item {{ padding: 4px 8px; background: transparent; }}
    QMenuBar::item:selected, QMenu::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
    QMenu {{ background: {theme.raised}; border: 1px solid {theme.line}; padding: 4px 0; }}
    QMenu::item {{ padding: 4px 28px 4px 22px; }}
    QMenu::item:disabled {{ color: {theme.faint}; background: transparent; }}
    QMenu::separator {{ height: 1px; background: {theme.line}; margin: 4px 8px; }}
    QToolTip {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.line}; padding: 4px 6px; }}
    QPushButton, QToolButton {{ background: {theme.raised}; border: 1px solid {theme.line}; border-radius: 3px;
        padding: 3px 10px; min-height: {ROW - 10}px; }}
    QToolButton {{ padding: 3px 6px; }}
    QPushButton:hover, QToolButton:hover {{ border-color: {theme.dim}; }}
    QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{ background: {theme.line}; }}
    QPushButton:focus, QToolButton:focus {{ border-color: {theme.accent}; }}
    QPushButton:default, QPushButton[primary="true"] {{ background: {theme.accent}; color: {theme.on_accent};
        border-color: {theme.accent}; font-weight: 600; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {theme.faint}; border-color: {theme.line};
        background: {theme.panel}; font-weight: normal; }}
    QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QListView, QTableView, QTreeView {{
        background: {theme.ground}; border: 1px solid {theme.line}; border-radius: 3px; }}
    QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ padding: 2px 6px; min-height: {ROW - 8}px; }}
    QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QListView:focus, QTableView:focus {{
        border-color: {theme.accent}; }}
    QLineEdit[refused="true"], QLineEdit[refused="true"]:focus {{ border: 1px solid {theme.missed}; color: {theme.missed}; }}
    QHeaderView::section {{ background: {theme.panel}; color: {theme.dim}; border: 0; border-bottom: 1px solid {theme.line};
        padding: 4px 6px; }}
    QProgressBar {{ background: {theme.ground}; border: 1px solid {theme.line}; border-radius: 3px; height: 12px;
        text-align: center; color: {theme.text}; }}
    QProgressBar::chunk {{ background: {theme.accent}; }}
    QStatusBar {{ background: {theme.panel}; color: {theme.dim}; border-top: 1px solid {theme.line}; }}
    QStatusBar::item {{ border: 0; }}
    QScrollBar:horizontal {{ background: {theme.ground}; height: 12px; margin: 0; }}
    QScrollBar:vertical {{ background: {theme.ground}; width: 12px; margin: 0; }}
    QScrollBar::handle {{ background: {theme.line}; border-radius: 4px; margin: 2px; min-width: 24px; min-height: 24px; }}
    QScrollBar::handle:hover {{ background: {theme.faint}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """
