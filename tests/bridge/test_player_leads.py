"""What is told to those who follow us: every message at its moment, and our own chase, reading it, is where the film is."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.chase import Chase
from bridge.clock import SECOND, HandClock
from bridge.midi_clock import PPQ, ClockReader, song_position
from bridge.mtc import MtcReader, full_frame, quarter_frame, riding, timecode_of
from bridge.player.course import Loop
from bridge.player.deck import AHEAD_NS, Deck
from bridge.player.leading import Leading
from bridge.player.messages import Lead, Outlet
from bridge.player.plug import Plug
from bridge.player.programme import SILENCE, Part, Programme, TimedNote
from bridge.player.telling import TellsClock, TellsTimecode
from bridge.ports import BOARD, MemoryPort
from engines.picture.timecode import Timecode
from engines.spotting.tempo import Segment, TempoMap

MS = SECOND // 1000
FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
KINDS = [
    (FILM, False, 0),
    (Fraction(24), False, 0),
    (Fraction(25), False, 1),
    (NTSC, True, 2),
    (NTSC, False, 3),
    (Fraction(30), False, 3),
]
"""Rate, drop-frame, and the code that it rides under."""

MAP = TempoMap(
    (Segment(Fraction(0), Fraction(1, 2)), Segment(Fraction(6), Fraction(3, 7)), Segment(Fraction(13), Fraction(5, 8))),
    origin=Fraction(1, 3),
)
START, STOP, CONTINUE, CLOCK = b"\xfa", b"\xfc", b"\xfb", b"\xf8"
TIMECODE, BEATS = Outlet("memory", "timecode"), Outlet("memory", "clock")


def film(rate: Fraction = Fraction(25), drop: bool = False, hour: int = 1, beats: TempoMap | None = MAP) -> Programme:
    mark = ";" if drop else ":"
    start = Timecode.parse(f"{hour:02}:00:00{mark}00", rate, drop).seconds
    notes = tuple(TimedNote(k * 250 * MS, k * 250 * MS + 100 * MS, 60, 80) for k in range(100))
    return Programme("film", (Part("melody", 0, notes),), (), 0, start, rate, beats, drop)


class Desk:
    """A deck, what is told of it, and a chase that hears that, on a clock that is turned by hand."""

    def __init__(self, programme: Programme, at: Fraction | None = None) -> None:
        self.clock, self.at, self.lead, self.follows = HandClock(7), at, Lead(TIMECODE, BEATS), False
        self.notes = MemoryPort(self.clock)
        self.notes.open()
        self.deck = Deck(self.clock, lambda stem: (self.notes, 0))
        self.deck.load(programme)
        self.plugs = {outlet: self.plug(outlet) for outlet in (TIMECODE, BEATS)}
        self.leading = Leading(self.plugs.__getitem__)
        zero = programme.start if at is None else at
        beats = programme.beats
        placed = None if beats is None else lambda beat: zero + beats.seconds(beat)
        self.chases = {outlet: Chase(programme.rate, zero, placed) for outlet in self.plugs}
        self.readers = {TIMECODE: MtcReader("MTC", programme.rate), BEATS: ClockReader("clock")}
        self.read = dict.fromkeys(self.plugs, 0)
        self.counted: list[tuple[Fraction, int]] = []  # beats as the clocks tell them, and where the film was
        self.work()

    def plug(self, outlet: Outlet) -> Plug:
        made = Plug(outlet, self.clock, memoryview(bytearray(BOARD)), None)
        made.open()
        return made

    def sent(self, outlet: Outlet, since: int = 0) -> list[tuple[int, bytes]]:
        port = self.plugs[outlet]._port
        return [(now, message) for now, message in port.sent if now >= since] if isinstance(port, MemoryPort) else []

    def told(self, outlet: Outlet, since: int = 0) -> list[bytes]:
        return [message for _, message in self.sent(outlet, since)]

    def work(self) -> int | None:
        """Once through what the player's process does."""
        moments = [self.deck.step(), self.leading.step(self.deck, self.lead, self.follows, self.at)]
        moments += [plug.service() for plug in self.plugs.values()]
        for outlet, reader in self.readers.items():
            sent = self.sent(outlet)
            for now, message in sent[self.read[outlet] :]:
                report = reader.feed(message, now)
                if report is not None:
                    self.chases[outlet].hear(report)
                    if report.beats is not None and report.rolling:
                        self.counted.append((report.beats, self.deck.place))
            self.read[outlet] = len(sent)
        return min((moment for moment in moments if moment is not None), default=None)

    def run(self, time: int) -> None:
        """Works whenever there is something to do, as a process that is never late does."""
        end = self.clock.now_ns() + time
        while (moment := self.work()) is not None and moment <= end:
            self.clock.turn_to(max(moment, self.clock.now_ns()))
        self.clock.turn_to(end)
        self.work()

    def apart_s(self, outlet: Outlet) -> float:
        """How far the chase is from the film; fails where it is not locked, or does not stand."""
        reading = self.chases[outlet].at(self.clock.now_ns())
        assert reading.state == ("stopped" if self.deck.course is None else "locked"), reading.why
        assert reading.seconds is not None
        return float(reading.seconds - self.chases[outlet].start - Fraction(self.deck.place, SECOND))


