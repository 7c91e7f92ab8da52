"""How the window lies: as it was left while that fits, as at first where the screen or the docks are others, and never out of sight."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PyQt6.QtCore import QByteArray, QRect
from PyQt6.QtWidgets import QApplication

from desktop import arrangement
from desktop.arrangement import fits, rectangle, screens
from desktop.document import Document
from desktop.preferences import Preferences
from desktop.window import Window

LAPTOP, SECOND = QRect(0, 0, 1440, 900), QRect(1440, 0, 1920, 1080)


@pytest.fixture
def opened(qapp: QApplication, preferences: Preferences) -> Iterator[Callable[[], Window]]:
    """Opens windows one after the other, each with what the last one left."""
    made: list[Window] = []

    def open_() -> Window:
        made.append(Window(Document(), preferences))
        made[-1].show()
        return made[-1]

    yield open_
    for window in made:
        window.close()
        window.deleteLater()


def left(opened: Callable[[], Window]) -> tuple[Window, QRect]:
    """A window that was arranged and closed, and where it lay."""
    window = opened()
    window.docks["takes"].hide()
    place = QRect(20, 30, 700, 600).intersected(screens()[0])
    window.setGeometry(place)
    window.close()
    return window, place


def test_it_lies_as_it_was_left(opened: Callable[[], Window]) -> None:
    _, place = left(opened)
    window = opened()
    assert window.docks["takes"].isHidden()
    assert window.geometry().topLeft() == place.topLeft()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("window/version", "1 hits:2"),
        ("window/version", ""),
        ("window/place", "9000 9000 700 600"),
        ("window/place", "0 -400 700 600"),
        ("window/place", "0 0 5000 4000"),
        ("window/place", "somewhere"),
        ("window/places", QByteArray(b"not what Qt wrote")),
    ],
)
def test_what_does_not_fit_is_dropped_for_a_sane_arrangement(
    opened: Callable[[], Window], preferences: Preferences, key: str, value: str | QByteArray
) -> None:
    left(opened)
    preferences.set(key, value)
    window = opened()
    assert not window.docks["takes"].isHidden(), "as at first"
    assert fits(window.geometry(), screens())
    assert window.width() >= 640


def test_a_window_of_a_version_with_other_docks_is_another(opened: Callable[[], Window], monkeypatch: pytest.MonkeyPatch) -> None:
    left(opened)
    monkeypatch.setattr(arrangement, "VERSION", arrangement.VERSION + 1)
    assert not opened().docks["takes"].isHidden()


def test_docks_go_back_to_where_they_were_at_first(opened: Callable[[], Window]) -> None:
    window = opened()
    window.docks["hits"].setFloating(True)
    window.docks["roll"].hide()
    window.actions_by_name["arrange"].trigger()
    assert not window.docks["hits"].isFloating()
    assert not window.docks["roll"].isHidden()
    assert "takes" in {dock.objectName() for dock in window.tabifiedDockWidgets(window.docks["roll"])}


def test_a_place_fits_where_it_can_be_seen_and_taken_hold_of() -> None:
    assert fits(QRect(100, 100, 800, 600), [LAPTOP])
    assert fits(QRect(1000, 50, 900, 700), [LAPTOP, SECOND]), "over two screens"
    assert not fits(QRect(1000, 50, 900, 700), [LAPTOP]), "the second was taken away"
    assert not fits(QRect(0, -40, 800, 600), [LAPTOP]), "its title cannot be reached"
    assert not fits(QRect(0, 0, 1920, 1080), [LAPTOP])
    assert not fits(QRect(0, 0, 800, 600), [])


@settings(max_examples=60, deadline=None)
@given(st.integers(-4000, 4000), st.integers(-4000, 4000), st.integers(1, 4000), st.integers(1, 4000))
def test_a_place_that_is_written_is_read(x: int, y: int, wide: int, high: int) -> None:
    assert rectangle(f"{x} {y} {wide} {high}") == QRect(x, y, wide, high)
    assert rectangle(f"{x} {y} {wide}") is None
    assert rectangle(f"{x} {y} {-wide} {high}") is None
