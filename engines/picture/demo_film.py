"""A short film of our own, so that the first command needs nobody's footage: eight shots, seven hard cuts, a flash that is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engines import files
from engines.errors import FilmError
from engines.picture.timecode import Timecode

RATE = Fraction(24)
WIDTH, HEIGHT = 640, 360
Image = npt.NDArray[np.uint8]


class DemoShot(NamedTuple):
    """One shot: its length in frames, colours of sky and ground and of what moves (RGB), and how fast that moves (pixels a frame)."""

    frames: int
    sky: tuple[int, int, int]
    ground: tuple[int, int, int]
    mover: tuple[int, int, int]
    speed: float


SHOTS = (
    DemoShot(96, (28, 42, 84), (16, 20, 34), (236, 222, 170), 0.6),
    DemoShot(61, (96, 150, 200), (66, 92, 60), (226, 96, 66), 3.0),
    DemoShot(43, (200, 120, 80), (90, 50, 40), (30, 30, 40), 6.0),
    DemoShot(38, (60, 60, 70), (30, 30, 36), (240, 200, 60), 9.0),
    DemoShot(52, (130, 40, 50), (60, 20, 26), (250, 240, 230), 12.0),
    DemoShot(29, (40, 110, 110), (20, 60, 60), (240, 240, 120), 14.0),
    DemoShot(84, (180, 190, 205), (120, 130, 120), (40, 60, 110), 2.0),
    DemoShot(101, (240, 190, 140), (150, 110, 90), (90, 40, 60), 0.8),
)
"""Shots between 1.2 and 4.2 seconds: calm, a chase, calm again."""
FLASH = 250
"""Two white frames in the middle of a shot, which are no cut."""
CUTS = tuple(sum(shot.frames for shot in SHOTS[:k]) for k in range(1, len(SHOTS)))
"""The frames at which a new shot begins: what shot detection has to find."""
FRAMES = sum(shot.frames for shot in SHOTS)


def _scenery(shot: DemoShot, index: int) -> tuple[Image, int]:
    """The still part of a shot, and the row of its horizon."""
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    horizon = HEIGHT * (9 + index % 3) // 16
    picture = np.broadcast_to(np.array(shot.sky, np.float32) * (1 - 0.5 * rows) + 40 * rows, (HEIGHT, WIDTH, 3)).copy()
    picture[horizon:] = np.array(shot.ground, np.float32) * (1 + 0.3 * rows[: HEIGHT - horizon])
    return np.clip(picture, 0, 255).astype(np.uint8), horizon


def _shot(shot: DemoShot, index: int) -> Iterator[Image]:
    """The frames of one shot: houses that drift by, and something round that bounces."""
    import cv2

    scenery, horizon = _scenery(shot, index)
    rng = np.random.default_rng(index)
    houses = list(zip(rng.integers(0, WIDTH, 9), rng.integers(14, 70, 9), strict=True))
    for at in range(shot.frames):
        canvas = scenery.copy()
        for x, size in houses:
            left = int((x - at * shot.speed * 0.25) % WIDTH)
            canvas[horizon - size : horizon, left : left + size // 2] = np.array(shot.ground) * 0.6
        bounce = int(30 * abs(np.sin(at * shot.speed / 40)))
        centre = int((WIDTH * 0.2 + at * shot.speed) % WIDTH), horizon - 20 - bounce
        cv2.circle(canvas, centre, 26 + 4 * (index % 4), shot.mover, -1, cv2.LINE_AA)
        yield canvas


def pictures() -> Iterator[Image]:
    """Every frame of the film, RGB of shape (360, 640, 3), with its timecode burnt in."""
    import cv2

    for frame, picture in enumerate(picture for index, shot in enumerate(SHOTS) for picture in _shot(shot, index)):
        place, white = (WIDTH - 150, HEIGHT - 16), (255, 255, 255)
        cv2.putText(picture, str(Timecode(frame, RATE)), place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, white, 1, cv2.LINE_AA)
        bright = np.minimum(255, picture.astype(np.uint16) + 170).astype(np.uint8)
        yield bright if frame in (FLASH, FLASH + 1) else picture


def make_demo_film(path: str | Path, on_progress: Callable[[float, float], None] | None = None) -> Path:
    """Writes the film (21 s, 640 x 360, 24 frames a second, H.264 or MPEG-4 in mp4) and returns its path.

    Raises FilmError where this PyAV can encode neither, OutputError where the place cannot be written.
    """
    import av

    codec = next((name for name in ("libx264", "mpeg4") if name in av.codecs_available), None)
    if codec is None:
        raise FilmError("this build of PyAV encodes neither H.264 nor MPEG-4", where="demo", cure="run: pip install --upgrade av")
    path = Path(path)
    with files.atomic(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index, picture in enumerate(pictures()):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            if on_progress:
                on_progress(index + 1, FRAMES)
        container.mux(stream.encode(None))
    return path
