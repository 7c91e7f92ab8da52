"""What gives way where it is narrow: columns in their order, lines of words with the rest on hovering, sentences in menus."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from sittings import few

from desktop.eliding import Elided, short
from desktop.row_list import shared

WIDTHS = st.lists(st.tuples(st.integers(20, 300), st.integers(0, 300)).map(lambda w: (max(w), min(w))), min_size=3, max_size=6)


@few(200)
@given(widths=WIDTHS, room=st.integers(0, 2500), data=st.data())
def test_columns_fill_the_room_and_the_last_to_give_is_whole_while_others_can(
    widths: list[tuple[int, int]], room: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(widths))))
    cut = data.draw(st.integers(1, len(widths) - 1))
    first, last = order[:cut], order[cut:]
    out = shared(room, widths, order[:2], (first, last))
    wanted, least = sum(w for w, _ in widths), sum(n for _, n in widths)
    assert all(width >= low for width, (_, low) in zip(out, widths, strict=True))
    assert sum(out) == max(room, least)
    if room >= wanted:
        assert [k for k, (width, (high, _)) in enumerate(zip(out, widths, strict=True)) if width > high] in (
            [],
            *_some(order[:2]),
        )
    elif any(out[k] > widths[k][1] for k in first):
        assert all(out[k] == widths[k][0] for k in last)


def _some(two: list[int]) -> list[list[int]]:
    return [sorted(two), [two[0]], [two[1]]]


def test_a_line_gives_way_and_is_never_lost(qapp: QApplication, qtbot: QtBot) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    row = QHBoxLayout(box)
    label, plain = Elided(box, 30, "Keep the piano of bars 3 to 8 & <b>more</b>"), QWidget(box)
    plain.setFixedWidth(60)
    row.addWidget(label)
    row.addWidget(plain)
    box.resize(900, 40)
    box.show()
    assert label.shown == label.text()
    whole = label.grab().toImage()
    box.resize(160, 40)
    qtbot.waitUntil(lambda: label.width() < 120)
    assert box.size() == QSize(160, 40)
    assert label.shown.endswith("…")
    assert label.text().startswith(label.shown[:-1])
    assert label.grab().toImage() != whole
    assert label.text() == "Keep the piano of bars 3 to 8 & <b>more</b>"  # screen readers have all of it


def test_a_sentence_in_a_menu_is_short() -> None:
    long = "Keep piano@1.3, piano@2, piano@2.3, piano@3, piano@3.3, piano@4 of scene 1"
    assert len(short(long)) <= 50
    assert short(long).endswith("…")
    assert long.startswith(short(long)[:-1])
    assert short("Score the cue") == "Score the cue"
