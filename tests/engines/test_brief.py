"""The brief: bars of the map, densities that breathe with the picture, and the composer's word above all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.engine import MOODS
from engines.errors import OptionError
from engines.picture.motion import Motion, MotionMeter, measure
from engines.picture.reel import Reel
from engines.spotting.brief import GRID, Briefing, brief_for, key_name, mood_number
from engines.spotting.hits import Hit
from engines.spotting.suggestion import BUSY, CALM, MoodGuess, activity, arc, density, level
from engines.spotting.tempo import Metre, Segment, TempoMap


def pictured(
    speeds: Sequence[float], seconds: Fraction = Fraction(2), luma: float = 0.45, saturation: float = 0.3, cuts: int = 0
) -> Motion:
    """A film whose bars of that many seconds move at these speeds."""
    n, rate = len(speeds) * 24, 24 / seconds
    blank = np.zeros(n)
    duration = len(speeds) * seconds
    return Motion(
        frames=np.arange(n),
        times=tuple(k / rate for k in range(n)),
        rate=rate,
        duration=duration,
        cuts=tuple(duration * (k + 1) / (cuts + 1) for k in range(cuts)),
        speed=np.repeat(np.array(speeds, float), 24),
        pace=blank,
        component=blank,
        impact=blank,
        luma=blank + luma,
        contrast=blank,
        saturation=blank + saturation,
        warmth=blank,
        colourfulness=blank,
        directograms=np.zeros((n, 128), np.float32),
    )


def densities(briefing: Briefing) -> list[int | None]:
    return [bar.density for bar in briefing.brief.bars]


STEADY = TempoMap.steady(120)


def test_bars_cover_the_cue_with_their_metres_and_tempi() -> None:
    metres = (Metre(4, 4), Metre(7, 8), Metre(3, 4), Metre(4, 4))
    segments = (Segment(Fraction(0), Fraction(1, 2)), Segment(Fraction(4), Fraction(3, 5)))
    brief = brief_for(TempoMap(segments, metres, Fraction(1, 4)), [], Fraction(12)).brief
    assert [bar.metre for bar in brief.bars] == [(4, 4), (7, 8), (3, 4), (4, 4), (4, 4), (4, 4)]
    assert [bar.start for bar in brief.bars][:4] == [0, 4, Fraction(15, 2), Fraction(21, 2)]
    assert all(a.start + a.length == b.start for a, b in zip(brief.bars, brief.bars[1:], strict=False))
    assert [bar.bpm for bar in brief.bars] == pytest.approx([120, 100, 100, 100, 100, 100])


def test_without_picture_or_wish_the_engine_decides() -> None:
    briefing = brief_for(STEADY, [], Fraction(10))
    assert briefing.suggested is None
    assert briefing.composer == frozenset()
    assert (briefing.brief.mood, briefing.brief.key) == (None, None)
    assert {(bar.density, bar.energy, bar.register, bar.chord) for bar in briefing.brief.bars} == {(None,) * 4}


def test_motion_asks_for_onsets_within_the_range_of_real_music() -> None:
    film = pictured([0.0, 0.05, 0.1, 0.3, 1.0, 3.0])
    asked = densities(brief_for(STEADY, [], film.duration, film))
    assert asked == sorted(asked)  # type: ignore[type-var]
    assert asked[0] == round(CALM * 2)
    assert asked[-1] == round(BUSY * 2)


@pytest.mark.parametrize("bpm", [60, 80, 100, 120, 140])
def test_onsets_a_second_do_not_depend_on_the_tempo(bpm: int) -> None:
    film = pictured([0.1, 0.3, 0.5, 0.2, 0.1, 0.4])
    brief = brief_for(TempoMap.steady(bpm), [], film.duration, film).brief
    per_second = [float(bar.density or 0) * bar.bpm / 240 for bar in brief.bars]
    assert np.mean(per_second) == pytest.approx(3.4, abs=0.4)
    assert all((bar.density or 0) <= 16 for bar in brief.bars)


@given(
    speeds=st.lists(st.floats(0, 5), min_size=1, max_size=12),
    metre=st.sampled_from([Metre(1, 4), Metre(2, 4), Metre(3, 4), Metre(4, 4), Metre(5, 4), Metre(7, 8), Metre(5, 8)]),
    bpm=st.integers(30, 240),
    luma=st.floats(0, 1),
    formula=st.sampled_from(["ours", "cmt", "bmt"]),
)
@settings(max_examples=60, deadline=None)
def test_every_suggestion_is_in_range(speeds: list[float], metre: Metre, bpm: int, luma: float, formula: str) -> None:
    film = pictured(speeds, luma=luma)
    brief = brief_for(TempoMap.steady(bpm, 3, metre), [], film.duration, film, formula=formula).brief
    for bar in brief.bars:
        assert bar.density is not None
        assert 0 <= bar.density <= bar.length * GRID
        assert bar.energy is not None
        assert 0 <= bar.energy <= 1
        assert bar.register is not None
        assert 55 <= bar.register <= 70


def test_a_film_without_contrast_is_not_stretched() -> None:
    assert set(activity([0.001] * 8)) == {0.0}
    assert activity([0.1] * 8) == pytest.approx([level(0.1)] * 8)
    assert activity([0.1, 0.1001])[1] - activity([0.1, 0.1001])[0] < 0.01
    assert activity([]) == []


def test_calm_bars_of_a_wild_film_stay_calm() -> None:
    active = activity([0.02, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert active[0] < 0.1
    assert min(active[1:]) > 0.7


def test_a_bar_of_one_beat_gets_its_share() -> None:
    assert density(0.0, 0.4, 4) == 1
    assert density(1.0, 0.4, 4) == 2
    assert density(1.0, 8.0, 16) == 16


def test_the_arc_rises_to_its_summit_and_falls() -> None:
    film = pictured([0.2] * 12)
    energies = [bar.energy or 0 for bar in brief_for(STEADY, [], film.duration, film).brief.bars]
    top = int(np.argmax(energies))
    assert 7 <= top <= 9
    assert energies[: top + 1] == sorted(energies[: top + 1])
    assert energies[top:] == sorted(energies[top:], reverse=True)
    assert max(energies) - min(energies) < 0.11
    assert (arc(0.0), arc(0.75), arc(1.0)) == (0, 1, 0)


def test_dark_pictures_lie_low() -> None:
    low, middle, high = (
        brief_for(STEADY, [], Fraction(4), pictured([0.1, 0.1], luma=luma)).brief.bars[0].register for luma in (0.05, 0.45, 0.9)
    )
    assert (low, middle, high) == (56.0, 62.5, 69.0)


@pytest.mark.parametrize(
    ("luma", "speed", "cuts", "mood"),
    [(0.7, 0.8, 6, "happy"), (0.2, 0.8, 6, "angry"), (0.2, 0.0, 0, "sad"), (0.7, 0.0, 0, "calm")],
)
def test_mood_by_light_and_motion(luma: float, speed: float, cuts: int, mood: str) -> None:
    film = pictured([speed] * 6, luma=luma, cuts=cuts)
    assert brief_for(STEADY, [], film.duration, film).brief.mood == MOODS[mood]


def test_black_has_no_mood() -> None:
    briefing = brief_for(STEADY, [], Fraction(4), pictured([0.0, 0.0], luma=0.0))
    assert briefing.brief.mood is None
    assert briefing.brief.bars[0].density == round(CALM * 2)


def test_the_quadrants() -> None:
    assert [MoodGuess(v, a).mood for v, a in ((0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5))] == [1, 2, 3, 4]


def test_the_composer_overrides_and_the_suggestion_stays_known() -> None:
    film = pictured([0.1, 0.5, 0.2, 0.4])
    free = brief_for(STEADY, [], film.duration, film)
    told = brief_for(STEADY, [], film.duration, film, mood="sad", density=12, energy=0.9, register=50, key="Am")
    assert densities(told) == [12] * 4
    assert {(bar.energy, bar.register) for bar in told.brief.bars} == {(0.9, 50)}
    assert (told.brief.mood, told.brief.key) == (3, "A:min")
    assert told.suggested == free.suggested
    assert told.composer == {"mood", "density", "energy", "register", "key"}
    assert free.composer == frozenset()


def test_one_value_a_bar_leaves_the_others_to_the_picture() -> None:
    film = pictured([0.1, 0.5, 0.2, 0.4])
    free = brief_for(STEADY, [], film.duration, film)
    told = brief_for(STEADY, [], film.duration, film, density=[None, 0, None, 16], chords=["C:maj", None, None, "G:maj"])
    assert densities(told) == [densities(free)[0], 0, densities(free)[2], 16]
    assert [bar.chord for bar in told.brief.bars] == ["C:maj", None, None, "G:maj"]


def test_one_density_is_shared_by_the_length_of_the_bar() -> None:
    told = brief_for(TempoMap.steady(120, 2, Metre(3, 4)), [], Fraction(3), density=8)
    assert densities(told) == [6, 6]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"density": 17}, "17 is not in 0..16"),
        ({"density": -1}, "-1 is not in 0..16"),
        ({"density": [1, 2]}, "2 values for 4 bars"),
        ({"energy": 1.5}, "1.5 is not in 0..1"),
        ({"register": [60, 60, 60, 300]}, "300 is not in 21..108"),
        ({"mood": "bored"}, "no mood is named 'bored'"),
        ({"mood": 5}, "no mood is named '5'"),
        ({"key": "H:maj"}, "'H:maj' is no key"),
        ({"formula": "best"}, "no formula is named 'best'"),
    ],
)
def test_what_no_engine_can_do_is_refused_in_one_line(wish: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        brief_for(STEADY, [], Fraction(8), None, **wish)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert caught.value.cure


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("C:maj", "C:maj"),
        ("c", "C:maj"),
        ("Am", "A:min"),
        ("Db:maj", "C#:maj"),
        ("F# minor".replace(" ", ":"), "F#:min"),
        ("Cb", "B:maj"),
        ("B#:min", "C:min"),
    ],
)
def test_keys_as_people_write_them(typed: str, key: str) -> None:
    assert key_name(typed) == key


def test_moods_by_name_and_number() -> None:
    assert [mood_number(mood) for mood in ("happy", "Angry", "3", 4)] == [1, 2, 3, 4]


def hit(seconds: Fraction, weight: float = 1.0, hard: bool = True) -> Hit:
    return Hit(int(seconds * 24), seconds, weight, hard)


def test_only_caught_hits_are_told() -> None:
    caught = [hit(Fraction(1, 2)), hit(Fraction(9, 8), 0.4, False), hit(Fraction(201, 100), 0.8)]
    missed = [hit(Fraction(27, 16)), hit(Fraction(5))]  # half a sixteenth off; beyond the cue
    brief = brief_for(STEADY, [*caught, *missed], Fraction(4)).brief
    assert [(h.beat, h.strength, h.hard) for h in brief.hits] == [(1, 1.0, True), (Fraction(9, 4), 0.4, False), (4, 0.8, True)]


def test_two_hits_on_one_beat_are_one_and_hard_if_either_is() -> None:
    brief = brief_for(STEADY, [hit(Fraction(1), 0.3, True), hit(Fraction(101, 100), 0.9, False)], Fraction(4)).brief
    assert [(h.beat, h.strength, h.hard) for h in brief.hits] == [(2, 0.9, True)]


def test_a_hit_weighs_less_where_nothing_stops() -> None:
    film = pictured([0.1, 0.1])
    film.impact[12] = 1.0  # at 1 s
    brief = brief_for(STEADY, [hit(Fraction(1)), hit(Fraction(3))], film.duration, film).brief
    assert [h.strength for h in brief.hits] == [1.0, 0.7]


@pytest.mark.parametrize(("first", "last", "least", "most"), [(715, 786, 0.0, 4.5), (787, 840, 8.0, 10.0)])
def test_a_wide_shot_is_calm_and_a_blast_is_not(shared: Path, first: int, last: int, least: float, most: float) -> None:
    reel = Reel.open(shared / "media" / "tears_of_steel_battle.webm")
    meter = MotionMeter(reel.rate, reel.frames, reel.width, reel.height)
    for frame, time, image in reel.pictures(meter.size[0], start=first, stop=last):
        meter.add(frame, time - Fraction(first, 24), image)
    film = meter.motion(Fraction(last - first, 24))
    asked = [bar.density or 0 for bar in brief_for(STEADY, [], film.duration, film).brief.bars]
    assert least < np.mean(asked) < most


def test_a_still_film_gets_a_whole_calm_brief(shared: Path) -> None:
    reel = Reel.open(shared / "media" / "fades.mp4")
    film = measure(reel)
    briefing = brief_for(STEADY, [], reel.duration, film)
    assert densities(briefing) == [3] * 5
    assert briefing.suggested is not None
    assert briefing.suggested.tempo is None


def test_the_json_tells_picture_and_composer_apart() -> None:
    film = pictured([0.1, 0.5, 0.2, 0.4])
    told = json.loads(json.dumps(brief_for(STEADY, [hit(Fraction(3))], film.duration, film, density=5, key="F#:min").json()))
    assert told["set_by_composer"] == ["density", "key"]
    assert [bar["density"] for bar in told["bars"]] == [5] * 4
    assert told["bars"][1]["picture"]["flow"] == pytest.approx(0.5)
    assert told["bars"][1]["picture"]["density"] > 5
    assert [bar["strength"] for bar in told["bars"]] == [0.0, 0.7, 0.0, 0.0]
    assert told["picture"]["mood"] in (1, 2, 3, 4)
    assert told["hits"] == [{"beat": 6.0, "strength": 0.7, "hard": True}]


def test_a_cue_that_begins_in_the_film_reads_its_own_part() -> None:
    film = pictured([1.0] * 4 + [0.0] * 4)
    late = TempoMap.steady(120, origin=Fraction(8))
    assert densities(brief_for(late, [], film.duration, film)) == [round(CALM * 2)] * 4
