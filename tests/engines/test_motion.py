"""Motion, light and visual beats: known motion measured right, real films told apart, and no film that breaks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engines.errors import Cancelled
from engines.picture import published, visual_beats
from engines.picture.cut import Cut
from engines.picture.light import light
from engines.picture.motion import LONG, FilmMeter, Motion, MotionMeter, measure
from engines.picture.reel import Reel
from engines.picture.shots import cuts

Image = NDArray[np.uint8]
WIDE, HIGH = 640, 360
ARRAYS = ("speed", "pace", "component", "impact", "luma", "contrast", "saturation", "warmth", "colourfulness")


@pytest.fixture(scope="module")
def texture() -> Image:
    noise = np.random.default_rng(1).uniform(0, 255, (700, 1800, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    return ((smooth - smooth.min()) / (smooth.max() - smooth.min()) * 255).astype(np.uint8)


def metered(draw: Callable[[int], Image], frames: int, rate: int = 24, cuts: tuple[Cut, ...] = ()) -> Motion:
    """The motion of a film that is drawn, never encoded."""
    meter = MotionMeter(Fraction(rate), frames, WIDE, HIGH)
    for k in range(frames):
        if meter.wants(k):
            meter.add(k, Fraction(k, rate), cv2.resize(draw(k), meter.size, interpolation=cv2.INTER_AREA).astype(np.uint8))
    return meter.motion(Fraction(frames, rate), cuts)


def written(path: Path, pictures: Iterator[Image] | list[Image], rate: int = 24) -> Reel:
    """A film of these pictures, as a file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate, options={"qscale": "2"})
        for k, picture in enumerate(pictures):
            if not k:
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return Reel.open(path)


def square(texture: Image, left: int, top: int = 100, side: int = 160) -> Image:
    picture = np.full((HIGH, WIDE, 3), 90, np.uint8)
    picture[top : top + side, left : left + side] = texture[:side, :side]
    return picture


def bouncing(texture: Image, frame: int, rate: int, hertz: float) -> Image:
    phase = frame / rate * hertz % 1
    return square(texture, 270, HIGH - 100 - int(20 + 220 * 4 * phase * (1 - phase)), 100)


@pytest.fixture(scope="module")
def battle(shared: Path) -> Motion:
    """A wide shot that hardly moves (29.8 to 32.8 s), then a whip and blasts, to 39 s."""
    return part(shared / "media" / "tears_of_steel_battle.webm", 680, 936)


@pytest.fixture(scope="module")
def stills(shared: Path) -> Motion:
    """Three stills with black between them, 13.3 s."""
    return part(shared / "media" / "stills_with_fades.mp4", 0, 400)


def part(film: Path, start: int, stop: int) -> Motion:
    reel = Reel.open(film)
    meter = MotionMeter(reel.rate, reel.frames, reel.width, reel.height)
    for frame, time, image in reel.pictures(meter.size[0], start=start, stop=stop):
        meter.add(frame, time, image)
    cuts = marked(film.with_name(film.name + ".cuts.csv"))
    return meter.motion(stop / reel.rate, [cut for cut in cuts if start < cut.frame < stop])


def marked(table: Path) -> list[Cut]:
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    kinds = {"cut", "dissolve", "fade"}
    return [Cut(int(row[0]), Fraction(row[1]), row[2], length=30 * (row[2] == "dissolve")) for row in rows if row[2] in kinds]  # type: ignore[arg-type]


@pytest.mark.parametrize("pixels", [1, 2, 4, 8, 12])
def test_a_pan_has_its_speed(texture: Image, pixels: int) -> None:
    motion = metered(lambda k: texture[:HIGH, pixels * k : pixels * k + WIDE], 12)
    assert np.median(motion.speed) == pytest.approx(pixels * 24 / HIGH, rel=0.15)
    assert np.median(motion.component) == pytest.approx(pixels / 2, rel=0.15)


@pytest.mark.parametrize("pixels", [1, 2, 4, 8, 12])
def test_a_square_on_a_still_ground_has_its_pace(texture: Image, pixels: int) -> None:
    motion = metered(lambda k: square(texture, 20 + pixels * k), 12)
    assert np.median(motion.pace) == pytest.approx(pixels * 24 / HIGH, rel=0.15)
    assert np.median(motion.speed) < np.median(motion.pace) / 2


