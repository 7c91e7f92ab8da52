"""Whether a window can be opened on this machine at all; where not, this one test is skipped in place of all the others."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

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


def test_where_no_window_can_be_opened_the_verb_says_so_in_one_line() -> None:
    """A name that is None in sys.modules raises ImportError, as if the library were not installed."""
    for verb in ([], ["app"]):
        code = f"import sys; sys.modules['PyQt6'] = None; import main; sys.exit(main.main({verb!r}))"
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("hitpoint: no window can be opened here")
        assert len(done.stderr.strip().splitlines()) == 1
