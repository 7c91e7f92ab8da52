"""The page of links: what the doctor says, what is heard now, who leads, and which ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sittings import on, saved, scored

from bridge.chase import PRECISION, Chase
from bridge.doctor import Diagnosis, Finding, source
from bridge.events import Subscribers
from bridge.midi_clock import ClockReader
from bridge.mtc import MtcReader, quarter_frame
from bridge.places import Place
from bridge.playback import Playback
from bridge.player.messages import Inlet, Outlet, Socket, Status
from bridge.studio import Studio
from desktop.app import speak
from desktop.document import Document
from desktop.jitter import SCALES, Jitter, Point
from desktop.language import said_elsewhere
from desktop.links import BEST, ITSELF, Links
from desktop.links_ports import sent_as_kept
from desktop.links_rows import COLOURS, link_words, state_words, told
from desktop.transport import Transport
from desktop.window import Window
from engines.commands import Title
from engines.picture.timecode import Timecode

PATIENCE = 60_000
RATE = Fraction(24)
FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
STILL = "on Linux start JACK or PipeWire, or load the module snd-seq; notes can be placed as files in any case"
FOUND = Diagnosis(
    (
        Finding("JACK", "absent", "no server runs; live notes go through the system's own MIDI"),
        Finding("DAW folder", "well", "MIDI files to drag into any DAW are written to /music"),
        Finding("MIDI", "broken", "no MIDI system is known here", STILL),
    )
)


class Deaf:
    """A player that plays nothing and writes down what it was told."""

    def __init__(self, routes: Any = (), inlets: Any = (), on_status: Any = None) -> None:
        self.status = Status()
        self.told: list[tuple[str, Any]] = [("open", tuple(inlets))]

    def _note(self, name: str) -> Callable[..., None]:
        return lambda *given: self.told.append((name, given[0] if given else None))

    def __getattr__(self, name: str) -> Callable[..., None]:
        return self._note(name)


class Tape:
    """Timecode and beat clock of a DAW, as they come over a wire with some jitter; `status` is what a player would say of them."""

    def __init__(self, rate: Fraction = RATE, jitter_s: float = 0.001, speed: float = 1) -> None:
        picture = rate if rate.denominator > 1 else RATE
        self.chase = Chase(picture)
        self.readers = MtcReader("MTC from the DAW", picture), ClockReader("clock from the DAW")
        self.quarter = 1 / 4 / float(picture) / speed
        self.jitter, self.rng, self.count, self.order = jitter_s, Random(1), 0, 0
        self.rate = rate

    def status(self, until: float) -> Status:
        """After ``until`` seconds."""
        while self.count * self.quarter < until:
            k, self.count = self.count, self.count + 1
            at = round((k * self.quarter + abs(self.rng.gauss(0, self.jitter))) * 1e9)
            label = Timecode(3600 * 24 + k // 8 * 2, self.rate)
            messages = [(self.readers[0], quarter_frame(label, k % 8))]
            if k % 4 == 0:
                messages.append((self.readers[1], b"\xfa" if not k else b"\xf8"))
            for reader, message in messages:
                report = reader.feed(message, at)
                if report is not None:
                    self.chase.hear(report)
        self.order += 1
        now = round((until + 0.02) * 1e9)
        sockets = (Socket("Hitpoint sync", "virtual"), Socket("IAC Bus 1", "system", "went away"))
        return Status(
            self.order,
            follows=True,
            rolling=True,
            reading=self.chase.at(now),
            standings=self.chase.standings(now),
            inlets=sockets,
        )


class Page:
    """The page over a document whose player is deaf."""

    def __init__(self, document: Document, page: Links, bot: QtBot) -> None:
        self.document, self.page, self.bot = document, page, bot
        self.now = 0.0
        page.live._clock = lambda: self.now

    @property
    def player(self) -> Deaf:
        player = self.document.studio.playback._player
        assert isinstance(player, Deaf)
        return player

    def hear(self, tape: Tape, seconds: float) -> None:
        """Lets so many seconds of a tape go by, a look every tenth."""
        if self.document.studio.playback.status is None:
            self.document.studio.playback.open()
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.player.status = tape.status(self.now)
            self.page.live.look()


@pytest.fixture
def page(qapp: QApplication, qtbot: QtBot, trio: str, tmp_path: Path) -> Iterator[Page]:
    speak(qapp, "en")
    document = Document(Studio(player=Deaf))  # type: ignore[arg-type]
    with qtbot.waitSignal(document.drawn, timeout=PATIENCE):
        document.open(saved(scored(), tmp_path / "cue.hitpoint"))
    made = Links(document, Transport(), look=lambda _: FOUND)
    made.resize(420, 700)
    qtbot.addWidget(made)
    yield Page(document, made, qtbot)
    made.hide()
    speak(qapp, "en")
    document.close()


def test_the_doctor_is_asked_when_the_page_is_first_seen(page: Page) -> None:
    assert page.page.model.findings == ()
    page.page.show()
    page.bot.waitUntil(lambda: len(page.page.model.findings) == 3, timeout=PATIENCE)
    assert page.page.said.text() == "1 link does not work"
    said = [page.page.model.data(page.page.model.index(k), Qt.ItemDataRole.AccessibleTextRole) for k in range(3)]
    assert said[2].startswith("MIDI, does not work: no MIDI system is known here. on Linux start JACK")
    assert not page.page.grab().toImage().isNull()


def test_it_looks_again_for_another_session_once_it_is_seen(page: Page, tmp_path: Path) -> None:
    asked: list[Path | None] = []

    def look(path: Path | None) -> Diagnosis:
        asked.append(path)
        return Diagnosis((Finding("DAW folder", "well", f"MIDI files to drag into any DAW are written to {path}"),))

    page.page._look = look
    page.page.show()
    page.bot.waitUntil(lambda: bool(asked) and "cue.hitpoint" in str(page.page.model.findings[-1:]), timeout=PATIENCE)
    other = saved(scored(), tmp_path / "other.hitpoint")
    page.document.open(other)
    page.bot.waitUntil(lambda: "other.hitpoint" in str(page.page.model.findings[-1:]), timeout=PATIENCE)
    assert [None if path is None else path.name for path in asked] == ["cue.hitpoint", "other.hitpoint"]
    page.document.act(Title("1m9"))
    page.bot.waitUntil(lambda: page.document.now is not None and page.document.now.session.cue == "1m9", timeout=PATIENCE)
    assert len(asked) == 2  # an act changes no link
    page.page.hide()
    page.document.open(tmp_path / "cue.hitpoint")
    page.bot.waitUntil(lambda: page.document.now is not None and page.document.now.path.name == "cue.hitpoint", timeout=PATIENCE)
    assert len(asked) == 2  # nobody looks
    page.page.show()
    page.bot.waitUntil(lambda: len(asked) == 3, timeout=PATIENCE)


def test_it_looks_only_while_it_is_seen(page: Page) -> None:
    assert not page.page.live._timer.isActive()
    page.page.show()
    assert page.page.live._timer.isActive()
    page.page.hide()
    assert not page.page.live._timer.isActive()


def test_what_is_heard_stands_first_with_its_figures(page: Page) -> None:
    page.page.show()
    tape = Tape()
    page.hear(tape, 4)
    standings = page.page.live.standings
    rows = page.page.model.findings
    assert [link_words(row) for row in rows[:2]] == ["MTC from the DAW", "clock from the DAW"]
    assert rows[0] == source(standings[0], RATE, False)
    assert "locked, 24 fps" in rows[0].said
    assert page.page.timecode.text().startswith("01:00:0")
    assert "leads" in page.page.why.text()
    assert standings[0].why in page.page.why.text()
    assert f"leads: {standings[0].why}" in rows[0].said
    assert f"does not lead: {standings[1].why}" in rows[1].said
    assert standings[1].why
    assert f"{standings[0].fix.jitter_ms:.1f}" in page.page.plotted.text()
    faults = [row for row in rows if row.link.startswith("port ")]
    assert [(row.link, row.state) for row in faults] == [("port Hitpoint sync", "well"), ("port IAC Bus 1", "broken")]


def test_a_wrong_rate_is_a_fault_with_its_cure(page: Page) -> None:
    page.page.show()
    page.hear(Tape(Fraction(25)), 3)
    row = page.page.model.findings[0]
    assert row.state == "broken"
    assert "set the project's frame rate in the DAW to 24" in row.cure


def test_timecode_that_counts_otherwise_than_the_film_in_its_project_is_a_fault(page: Page, tmp_path: Path) -> None:
    film = saved(on(scored(), Timecode.parse("01:00:00;00", NTSC)), tmp_path / "drop.hitpoint")
    with page.bot.waitSignal(page.document.drawn, timeout=PATIENCE):
        page.document.open(film)
    page.page.show()
    page.hear(Tape(NTSC), 3)
    row = page.page.model.findings[0]
    assert row.state == "broken"
    assert "it counts non-drop and the film drop-frame, 108 frames (3.6 s) away for every hour" in row.cure
    lies = Place.in_project("01:00:00:00 ndf", Timecode(0, NTSC, True))
    page.document.studio.neighbours.lie(at=lies)
    page.page.daw.look()
    page.bot.waitUntil(lambda: page.page.daw.project.drop is False, timeout=PATIENCE)
    page.hear(Tape(NTSC), 3)
    assert page.page.model.findings[0].state == "well"


def test_film_that_is_pulled_down_and_a_daw_that_is_not_are_told_apart_in_both_languages(page: Page, qapp: QApplication) -> None:
    found = []
    for speed in (1.001, 1.0):
        tape = Tape(FILM, speed=speed)
        found += [source(tape.status(seconds).standings[0], FILM, False) for seconds in (1, 6)]
    assert [row.state for row in found] == ["well", "broken", "well", "well"]
    counted = source(Tape(NTSC).status(3).standings[0], NTSC, True)
    other = source(Tape(Fraction(25)).status(3).standings[0], RATE, False)
    speak(qapp, "zh")
    for text in (found[0].said, found[1].said, found[1].cure, found[3].said, counted.cure, other.cure):
        assert told(text) != text
        assert not {"fps", "hour", "film", "set"} & set(told(text).split())
    assert "24 帧/秒" in told(found[1].said)
    assert "23.976 帧/秒" in told(found[3].said)


def test_the_plot_holds_ten_seconds_and_follows_the_selected_source(page: Page) -> None:
    page.page.show()
    page.hear(Tape(), 12)
    points = page.page.live.points["MTC from the DAW"]
    assert points[-1].at - points[0].at <= 10
    assert points[-1].at - points[0].at > 9
    page.page.list.setCurrentIndex(page.page.model.index(1))
    page.page.live.look()
    assert page.page.plotted.text().startswith("clock from the DAW")


@pytest.mark.parametrize(("offset", "jitter", "scale"), [(0.2, 0.5, 1), (-3, 1.5, 5), (30, 60, 100), (4_000, 0, 1_000)])
def test_the_plot_s_scale_holds_what_was_locked(qapp: QApplication, offset: float, jitter: float, scale: float) -> None:
    plot = Jitter()
    plot.show_points([Point(1, 9_999, 0, False), Point(2, offset, jitter, True), Point(3, offset, jitter, True)])
    assert plot.scale == scale
    assert plot.scale in SCALES
    assert f"{offset:+.1f}" in plot.accessibleDescription()
    plot.resize(300, 100)
    image = plot.grab().toImage()
    assert len({image.pixelColor(x, 50).name() for x in range(60, 290)}) > 1
    plot.show_points([])
    assert plot.accessibleDescription() == "nothing heard"


def test_who_leads_is_chosen_and_the_inputs_opened_for_it(window: Window, qtbot: QtBot, trio: str, tmp_path: Path) -> None:
    window.document.studio.playback._make = Deaf  # type: ignore[assignment]
    with qtbot.waitSignal(window.document.drawn, timeout=PATIENCE):
        window.document.open(saved(scored(), tmp_path / "cue.hitpoint"))
    page = Links(window.document, window.transport, window, look=lambda _: FOUND)
    page.follow(BEST)
    assert window.transport.follows
    assert window.actions_by_name["follow"].isChecked()
    playback = window.document.studio.playback
    qtbot.waitUntil(lambda: isinstance(playback._player, Deaf) and ("follow", None) in playback._player.told, timeout=PATIENCE)
    player = playback._player
    assert isinstance(player, Deaf)
    assert player.told[0] == ("open", (Inlet("virtual"),))
    tape = Tape()
    for k in range(1, 20):
        player.status = tape.status(k / 10)
        page.live.look()
    assert [page.leads.itemData(k) for k in range(page.leads.count())] == [ITSELF, BEST, "MTC from the DAW", "clock from the DAW"]
    page.follow("clock from the DAW")
    qtbot.waitUntil(lambda: ("follow", "clock from the DAW") in player.told, timeout=PATIENCE)
    assert page.leads.currentData() == "clock from the DAW"
    page.follow(ITSELF)
    assert not window.transport.follows
    assert not window.actions_by_name["follow"].isChecked()
    window.actions_by_name["follow"].trigger()
    page.live.look()
    assert page.leads.currentData() == BEST, "a key chose it, the page shows it"
    window.actions_by_name["follow"].trigger()


def test_ports_are_ticked_and_chosen(page: Page) -> None:
    page.page._show_ports({"ALSA": (["IAC Bus 1", "IAC Bus 2"], ["Synth"]), "JACK": "no server"})
    actions = {action.text(): action for action in page.page.inlets._menu.actions()}
    assert set(actions) >= {"IAC Bus 1", "IAC Bus 2", "JACK transport", "Ableton Link"}
    actions["IAC Bus 2"].setChecked(True)
    page.bot.waitUntil(lambda: page.document.studio.playback.status is not None, timeout=PATIENCE)
    assert page.player.told[0] == ("open", (Inlet("system", "IAC Bus 2"), Inlet("virtual")))
    page.page._show_ports({"ALSA": ([], [])})
    assert "IAC Bus 2" in page.page.inlets.text(), "a port that went away is waited for"
    page.page._show_ports({"ALSA": ([], ["Synth"])})
    page.page.outlets.setCurrentIndex(page.page.outlets.findData("system:Synth"))
    page.page.outlets.activated.emit(0)
    page.bot.waitUntil(lambda: any(name == "patch" for name, _ in page.player.told), timeout=PATIENCE)
    (route,) = next(given for name, given in page.player.told if name == "patch")
    assert route.outlet == Outlet("system", "Synth")


def test_where_timecode_and_clock_go_is_chosen_and_remembered(window: Window, qtbot: QtBot, trio: str, tmp_path: Path) -> None:
    window.document.studio.playback._make = Deaf  # type: ignore[assignment]
    with qtbot.waitSignal(window.document.drawn, timeout=PATIENCE):
        window.document.open(saved(scored(), tmp_path / "cue.hitpoint"))
    page = Links(window.document, window.transport, window, look=lambda _: FOUND)
    page._show_ports({"ALSA": ([], ["Desk"])})
    timecode, clock = page.sends
    assert timecode.currentText() == clock.currentText() == "nowhere"
    for box, data in ((timecode, "system:Desk"), (clock, "auto")):
        box.setCurrentIndex(box.findData(data))
        box.activated.emit(0)
    playback = window.document.studio.playback
    wanted = {"timecode": Outlet("system", "Desk"), "clock": Outlet("auto", "Hitpoint clock")}
    qtbot.waitUntil(lambda: playback.sends == wanted and playback.status is not None, timeout=PATIENCE)
    page._show_ports({"ALSA": ([], [])})
    assert (timecode.currentText(), clock.currentData()) == ("Desk", "auto"), "one that went away is waited for"
    other = Playback(Subscribers(), lambda: None)
    sent_as_kept(other, window.preferences)
    assert other.sends == wanted
    other.close()
    window.preferences.set("send/clock", "smoke:signals")
    timecode.setCurrentIndex(timecode.findData("off"))
    timecode.activated.emit(0)
    qtbot.waitUntil(lambda: "timecode" not in playback.sends, timeout=PATIENCE)
    other = Playback(Subscribers(), lambda: None)
    sent_as_kept(other, window.preferences)
    assert other.sends == {}
    other.close()


def test_the_page_speaks_chinese_where_the_doctor_spoke_english(page: Page, qapp: QApplication) -> None:
    tape = Tape()
    said = [source(standing, RATE) for standing in tape.status(4).standings]
    sentences = [text for finding in (*said, *FOUND.findings) for text in (finding.said, finding.cure) if text]
    sentences.append(tape.chase.at(4_020_000_000).why)
    speak(qapp, "zh")
    assert [text for text in sentences if told(text) == text] == []
    assert "已锁定" in told(said[0].said)
    assert state_words("broken") == "不工作"


def test_every_state_has_a_colour_of_its_own() -> None:
    assert len(set(COLOURS.values())) == 4


def test_why_a_source_leads_is_said_in_the_language_of_the_window() -> None:
    sentence = (
        "MTC from the DAW leads (locked at 24 fps, jitter 0.4 ms): timecode tells every quarter of a frame and it is steady"
    )
    said = said_elsewhere(sentence, "doctor", "zh")
    assert said == "MTC from the DAW 主导（锁定于 24 帧/秒，抖动 0.4 毫秒）：时码精确到四分之一帧，而且稳定"
    for kind, reason in PRECISION.values():
        assert said_elsewhere(reason, "doctor", "zh") != reason, kind