@pytest.mark.parametrize("rate", [12, 24, 30, 60])
def test_speed_does_not_depend_on_the_rate(texture: Image, rate: int) -> None:
    motion = metered(lambda k: texture[:HIGH, round(96 * k / rate) :][:, :WIDE], 2 * rate, rate)
    assert np.median(motion.speed) == pytest.approx(96 / HIGH, rel=0.15)


@pytest.mark.parametrize("rate", [24, 30, 60])
def test_two_bounces_a_second_are_visual_beats_at_120(texture: Image, rate: int) -> None:
    motion = metered(lambda k: bouncing(texture, k, rate, 2), 5 * rate, rate)
    assert motion.tempo() == pytest.approx(120, abs=1)
    landed = [float(beat.time) for beat in motion.beats if 0.75 < beat.time < 4.25]
    assert np.abs(np.array(landed) - np.arange(1, 4.25, 0.5)).max() < max(0.04, 2 / rate)
    assert min(beat.weight for beat in motion.beats if 0.75 < beat.time < 4.25) > 0.5


@pytest.mark.parametrize(("low", "high"), [(40, 100), (70, 140), (150, 300)])
def test_the_tempo_keeps_to_the_range_that_is_asked(texture: Image, low: float, high: float) -> None:
    motion = metered(lambda k: bouncing(texture, k, 24, 2), 144)
    tempo = motion.tempo(low, high)
    assert tempo is None or low <= tempo <= high
    assert (tempo == pytest.approx(120, abs=1)) == (low == 70)


@pytest.mark.parametrize("frames", [1, 2, 3, 17, 60])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_one_colour_has_no_motion(frames: int, value: int) -> None:
    motion = metered(lambda k: np.full((HIGH, WIDE, 3), value, np.uint8), frames, cuts=(Cut(1, Fraction(1, 24)),))
    for name in ARRAYS:
        assert getattr(motion, name).shape == (frames,)
        assert np.isfinite(getattr(motion, name)).all(), name
    assert not motion.speed.any()
    assert not motion.impact.any()
    assert motion.beats == ()
    assert motion.tempo() is None
    assert motion.luma == pytest.approx(value / 255, abs=1e-3)
    assert published.beats(published.impact(motion.directograms, 24.0), 24.0) == []


