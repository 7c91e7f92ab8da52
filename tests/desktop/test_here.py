"""Whether a window can be opened on this machine at all; where not, this one test is skipped in place of all the others."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest


def test_a_window_can_be_opened_here() -> None:
    try:
        from PyQt6 import QtWidgets
    except ImportError as error:
        pytest.skip(f"no window can be opened on this machine: {error}")
    if find_spec("pytestqt") is None:
        pytest.skip("pytest-qt is in the extra 'test'")
    assert QtWidgets.QWidget is not None
    assert os.environ["QT_QPA_PLATFORM"]
