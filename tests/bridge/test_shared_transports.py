"""Transports that programs share, JACK's and Ableton Link's, as sources of the chase."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import jack_client
from bridge.chase import Chase
from bridge.clock import SECOND
from bridge.jack_client import JackClock, library
from bridge.jack_transport import ROLLING, STARTING, STOPPED, JackReader
from bridge.link import LinkReader, LinkTransport
from engines.errors import MissingLibraryError, PortError

ROOT = Path(__file__).resolve().parents[2]
RATE, PERIOD = 48_000, 256


def periods(begin: float, end: float) -> Iterator[int]:
    yield from range(int(begin * RATE / PERIOD), int(end * RATE / PERIOD))


def followed(chase: Chase, reader: JackReader, begin: float, end: float, state: int, start: int) -> None:
    """JACK's periods from ``begin`` to ``end`` seconds, in the first of which the transport is at sample ``start``."""
    first = None
    for period in periods(begin, end):
        sample = period * PERIOD
        first = sample if first is None else first
        place = start + (sample - first if state == ROLLING else 0)
        report = reader.feed(state, place, RATE, sample * SECOND // RATE, 96.0)
        if report is not None:
            chase.hear(report)


def test_jacks_transport_is_followed_to_the_sample() -> None:
    chase, reader = Chase(Fraction(25)), JackReader()
    followed(chase, reader, 0, 1, STOPPED, 119_040)
    reading = chase.at(SECOND)
    assert (reading.state, reading.seconds) == ("stopped", Fraction("2.48"))
    followed(chase, reader, 1, 1.25, ROLLING, 119_040)
    reading = chase.at(SECOND + SECOND // 4)
    assert reading.state == "locked", "within a quarter of a second"
    assert reading.leader == "JACK transport"
    assert reading.seconds is not None
    assert abs(reading.seconds - Fraction("2.73")) < Fraction(PERIOD, RATE)
    assert abs(reading.speed - 1) < 1e-3
    followed(chase, reader, 1.25, 1.5, ROLLING, 480_000)
    jumped = chase.at(round(1.5 * SECOND)).seconds
    assert jumped is not None
    assert abs(jumped - Fraction("10.25")) < Fraction(PERIOD, RATE)
    followed(chase, reader, 1.5, 1.6, STARTING, 492_000)
    assert chase.at(round(1.6 * SECOND)).seconds == Fraction(492_000, RATE), "while it starts, it stands"
    assert chase.standings(round(1.6 * SECOND))[0].bpm == 96.0


def test_a_transport_that_stands_says_so_now_and_then_and_a_period_is_read_once() -> None:
    reader = JackReader()
    told = [reader.feed(STOPPED, 0, RATE, k * SECOND // 100) for k in range(100)]
    assert 3 <= sum(report is not None for report in told) <= 5
    assert reader.feed(ROLLING, 0, RATE, SECOND) is not None
    assert reader.feed(ROLLING, 0, RATE, SECOND) is None


@pytest.mark.parametrize("bpm", [None, 6.9e-310, float("nan"), float("inf"), -3.0, 1e9])
def test_a_tempo_that_is_none_is_not_told(bpm: float | None) -> None:
    report = JackReader().feed(ROLLING, 0, RATE, 0, bpm)
    assert report is not None
    assert report.bpm in (None, 6.9e-310)


@given(st.integers(0, 2**40), st.lists(st.integers(0, 2**30), max_size=12))
def test_jacks_clock_goes_on_where_its_count_begins_again(start: int, steps: list[int]) -> None:
    now = [start % 2**32]
    clock = JackClock(RATE, lambda: now[0] % 2**32)
    before = clock.now_ns()
    for step in steps:
        now[0] += step
        moment = clock.now_ns()
        assert moment >= before
        assert clock.sample(moment) == now[0]
        before = moment
    now[0] -= 100
    assert clock.now_ns() == before, "it never goes back"
    assert clock.placed(now[0] % 2**32) == now[0]


@given(st.integers(0, 10**9), st.sampled_from((44_100, 48_000, 96_000, 192_000)))
def test_a_sample_has_its_nanosecond_and_back(sample: int, rate: int) -> None:
    clock = JackClock(rate, lambda: 0)
    assert clock.sample(clock.nanoseconds(sample)) == sample


def test_without_jack_the_cure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(error: Exception) -> None:
        def load(name: str) -> ModuleType:
            raise error

        monkeypatch.setattr(jack_client, "import_module", load)

    missing(OSError("JACK library not found"))
    with pytest.raises(PortError, match="install JACK"):
        library()
    missing(ImportError("no module"))
    with pytest.raises(MissingLibraryError, match="pip install JACK-Client"):
        library()


# Ableton Link


@dataclass
class Shared:
    """A Link session as it is at one moment."""

    beat: float = 0.0
    tempo: float = 120.0
    playing: bool = False
    num_peers: int = 1


def test_link_counts_beats_from_its_start() -> None:
    reader, session = LinkReader(), Shared()
    chase = Chase(Fraction(24), Fraction(3600), lambda beat: 3600 + beat / 2)
    step = SECOND // 50
    for k in range(200):
        seconds = k / 50 - 1  # it counts in for two beats
        session.playing, session.beat = k >= 20, 2 * seconds
        report = reader.feed(session, k * step)
        assert report is not None
        assert report.rolling is (k >= 50)
        chase.hear(report)
    reading = chase.at(199 * step)
    assert (reading.state, reading.leader) == ("locked", "Ableton Link")
    assert reading.seconds is not None
    assert abs(reading.seconds - 3600 - Fraction(149, 50)) < Fraction(1, 1000)
    session.playing = False
    stopped = reader.feed(session, 200 * step)
    assert stopped is not None
    chase.hear(stopped)
    assert chase.at(200 * step).state == "stopped"


def test_link_that_starts_again_is_where_it_began() -> None:
    reader = LinkReader()
    for k in range(50):
        reader.feed(Shared(k / 10, playing=True), k * SECOND // 50)
    again = reader.feed(Shared(0.1, playing=True), SECOND)
    assert again is not None
    assert again.located
    assert again.beats == Fraction(1, 10)


def test_alone_link_tells_nothing() -> None:
    assert LinkReader().feed(Shared(3.0, playing=True, num_peers=0), 0) is None


def test_without_the_extra_the_cure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aalink", None)
    with pytest.raises(MissingLibraryError, match=r"hitpoint\[link\]"):
        LinkTransport(lambda: 0)


PEER = """
import asyncio, sys, time
import aalink

async def plays():
    link = aalink.Link(120.0)
    link.quantum, link.start_stop_sync_enabled, link.enabled = 4, True, True
    while not link.num_peers:
        await asyncio.sleep(0.01)
    link.tempo = 133.0
    link.playing = True
    link.request_beat_at_start_playing_time(0.0)
    print("up", flush=True)
    for line in iter(sys.stdin.readline, ""):
        if line.strip() == "stop":
            link.playing = False
            await asyncio.sleep(0.3)
        print(time.monotonic_ns(), link.beat, flush=True)

asyncio.run(plays())
"""

OURS = """
import subprocess, sys, time
sys.path.insert(0, {root!r})
from bridge.link import LinkTransport

ours = LinkTransport(time.monotonic_ns)
peer = subprocess.Popen([sys.executable, "-c", {peer!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
try:
    assert peer.stdout.readline().strip() == "up"
    def until(true):
        end = time.monotonic() + 20
        while not true(ours.poll()):
            assert time.monotonic() < end
            time.sleep(0.01)
    until(lambda report: report is not None and report.rolling)
    off = []
    for k in range(20):
        print("where", file=peer.stdin, flush=True)
        now, beat = peer.stdout.readline().split()
        report = ours.poll()
        off.append(float(report.beats) - float(beat) - (report.received_ns - int(now)) / 1e9 * report.bpm / 60)
        time.sleep(0.02)
    off.sort()
    print("off", off[len(off) // 2], "tempo", report.bpm)
    print("stop", file=peer.stdin, flush=True)
    until(lambda report: report is not None and report.rolling is False)
    print("stopped")
finally:
    peer.kill()
    peer.wait()
    ours.close()
    ours.close()
"""


def test_a_real_pair_of_peers_shares_tempo_beat_start_and_stop() -> None:
    """In a network of its own, since Link speaks to every interface that there is."""
    pytest.importorskip("aalink", reason="aalink is in the extra 'link' alone")
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("no unshare and ip (util-linux, iproute2), so there is no network of its own for Link")
    network = "ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo"
    probe = subprocess.run(["unshare", "-n", "sh", "-c", network], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no network of its own may be made here ({(probe.stderr.splitlines() or ['refused'])[-1]})")
    code = OURS.format(root=str(ROOT), peer=PEER)
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", f'{network} && exec "$0" -c "$1"', sys.executable, code],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert abs(float(words[1])) < 0.02, "beats: 9 ms at this tempo"
    assert abs(float(words[3]) - 133) < 0.01
    assert words[-1] == "stopped"
