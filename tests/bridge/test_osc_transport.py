"""What Reaper, Ardour and Live send, as reports."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.osc_transport import ArdourTransport, LiveTransport, OscTransport, ReaperTransport


def test_reaper_tells_seconds_lamps_and_tempo() -> None:
    reaper = ReaperTransport()
    assert reaper.feed("/tempo/raw", [96.0], 0) is None
    standing = reaper.feed("/stop", [1.0], 0)
    assert standing is not None
    assert standing.rolling is False
    there = reaper.feed("/time", [2.5], 1)
    assert there is not None
    assert (there.seconds, there.located, there.bpm) == (Fraction(5, 2), True, 96.0)
    playing = reaper.feed("/play", [1.0], 2)
    assert playing is not None
    assert playing.rolling is True
    assert reaper.feed("/stop", [0.0], 2) is None, "a lamp that goes out tells nothing"
    passed = reaper.feed("/time", [2.6], 3)
    assert passed is not None
    assert (passed.located, passed.rolling) == (False, True)


def test_ardour_tells_samples_once_its_rate_is_known_and_its_clock_before() -> None:
    ardour = ArdourTransport()
    assert ardour.feed("/position/samples", ["119040"], 0) is None, "samples of nobody knows which rate"
    clock = ardour.feed("/position/time", ["00:00:02.480"], 0)
    assert clock is not None
    assert clock.seconds == Fraction("2.48")
    ardour.feed("#reply", ["end_route_list", 48000, 480000, 1], 0)
    exact = ardour.feed("/position/samples", ["119040"], 1)
    assert exact is not None
    assert exact.seconds == Fraction("2.48")
    assert ardour.feed("/position/time", ["00:00:02.480"], 2) is None, "the finer place counts"
    stopped = ardour.feed("/transport_stop", [1.0], 3)
    assert stopped is not None
    assert stopped.rolling is False
    rolling = ardour.feed("/transport_speed", [-2.0], 4)
    assert rolling is not None
    assert (rolling.rolling, rolling.speed) == (True, -2.0)


def test_live_tells_beats() -> None:
    live = LiveTransport()
    beat = live.feed("/live/song/get/beat", [7], 0)
    assert beat is not None
    assert beat.beats == 7
    live.feed("/live/song/get/tempo", [120.0], 0)
    playing = live.feed("/live/song/get/is_playing", [True], 0)
    assert playing is not None
    assert playing.rolling is True
    fine = live.feed("/live/song/get/current_song_time", [7.25], 0)
    assert fine is not None
    assert (fine.beats, fine.bpm) == (Fraction(29, 4), 120.0)


anything = st.one_of(
    st.floats(), st.integers(-(2**63), 2**63), st.text(max_size=12), st.binary(max_size=8), st.booleans(), st.none()
)


@pytest.mark.parametrize("reader", [ReaperTransport, ArdourTransport, LiveTransport])
@given(st.lists(anything, max_size=4), st.data())
@settings(deadline=None, max_examples=100)
def test_broken_arguments_raise_nothing(reader: type[OscTransport], args: list[object], data: st.DataObject) -> None:
    transport = reader()  # type: ignore[call-arg]
    report = transport.feed(data.draw(st.sampled_from([*transport.table, "/unknown"])), args, 0)
    assert report is None or report.kind == "osc"
