"""Live in a set of many tempos: it says beats and nothing else, and the cue's tempo map makes them places in the film, and back."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_double import LiveDouble
from sittings import scored, tempo_map

from bridge.daw import Address, Cue
from bridge.daws.live import Live
from engines.errors import DawError
from engines.spotting.tempo import Metre, Segment, TempoMap

RATE = Fraction(25)
FRAME = 1 / RATE


@pytest.fixture
def double() -> Iterator[LiveDouble]:
    made = LiveDouble()
    yield made
    made.close()


def opened(double: LiveDouble, beats: TempoMap | None, at: Fraction = Fraction(0)) -> Live:
    address = Address(port=double.port, timeout_s=10)
    return Live(address if beats is None else address.followed(beats, at))


def told(beats: Fraction) -> float:
    """As OSC carries it."""
    return float(struct.unpack(">f", struct.pack(">f", float(beats)))[0])


@st.composite
def maps(draw: st.DrawFn) -> TempoMap:
    """Up to forty tempos, bends and ramps of single beats and less."""
    steps = draw(st.lists(st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3), Fraction(8)]), max_size=39))
    starts = [sum(steps[:k], Fraction(0)) for k in range(len(steps) + 1)]
    tempos = draw(st.lists(st.integers(4000, 20000), min_size=len(starts), max_size=len(starts)))
    segments = tuple(Segment(start, Fraction(6000, bpm)) for start, bpm in zip(starts, tempos, strict=True))
    return TempoMap(segments, (Metre(),), Fraction(draw(st.integers(-500, 500)), 100))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(beats=maps(), frames=st.lists(st.integers(0, 5000), min_size=1, max_size=12, unique=True), at=st.integers(0, 4))
def test_cue_points_lie_on_their_frames_whatever_the_tempos(
    double: LiveDouble, beats: TempoMap, frames: list[int], at: int
) -> None:
    """The marker of every frame is read back on it, in a project in which the film begins later, too."""
    inside = sorted(frame for frame in frames if beats.beat(frame / RATE) >= 0)
    double.set.cues = [(str(frame), told(beats.beat(frame / RATE))) for frame in inside]
    live = opened(double, beats, Fraction(at))
    try:
        markers = live.markers()
    finally:
        live.close()
    assert [(marker.name, marker.on_film(Fraction(at), RATE).frame) for marker in markers] == [(str(f), f) for f in inside]
    for marker, frame in zip(markers, inside, strict=True):
        beat = beats.beat(frame / RATE)
        # what is off is what 24 bits of a beat leave open, at the slowest tempo
        assert abs(marker.start - at - frame / RATE) <= max(s.spb for s in beats.segments) * max(beat, 1) / 2**23


def test_one_tempo_would_have_put_them_elsewhere(double: LiveDouble) -> None:
    beats = TempoMap((Segment(Fraction(0), Fraction(60, 96)), Segment(Fraction(32), Fraction(60, 132))))
    double.set.tempo, last = 96.0, Fraction(64)
    double.set.cues = [("late", told(last))]
    plain, followed = opened(double, None), opened(double, beats)
    try:
        off = plain.markers()[0].start - beats.seconds(last)
        assert abs(off) > 4 * FRAME
        plain.close()  # Live answers to one port
        assert abs(followed.markers()[0].start - beats.seconds(last)) < Fraction(1, 10**5)
    finally:
        plain.close()
        followed.close()


def test_it_goes_to_the_beat_of_a_place_and_says_the_place_of_a_beat(double: LiveDouble) -> None:
    beats = tempo_map()
    live = opened(double, beats, Fraction(2))
    try:
        for segment in beats.segments:
            place = beats.seconds(segment.start + Fraction(1, 2))
            there = live.go(place + 2)
            assert double.set.time == pytest.approx(float(segment.start) + 0.5, abs=1e-5)
            assert there.seconds == pytest.approx(float(place + 2), abs=1e-5)
        with pytest.raises(DawError, match="before its first"):
            live.go(beats.seconds(0))  # two seconds before it, in the project
    finally:
        live.close()


@pytest.mark.usefixtures("trio")
def test_clips_of_a_set_with_the_cues_tempos_have_the_cues_beats(double: LiveDouble) -> None:
    """Launched on their bars in such a set, they sound on the cue's frames: a note lies on the beat that the score has it on."""
    session = scored()
    cue = Cue.of(session)
    assert len({segment.spb for segment in session.tempo_map.segments}) > 2
    live = opened(double, session.tempo_map, Fraction(3))
    try:
        placed = live.place(cue, Fraction(3))
    finally:
        live.close()
    assert placed.confirmed
    assert placed.worst_ms < 0.1
    assert "the cue's tempo map" in placed.said
    clips = {clip.name: clip for track in double.set.tracks for clip in track.slots if clip is not None}
    for clip in cue.clips:
        here = session.tempo_map.beat
        expected = sorted((sound.pitch, float(here(sound.start) - here(clip.start))) for sound in clip.sounds)
        found = sorted((note[0], note[1]) for note in clips[clip.name].notes)
        assert [pitch for pitch, _ in found] == [pitch for pitch, _ in expected]
        assert [start for _, start in found] == pytest.approx([start for _, start in expected], abs=1e-4)
        assert clips[clip.name].length == pytest.approx(float(here(clip.end) - here(clip.start)), abs=1e-4)
