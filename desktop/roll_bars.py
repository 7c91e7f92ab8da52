"""The scroll bars of the piano roll: what of the reel and of the keyboard is in view."""

from __future__ import annotations

from PyQt6.QtWidgets import QScrollBar

from desktop.roll_paint import HIGHEST, LOWEST, Frame


def set_bars(across: QScrollBar, down: QScrollBar, frame: Frame) -> None:
    """Brings both in line with a frame; neither says that it was moved."""
    scale, high = frame.scale, frame.notes.height()
    for bar in (across, down):
        bar.blockSignals(True)
    across.setRange(0, max(0, round((scale.length - scale.width * scale.step) / scale.step)))
    across.setPageStep(scale.width)
    across.setSingleStep(40)
    across.setValue(round(scale.left / scale.step))
    down.setRange(0, max(0, round((HIGHEST - LOWEST + 1 - high / frame.key) * frame.key)))
    down.setPageStep(round(high))
    down.setSingleStep(round(3 * frame.key))
    down.setValue(round((HIGHEST - frame.top) * frame.key))
    for bar in (across, down):
        bar.blockSignals(False)
