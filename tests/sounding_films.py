"""Films with a click on known samples of their sound, and what a film sounds like when it is decoded in one go."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

RATE = 48_000


def write_sounding(
    path: Path, frames: int, rate: Fraction, clicks: list[int], begins: int = 0, gap: tuple[int, int] = (0, 0)
) -> Path:
    """A film (mov, its sound uncompressed at 48 kHz) with grey pictures; its sound begins at sample ``begins`` of the
    film, is full scale on the samples ``clicks`` alone, and has nothing at all from sample to sample of ``gap``."""
    import av

    whole = int(frames / rate * RATE)
    sound = np.zeros((1, 2 * whole), np.int16)
    for at in clicks:
        sound[0, 2 * at] = sound[0, 2 * at + 1] = 32_767
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=rate, options={"g": "240", "bf": "0"})
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        voice = container.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        for k in range(frames):
            image = av.VideoFrame.from_ndarray(np.full((64, 64), k % 200, np.uint8), format="gray")
            image.pts, image.time_base = k, 1 / rate
            container.mux(picture.encode(image))
        container.mux(picture.encode(None))
        for first in range(begins, whole, 1024):
            if gap[0] <= first < gap[1]:
                continue
            last = min(whole, first + 1024)
            block = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound[:, 2 * first : 2 * last]), format="s16", layout="stereo"
            )
            block.sample_rate, block.pts, block.time_base = RATE, first, Fraction(1, RATE)
            container.mux(voice.encode(block))
        container.mux(voice.encode(None))
    return path


def truth(path: Path) -> np.ndarray:
    """All of a film's sound from its first frame on (samples, 2), decoded in one go and counted, never sought."""
    import av

    with av.open(str(path)) as container:
        picture = next(container.decode(container.streams.video[0]))
        begins = picture.pts * picture.time_base
    parts, first = [], None
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        make = av.AudioResampler(format="s16", layout="stereo", rate=RATE)
        for frame in container.decode(stream):
            first = frame.pts * frame.time_base - begins if first is None else first
            parts += [made.to_ndarray().reshape(-1, 2) for made in make.resample(frame)]
        parts += [made.to_ndarray().reshape(-1, 2) for made in make.resample(None)]
    at = round((first or 0) * RATE)
    sound = np.concatenate(parts)
    return np.concatenate([np.zeros((at, 2), np.int16), sound]) if at > 0 else sound[-at:]


def lag(heard: np.ndarray, whole: np.ndarray, at: int, most: int) -> int:
    """How many samples later than ``at`` in the whole a piece of sound is found, by least difference."""
    piece = heard.astype(float).mean(1)
    span = whole[max(0, at - most) : at + len(piece) + most].astype(float).mean(1)
    differences = [float(np.abs(span[k : k + len(piece)] - piece).mean()) for k in range(len(span) - len(piece) + 1)]
    return int(np.argmin(differences)) - min(at, most)