def quarters(desk: Desk, rate: Fraction, drop: bool) -> list[int]:
    """Steps the desk for a second, and gives the counts of its quarter frames; fails where one lies elsewhere than the film says."""
    zero, counts = desk.chases[TIMECODE].start, []
    end, seen = desk.clock.now_ns() + SECOND, len(desk.sent(TIMECODE))
    while desk.clock.now_ns() < end:
        moment = desk.work()
        fresh, seen = desk.sent(TIMECODE)[seen:], len(desk.sent(TIMECODE))
        for now, message in fresh:
            assert now == desk.clock.now_ns()
            if message[0] == 0xF1:
                place = Fraction(desk.deck.place, SECOND) + zero
                count = round(place * 4 * rate)
                assert abs(place - count / (4 * rate)) <= Fraction(4, SECOND), "exact to the nanoseconds of clock and speed"
                assert message == quarter_frame(Timecode(count // 8 * 2, rate, drop), count % 8)
                counts.append(count)
        assert moment is not None
        desk.clock.turn_to(max(moment, desk.clock.now_ns()))
    return counts


@pytest.mark.parametrize(("rate", "drop", "code"), KINDS)
@pytest.mark.parametrize("speed", [Fraction(1), Fraction(3, 4), Fraction(5, 4)])
def test_each_quarter_frame_lies_at_its_place_and_none_is_missing(rate: Fraction, drop: bool, code: int, speed: Fraction) -> None:
    desk = Desk(film(rate, drop))
    desk.deck.play(1234567890, speed)
    counts = quarters(desk, rate, drop)
    assert counts == list(range(counts[0], counts[0] + len(counts)))
    assert counts[0] % 8 == 0, "the first one is piece 0, on an even frame"
    assert abs(len(counts) - 4 * rate * speed) <= 9
    rates = {message[1] >> 1 & 3 for message in desk.told(TIMECODE) if message[0] == 0xF1 and message[1] >> 4 == 7}
    assert rates == {code}
    fulls = [message for message in desk.told(TIMECODE) if message[0] == 0xF0]
    assert {message[5] >> 5 for message in fulls} == {code}


def test_who_stands_is_told_in_full_frames_and_who_starts_and_stops_too() -> None:
    desk = Desk(film())
    assert desk.told(TIMECODE) == [full_frame(Timecode(90_000, Fraction(25)))]
    desk.deck.locate(2 * SECOND)
    desk.work()
    assert desk.told(TIMECODE)[1:] == [full_frame(Timecode(90_050, Fraction(25)))]
    desk.run(SECOND)
    assert len(desk.told(TIMECODE)) == 2, "and then nothing"
    desk.deck.play()
    desk.run(SECOND + 30 * MS)
    desk.deck.stop()
    desk.run(SECOND)
    told = desk.told(TIMECODE)[2:]
    assert told[0] == full_frame(Timecode(90_050, Fraction(25)))
    assert [message[0] for message in told[1:-1]] == [0xF1] * 104  # 0 to 1030 ms
    assert told[-1] == full_frame(Timecode(90_075, Fraction(25)))


def test_the_label_is_the_films_in_the_daws_project_where_that_is_known() -> None:
    desk = Desk(film(NTSC, True), at=Fraction(7200))
    desk.run(MS)
    (full,) = desk.told(TIMECODE)
    shown = timecode_of(full[5:9])
    assert shown is not None
    assert str(shown) == str(Timecode.at(Fraction(7200), NTSC, True)) == "02:00:00;00"
    desk.at = Fraction(10)
    desk.run(MS)
    assert desk.told(TIMECODE)[1:] == [full_frame(Timecode.at(Fraction(10), NTSC, True))]


def test_a_loop_is_told_at_its_seam_and_read_on_at_once() -> None:
    desk = Desk(film())
    desk.deck.set_loop(Loop(SECOND, 3 * SECOND))
    desk.deck.play(0)
    desk.run(9 * SECOND)
    seams = [(now - 7, message) for now, message in desk.sent(TIMECODE) if message[0] == 0xF0][2:]
    assert seams == [(k * SECOND, full_frame(Timecode(90_025, Fraction(25)))) for k in (3, 5, 7, 9)]
    words = [(now - 7, message) for now, message in desk.sent(BEATS) if message not in (CLOCK,)]
    # beat 4/3 is at second 1; the sixteenth after it at 3/2
    again = [(STOP, song_position(Fraction(3, 2)), CONTINUE)] * 3
    assert [tuple(message for now, message in words if now == k * SECOND - MS) for k in (3, 5, 7)] == again


def test_clocks_lie_on_the_tempo_map_and_start_where_the_standard_says() -> None:
    desk = Desk(film())
    desk.deck.play(0)
    desk.run(8 * SECOND)
    told = desk.sent(BEATS)
    first = next(k for k, (_, message) in enumerate(told) if message == CLOCK)
    assert [message for _, message in told[:first]] == [STOP, song_position(Fraction(0)), START]
    moments = [now - 7 for now, message in told if message == CLOCK]
    assert moments == [round(MAP.seconds(Fraction(k, PPQ)) * SECOND) for k in range(len(moments))]
    assert len(moments) == int(MAP.beat(8) * PPQ) + 1
    desk.deck.stop()
    desk.run(SECOND)
    assert desk.told(BEATS)[len(told) :] == [STOP]
    at = len(desk.told(BEATS))
    desk.deck.locate(round(MAP.seconds(Fraction(9, 4)) * SECOND))
    desk.run(MS)
    desk.deck.play()
    desk.run(2 * MS)
    assert desk.told(BEATS)[at:] == [song_position(Fraction(9, 4)), song_position(Fraction(9, 4)), CONTINUE, CLOCK]


@pytest.mark.parametrize("other", [None, Loop(SECOND // 2, 5 * SECOND), Loop(SECOND, 3 * SECOND)])
def test_a_loop_that_is_changed_on_the_way_changes_nothing_before_its_end(other: Loop | None) -> None:
    desk = Desk(film())
    desk.deck.set_loop(Loop(SECOND, 3 * SECOND))
    desk.deck.play(0)
    desk.run(5 * SECOND + 500 * MS)
    desk.deck.set_loop(other)
    seen = len(desk.sent(TIMECODE))
    counts = quarters(desk, Fraction(25), False)
    assert counts == list(range(360_151, 360_250)), "after the second 1.5 of the film, and until the next"
    assert {message[0] for message in desk.told(TIMECODE)[seen:]} == {0xF1}


def test_a_loop_that_is_left_when_its_seam_was_told_already_is_told_otherwise() -> None:
    desk = Desk(film())
    desk.deck.set_loop(Loop(SECOND, 3 * SECOND))
    desk.deck.play(0)
    desk.run(3 * SECOND - MS // 2)
    assert desk.told(BEATS)[-1] == CONTINUE
    desk.deck.set_loop(None)
    at = len(desk.counted)
    desk.run(SECOND)
    assert len(desk.counted) > at + 30
    assert all(abs(MAP.seconds(beats) * SECOND - place) <= 4 for beats, place in desk.counted)


def test_what_was_said_outright_and_is_not_out_yet_stays_said() -> None:
    """A port of JACK's lets nothing out before its next period."""
    desk = Desk(film())
    desk.deck.play(0)
    desk.run(2 * SECOND)
    port = desk.plugs[BEATS]._port
    assert port is not None
    port.service = lambda: None  # type: ignore[method-assign]
    before = len(desk.told(BEATS))
    desk.deck.stop()
    desk.work()
    desk.deck.play(0)
    desk.work()
    del port.service
    desk.run(SECOND)
    assert desk.told(BEATS)[before : before + 2] == [STOP, START]


@given(st.sampled_from(KINDS), st.integers(0, 500_000))
@settings(max_examples=300)
def test_a_place_of_a_message_is_that_message_though_it_was_rounded(kind: tuple[Fraction, bool, int], count: int) -> None:
    for telling in (TellsTimecode(kind[0], kind[1], Fraction(1, 3)), TellsClock(MAP)):
        assert telling.first(telling.place(count)) == count
        assert telling.first(telling.place(count) + 1) == count + 1


def test_beyond_the_last_song_position_nobody_is_told_to_set_off() -> None:
    desk = Desk(film(beats=TempoMap.steady(120)))
    before = len(desk.told(BEATS))
    desk.deck.locate(3000 * SECOND)
    desk.run(MS)
    desk.deck.play()
    desk.run(SECOND)
    desk.deck.stop()
    desk.run(SECOND)
    assert set(desk.told(BEATS)[before:]) == {CLOCK, STOP}


def test_a_daw_that_leads_hears_nothing_of_us() -> None:
    desk = Desk(film())
    desk.deck.play(0)
    desk.run(SECOND)
    desk.follows = True
    desk.deck.stop()
    at = desk.clock.now_ns() + 1
    desk.run(SECOND)
    desk.deck.chase(50 * SECOND, Fraction(0))
    desk.run(SECOND)
    desk.deck.chase(50 * SECOND, Fraction(1))
    desk.run(SECOND)
    assert desk.told(TIMECODE, at) == desk.told(BEATS, at) == []
    assert desk.told(BEATS)[-1] == STOP, "and who followed us stands"
    desk.follows = False
    desk.deck.stop()
    desk.run(MS)
    assert [message[0] for message in desk.told(TIMECODE, at)] == [0xF0]
    assert [message[0] for message in desk.told(BEATS, at)] == [0xFC, 0xF2]


def test_a_port_that_was_away_is_told_anew_and_one_that_is_left_is_told_the_end() -> None:
    desk = Desk(film())
    desk.deck.play(0)
    desk.run(SECOND)
    plug = desk.plugs[BEATS]
    plug.close()
    desk.run(SECOND)
    plug.open()
    desk.run(SECOND)
    told = desk.told(BEATS)
    assert told[0][0] == 0xF2, "where it is"
    assert told[1] == CONTINUE
    assert set(told[2:]) == {CLOCK}
    desk.leading.end(desk.clock.now_ns(), Lead(TIMECODE))
    assert desk.told(BEATS)[-1] == STOP


def test_nothing_is_handed_over_more_than_the_look_ahead_before_it_is_due_and_a_stop_takes_it_back() -> None:
    desk = Desk(film())
    desk.deck.play(0)
    for _ in range(100):
        desk.run(10 * MS)
        port = desk.plugs[TIMECODE]._port
        assert port is not None
        assert all(due < desk.clock.now_ns() + AHEAD_NS for due, _, _ in port._waiting)
        assert len(port._waiting) > 15
    desk.deck.stop()
    desk.work()
    for plug in desk.plugs.values():
        assert plug._port is not None
        assert plug._port._waiting == []


def test_music_without_a_tempo_says_why_its_clock_is_silent() -> None:
    desk = Desk(film(beats=None))
    desk.run(MS)
    timecode, clock = desk.leading.sockets(desk.lead)
    assert (timecode.what, timecode.counts, timecode.socket.fault) == ("timecode", "25 fps", "")
    assert "no tempo to tell" in clock.socket.fault
    assert desk.told(BEATS) == []


RIDES = "48 24, 50 25, 60 30, 60000/1001 30000/1001, 48000/1001 24000/1001, 12 24, 15 30, 100 25, 120 30, 23.5 25"


@pytest.mark.parametrize(("rate", "its"), [*map(str.split, RIDES.split(", ")), *([str(rate)] * 2 for rate, _, _ in KINDS)])
def test_a_film_of_another_rate_rides_under_one_that_timecode_knows(rate: str, its: str) -> None:
    assert riding(Fraction(rate)) == Fraction(its)


SPEEDS = st.sampled_from((Fraction(1, 2), Fraction(9, 10), Fraction(1), Fraction(1001, 1000), Fraction(11, 10), Fraction(2)))
PLACES = st.integers(0, 60 * SECOND)
ACTS = st.one_of(
    st.tuples(st.just("play"), PLACES, SPEEDS),
    st.tuples(st.just("stop"), st.none(), st.none()),
    st.tuples(st.just("locate"), PLACES, st.none()),
    st.tuples(st.just("vary"), SPEEDS, st.none()),
    st.tuples(st.just("loop"), PLACES, st.integers(1200 * MS, 6 * SECOND)),
    st.tuples(st.just("unloop"), st.none(), st.none()),
)
SITTINGS = st.lists(st.tuples(ACTS, st.integers(0, 4 * SECOND)), min_size=1, max_size=7)


def act(deck: Deck, what: str, first: object, second: object) -> None:
    if what == "play":
        deck.play(first, second)  # type: ignore[arg-type]
    elif what == "loop":
        deck.set_loop(Loop(first, first + second))  # type: ignore[arg-type, operator]
    elif what == "unloop":
        deck.set_loop(None)
    else:
        getattr(deck, what)(*(() if first is None else (first,)))


@given(st.sampled_from(KINDS), SITTINGS)
@settings(max_examples=60)
def test_whoever_follows_locks_within_a_second_and_is_where_the_film_is(kind: tuple[Fraction, bool, int], sitting: list) -> None:
    rate, drop, _ = kind
    desk = Desk(film(rate, drop))
    deck, frame, varied = desk.deck, float(1 / rate), False
    for (what, first, second), time in sitting:
        act(deck, what, first, second)
        # one that is sped up amid its clocks looks like one of which clocks were lost
        varied = what == "vary" or (varied and what not in ("play", "stop", "locate"))
        desk.run(time)
        before = deck.place
        desk.run(SECOND)
        if deck.course is None:
            assert 0 <= -desk.apart_s(TIMECODE) < frame
        elif deck.place - before == SECOND * deck.course.speed:  # else a loop went back meanwhile
            assert abs(desk.apart_s(TIMECODE)) < frame / 4
            if not varied and before > MAP.origin * SECOND:
                assert abs(desk.apart_s(BEATS)) < 0.005
    for beats, place in desk.counted:
        assert abs(MAP.seconds(beats) * SECOND - place) <= 4, "every clock at its beat, however it was counted"


@given(st.sampled_from(KINDS), PLACES, st.integers(1700 * MS, 6 * SECOND))
@settings(max_examples=20)
def test_in_a_loop_too(kind: tuple[Fraction, bool, int], start: int, length: int) -> None:
    """A second after the seam, each time round."""
    rate, drop, _ = kind
    desk = Desk(film(rate, drop))
    desk.deck.set_loop(Loop(start, start + length))
    desk.deck.play(start)
    for _ in range(4):
        desk.run(SECOND)
        assert abs(desk.apart_s(TIMECODE)) < float(1 / rate / 4)
        desk.run(length - SECOND)
    for beats, place in desk.counted:
        assert abs(MAP.seconds(beats) * SECOND - place) <= 4


def test_nothing_is_told_before_there_is_a_film_and_its_first_frame_once_there_is() -> None:
    desk = Desk(SILENCE, Fraction(3600))
    desk.run(SECOND)
    assert desk.told(TIMECODE) == desk.told(BEATS) == []
    desk.deck.load(film(Fraction(24)))
    desk.run(SECOND)
    assert desk.told(TIMECODE) == [full_frame(Timecode.parse("01:00:00:00", Fraction(24), False))]
