"""Shot boundaries: exact on films whose cuts are known, silent on films that have none."""

from __future__ import annotations

import csv
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest

from engines.errors import Cancelled
from engines.picture import thumbnails
from engines.picture.cut import Cut
from engines.picture.demo_film import CUTS, make_demo_film
from engines.picture.fingerprint import Fingerprints, fingerprints
from engines.picture.gradual import fades
from engines.picture.reel import Reel
from engines.picture.shots import cuts


def film(path: Path, frames: list[np.ndarray]) -> Reel:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "crf": "20"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return Reel.open(path)


def scene(seed: int, frames: int) -> list[np.ndarray]:
    """A still of soft random patches, with a little grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (9, 16, 3)).astype(np.uint8)
    still = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
    return [np.clip(still.astype(int) + rng.integers(-3, 4, still.shape), 0, 255).astype(np.uint8) for _ in range(frames)]


def mixed(a: list[np.ndarray], b: list[np.ndarray]) -> list[np.ndarray]:
    n = len(a)
    return [
        (x * (1 - (k + 1) / (n + 1)) + y * ((k + 1) / (n + 1))).astype(np.uint8)
        for k, (x, y) in enumerate(zip(a, b, strict=True))
    ]


def test_the_demo_films_cuts_are_found_to_the_frame_and_its_flash_is_none(tmp_path: Path) -> None:
    progress: list[tuple[float, float]] = []
    found = cuts(Reel.open(make_demo_film(tmp_path / "demo.mp4")), lambda done, total: progress.append((done, total)))
    assert [(cut.frame, cut.kind) for cut in found] == [(frame, "cut") for frame in CUTS]
    assert all(cut.time == Fraction(cut.frame, 24) and 0.5 < cut.confidence <= 1 for cut in found)
    assert progress[-1] == (504, 504)
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


def test_hard_cuts_of_a_real_film_are_found_to_the_frame(shared: Path) -> None:
    name = "big_buck_bunny_480p.mp4"
    found = [cut.frame for cut in cuts(Reel.open(shared / "media" / name)) if cut.kind == "cut"]
    with (shared / "media" / f"{name}.cuts.csv").open() as file:
        assert found == [int(row["frame"]) for row in csv.DictReader(file)]


def test_a_dissolve_is_told_from_a_cut_and_lies_in_its_middle(tmp_path: Path) -> None:
    a, b, c = scene(1, 60), scene(2, 60), scene(3, 40)
    reel = film(tmp_path / "film.mp4", [*a[:40], *mixed(a[40:], b[:20]), *b[20:], *c])
    found = cuts(reel)
    assert [cut.kind for cut in found] == ["dissolve", "cut"]
    assert abs(found[0].frame - 50) <= 3
    assert 12 <= found[0].length <= 30
    assert found[1].frame == 100


def test_fades_stand_where_the_picture_is_gone_and_where_it_comes(tmp_path: Path) -> None:
    a, b = scene(4, 60), scene(5, 60)
    black = [np.zeros_like(a[0])] * 12
    out = mixed(a[40:], [black[0]] * 20)
    into = mixed([black[0]] * 20, b[:20])
    found = cuts(film(tmp_path / "film.mp4", [*a[:40], *out, *black, *into, *b[20:]]))
    assert [cut.kind for cut in found] == ["fade", "fade"]
    assert [abs(cut.frame - frame) <= 2 for cut, frame in zip(found, (60, 72), strict=True)] == [True, True]


@pytest.mark.parametrize("kind", ["still", "one frame", "black", "two frames"])
def test_a_film_without_shots_has_no_cuts(kind: str, tmp_path: Path) -> None:
    frames = {
        "still": scene(6, 80),
        "one frame": scene(6, 1),
        "two frames": scene(6, 2),
        "black": [np.zeros((144, 256, 3), np.uint8)] * 50,
    }
    assert cuts(film(tmp_path / "film.mp4", frames[kind])) == []


def test_a_long_film_looked_at_piece_by_piece_has_the_cuts_and_hashes_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots = [scene(seed, 5 * seed) for seed in range(12, 18)]
    reel = film(tmp_path / "film.mp4", [*chain.from_iterable(shots), *mixed(scene(24, 30), scene(25, 30)), *scene(25, 60)])
    whole, prints = cuts(reel), fingerprints(reel)
    assert len(whole) == 7
    monkeypatch.setattr(thumbnails, "STRETCH", 100)
    gathered = Fingerprints(reel)
    assert cuts(reel, also=gathered.add) == whole
    assert gathered.whole() == prints


def test_a_flash_is_no_cut(tmp_path: Path) -> None:
    still = scene(7, 90)
    for length, at in ((1, 20), (2, 40), (4, 60)):
        still[at : at + length] = [np.full_like(still[0], 250)] * length
    assert cuts(film(tmp_path / "film.mp4", still)) == []


def test_cancel_stops_at_once(tmp_path: Path) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        cuts(film(tmp_path / "film.mp4", scene(8, 40)), cancelled=lambda: next(asked))


def test_black_that_opens_a_film_is_no_boundary() -> None:
    light = np.concatenate((np.zeros(6), np.linspace(0, 120, 40), np.full(60, 120.0)))
    assert [fade.opening for fade in fades((16 + light).astype(np.float32), (light / 4).astype(np.float32))] == [True]


def test_cuts_are_plain_values_in_order(tmp_path: Path) -> None:
    found = cuts(film(tmp_path / "film.mp4", [*scene(9, 30), *scene(10, 30), *scene(11, 30)]))
    assert found == sorted(found)
    assert all(isinstance(cut, Cut) and 0 <= cut.strength <= 1 for cut in found)
    assert [cut.frame for cut in found] == [30, 60]
