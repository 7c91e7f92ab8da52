"""Chase: locks, relocates, loops, follows varispeed, goes on through gaps, says who leads; on simulated wires and clocks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tape
from hypothesis import given, settings
from hypothesis import strategies as st
from tape import Message, Steady, Vary, beat_clock, fed, heard, mtc, nanoseconds

from bridge.chase import Chase, Reading
from bridge.midi_clock import TICK, ClockReader, started
from bridge.mmc import MmcReader, build
from bridge.mtc import MtcReader, day_of, full_frame
from bridge.osc_transport import ArdourTransport, LiveTransport, ReaperTransport
from bridge.transport import Report
from engines.picture.timecode import Timecode
from engines.spotting.tempo import TempoMap

NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
RATES = [(Fraction(24), False), (Fraction(25), False), (NTSC, True), (Fraction(30), False), (FILM, False)]
MODEST = settings(deadline=None, max_examples=5)

jitters = st.sampled_from([0.0, 0.002, 0.005, 0.010])
formats = st.sampled_from(RATES)
seeds = st.integers(0, 10**6)


def at(path: tape.Path, when: float) -> float:
    return float(path(np.array([when]))[0])


def play(chase: Chase, messages: Iterable[Message], reader: MtcReader | ClockReader) -> list[tuple[float, Reading]]:
    """What the chase reads after each message."""
    return [(when, chase.at(nanoseconds(when))) for when in fed(chase, reader.feed, messages)]


def errors_ms(readings: Iterable[tuple[float, Reading]], path: tape.Path, day: float = 0.0) -> list[float]:
    out = []
    for when, reading in readings:
        assert reading.seconds is not None
        error = float(reading.seconds) - at(path, when)
        out.append(1000 * abs(error - day * round(error / day) if day else error))
    return out


@MODEST
@given(formats, st.integers(0, 86399), st.floats(0.9, 1.1), jitters, seeds)
def test_it_locks_within_half_a_second_and_stays_within_the_jitter(
    kind: tuple[Fraction, bool], start: int, speed: float, jitter: float, seed: int
) -> None:
    path, day = Steady(start, speed), float(day_of(*kind))
    readings = play(Chase(kind[0]), heard(mtc(path, *kind, 0, 3), seed, jitter), MtcReader("MTC", kind[0]))
    locked = next(when for when, reading in readings if reading.state == "locked")
    assert locked < 0.5
    late = [row for row in readings if row[0] > 1]
    assert {reading.state for _, reading in late} == {"locked"}
    assert max(errors_ms(late, path, day)) < 0.2 + 600 * jitter
    assert all(abs(reading.speed - speed) < 0.0005 + 3 * jitter for _, reading in late)


@MODEST
@given(formats, jitters, st.floats(0, 0.1), st.floats(0, 0.1), seeds)
def test_lost_and_doubled_quarter_frames_are_borne(
    kind: tuple[Fraction, bool], jitter: float, lost: float, doubled: float, seed: int
) -> None:
    path = Steady(3600)
    readings = play(Chase(), heard(mtc(path, *kind, 0, 4), seed, jitter, lost, doubled), MtcReader("MTC", kind[0]))
    assert any(reading.state == "locked" for when, reading in readings if when < 1)
    late = [row for row in readings if row[0] > 1.5]
    assert max(errors_ms(late, path)) < 0.2 + 600 * jitter


@MODEST
@given(formats, st.floats(0.5, 1.5), jitters, seeds)
def test_backwards_is_followed(kind: tuple[Fraction, bool], speed: float, jitter: float, seed: int) -> None:
    path = Steady(600, -speed)
    readings = play(Chase(), heard(mtc(path, *kind, 0, 3), seed, jitter), MtcReader("MTC", kind[0]))
    late = [row for row in readings if row[0] > 1.5]
    assert {reading.state for _, reading in late} == {"locked"}
    off = np.array([abs(reading.speed + speed) for _, reading in late])
    # slow timecode tells little: for a moment the estimator takes a run of late pieces for a change of speed
    assert off.max() < 0.005 + 6 * jitter
    assert np.median(off) < 0.001 + 0.3 * jitter
    assert max(errors_ms(late, path)) < 0.2 + 800 * jitter


@MODEST
@given(formats, st.integers(0, 86000), st.integers(0, 86000), jitters, seeds)
def test_a_locate_is_followed_with_its_first_message(
    kind: tuple[Fraction, bool], here: int, there: int, jitter: float, seed: int
) -> None:
    target = Timecode.at(Fraction(there), *kind).wrapped
    target = target if target.frame % 2 == 0 else target + 1
    moved = Steady(float(target.seconds) - 2.05)
    stream = [*mtc(Steady(here), *kind, 0, 2), (2.02, full_frame(target)), *mtc(moved, *kind, 2.05, 3)]
    readings = play(Chase(), heard(stream, seed, jitter), MtcReader("MTC", kind[0]))
    after = [row for row in readings if row[0] > 2.05 and row[1].state != "stopped"]
    assert after[0][0] < 2.08 + jitter
    assert max(errors_ms(after, moved, float(day_of(*kind)))) < 2 + 1100 * jitter
    standing = [reading for when, reading in readings if reading.state == "stopped"]
    assert [(reading.seconds, str(reading.timecode)) for reading in standing] == [(target.seconds, str(target))]


def test_a_loop_is_followed_each_time_round() -> None:
    """Two seconds round and round, with no full frame: known again after eight pieces, a tenth of a second."""
    rate = Fraction(25)
    stream = [(2 * turn + when, message) for turn in range(5) for when, message in mtc(Steady(100), rate, False, 0, 1.999)]
    readings = play(Chase(), heard(stream, 3, 0.002), MtcReader("MTC"))
    errors = [
        (when % 2, abs(float(reading.seconds) - 100 - when % 2)) for when, reading in readings if when > 2 and reading.seconds
    ]
    assert max(error for since, error in errors if since > 0.1) < 0.003
    assert len(errors) > 700


@MODEST
@given(formats, jitters, st.floats(0.9, 1.1), seeds)
def test_a_second_without_a_word_is_bridged(kind: tuple[Fraction, bool], jitter: float, speed: float, seed: int) -> None:
    path = Steady(50, speed)
    chase, reader = Chase(), MtcReader("MTC", kind[0])
    play(chase, heard(mtc(path, *kind, 0, 3), seed, jitter), reader)
    alone = [(when, chase.at(nanoseconds(when))) for when in (3.2, 3.6, 4.0)]
    assert {reading.state for _, reading in alone} == {"free-wheeling"}
    assert "going on by itself" in alone[-1][1].why
    assert max(errors_ms(alone, path)) < 0.2 + 700 * jitter
    again = play(chase, heard(mtc(path, *kind, 4, 6), seed + 1, jitter), reader)
    again = [row for row in again if row[0] > 4.5]
    assert {reading.state for _, reading in again} == {"locked"}
    assert max(errors_ms(again, path)) < 0.2 + 700 * jitter


def test_a_source_that_dies_is_said_and_comes_back() -> None:
    chase, reader = Chase(), MtcReader("MTC from Ardour")
    play(chase, mtc(Steady(3600), Fraction(25), False, 0, 1.995), reader)
    dead = chase.at(nanoseconds(4.5))
    assert (dead.state, dead.speed, str(dead.timecode)) == ("lost", 0.0, "01:00:01:24")
    assert dead.why == "MTC from Ardour fell silent 2.5 s ago at 01:00:01:24: is the DAW still there?"
    assert "nothing came" in chase.standings(nanoseconds(4.5))[0].remark
    back = play(chase, mtc(Steady(100), Fraction(25), False, 5, 6), reader)
    assert next(when for when, reading in back if reading.state == "locked") < 5.5


@pytest.mark.parametrize("jitter", [0.0, 0.002, 0.010])
def test_varispeed_is_followed(jitter: float) -> None:
    path = Vary()
    readings = play(Chase(), heard(mtc(path, Fraction(25), False, 0, 14), 5, jitter), MtcReader("MTC"))
    late = [row for row in readings if row[0] > 1]
    assert {reading.state for _, reading in late} == {"locked"}
    assert max(errors_ms(late, path)) < 1 + 1000 * jitter
    assert max(abs(reading.speed - float(path.speed(np.array([when]))[0])) for when, reading in late) < 0.02 + 10 * jitter


def test_the_day_begins_again() -> None:
    for rate, drop in RATES:
        day = float(day_of(rate, drop))
        path = Steady(day - 2)
        readings = play(Chase(rate), heard(mtc(path, rate, drop, 0, 3.9), 1, 0.002), MtcReader("MTC", rate))
        late = [row for row in readings if row[0] > 0.5]
        assert {reading.state for _, reading in late} == {"locked"}
        assert max(errors_ms(late, path, day)) < 2
        assert all(reading.seconds is not None and 0 <= reading.seconds < day for _, reading in late)
        assert str(late[-1][1].timecode).startswith("00:00:01")


def test_a_burst_of_messages_that_were_held_up_moves_nothing() -> None:
    """Our own program was busy for a fifth of a second: everything comes at once, late."""
    path = Steady(10)
    stream = [(max(when, 3.2) if when > 3 else when, message) for when, message in mtc(path, Fraction(25), False, 0, 5)]
    readings = play(Chase(), stream, MtcReader("MTC"))
    assert max(errors_ms([row for row in readings if row[0] > 1], path)) < 1


def test_it_stops_at_once_when_the_source_says_so() -> None:
    chase, reader = Chase(picture=Fraction(25), start=Fraction(3600)), MtcReader("MTC")
    play(chase, mtc(Steady(3600), Fraction(25), False, 0, 2), reader)
    stop = Timecode.parse("01:00:02:01", Fraction(25))
    fed_all = play(chase, [(2.01, full_frame(stop))], reader)
    reading = fed_all[-1][1]
    assert (reading.state, reading.seconds, reading.speed, reading.frame) == ("stopped", stop.seconds, 0.0, 51)
    assert chase.at(nanoseconds(60)).state == "stopped", "a source that stands may be silent"


def test_timecode_of_film_that_says_24_and_runs_at_23_976_is_told() -> None:
    stream = mtc(Steady(100), FILM, False, 0, 8)
    chase, reader = Chase(picture=Fraction(24)), MtcReader("MTC", Fraction(24))
    play(chase, heard(stream, 2, 0.005), reader)
    remark = chase.standings(nanoseconds(8))[0].remark
    assert remark == "it says 24 fps and runs at 23.976: give the picture's rate as 24000/1001"
    knowing, reader = Chase(picture=FILM), MtcReader("MTC", FILM)
    play(knowing, heard(stream, 2, 0.005), reader)
    row = knowing.standings(nanoseconds(8))[0]
    assert (row.remark, row.rate) == ("", FILM)
    assert abs(row.fix.speed - 1) < 0.0003


TEMPO = TempoMap.steady(120)


@MODEST
@given(st.integers(60, 180), jitters, seeds)
def test_a_beat_clock_is_followed_through_the_cues_tempo_map(bpm: int, jitter: float, seed: int) -> None:
    tempo = TempoMap.steady(bpm)
    chase, reader = Chase(beats=tempo.seconds), ClockReader("clock")
    path = Steady(0)
    stream = [(0.0, started(Fraction(0))[0]), *beat_clock(path, bpm, 0.0, 4)]
    readings = play(chase, heard(stream, seed, jitter), reader)
    assert next(when for when, reading in readings if reading.state == "locked") < 0.5
    late = [row for row in readings if row[0] > 1.5]
    assert {reading.state for _, reading in late} == {"locked"}
    assert max(errors_ms(late, path)) < 0.2 + 500 * jitter


@pytest.mark.parametrize(("lost", "doubled"), [(1, 0), (2, 0), (0, 1)])
def test_clocks_that_were_lost_or_doubled_are_put_right(lost: int, doubled: int) -> None:
    stream = beat_clock(Steady(0), 120, 0.001, 6)
    broken = stream[:120] + stream[119:120] * doubled + stream[120 + lost :]
    chase, reader = Chase(beats=TEMPO.seconds), ClockReader("clock")
    reader.feed(started(Fraction(0))[0], 0)
    offset = stream[0][0]  # the first clock is beat 0
    readings = play(chase, heard(broken, 1, 0.001), reader)
    assert max(errors_ms(readings[-60:], Steady(-offset))) < 2


@MODEST
@given(st.integers(60, 180), st.sampled_from([0.0, 0.002, 0.005]), st.floats(0.1, 1.2), seeds)
def test_the_clocks_of_a_gap_are_counted(bpm: int, jitter: float, gap: float, seed: int) -> None:
    chase, reader = Chase(beats=TempoMap.steady(bpm).seconds), ClockReader("clock")
    reader.feed(started(Fraction(0))[0], 0)
    path = Steady(0)
    stream = [row for row in heard(beat_clock(path, bpm, 0, 7), seed, jitter) if not 4 < row[0] < 4 + gap]
    readings = play(chase, stream, reader)
    assert max(errors_ms([row for row in readings if row[0] > 4.3 + gap], path)) < 0.2 + 700 * jitter


def test_clocks_that_were_held_up_are_not_counted_twice() -> None:
    path, chase, reader = Steady(0), Chase(beats=TEMPO.seconds), ClockReader("clock")
    reader.feed(started(Fraction(0))[0], 0)
    stream = [(max(when, 3.3) if when > 3 else when, message) for when, message in beat_clock(path, 120, 0, 6)]
    readings = play(chase, stream, reader)
    assert max(errors_ms([row for row in readings if row[0] > 1], path)) < 1


def test_a_clock_without_a_tempo_map_is_followed_and_cannot_lead() -> None:
    chase, reader = Chase(), ClockReader("clock")
    reader.feed(b"\xfa", 0)
    readings = play(chase, beat_clock(Steady(0), 90, 0, 3), reader)
    assert readings[-1][1].leader is None
    assert "no source tells the place" in readings[-1][1].why
    row = chase.standings(nanoseconds(3))[0]
    assert "tempo map" in row.remark
    assert abs(row.fix.speed * 60 - 90) < 0.5, "beats a minute"


def osc_stream(path: tape.Path, end: float, jitter: float, seed: int = 0, every: float = 0.1) -> list[tuple[float, float]]:
    """When the place comes and which: told ``every`` so often, up to ``jitter`` late."""
    chance = np.random.default_rng(seed)
    times = np.arange(0, end, every)
    return list(zip((times + jitter * chance.random(len(times))).tolist(), path(times).tolist(), strict=True))


@pytest.mark.parametrize("daw", ["Ardour", "Reaper", "Live"])
@pytest.mark.parametrize("jitter", [0.0, 0.010, 0.030])
def test_osc_of_each_daw_locks_within_a_second(daw: str, jitter: float) -> None:
    path, chase = Steady(20), Chase(beats=TEMPO.seconds)
    ardour, reaper, live = ArdourTransport("osc", 48000), ReaperTransport("osc"), LiveTransport("osc")
    tell: dict[str, Callable[[float, int], Report | None]] = {
        "Ardour": lambda place, ns: ardour.feed("/position/samples", [str(round(place * 48000))], ns),
        "Reaper": lambda place, ns: reaper.feed("/time", [float(np.float32(place))], ns),
        "Live": lambda place, ns: live.feed("/live/song/get/current_song_time", [float(TEMPO.beat(Fraction(place)))], ns),
    }
    turn = {"Ardour": ("/transport_play", ardour), "Reaper": ("/play", reaper), "Live": ("/live/song/get/is_playing", live)}
    address, reader = turn[daw]
    rolling = reader.feed(address, [1], 0)
    assert rolling is not None
    chase.hear(rolling)
    readings = []
    for when, place in osc_stream(path, 6, jitter):
        report = tell[daw](place, nanoseconds(when))
        if report is not None:
            chase.hear(report)
        readings.append((when, chase.at(nanoseconds(when))))
    assert next(when for when, reading in readings if reading.state == "locked") < 1
    assert max(errors_ms([row for row in readings if row[0] > 2], path)) < 0.2 + 700 * jitter


def test_osc_that_repeats_its_place_stands_although_nobody_said_stop() -> None:
    chase, reaper = Chase(), ReaperTransport()
    states = []
    for k in range(40):
        place = 0.1 * min(k, 20)
        report = reaper.feed("/time", [place], nanoseconds(0.1 * k))
        assert report is not None
        chase.hear(report)
        states.append(chase.at(nanoseconds(0.1 * k)).state)
    assert states[10] == "locked"
    assert states[24:] == ["stopped"] * 16
    assert chase.at(nanoseconds(4)).seconds == Fraction(2.0)


def test_machine_control_alone_goes_by_itself_from_where_it_was_sent() -> None:
    chase, reader = Chase(), MmcReader("MMC")
    rate = Fraction(25)
    stream = [
        (0.0, build("locate", Timecode.parse("01:00:00:00", rate))),
        (1.0, build("deferred play")),
        (6.0, build("locate", Timecode.parse("01:00:30:00", rate))),
        (8.0, build("stop")),
    ]
    readings = [(when, chase.at(nanoseconds(when + 0.5))) for when in fed(chase, reader.feed, stream)]
    told = [(reading.state, reading.seconds) for _, reading in readings]
    assert told == [
        ("stopped", 3600),
        ("free-wheeling", 3600 + Fraction(1, 2)),
        ("free-wheeling", 3630 + Fraction(1, 2)),
        ("stopped", 3632),
    ]


def interleaved(*streams: tuple[Callable[[bytes, int], Report | None], list[Message]]) -> list[tuple[float, Report]]:
    rows = [(when, k, feed, message) for k, (feed, stream) in enumerate(streams) for when, message in stream]
    told = [(when, feed(message, nanoseconds(when))) for when, _, feed, message in sorted(rows, key=lambda row: row[:2])]
    return [(when, report) for when, report in told if report is not None]


def test_the_finer_source_leads_and_the_other_takes_over_when_it_dies() -> None:
    path, chase = Steady(10), Chase(beats=lambda beat: 10 + TEMPO.seconds(beat))
    clock = ClockReader("clock of the keyboard")
    clock.feed(b"\xfa", 0)
    beats = beat_clock(Steady(0), 120, 0, 8)
    timecode = mtc(path, Fraction(25), False, 1, 5)
    leaders = []
    for when, report in interleaved((clock.feed, beats), (MtcReader("MTC from Ardour").feed, timecode)):
        chase.hear(report)
        reading = chase.at(nanoseconds(when))
        leaders.append((reading.leader, reading.why.split(": ", 1)[1]))
        if 3 < when < 4:
            behind = {row.source: row.why for row in chase.standings(nanoseconds(when))}
        if when > 0.3 and reading.seconds is not None:
            assert abs(float(reading.seconds) - at(path, when)) < 0.001, "whoever leads, it is the same place"
    assert [key for key, _ in itertools.groupby(leaders)] == [
        ("clock of the keyboard", "it was the first to tell a place"),
        ("MTC from Ardour", "timecode tells every quarter of a frame and it is steady"),
        ("clock of the keyboard", "MTC from Ardour fell silent"),
    ]
    assert behind == {
        "MTC from Ardour": "timecode tells every quarter of a frame and it is steady",
        "clock of the keyboard": "timecode tells every quarter of a frame",
    }
    first, second = chase.standings(nanoseconds(4.9 + 3.1))
    assert (first.source, first.leads, second.leads) == ("clock of the keyboard", True, False)
    assert (first.why, second.why) == ("MTC from Ardour fell silent", "it fell silent")
    assert chase.at(nanoseconds(8)).because == first.why
    chase.follow("MTC from Ardour")
    chosen = {row.source: row.why for row in chase.standings(nanoseconds(8))}
    assert chosen == {"MTC from Ardour": "you chose it", "clock of the keyboard": "you chose MTC from Ardour"}


def test_a_stop_that_another_source_tells_ends_the_free_wheel() -> None:
    chase, ardour = Chase(), ArdourTransport("OSC", 48000)
    reader = MtcReader("MTC")
    play(chase, mtc(Steady(10), Fraction(25), False, 0, 3), reader)
    for address, args in (("/transport_play", [1.0]), ("/position/samples", [str(13 * 48000)]), ("/transport_stop", [1.0])):
        report = ardour.feed(address, args, nanoseconds(3.1))
        assert report is not None
        chase.hear(report)
    reading = chase.at(nanoseconds(3.15))
    assert (reading.state, reading.leader) == ("stopped", "OSC")
    assert "says that the DAW stopped" in reading.why


def test_a_jump_does_not_change_who_leads() -> None:
    """Timecode jumps and locks anew; OSC, ten times a second, has not heard of it yet and still looks steady."""
    chase, ardour, reader = Chase(), ArdourTransport("OSC", 48000), MtcReader("MTC")
    here, there = Steady(10), Steady(500)
    rows = [(when, reader.feed, message) for when, message in mtc(here, Fraction(25), False, 0, 3)]
    rows += [(when, reader.feed, message) for when, message in mtc(there, Fraction(25), False, 3.01, 5)]
    told = [(0.0, ardour.feed("/transport_play", [1.0], 0))]
    told += [(when, feed(message, nanoseconds(when))) for when, feed, message in rows]
    for when, place in osc_stream(here, 3.1, 0) + [(w + 3.15, p) for w, p in osc_stream(Steady(503.15), 1.8, 0)]:
        told.append((when, ardour.feed("/position/samples", [str(round(place * 48000))], nanoseconds(when))))
    leaders = []
    for _, report in sorted(((when, report) for when, report in told if report is not None), key=lambda row: row[0]):
        chase.hear(report)
        leaders.append(chase.at(report.received_ns).leader)
    assert [name for name, _ in itertools.groupby(leaders)] == [None, "OSC", "MTC"]


def test_machine_control_does_not_outlive_the_daw() -> None:
    chase, mmc = Chase(), MmcReader("MMC")
    start = mmc.feed(build("locate", Timecode.parse("00:00:10:00", Fraction(25)))[:-1] + b"\x03\xf7", 0)
    assert start is not None
    chase.hear(start)
    play(chase, mtc(Steady(10), Fraction(25), False, 0, 3), MtcReader("MTC"))
    dead = chase.at(nanoseconds(6))
    assert (dead.state, dead.leader) == ("lost", "MTC")
    assert "nothing else tells the place" in dead.why


def test_the_composer_may_choose_who_leads() -> None:
    chase = Chase(origins={"B": Fraction(3600)})
    for source in ("A", "B"):
        chase.hear(Report(source, "osc", 0, Fraction(5), rolling=False, located=True))
    assert chase.at(1).leader == "A"
    chase.follow("B")
    reading = chase.at(2)
    assert (reading.leader, reading.seconds) == ("B", 3605)
    assert reading.why.endswith("you chose it")
    assert [(row.source, row.away_ms) for row in chase.standings(3)] == [("B", 0.0), ("A", -3_600_000.0)]


def test_before_anything_is_heard_it_says_so() -> None:
    reading = Chase().at(0)
    assert (reading.state, reading.seconds, reading.leader) == ("lost", None, None)
    assert reading.why == "nothing has been heard from any DAW yet"


@MODEST
@given(
    st.lists(st.tuples(st.integers(0, 400), st.booleans(), st.sampled_from([None, True, False]), st.integers(-(10**9), 10**9)))
)
def test_whatever_is_reported_it_has_an_answer(rows: list[tuple[int, bool, bool | None, int]]) -> None:
    chase, now = Chase(picture=Fraction(25), beats=TEMPO.seconds), 0
    for wait_ms, located, rolling, place in rows:
        now += wait_ms * 1_000_000
        kind = "osc" if place % 2 else "mtc"
        chase.hear(Report(kind, kind, now, Fraction(place, 100), rolling=rolling, located=located))  # type: ignore[arg-type]
        reading = chase.at(now)
        assert reading.why
        assert reading.speed == reading.speed, "a number"
        assert chase.standings(now + 10**9)


def test_a_recording_of_a_real_daw_is_followed() -> None:
    """Ardour's timecode, clock and machine control as they came through JACK, every message up to a period of 21 ms late.

    It stops, goes to 0, plays, goes to 10 s while it rolls, stops, goes to 2.48 s, plays and is killed. Clock and timecode count
    apart from each other, so that either proves the other.
    """
    chase = Chase(Fraction(25), beats=TempoMap.steady(96).seconds)
    readers = {"mtc": MtcReader("MTC"), "clock": ClockReader("clock", TICK), "mmc": MmcReader("MMC", Fraction(25))}
    recorded = (Path(__file__).parents[1] / "golden" / "ardour.txt").read_text("ascii").splitlines()
    rows, apart = [], []
    for line in recorded[2:]:
        microseconds, port, message = line.split()
        now = int(microseconds) * 1000
        report = readers[port].feed(bytes.fromhex(message), now)
        if report is not None:
            chase.hear(report)
        rows.append((now / 1e9, chase.at(now)))
        if port == "clock" and min(abs(now / 1e9 - start) for start in (5.0, 11.15, 17.65)) > 0.5:
            apart += [row.away_ms for row in chase.standings(now) if row.source == "clock" and row.fix.state == "locked"]
    for start in (4.98, 11.15, 17.65):
        locked = next(when for when, reading in rows if when > start and reading.state == "locked")
        assert locked - start < 0.5
    rolling = [(when, reading) for when, reading in rows if 6 < when < 10.9 or 12.2 < when < 15 or when > 18.7]
    assert {(reading.leader, reading.state) for _, reading in rolling} == {("MTC", "locked")}
    assert all(abs(reading.speed - 1) < 0.02 for _, reading in rolling)
    assert len(apart) > 200
    assert max(abs(gap) for gap in apart if gap is not None) < 10, "ms"
    assert str(next(reading.timecode for when, reading in rows if when > 16.57)) == "00:00:02:12"
    dead = chase.at(int(24e9))
    assert (dead.state, dead.leader) == ("lost", "MTC")
