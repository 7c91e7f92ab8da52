"""Chase, measured on simulated wires: time to lock, to relocate, error while it rolls, through a second's silence, under varispeed.

The losers: the place that the last message told, as it stands; and the same with the time since added, at the nominal speed. Errors
are against the tape itself and hold the jitter's own delay. Each message is up to so many ms late, evenly spread, in order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path as File
from types import SimpleNamespace

import numpy as np
import pytest
from tape import Message, Path, Steady, Vary, beat_clock, heard, mtc, nanoseconds

from bridge.chase import Chase
from bridge.jack_transport import ROLLING, JackReader
from bridge.link import LinkReader
from bridge.midi_clock import ClockReader
from bridge.mmc import MmcReader, build
from bridge.mtc import MtcReader, full_frame
from bridge.osc_transport import ArdourTransport, LiveTransport, ReaperTransport
from bridge.transport import Report
from engines.picture.timecode import Timecode
from engines.spotting.tempo import TempoMap

RESULTS = File(__file__).parent / "results" / "chase.json"
JITTERS_MS = (0, 2, 5, 10)
SEEDS = range(3)
NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)
FORMATS = {
    "24": (Fraction(24), False),
    "23.976 as 24": (FILM, False),
    "25": (Fraction(25), False),
    "29.97 drop": (NTSC, True),
    "30": (Fraction(30), False),
}
SECONDS, BPM = 10.0, 120
ASKED = 0.0037  # seconds between two questions: never in step with the messages

Feed = Callable[[Message], Report | None]


@dataclass(frozen=True)
class Heard:
    """What was read at a moment: the chase's state and place, and the two losers' places; NaN before there is one."""

    when: float
    state: str
    seconds: float
    held: float
    nominal: float


def follow(chase: Chase, feed: Feed, messages: list[Message], end: float) -> list[Heard]:
    out, k, last = [], 0, None
    for now in np.arange(0, end, ASKED).tolist():
        while k < len(messages) and messages[k][0] <= now:
            report = feed(messages[k])
            if report is not None:
                chase.hear(report)
                place = report.seconds if report.seconds is not None or report.beats is None else chase.beats(report.beats)  # type: ignore[misc]
                last = (messages[k][0], float(place)) if place is not None else last
            k += 1
        reading = chase.at(nanoseconds(now))
        held = float("nan") if last is None else last[1]
        nominal = float("nan") if last is None else last[1] + now - last[0]
        place = float("nan") if reading.seconds is None else float(reading.seconds)
        out.append(Heard(now, reading.state, place, held, nominal))
    return out


def sources() -> Iterator[tuple[str, Callable[[Path, float, float], list[Message]], Callable[[], tuple[Chase, Feed]]]]:
    """Name, the messages along a path, and a new chase with a reader of them."""
    for name, (rate, drop) in FORMATS.items():

        def listen(rate: Fraction = rate) -> tuple[Chase, Feed]:
            reader = MtcReader("MTC", rate)
            return Chase(rate), lambda row: reader.feed(row[1], nanoseconds(row[0]))

        yield f"MTC {name}", lambda path, begin, end, r=rate, d=drop: mtc(path, r, d, begin, end), listen

    def clock() -> tuple[Chase, Feed]:
        reader = ClockReader("clock")
        reader.feed(b"\xfa", 0)
        return Chase(beats=lambda beat: 100 + TempoMap.steady(BPM).seconds(beat)), lambda row: reader.feed(
            row[1], nanoseconds(row[0])
        )

    yield f"clock {BPM} bpm", lambda path, begin, end: beat_clock(path, BPM, begin, end), clock

    def told(step: float, words: Callable[[float], float]) -> Callable[[Path, float, float], list[Message]]:
        """A number every ``step`` seconds, made of the place; half a step late at first, so that no source is asked in step."""

        def stream(path: Path, begin: float, end: float) -> list[Message]:
            times = np.arange(begin + step / 2, end, step)
            return [(t, repr(words(p)).encode()) for t, p in zip(times.tolist(), path(times).tolist(), strict=True)]

        return stream

    def ardour() -> tuple[Chase, Feed]:
        reader = ArdourTransport("OSC", 48000)
        reader.feed("/transport_play", [1.0], 0)
        return Chase(), lambda row: reader.feed("/position/samples", [row[1].decode()], nanoseconds(row[0]))

    yield "OSC of Ardour", told(0.1, lambda place: round(place * 48000)), ardour

    def reaper() -> tuple[Chase, Feed]:
        reader = ReaperTransport()
        reader.feed("/play", [1.0], 0)
        return Chase(), lambda row: reader.feed("/time", [float(row[1])], nanoseconds(row[0]))

    yield "OSC of Reaper", told(0.05, float), reaper

    def beats(beat: Fraction) -> Fraction:
        return 100 + TempoMap.steady(BPM).seconds(beat)

    def live() -> tuple[Chase, Feed]:
        reader = LiveTransport()
        reader.feed("/live/song/get/is_playing", [1], 0)
        return Chase(beats=beats), lambda row: reader.feed(
            "/live/song/get/current_song_time", [float(row[1])], nanoseconds(row[0])
        )

    yield "OSC of Live", told(0.1, lambda place: (place - 100) * BPM / 60), live

    def jack() -> tuple[Chase, Feed]:
        reader = JackReader()  # JACK stamps each place itself: what is late is only our reading of it
        return Chase(), lambda row: reader.feed(ROLLING, int(row[1]), 48000, nanoseconds(int(row[1]) / 48000 - 100))

    yield "JACK transport", told(1024 / 48000, lambda place: round(place * 48000)), jack

    def link() -> tuple[Chase, Feed]:
        reader = LinkReader()
        return Chase(beats=beats), lambda row: reader.feed(
            SimpleNamespace(beat=float(row[1]), tempo=float(BPM), playing=True, num_peers=1), nanoseconds(row[0])
        )

    yield "Ableton Link", told(0.02, lambda place: (place - 100) * BPM / 60), link


def percentiles(errors: list[float]) -> tuple[float, float]:
    """Half and 99 percent of the errors' sizes, in ms."""
    sizes = np.abs(errors) * 1000
    return round(float(np.percentile(sizes, 50)), 3), round(float(np.percentile(sizes, 99)), 3)


