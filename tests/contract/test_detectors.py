"""What every detector of shots owes: ``cuts(reel, on_progress, cancelled) -> list[Cut]``, ours and those of PySceneDetect alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.errors import Cancelled, FilmError
from engines.picture import shots
from engines.picture.cut import Cut, CutKind
from engines.picture.reel import Reel

Image = NDArray[np.uint8]
Detector = Callable[..., list[Cut]]
RATE = 24
SCENE = 40  # frames of each scene of the film with cuts


def pyscenedetect(name: str) -> Detector:
    """A detector of PySceneDetect as it comes, behind the same contract; it knows hard cuts alone, and no confidence."""

    def cuts(
        reel: Reel,
        on_progress: Callable[[float, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Cut]:
        scenedetect = pytest.importorskip("scenedetect")
        detector, found, stamp = getattr(scenedetect, name)(), [], scenedetect.FrameTimecode(0, float(reel.rate))
        for picture in reel.pictures(256):
            if cancelled is not None and cancelled():
                raise Cancelled
            stamp = scenedetect.FrameTimecode(picture.frame, float(reel.rate))
            found += detector.process_frame(stamp, np.ascontiguousarray(picture.image[:, :, ::-1]))
            if on_progress is not None:
                on_progress(picture.frame + 1, reel.frames)
        found += detector.post_process(stamp)
        frames = sorted({mark.frame_num for mark in found} - {0})
        return [Cut(frame, reel.timing.time(frame)) for frame in frames]

    return cuts


DETECTORS = {
    "ours": shots.cuts,
    "content": pyscenedetect("ContentDetector"),
    "adaptive": pyscenedetect("AdaptiveDetector"),
}


@pytest.fixture(params=DETECTORS)
def cuts(request: pytest.FixtureRequest) -> Detector:
    return DETECTORS[request.param]


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def scene(seed: int, frames: int) -> list[Image]:
    """A still of soft patches, with a little grain."""
    rng = np.random.default_rng(seed)
    still = np.kron(rng.integers(30, 226, (9, 16, 3)).astype(np.uint8), np.ones((16, 16, 1), np.uint8))
    return [np.clip(still.astype(int) + rng.integers(-3, 4, still.shape), 0, 255).astype(np.uint8) for _ in range(frames)]


def written(path: Path, pictures: list[Image], stamps: list[int] | None = None) -> Path:
    """A film of these pictures; ``stamps`` in milliseconds give it a variable rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "20"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if stamps:
            stream.codec_context.time_base = Fraction(1, 1000)
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if stamps:
                frame.pts, frame.time_base = stamps[k], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Reel:
    """Four scenes of `SCENE` frames, joined by hard cuts."""
    pictures = [picture for seed in range(4) for picture in scene(seed, SCENE)]
    return Reel.open(written(tmp_path_factory.mktemp("film") / "film.mp4", pictures))


def test_cuts_come_in_order_inside_the_film_and_say_all_that_a_cut_says(cuts: Detector, film: Reel) -> None:
    found = cuts(film)
    assert [cut.frame for cut in found] == [SCENE, 2 * SCENE, 3 * SCENE]
    assert found == sorted(found)
    for cut in found:
        assert type(cut) is Cut
        assert type(cut.frame) is int
        assert cut.time == Fraction(cut.frame, RATE)
        assert cut.kind in get_args(CutKind)
        assert 0 <= cut.confidence <= 1
        assert 0 <= cut.strength <= 1
        assert cut.length >= 0
        assert cut.kind != "cut" or cut.length == 0


def test_the_same_film_has_the_same_cuts_twice(cuts: Detector, film: Reel) -> None:
    assert cuts(film) == cuts(Reel.open(film.path))


def test_progress_rises_to_the_whole_film(cuts: Detector, film: Reel) -> None:
    told: list[tuple[float, float]] = []
    assert cuts(film, lambda done, total: told.append((done, total))) == cuts(film)
    assert len(told) > 4
    assert {total for _, total in told} == {film.frames}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[0][0] < film.frames == told[-1][0]


@pytest.mark.parametrize("patience", [0, 1, 57])
def test_cancel_stops_at_once_and_leaves_nothing_running(cuts: Detector, film: Reel, patience: int) -> None:
    asked = 0
    before = threading.active_count()
    told: list[float] = []

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > patience

    with pytest.raises(Cancelled):
        cuts(film, lambda done, total: told.append(done), cancelled)
    assert asked == patience + 1
    assert max(told, default=0) <= patience
    assert threading.active_count() == before


@pytest.mark.parametrize("frames", [1, 2, 90])
def test_a_film_that_stands_still_has_no_cuts(cuts: Detector, tmp_path: Path, frames: int) -> None:
    told: list[tuple[float, float]] = []
    still = Reel.open(written(tmp_path / "still.mp4", scene(5, 1) * frames))
    assert cuts(still, lambda done, total: told.append((done, total))) == []
    assert told[-1] == (frames, frames)


def test_a_film_of_variable_rate_has_cuts_at_its_own_times(cuts: Detector, tmp_path: Path) -> None:
    pictures = scene(7, 30) + scene(8, 30)
    stamps = np.cumsum([0, *([40, 40, 90] * 20)])[: len(pictures)].tolist()
    reel = Reel.open(written(tmp_path / "uneven.mkv", pictures, stamps))
    assert reel.variable
    assert [(cut.frame, cut.time) for cut in cuts(reel)] == [(30, Fraction(stamps[30], 1000))]


def holed(film: Reel, path: Path, start: int, end: int) -> Reel:
    """The film with nothing but zeros in its file from byte ``start`` up to ``end``."""
    whole = film.path.read_bytes()
    path.write_bytes(whole[:start] + bytes(end - start) + whole[end:])
    return Reel.open(path)


def test_a_film_that_breaks_off_is_told_in_one_line(cuts: Detector, film: Reel, tmp_path: Path) -> None:
    whole = film.path.read_bytes()
    pictures = whole.index(b"moov") - 4  # where the pictures end, and the header that promises all of them begins
    broken = holed(film, tmp_path / "broken.mp4", pictures // 2, pictures)
    assert broken.frames == film.frames
    with pytest.raises(FilmError) as caught:
        cuts(broken)
    assert "\n" not in str(caught.value)


def test_damage_amid_a_film_does_not_hide_what_lies_after_it(cuts: Detector, film: Reel, tmp_path: Path) -> None:
    size = film.path.stat().st_size
    found = cuts(holed(film, tmp_path / "damaged.mp4", size // 4, size // 2))
    assert 3 * SCENE in [cut.frame for cut in found]
