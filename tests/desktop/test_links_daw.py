"""The DAW on the page of links: it goes along with the picture, its markers become hits, and where the film lies is kept."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot
from reaper_double import WebReaper
from sittings import on, saved, scored

from bridge.daws import generic
from bridge.doctor import Diagnosis
from bridge.marking import Marked
from bridge.ports import CONTROL, MemoryPort
from bridge.project import Project
from desktop.app import speak
from desktop.links import BEST, ITSELF, Links
from desktop.links_daw import DawBox
from desktop.links_markers import Markers
from desktop.window import Window
from engines.errors import HitpointError
from engines.picture.cutlist import Marker as CutMarker
from engines.picture.timecode import Timecode
from engines.score.smf import Score, write_smf
from engines.score.smf_reader import Marker
from engines.spotting.tempo import TempoMap

PATIENCE = 60_000
NTSC = Fraction(30000, 1001)


@pytest.fixture
def session(qapp: QApplication, window: Window, qtbot: QtBot, trio: str, tmp_path: Path) -> Path:
    speak(qapp, "en")
    window.heard.on = False  # what is played is another matter
    path = saved(scored(), tmp_path / "cue.hitpoint")
    with qtbot.waitSignal(window.document.drawn, timeout=PATIENCE):
        window.document.open(path)
    return path


@pytest.fixture
def page(session: Path, window: Window, qtbot: QtBot) -> Iterator[Links]:
    made = Links(window.document, window.transport, window, look=lambda _: Diagnosis(()))
    qtbot.addWidget(made)
    qtbot.waitUntil(made.daw.daw.isEnabled, timeout=PATIENCE)
    yield made
    window.heard.driven.choose(None)


def choose(page: Links, daw: str, qtbot: QtBot) -> None:
    page.daw.daw.setCurrentIndex(page.daw.daw.findData(daw))
    page.daw.daw.activated.emit(page.daw.daw.currentIndex())
    qtbot.waitUntil(lambda: page.daw.project.daw == daw, timeout=PATIENCE)


def place(page: Links, text: str) -> None:
    page.daw.at.setText(text)
    page.daw.at.editingFinished.emit()


def test_where_the_film_lies_is_kept_with_the_session(page: Links, session: Path, qtbot: QtBot, window: Window) -> None:
    box = page.daw
    assert (box.daw.currentIndex(), box.at.text(), box.read.isEnabled()) == (-1, "", False)
    choose(page, "reaper", qtbot)
    place(page, "01:00:00:12")
    qtbot.waitUntil(lambda: box.project.at == Fraction(7201, 2), timeout=PATIENCE)
    assert Project.of(session) == Project("reaper", Fraction(7201, 2))
    refused: list[HitpointError] = []
    box.refused.connect(refused.append)
    place(page, "soon")
    assert box.at.text() == "01:00:00:12"
    assert len(refused) == 1
    assert refused[0].cure
    again = DawBox(window.document)
    qtbot.addWidget(again)
    qtbot.waitUntil(lambda: again.at.text() == "01:00:00:12", timeout=PATIENCE)
    assert again.daw.currentData() == "reaper"


def test_space_has_the_daw_go_along_by_machine_control(
    page: Links, qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports: dict[str, MemoryPort] = {}
    monkeypatch.setattr(generic, "SystemPort", lambda name, virtual: ports.setdefault(name, MemoryPort()))
    assert not page.daw.along.isEnabled()
    choose(page, "generic", qtbot)
    place(page, "01:00:00:00")
    qtbot.waitUntil(lambda: page.daw.project.at == 3600, timeout=PATIENCE)

    def told() -> list[str]:
        return [message.hex() for _, message in ports[CONTROL].sent] if CONTROL in ports else []

    page.daw.along.click()
    qtbot.waitUntil(lambda: told()[-2:] == ["f07f7f0601f7", "f07f7f06440601" + "0100000000" + "f7"], timeout=PATIENCE)
    window.transport.locate(60)
    qtbot.waitUntil(lambda: told()[-1] == "f07f7f06440601" + "0100020c00" + "f7", timeout=PATIENCE)
    window.actions_by_name["play"].trigger()
    qtbot.waitUntil(lambda: told()[-1] == "f07f7f0603f7", timeout=PATIENCE)
    window.actions_by_name["play"].trigger()
    qtbot.waitUntil(lambda: "f07f7f0601f7" in told()[-2:], timeout=PATIENCE)
    page._show_ports({"ALSA": ([], ["IAC Bus 1"])})
    assert page.daw.control.isVisibleTo(page)
    page.daw.control.setCurrentIndex(1)
    page.daw.control.activated.emit(1)
    qtbot.waitUntil(lambda: page.daw.project.midi == "system:IAC Bus 1", timeout=PATIENCE)
    window.transport.locate(24)
    qtbot.waitUntil(lambda: "IAC Bus 1" in ports and len(ports["IAC Bus 1"].sent) == 2, timeout=PATIENCE)
    count = len(told())
    window.transport.follow(lambda: window.heard.reading())
    window.transport.follow(None)
    page.daw.along.click()
    window.transport.locate(90)
    assert window.heard.driven.daw is None
    window.document.studio.neighbours.driver.settle()
    assert len(told()) == count
    assert len(ports["IAC Bus 1"].sent) == 2


def test_reaper_leads_by_its_own_interface_and_goes_along_when_it_does_not(
    page: Links, session: Path, qtbot: QtBot, window: Window
) -> None:
    web, neighbours = WebReaper(), window.document.studio.neighbours
    where = neighbours.address
    neighbours.address = lambda daw, port=None, folder=None, midi=None: where(daw, web.port, folder, midi)  # type: ignore[method-assign]
    try:
        choose(page, "reaper", qtbot)
        page.daw.along.click()
        window.transport.locate(48)
        qtbot.waitUntil(lambda: web.position == 2.0, timeout=PATIENCE)
        window.transport.play()
        qtbot.waitUntil(lambda: web.state == 1, timeout=PATIENCE)
        window.transport.stop()
        qtbot.waitUntil(lambda: web.state == 0, timeout=PATIENCE)
        web.position = 4.5
        page.follow(BEST)
        qtbot.waitUntil(lambda: neighbours.daw == "reaper", timeout=PATIENCE)
        qtbot.waitUntil(lambda: window.transport.frame == 108, timeout=PATIENCE)
        page.follow(ITSELF)
        qtbot.waitUntil(lambda: neighbours.daw is None, timeout=PATIENCE)
    finally:
        neighbours.driver.drop("reaper")
        web.close()


def test_of_the_markers_that_were_read_the_ticked_ones_become_hits(
    page: Links, session: Path, qtbot: QtBot, window: Window
) -> None:
    now = window.document.now
    assert now is not None
    there = now.session.hits[0].frame
    frames = {there: "cut", there + 7: "slam", there + 9: "turn", now.session.film.frames + 5: "after"}
    folder = session.parent / "cue-midi"
    folder.mkdir()
    rows = tuple(Marker(Fraction(frame, 24), name) for frame, name in frames.items())
    write_smf(folder / "from-logic.mid", Score(TempoMap.steady(96), (), markers=rows))
    choose(page, "folder", qtbot)
    assert not page.daw.along.isEnabled()
    page.daw.read.click()
    qtbot.waitUntil(lambda: page.daw.markers is not None, timeout=PATIENCE)
    shown = page.daw.markers
    assert shown is not None
    texts = [shown.rows.item(k).text() for k in range(4)]  # type: ignore[union-attr]
    assert texts[0].endswith("(is a hit)")
    assert texts[3].endswith("(outside the film)")
    assert shown.chosen == [2, 3]
    row = shown.rows.item(1)
    assert row is not None
    row.setCheckState(Qt.CheckState.Unchecked)
    shown.weight.setValue(0.5)
    with qtbot.waitSignal(window.document.session_changed, timeout=PATIENCE):
        shown.accept()
    marked = {hit.frame: hit for hit in window.document.now.session.hits}  # type: ignore[union-attr]
    assert set(marked) == {hit.frame for hit in now.session.hits} | {there + 9}
    assert (marked[there + 9].label, marked[there + 9].weight) == ("turn", 0.5)
    with qtbot.waitSignal(window.document.session_changed, timeout=PATIENCE):
        window.document.undo()
    assert window.document.now.session.hits == now.session.hits  # type: ignore[union-attr]


def test_the_end_of_a_region_is_a_row_that_is_not_ticked_by_itself(page: Links, window: Window, qtbot: QtBot) -> None:
    now = window.document.now
    assert now is not None
    begins, ends = now.session.hits[0].frame + 5, now.session.hits[0].frame + 40
    assert not {begins, ends} & {hit.frame for hit in now.session.hits}
    rows = (CutMarker(begins, "verse", length=35), CutMarker(ends, "verse end"))
    shown = Markers(Marked("reaper", rows, now.session, frozenset({2})), window.document)
    qtbot.addWidget(shown)
    assert [shown.rows.item(k).text().split("   ")[1:] for k in range(2)] == [["verse"], ["end of verse"]]  # type: ignore[union-attr]
    assert shown.chosen == [1]
    row = shown.rows.item(1)
    assert row is not None
    row.setCheckState(Qt.CheckState.Checked)
    with qtbot.waitSignal(window.document.session_changed, timeout=PATIENCE):
        shown.accept()
    marked = {hit.frame: hit.label for hit in window.document.now.session.hits}  # type: ignore[union-attr]
    assert (marked[begins], marked[ends]) == ("verse", "verse end")


def test_a_place_in_a_film_of_drop_frame_is_shown_as_it_counts(
    page: Links, session: Path, qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    film = saved(on(scored(), Timecode.parse("01:00:00;00", NTSC)), tmp_path / "drop.hitpoint")
    with qtbot.waitSignal(window.document.drawn, timeout=PATIENCE):
        window.document.open(film)
    refused: list[HitpointError] = []
    page.daw.refused.connect(refused.append)
    for text, shown, seconds in (
        ("01:00:00:00", "01:00:00;00", Fraction(107892 * 1001, 30000)),
        ("01:00:00:00 ndf", "01:00:00:00 ndf", Fraction("3603.6")),
    ):
        place(page, text)
        qtbot.waitUntil(lambda seconds=seconds: page.daw.project.at == seconds, timeout=PATIENCE)  # type: ignore[misc]
        assert page.daw.at.text() == shown
    place(page, "00:01:00:00")
    assert str(refused[0]).startswith("Film at: timecode 00:01:00:00 does not exist in drop-frame")
    assert page.daw.at.text() == "01:00:00:00 ndf"


def test_the_project_of_ardour_is_asked_for_and_a_daw_that_is_away_says_so(
    page: Links, session: Path, qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(page, "ardour", qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(session.parent))
    page.daw.file.click()
    qtbot.waitUntil(lambda: page.daw.project.file == session.parent, timeout=PATIENCE)
    assert page.daw.file.text() == session.parent.name
    with qtbot.waitSignal(page.daw.refused, timeout=PATIENCE) as refused:
        page.daw.read.click()
    assert "no session of Ardour" in str(refused.args[0])
    assert page.daw.read.isEnabled()


def test_it_speaks_chinese(page: Links, qapp: QApplication, window: Window, qtbot: QtBot) -> None:
    speak(qapp, "zh")
    try:
        box = DawBox(window.document)
        qtbot.addWidget(box)
        assert box.read.text() == "读取标记"
    finally:
        speak(qapp, "en")
