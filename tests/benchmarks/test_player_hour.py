"""An hour of following and playing: timecode with jitter in, notes out, on a clock that is turned by hand; no drift from start to end.

What runs is the code of the player's process: the reader, the chase, the deck and a port. Only time is not real.
"""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path as File
from typing import Any

import numpy as np
import pytest
from tape import Steady, heard, mtc

from bridge.chase import Chase
from bridge.clock import SECOND, HandClock
from bridge.mtc import MtcReader
from bridge.player.deck import Deck
from bridge.player.programme import Part, Programme, TimedNote
from bridge.ports import MemoryPort

RESULTS = File(__file__).parent / "results" / "player_hour.json"
HOUR_S, PIECE_S, APART_S, JITTER_S = 3600, 60, 0.25, 0.002
RATE = Fraction(24000, 1001)
TICK = SECOND // 100


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_an_hour_of_following_and_playing_does_not_drift() -> None:
    count = int((HOUR_S + 10) / APART_S)
    notes = tuple(TimedNote(k * SECOND // 4, k * SECOND // 4 + SECOND // 10, 36 + k % 60, 80) for k in range(count))
    clock, chase, path = HandClock(), Chase(RATE), Steady(0.0)
    port = MemoryPort(clock)
    port.open()
    deck = Deck(clock, lambda stem: (port, 0))
    deck.load(Programme("hour", (Part("melody", 0, notes),), rate=RATE))
    reader, tick, began = MtcReader("MTC", RATE), 0, time.monotonic()
    for piece in range(0, HOUR_S, PIECE_S):
        for when, message in heard(mtc(path, RATE, False, piece, piece + PIECE_S - 1e-6), piece, JITTER_S):
            moment = round(when * SECOND)
            while clock.now_ns() < moment:
                if clock.now_ns() >= tick:
                    tick = clock.now_ns() + TICK
                    reading = chase.at(clock.now_ns())
                    if reading.seconds is not None:
                        rolls = reading.state not in ("stopped", "lost")
                        speed = Fraction(reading.speed).limit_denominator(10**6) if rolls else Fraction(0)
                        deck.chase(round(reading.seconds * SECOND), speed, clock.now_ns())
                due = deck.step()
                clock.turn_to(max(clock.now_ns() + 1, min(moment, tick, due or moment)))
            report = reader.feed(message, moment)
            if report is not None:
                chase.hear(report)
    struck = [(now, message[1]) for now, message in port.sent if message[0] == 0x90]
    moments = np.array([now / SECOND for now, _ in struck])
    numbers = np.round(moments / APART_S).astype(int)
    off = (moments - numbers * APART_S) * 1000
    first, last = (float(np.median(off[(moments > a) & (moments <= b)])) for a, b in ((10, 310), (HOUR_S - 300, HOUR_S)))
    slope = float(np.polyfit(moments[40:], off[40:], 1)[0]) * HOUR_S
    table: dict[str, Any] = {
        "seconds": HOUR_S,
        "rate": str(RATE),
        "jitter_ms": JITTER_S * 1000,
        "notes": len(struck),
        "doubled_or_lost": int(np.sum(np.diff(numbers) != 1)),
        "median_first_5_min_ms": round(first, 4),
        "median_last_5_min_ms": round(last, 4),
        "drift_in_the_hour_ms": round(slope, 4),
        "p99_ms": round(float(np.percentile(np.abs(off[40:]), 99)), 4),
        "max_ms": round(float(np.max(np.abs(off[40:]))), 4),
        "wall_s": round(time.monotonic() - began, 1),
    }
    print("\n" + "\n".join(f"{name:24} {value}" for name, value in table.items()))
    RESULTS.write_text(json.dumps(table, indent=1) + "\n")
    assert table["doubled_or_lost"] == 0
    assert abs(slope) < 0.5
    assert abs(last - first) < 0.5