def errors(rows: list[Heard], path: Path, way: str, begin: float, end: float) -> list[float]:
    return [getattr(row, way) - float(path(np.array([row.when]))[0]) for row in rows if begin <= row.when < end]


def steady(stream: Callable[..., list[Message]], listen: Callable[[], tuple[Chase, Feed]], jitter: float) -> dict[str, object]:
    """Lock and error at normal speed, and the error at the end of a second of silence."""
    path, locks, found, gap = Steady(100), [], {"seconds": [], "held": [], "nominal": []}, []
    for seed in SEEDS:
        messages = heard(stream(path, 0, SECONDS), seed, jitter)
        rows = follow(*listen(), messages, SECONDS)
        locks.append(next(row.when for row in rows if row.state == "locked"))
        for way, into in found.items():
            into += errors(rows, path, way, 1.5, SECONDS - 0.2)
        silent = [row for row in messages if not 6 < row[0] < 7]
        rows = follow(*listen(), silent, 7)
        assert {row.state for row in rows if row.when > 6.5} == {"free-wheeling"}
        gap += errors(rows, path, "seconds", 6.9, 7)
    return {
        "lock_ms": round(1000 * max(locks)),
        "error_ms": percentiles(found["seconds"]),
        "last_message_ms": percentiles(found["held"]),
        "last_message_and_time_ms": percentiles(found["nominal"]),
        "after_a_silent_second_ms": percentiles(gap),
    }


@dataclass(frozen=True)
class Commanded:
    """A DAW that tells by machine control alone: it is sent to a place, rolls, is sent elsewhere while it rolls, and stops."""

    rate: Fraction = Fraction(25)
    goes: float = 1.0
    jumps: float = 6.0
    stops: float = 10.0

    def __call__(self, t: np.ndarray) -> np.ndarray:
        rolled = np.clip(t - self.goes, 0, self.stops - self.goes)
        return np.where(t < self.jumps, 3600 + rolled, 3700 + rolled)

    @property
    def messages(self) -> list[Message]:
        there = [Timecode.parse(text, self.rate) for text in ("01:00:00:00", "01:01:45:00")]
        return [
            (self.goes - 0.2, build("locate", there[0])),
            (self.goes, build("deferred play")),
            (self.jumps, build("locate", there[1])),
            (self.jumps, build("deferred play")),
            (self.stops, build("stop")),
        ]


def commanded(jitter: float) -> dict[str, object]:
    """Machine control: how long after the word to play, and after one to go elsewhere, the chase is within 20 ms of the tape for good;
    and its errors while it rolls. Its errors hold the wire's delay: nothing comes that could tell of it."""
    path, locks, found = Commanded(), [], {"seconds": [], "held": [], "nominal": []}
    for seed in SEEDS:
        reader, chase = MmcReader("MMC", path.rate), Chase(path.rate)
        feed: Feed = lambda row, reader=reader: reader.feed(row[1], nanoseconds(row[0]))  # type: ignore[misc]  # noqa: E731
        rows = follow(chase, feed, heard(path.messages, seed, jitter), 9.9)
        for begin, end in ((path.goes, path.jumps), (path.jumps, path.stops)):
            wrong = [
                row.when
                for row in rows
                if begin <= row.when < end - 0.1 and not abs(row.seconds - float(path(np.array([row.when]))[0])) < 0.020
            ]
            locks.append(max(wrong, default=begin) - begin)
        for way, into in found.items():
            into += errors(rows, path, way, 1.5, 5.9) + errors(rows, path, way, 6.5, 9.9)
    return {
        "lock_ms": round(1000 * max(locks)),
        "error_ms": percentiles(found["seconds"]),
        "last_message_ms": percentiles(found["held"]),
        "last_message_and_time_ms": percentiles(found["nominal"]),
    }


