"""The sound of a film: every sample at its place against the picture, wherever decoding begins."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sounding_films import RATE, lag, truth, write_sounding

from engines.errors import FilmError
from engines.picture.reel import Reel
from engines.picture.soundtrack import Block, held_open

CLICKS = [0, 1_000, 24_000, 47_999, 48_000, 120_001, 311_111, 383_999]
SECONDS = 8


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    film = tmp_path_factory.mktemp("sound") / "clicks.mov"
    return write_sounding(film, SECONDS * 24, Fraction(24), CLICKS)


def heard(reel: Reel, start: int, count: int) -> np.ndarray:
    """So many samples of a film from one on; silence where it has none."""
    out = np.zeros((count, 2), np.int16)
    with held_open(reel) as run:
        for first, samples in run(start):
            assert first >= start
            a, b = first - start, min(count, first - start + len(samples))
            if a >= count:
                break
            out[a:b] = samples[: b - a]
    return out


def places(sound: np.ndarray, start: int) -> list[int]:
    return [start + int(k) for k in np.flatnonzero(sound[:, 0] > 10_000)]


@pytest.mark.parametrize("start", [0, 1, 999, 1_000, 1_001, 24_000, 120_000, 311_110, 383_998])
def test_every_click_is_on_its_sample_wherever_it_begins(clicks: Path, start: int) -> None:
    sound = heard(Reel.open(clicks), start, SECONDS * RATE - start)
    assert places(sound, start) == [click for click in CLICKS if click >= start]
    assert np.array_equal(sound[:, 0], sound[:, 1])


def test_one_run_after_another_from_anywhere(clicks: Path) -> None:
    with held_open(Reel.open(clicks)) as run:
        for start in (300_000, 0, 383_000, 24_001):
            first: Block = next(run(start))
            assert first.first == start


def test_sound_that_begins_after_the_picture(tmp_path: Path) -> None:
    reel = Reel.open(write_sounding(tmp_path / "late.mov", 192, Fraction(24), CLICKS, 12_000))
    for start in (0, 11_000, 13_000, 300_000):
        wanted = [click for click in CLICKS if click >= max(12_000, start)]
        assert places(heard(reel, start, SECONDS * RATE - start), start) == wanted


def test_a_hole_stays_a_hole(tmp_path: Path) -> None:
    """In Matroska, whose stamps are milliseconds: what follows the hole is right within one."""
    hole = 1024 * 100, 1024 * 120
    reel = Reel.open(write_sounding(tmp_path / "hole.mkv", 192, Fraction(24), CLICKS, 0, hole))
    there = [click for click in CLICKS if not hole[0] <= click < hole[1]]
    for start in (0, 20_000, 100_000, 125_000, 300_000):
        found = places(heard(reel, start, SECONDS * RATE - start), start)
        assert found == pytest.approx([click for click in there if click >= start], abs=48)


def test_a_film_without_sound_has_none_and_what_is_past_the_end_neither(tmp_path: Path, clicks: Path, shared: Path) -> None:
    with held_open(Reel.open(shared / "media" / "counter.mp4")) as run:
        assert list(run(0)) == []
    with held_open(Reel.open(clicks)) as run:
        assert list(run(SECONDS * RATE + 10_000)) == []


def test_a_film_that_went_away_is_told(tmp_path: Path, clicks: Path) -> None:
    film = tmp_path / "gone.mov"
    film.write_bytes(clicks.read_bytes())
    reel = Reel.open(film)
    _ = reel.timing
    film.unlink()
    with pytest.raises(FilmError), held_open(reel):
        pass


@pytest.mark.parametrize(
    ("film", "most"), [("big_buck_bunny_480p.mp4", 0), ("big_buck_bunny_720p.webm", 8), ("tears_of_steel_battle.webm", 160)]
)
def test_real_films_sound_at_the_frame_as_they_do_from_the_beginning(shared: Path, film: str, most: int) -> None:
    """To the sample where the container counts samples (mp4); within a sixth of a millisecond where it knows milliseconds (WebM), and
    tears_of_steel's first block is stamped with its end, 139 samples late."""
    reel = Reel.open(shared / "media" / film)
    whole = truth(shared / "media" / film)
    found = []
    for frame in (0, 1, 100, 239, 333, 500, 600):
        at = round(reel.timing.time(frame) * RATE)
        piece = heard(reel, at, RATE // 2)
        if np.abs(piece).max() > 200:
            found.append(lag(piece, whole, at, 400))
    assert len(found) >= 4
    assert max(abs(k) for k in found) <= most
    assert max(found) - min(found) <= 8, "wherever it begins, it is the same"
