"""Tempo candidates: what they say, what is seen and heard before one is chosen, and what choosing and locking do to the session."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QIODevice, Qt
from PyQt6.QtWidgets import QDockWidget, QLabel, QMainWindow
from pytestqt.qtbot import QtBot
from seated import PATIENCE, Seat, at_seat  # noqa: F401  a fixture
from sittings import bytes_of, few

from desktop.candidate_list import effect
from desktop.candidate_rows import row_of, worst_of
from desktop.candidates import Candidates
from desktop.click_sound import Beats, beats_of, rendered
from desktop.language import table
from desktop.sound import Sound
from desktop.window import Window
from engines.commands import Lock
from engines.picture.demo_film import make_demo_film
from engines.picture.soundtrack import RATE
from engines.session.desk import Desk
from engines.session.lock import locked_bars
from engines.session.remap import remapped
from engines.spotting import words as spoken
from engines.spotting.locked import KINDS

Key = Qt.Key


@pytest.fixture
def panel(seat: Seat) -> Candidates:
    made = Candidates(seat.document, seat.transport)
    seat.bot.addWidget(made)
    made.show()
    seat.bot.waitUntil(lambda: len(made.model.rows) > 1, timeout=PATIENCE)
    return made


def other(panel: Candidates) -> int:
    """A row that is not in use."""
    return next(k for k, row in enumerate(panel.model.rows) if not row.in_use)


def test_the_session_is_spotted_by_itself_and_every_row_says_its_price(panel: Candidates, seat: Seat) -> None:
    assert sum(row.in_use for row in panel.model.rows) == 1
    costs = [row.candidate.cost for row in panel.model.rows]
    assert costs == sorted(costs)
    for k, row in enumerate(panel.model.rows):
        said = panel.model.data(panel.model.index(k), Qt.ItemDataRole.AccessibleTextRole)
        assert spoken.words(row.candidate, seat.session.film.rate) in said
        assert ("in use" in said) == row.in_use
        assert f"{row.candidate.hits_on_beat} of {row.candidate.hits_total}" in said
        assert len(row.hits) == len(row.caught) == row.candidate.hits_total
        assert int((row.caught > 0).sum()) == row.candidate.hits_on_beat
    assert not panel.grab().toImage().isNull()


def test_a_session_that_comes_back_after_a_film_is_spotted_again(panel: Candidates, seat: Seat, tmp_path: Path) -> None:
    document = seat.document
    assert document.now is not None
    session, home = seat.session, document.now.path
    film = make_demo_film(tmp_path / "demo.mp4")
    document.open(film)
    seat.bot.waitUntil(
        lambda: document.now is None and document.film is not None and document.film.spotted is not None, timeout=PATIENCE
    )
    hits = len(document.film.spotted.hits)  # type: ignore[union-attr]
    seat.bot.waitUntil(lambda: [row.candidate.hits_total for row in panel.model.rows[:1]] == [hits], timeout=PATIENCE)
    assert hits != len(session.hits)
    document.open(home)
    seat.bot.waitUntil(lambda: document.now is not None and not panel.model.rows, timeout=PATIENCE)
    assert panel.effect.text() == "", "nothing is in use where nothing is listed"
    seat.bot.waitUntil(
        lambda: [row.candidate.hits_total for row in panel.model.rows[:1]] == [len(session.hits)], timeout=PATIENCE
    )
    assert sum(row.in_use for row in panel.model.rows) == 1


def test_a_cue_of_many_hits_waits_to_be_asked_and_says_so(panel: Candidates, seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    assert panel.list.isVisible()
    assert not panel.unasked.isVisible()
    monkeypatch.setattr("desktop.candidates.MANY", len(seat.session.hits) - 1)
    jobs = len(seat.document.studio.jobs.readings())
    seat.change(lambda: seat.document.act(Lock((3, 4))))
    assert not panel.list.isVisible()
    assert panel.unasked.isVisible()
    assert "press Spot again" in " ".join(label.text() for label in panel.unasked.findChildren(QLabel))
    assert not panel._settle.isActive()
    assert len(seat.document.studio.jobs.readings()) == jobs
    fresh = Candidates(seat.document, seat.transport)
    seat.bot.addWidget(fresh)
    fresh.show()
    assert fresh.unasked.isVisible()
    seat.bot.mouseClick(fresh.unasked.ask, Qt.MouseButton.LeftButton)
    assert not fresh.unasked.isVisible()
    seat.bot.waitUntil(lambda: len(fresh.model.rows) > 1, timeout=PATIENCE)
    assert fresh.list.isVisible()


def test_nothing_is_spotted_for_a_panel_that_nobody_sees(panel: Candidates, seat: Seat) -> None:
    panel.hide()
    jobs = len(seat.document.studio.jobs.readings())
    seat.change(lambda: seat.document.act(Lock((3, 4))))
    assert not panel._settle.isActive()
    assert len(seat.document.studio.jobs.readings()) == jobs
    panel.show()
    seat.bot.waitUntil(lambda: len(panel.model.locked) == 1, timeout=PATIENCE)


def test_a_dock_that_is_covered_shows_no_candidate(seat: Seat) -> None:
    window = QMainWindow()
    seat.bot.addWidget(window)
    docks = [QDockWidget(name, window) for name in ("tempo", "other")]
    panel = Candidates(seat.document, seat.transport)
    for dock, inside in zip(docks, (panel, QLabel(window)), strict=True):
        dock.setWidget(inside)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.tabifyDockWidget(*docks)
    window.show()
    docks[0].raise_()
    seat.bot.waitUntil(lambda: panel.seen.on and len(panel.model.rows) > 1, timeout=PATIENCE)
    shown: list[object] = []
    panel.shown.connect(shown.append)
    panel.list.entered.emit(panel.model.index(other(panel)))
    docks[1].raise_()
    seat.bot.waitUntil(lambda: not panel.seen.on, timeout=PATIENCE)
    assert shown[-1] is None
    assert not panel._dwell.isActive()


def test_a_look_draws_the_candidate_s_beats_and_changes_nothing(panel: Candidates, seat: Seat) -> None:
    before, steps = seat.session, seat.steps
    drawn: list[object] = []
    shown: list[object] = []
    seat.document.drawn.connect(drawn.append)
    panel.shown.connect(shown.append)
    at = other(panel)
    panel.list.entered.emit(panel.model.index(at))
    candidate = panel.model.rows[at].candidate
    assert shown == [candidate]
    seat.bot.waitUntil(lambda: bool(drawn), timeout=PATIENCE)
    assert len(drawn[-1].bars) == len(candidate.bars) + 1  # type: ignore[attr-defined]
    assert drawn[-1].beats[1] == pytest.approx(float(candidate.beats_s[1]))  # type: ignore[attr-defined]
    panel.list.left.emit()
    assert shown == [candidate, None]
    assert drawn[-1] is seat.document.sheet
    assert seat.session is before
    assert seat.steps == steps


def test_the_picture_rolls_for_a_look_and_rests_after_it(panel: Candidates, seat: Seat) -> None:
    panel.list.entered.emit(panel.model.index(other(panel)))
    seat.bot.waitUntil(lambda: seat.transport.speed == 1, timeout=PATIENCE)
    panel.list.left.emit()
    assert seat.transport.speed == 0
    panel.listens.setChecked(False)
    panel.list.entered.emit(panel.model.index(other(panel)))
    assert not panel._dwell.isActive(), "nothing rolls for whoever does not want to hear"


def test_enter_chooses_and_undo_brings_everything_back(panel: Candidates, seat: Seat) -> None:
    before = bytes_of(Desk(seat.session))
    row = panel.model.rows[other(panel)]
    panel.list.setCurrentIndex(panel.model.index(other(panel)))
    panel.list.setFocus()
    after = seat.change(lambda: seat.bot.keyClick(panel.list, Key.Key_Return))
    assert after.tempo_map == row.candidate.tempo_map
    assert seat.steps[0].startswith(f"Use the tempo map {row.candidate.name}")
    seat.bot.waitUntil(
        lambda: any(r.in_use and r.candidate.tempo_map == after.tempo_map for r in panel.model.rows), timeout=PATIENCE
    )
    assert bytes_of(Desk(seat.change(seat.document.undo))) == before


def test_what_choosing_does_is_said_before_it_is_done(panel: Candidates, seat: Seat) -> None:
    for k, row in enumerate(panel.model.rows):
        if row.in_use:
            continue
        panel.list.setCurrentIndex(panel.model.index(k))
        expected = effect(seat.session, remapped(seat.session, row.candidate))
        assert expected
        seat.bot.waitUntil(lambda expected=expected: panel.effect.text() == expected, timeout=PATIENCE)
    silent = remapped(seat.session, next(r.candidate for r in panel.model.rows if not r.in_use))
    said = effect(seat.session, silent)
    assert all((str(s.number) in said) for s in silent.spans)


def test_bars_are_locked_by_hand_and_at_the_playhead(panel: Candidates, seat: Seat) -> None:
    panel.locks.first.setValue(9)
    panel.locks.last.setValue(7)
    seat.change(panel.locks.lock.click)
    assert locked_bars(seat.session) == {6, 7, 8}
    assert "7–9" in panel.locks.said.text()
    seat.bot.waitUntil(lambda: bool(panel.model.locked), timeout=PATIENCE)
    times = [seat.session.tempo_map.seconds(seat.session.bars[bar].start) for bar in (6, 7, 8)]
    for row in panel.model.rows:
        assert set(times) <= {row.candidate.tempo_map.seconds(bar.start) for bar in row.candidate.bars}
    frame = int(times[1] * seat.session.film.rate) + 2
    seat.transport.locate(frame)
    seat.change(panel.lock_bar)
    assert locked_bars(seat.session) == {6, 8}
    seat.change(panel.lock_bar)
    assert locked_bars(seat.session) == {6, 7, 8}


def test_other_limits_give_other_maps(panel: Candidates, seat: Seat) -> None:
    panel.limits.low.setValue(120)
    panel.limits.high.setValue(126)
    seat.bot.waitUntil(
        lambda: all(120 <= r.candidate.tempo_bpm <= 126 for r in panel.model.rows if not r.in_use), timeout=PATIENCE
    )
    panel.list.setCurrentIndex(panel.model.index(other(panel)))
    assert seat.change(panel.choose).limits.tempo == (120, 126), "the limits hold for the next spotting"


@pytest.mark.slow
def test_a_film_that_is_not_scored_yet_begins_on_the_map_that_is_chosen(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    film = make_demo_film(tmp_path / "demo.mp4")
    panel = Candidates(window.document, window.transport)
    qtbot.addWidget(panel)
    window.commands.take(film)
    qtbot.waitUntil(lambda: len(panel.model.rows) > 1, timeout=PATIENCE)
    chosen = panel.model.rows[1].candidate
    panel.list.setCurrentIndex(panel.model.index(1))
    panel.choose()
    qtbot.waitUntil(lambda: window.document.now is not None, timeout=PATIENCE)
    assert window.document.now is not None
    assert window.document.now.session.tempo_map == chosen.tempo_map
    assert window.document.now.session.takes == {}
    panel.show()
    qtbot.waitUntil(
        lambda: any(row.in_use and row.candidate.tempo_map == chosen.tempo_map for row in panel.model.rows), timeout=PATIENCE
    )


def test_a_miss_is_never_hidden_in_a_crowd() -> None:
    xs, caught = worst_of(np.array([0.1, 0.4, 0.9, 5.0, 5.2, 9.9]), np.array([2, 0, 1, 1, 2, 2], np.int8))
    assert [(int(x), int(c)) for x, c in zip(xs, caught, strict=True)] == [(0, 0), (5, 1), (9, 2)]


# the click


@few(60)
@given(
    st.lists(st.floats(0, 8), min_size=1, max_size=20, unique=True),
    st.floats(0, 4),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.lists(st.integers(1, 20_000), min_size=3, max_size=12),
)
def test_clicks_begin_on_the_sample_of_their_beat(times: list[float], start: float, speed: float, reads: list[int]) -> None:
    beats = Beats(np.array(sorted(times)), np.arange(len(times)) % 4 == 0)
    whole = rendered(beats, start, speed, 0, sum(reads))
    first, parts = 0, []
    for count in reads:
        parts.append(rendered(beats, start, speed, first, count))
        first += count
    assert np.array_equal(np.concatenate(parts), whole), "however the card asks, the sound is the same"
    at = np.rint((beats.times - start) / speed * RATE)
    alone = [int(a) for a, b in zip(at, np.diff(at, prepend=-1e9), strict=True) if 0 <= a < len(whole) - 40 and b > 3000]
    for place in alone:
        assert not whole[max(0, place - 20) : place].any() or place < 3000
        assert np.abs(whole[place + 1 : place + 20]).max() > 300


class Tape:
    """An outlet that remembers."""

    def __init__(self) -> None:
        self.source: QIODevice | None = None
        self.played = 0
        self.log: list[str] = []

    def start(self, source: QIODevice) -> None:
        self.source = source
        self.log.append("start")

    def stop(self) -> None:
        self.source = None
        self.log.append("stop")


def test_the_click_goes_with_the_picture(seat: Seat) -> None:
    tape, transport = Tape(), seat.transport
    sound = Sound(transport, lambda: tape)
    session = seat.session
    sound.click(beats_of(session.tempo_map, session.film.duration))
    assert tape.log == [], "the picture stands"
    transport.locate(48)
    transport.play(1)
    assert tape.source is not None
    heard = np.frombuffer(tape.source.read(8 * RATE), "<i2").reshape(-1, 2)[:, 0]
    beats = beats_of(session.tempo_map, session.film.duration)
    first = beats.times[beats.times >= float(transport.seconds)][0]
    begins = int(np.argmax(np.abs(heard) > 300)) / RATE
    assert begins == pytest.approx(first - 2.0, abs=0.002)
    transport.locate(240)
    assert tape.log == ["start", "stop", "start"]
    transport.play(-1)
    assert tape.source is None
    transport.stop()
    transport.play(1)
    assert tape.source is not None
    sound.click(None)
    assert tape.source is None
    assert not sound.clicks


def test_without_an_output_it_is_said_once_and_nothing_breaks(seat: Seat) -> None:
    said: list[str] = []
    sound = Sound(seat.transport, lambda: "no sound here")
    sound.changed.connect(lambda: said.append(sound.word))
    beats = beats_of(seat.session.tempo_map, seat.session.film.duration)
    sound.click(beats)
    seat.transport.play(1)
    sound.click(beats)
    seat.transport.stop()
    assert said == ["no sound here"] == [sound.word]


def test_pickups_have_no_downbeat_and_downbeats_are_told_apart(seat: Seat) -> None:
    session = seat.session
    beats = beats_of(session.tempo_map, session.film.duration)
    lines = [float(session.tempo_map.seconds(bar.start)) for bar in session.bars]
    assert [t for t, down in zip(beats.times, beats.down, strict=True) if down] == pytest.approx(
        [line for line in lines if line in beats.times]
    )


@pytest.mark.parametrize(
    "texts", [spoken.SENTENCES, KINDS, ("hits", "places", "drift", "steps", "bars", "phrases", "start", "limit")]
)
def test_every_price_can_be_said_in_chinese(texts: tuple[str, ...]) -> None:
    assert [text for text in texts if not table("zh")["spotting"].get(text)] == []


def test_the_curve_of_a_row_is_the_map_s_own(panel: Candidates, seat: Seat) -> None:
    for row in panel.model.rows:
        drawn = row_of(row.candidate, False, seat.session.film.rate)
        bends = [abs(100 * float(s.bpm / row.candidate.tempo_bpm - 1)) for s in row.candidate.tempo_map.segments]
        assert np.all(np.diff(drawn.at) > 0)
        assert float(np.abs(drawn.percent).max()) == pytest.approx(max(bends), abs=1e-6)