@given(
    frames=st.integers(1, 40),
    rate=st.sampled_from([1, 2, 3, 10, 24, 120]),
    cuts=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["cut", "dissolve", "fade"]), st.integers(0, 80)), max_size=4),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_noise_of_any_length_with_any_cuts_is_finite(frames: int, rate: int, cuts: list[tuple[int, str, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    meter = MotionMeter(Fraction(rate), frames, 40, 30)
    for k in range(frames):
        meter.add(k, Fraction(k, rate), rng.integers(0, 255, (meter.size[1], meter.size[0], 3), np.uint8))
    motion = meter.motion(Fraction(frames, rate), [Cut(f, Fraction(f, rate), kind, length=n) for f, kind, n in cuts])  # type: ignore[arg-type]
    for name in ARRAYS:
        assert np.isfinite(getattr(motion, name)).all(), name
    assert (motion.speed >= 0).all()
    assert all(after.time - before.time >= Fraction(1, 4) - Fraction(1, 1000) for before, after in pairwise(motion.beats))
    assert all(0 <= beat.weight <= 1 for beat in motion.beats)
    tempo = motion.tempo(60, 180)
    assert tempo is None or 60 <= tempo <= 180


def test_a_cut_is_no_motion(texture: Image) -> None:
    def draw(k: int) -> Image:
        return texture[:HIGH, :WIDE] if k < 30 else texture[300:660, 900 : 900 + WIDE]

    unknown, known = metered(draw, 60), metered(draw, 60, cuts=(Cut(30, Fraction(30, 24)),))
    assert unknown.speed.max() > 0.5
    assert known.speed.max() == 0
    assert known.beats == ()
    assert known.cuts == (Fraction(30, 24),)


def test_a_dissolve_is_no_motion(texture: Image) -> None:
    def draw(k: int) -> Image:
        share = min(1.0, max(0.0, (k - 18) / 24))
        mixed = (1 - share) * texture[:HIGH, :WIDE] + share * texture[300:660, 900 : 900 + WIDE]
        return mixed.astype(np.uint8)

    mix = Cut(30, Fraction(30, 24), "dissolve", length=24)
    assert metered(draw, 60).speed.max() > 0.005
    assert metered(draw, 60, cuts=(mix,)).speed.max() < 0.001


def test_a_shaken_still_is_motion_but_no_chase(texture: Image) -> None:
    jitter = np.random.default_rng(3).normal(0, 1.5, (96, 2)).round().astype(int) + 20
    shaken = metered(lambda k: texture[jitter[k, 0] :, jitter[k, 1] :][:HIGH, :WIDE], 96)
    chase = metered(lambda k: texture[:HIGH, 12 * k :][:, :WIDE], 96)
    assert 0 < np.median(shaken.speed) < np.median(chase.speed) / 2


def test_real_films_are_told_apart(battle: Motion, stills: Motion) -> None:
    assert np.median(battle.speed) > 50 * np.median(stills.speed)
    assert len(battle.beats) > 10
    assert stills.beats == ()
    assert stills.tempo() is None
    assert 10 * battle.mean(battle.speed, 30.0, 32.7) < battle.mean(battle.speed, 32.9, 34.9)
    assert not [beat for beat in battle.beats if 30 < beat.time < 32.7]
    assert stills.mean(stills.luma, 6.1, 6.9) < 0.02 < 0.3 < stills.mean(stills.luma, 2.0, 5.0)  # black between two stills
    for motion in (battle, stills):
        assert all(np.isfinite(getattr(motion, name)).all() for name in ARRAYS)


def test_samples_carry_exact_times(stills: Motion) -> None:
    assert stills.times[1] == Fraction(1001, 30000) * int(stills.frames[1])
    assert stills.rate == Fraction(30000, 1001)
    assert len(stills.times) == len(stills.frames) == 400


def test_a_film_of_one_frame(tmp_path: Path) -> None:
    motion = measure(written(tmp_path / "one.mp4", [np.full((48, 64, 3), 200, np.uint8)]))
    assert len(motion.times) == 1
    assert motion.speed.tolist() == [0.0]
    assert motion.beats == ()
    assert motion.mean(motion.luma, 0, 10) == pytest.approx(200 / 255, abs=0.02)


def test_progress_and_cancel(tmp_path: Path, texture: Image) -> None:
    reel = written(tmp_path / "pan.mp4", [texture[:48, k : k + 64] for k in range(30)])
    seen: list[tuple[float, float]] = []
    measure(reel, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (30, 30)
    asked = iter([False, False, False, True])
    with pytest.raises(Cancelled):
        measure(reel, cancelled=lambda: next(asked))


def test_the_pass_that_finds_the_cuts_measures_the_same(tmp_path: Path, texture: Image) -> None:
    pictures = [texture[:72, 2 * k : 2 * k + 128] for k in range(30)] + [texture[400:472, k : k + 128] for k in range(30)]
    reel = written(tmp_path / "two.mp4", pictures)
    meter = FilmMeter(reel)
    found = cuts(reel, each=meter.see)
    assert 30 in [cut.frame for cut in found]
    together, alone = meter.motion(found), measure(reel, found)
    for name in (*ARRAYS, "frames", "directograms"):
        assert getattr(together, name) == pytest.approx(getattr(alone, name), abs=1e-6), name
    assert together.speed.max() > 0.1


def test_long_and_fast_films_are_sampled_more_coarsely() -> None:
    assert MotionMeter(Fraction(24), LONG, WIDE, HIGH).step == 1
    assert MotionMeter(Fraction(24000, 1001), 4 * 3600 * 24, WIDE, HIGH).step == 2
    assert MotionMeter(Fraction(60), 1000, WIDE, HIGH).step == 2
    assert MotionMeter(Fraction(10), 1000, WIDE, HIGH).step == 1


@pytest.mark.parametrize(("width", "height"), [(1, 1), (4096, 2), (2, 4096), (1920, 1080), (1080, 1920)])
def test_the_measured_picture_keeps_its_shape_and_a_least_size(width: int, height: int) -> None:
    wide, high = MotionMeter(Fraction(24), 1, width, height).size
    assert min(wide, high) >= 16
    if min(width, height) > 1000:
        assert wide / high == pytest.approx(width / height, rel=0.02)


def test_light_and_colour() -> None:
    def plain(*rgb: int) -> Image:
        return np.full((20, 20, 3), rgb, np.uint8)

    red, blue, gray, dark = (
        light(plain(220, 40, 30)),
        light(plain(30, 40, 220)),
        light(plain(120, 120, 120)),
        light(plain(3, 0, 0)),
    )
    assert red.warmth > 0.3 > -0.3 > blue.warmth
    assert red.saturation > 0.7
    assert (gray.saturation, gray.warmth, gray.contrast, gray.colourfulness) == (0, 0, 0, 0)
    assert dark.saturation < 0.25  # the tint of black is the encoder's
    half = plain(0, 0, 0)
    half[:10] = 255
    assert light(half).contrast == 1


@given(
    marks=st.lists(st.tuples(st.integers(1, 400), st.floats(0.01, 1.0)), min_size=1, max_size=9, unique_by=lambda mark: mark[0]),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_the_choice_of_beats_is_the_best_there_is(marks: list[tuple[int, float]], seed: int) -> None:
    times, weights = [frame / 24 for frame, _ in sorted(marks)], [weight for _, weight in sorted(marks)]
    pulse = np.append(1.0, np.random.default_rng(seed).uniform(-0.3, 0.9, 90))

    def worth(path: tuple[int, ...]) -> float:
        total = weights[path[0]] - visual_beats.PULSE
        for before, after in pairwise(path):
            gap = times[after] - times[before]
            if gap < visual_beats.CLOSEST - 1e-9:
                return -np.inf
            within = gap <= visual_beats.FARTHEST and gap * 24 + 1 < len(pulse)
            fits = float(np.clip(np.interp(gap * 24, range(len(pulse)), pulse), 0, 1)) if within else 0.0
            total += weights[after] - visual_beats.PULSE * (1 - fits)
        return total

    paths = [path for n in range(1, len(times) + 1) for path in combinations(range(len(times)), n)]
    best = max(0.0, *(worth(path) for path in paths))
    found = tuple(visual_beats.chosen(times, weights, pulse, 24.0))
    assert (worth(found) if found else 0.0) == pytest.approx(best, abs=1e-9)


def test_two_hours_of_peaks_are_chosen_from_in_seconds() -> None:
    rng = np.random.default_rng(0)
    envelope = np.clip(rng.normal(0, 0.4, 2 * 3600 * 12), 0, None)
    times = [Fraction(k, 12) for k in range(len(envelope))]
    beats = visual_beats.beats_of(envelope, np.arange(len(envelope)) * 2, times, 12.0)
    assert len(beats) > 1000
    assert visual_beats.tempo_of(envelope, 12.0) is None  # noise has no tempo


@pytest.mark.parametrize(("place", "threshold"), list(enumerate(published.FLOW_THRESHOLDS)))
def test_published_density_rises_at_its_thresholds(place: int, threshold: float) -> None:
    assert published.cmt_density(threshold - 1e-9) == place
    assert published.cmt_density(threshold) == place + 1


@pytest.mark.parametrize(
    ("weight", "strength"),
    [(0.0, 1), (0.2, 1), (0.23, 2), (0.5, 3), (0.8, 4), (0.9, 5), (0.97, 6), (0.995, 7), (0.999, 8), (0.9998, 9), (1.0, 10)],
)
def test_published_strength(weight: float, strength: int) -> None:
    assert published.strength(weight) == strength


def test_published_beats_lose_their_first() -> None:
    envelope = np.zeros(240)
    envelope[20::24] = 0.9
    marks = list(range(20, 240, 24))
    assert published.beats(envelope, 24.0) == [(mark, 0.9) for mark in marks[1:]]
    frames = np.arange(240)
    ours = visual_beats.beats_of(envelope, frames, [Fraction(int(k), 24) for k in frames], 24.0)
    assert [beat.frame for beat in ours] == marks


def test_published_envelope_is_clipped(battle: Motion) -> None:
    envelope = published.impact(battle.directograms, 24.0)
    assert envelope.max() <= 1
    assert len(published.beats(envelope, 24.0)) > 8
    asked = [bar.density for bar in published.bars(battle, [29.0, 31.0, 33.0, 35.0, 37.0, 39.0], "cmt")]
    assert sum(n == 16 for n in asked) > len(asked) / 2  # any lively film asks for the most there is
