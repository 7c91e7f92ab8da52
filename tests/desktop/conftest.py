"""Windows of tests: off the screen, with preferences of their own, and every thread ended by the test that started it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import pytest
from numbered_films import write_film

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is loaded
try:
    from PyQt6 import QtTest, QtWidgets  # noqa: F401
except ImportError as error:
    NO_WINDOW = f"no window can be opened on this machine: {error}"
else:
    NO_WINDOW = "" if find_spec("pytestqt") else "pytest-qt is in the extra 'test'"

if NO_WINDOW:  # their imports would fail; test_here.py says why there are none
    collect_ignore = [path.name for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_here.py"]


@pytest.fixture(scope="session")
def long_gop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds at 24 with a key frame every ten seconds, from 01:00:00:00."""
    return write_film(tmp_path_factory.mktemp("films") / "long.mov", 480, Fraction(24), 240, start="01:00:00:00")


@pytest.fixture(scope="session")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose frames last 20, 60 and 100 ms in turn."""
    times, now = [], 0
    for k in range(150):
        times.append(now)
        now += (20, 60, 100)[k % 3]
    return write_film(tmp_path_factory.mktemp("films") / "uneven.mkv", 150, Fraction(25), 30, times, Fraction(1, 1000))


@pytest.fixture
def preferences(tmp_path: Path) -> object:
    """Preferences in a file of the test's own."""
    from PyQt6.QtCore import QSettings

    from desktop.preferences import Preferences

    made = Preferences(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    made.set("music", False)  # a player is a process of its own: the test of the music has one
    return made


@pytest.fixture
def window(qapp: object, preferences: object, trio: str) -> Iterator[object]:
    """A window on the screen of nobody, nothing open; the engine of films opened in it is the quick one of `sittings`."""
    from PyQt6.QtCore import QCoreApplication, QEvent

    from desktop import theme
    from desktop.app import speak
    from desktop.document import Document
    from desktop.window import Window

    theme.wear(qapp, "dark")  # type: ignore[arg-type]
    speak(qapp, "en")  # type: ignore[arg-type]
    document = Document()
    made = Window(document, preferences)  # type: ignore[arg-type]
    made.resize(1200, 800)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def with_trio(trio: str) -> Callable[[object], None]:
    """Lets the open film of a document be scored by the quick engine."""

    def change(document: object) -> None:
        studio = document.studio  # type: ignore[attr-defined]
        studio.film = replace(studio.film, wishes=replace(studio.film.wishes, engine=trio))

    return change