def varied(jitter: float) -> dict[str, object]:
    """Varispeed from 0.9 to 1.1 and back in five seconds each, timecode at 25."""
    path, found = Vary(), {"seconds": [], "held": [], "nominal": []}
    listen = next(listen for name, _, listen in sources() if name == "MTC 25")
    for seed in SEEDS:
        rows = follow(*listen(), heard(mtc(path, Fraction(25), False, 0, 14), seed, jitter), 13.8)
        for way, into in found.items():
            into += errors(rows, path, way, 1.5, 13.8)
    return {way: percentiles(into) for way, into in found.items()}


def relocated(jitter: float, full: bool) -> dict[str, object]:
    """Rolling timecode goes elsewhere: how long until the chase is within 20 ms of it for good, with and without a full frame."""
    rate, times = Fraction(25), []
    there = Timecode.parse("00:20:00:00", rate)
    after = Steady(float(there.seconds) - 3)
    listen = next(listen for name, _, listen in sources() if name == "MTC 25")
    for seed in SEEDS:
        word = [(2.99, full_frame(there))] if full else []
        stream = [*mtc(Steady(100), rate, False, 0, 2.985), *word, *mtc(after, rate, False, 3, 6)]
        rows = [row for row in follow(*listen(), heard(stream, seed, jitter), 6) if row.when > 3]
        wrong = [row.when for row in rows if not abs(row.seconds - float(after(np.array([row.when]))[0])) < 0.020]
        times.append(max(wrong, default=3.0) - 3)
    return {"relocate_ms": round(1000 * max(times), 1)}


@pytest.mark.benchmark
def test_chase() -> None:
    rows: dict[str, dict[str, object]] = {}
    print(
        f"\n{'source':<16}{'jitter':>7}{'lock':>8}{'error p50 / p99':>19}{'last message':>19}{'+ time':>19}{'silent second':>19}   ms"
    )
    for name, stream, listen in sources():
        for jitter_ms in JITTERS_MS:
            row = rows[f"{name}, {jitter_ms} ms"] = steady(stream, listen, jitter_ms / 1000)
            cells = "".join(f"{a:>9.2f} /{b:>8.2f}" for a, b in list(row.values())[1:])  # type: ignore[misc]
            print(f"{name:<16}{jitter_ms:>7}{row['lock_ms']:>8}{cells}")
            assert row["lock_ms"] < 1000  # type: ignore[operator]
            assert row["error_ms"][1] < row["last_message_ms"][1]  # type: ignore[index]
    for jitter_ms in JITTERS_MS:
        row = rows[f"MMC 25, {jitter_ms} ms"] = commanded(jitter_ms / 1000)
        cells = "".join(f"{a:>9.2f} /{b:>8.2f}" for a, b in list(row.values())[1:])  # type: ignore[misc]
        print(f"{'MMC 25':<16}{jitter_ms:>7}{row['lock_ms']:>8}{cells}")
        assert row["lock_ms"] < 1000  # type: ignore[operator]
        assert row["error_ms"][1] <= jitter_ms + 5  # type: ignore[index]
    print(f"\n{'varispeed 0.9..1.1':<23}{'error p50 / p99':>19}{'last message':>19}{'+ time':>19}")
    varispeed = {jitter_ms: varied(jitter_ms / 1000) for jitter_ms in JITTERS_MS}
    for jitter_ms, cells in varispeed.items():
        print(f"{jitter_ms:>23}" + "".join(f"{a:>9.2f} /{b:>8.2f}" for a, b in cells.values()))  # type: ignore[misc]
    print(f"\n{'relocation':<23}{'full frame':>19}{'without one':>19}")
    relocation = {
        jitter_ms: {"full_frame": relocated(jitter_ms / 1000, True), "without": relocated(jitter_ms / 1000, False)}
        for jitter_ms in JITTERS_MS
    }
    for jitter_ms, both in relocation.items():
        print(f"{jitter_ms:>23}" + "".join(f"{cell['relocate_ms']:>19}" for cell in both.values()))
    kept = {"sources": rows, "varispeed_0.9_1.1_ms": varispeed, "relocation": relocation}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
