"""Light and colour of one picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.picture.reel import Image

DARK = 0.05
"""Brightness at which a tint counts half: below it, colour is noise of the encoder."""
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709


class Light(NamedTuple):
    """``luma`` (mean) and ``contrast`` (twice the standard deviation of luma) lie in 0..1, ``saturation`` in 0..1 with black
    counting nothing, ``warmth`` in -1 (blue) .. 1 (red), ``colourfulness`` in 0 (grey) .. about 1.1 (extremely colourful)."""

    luma: float
    contrast: float
    saturation: float
    warmth: float
    colourfulness: float


def lights(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """`Light` (n, 5) of RGB pictures (n, height, width, 3) uint8.

    Colourfulness after D. Hasler and S. Süsstrunk (*Measuring colourfulness in natural images*, 2003), over 100.
    """
    rgb = np.moveaxis(images.reshape(len(images), -1, 3), 2, 0).astype(np.float32) / 255
    red, green, blue = rgb
    luma = np.tensordot(_LUMA, rgb, 1)
    high, low = rgb.max(axis=0), rgb.min(axis=0)
    brightest, whole = high.mean(axis=1) + DARK, rgb.mean(axis=(0, 2)) * 3 + 3 * DARK
    one, two = red - green, (red + green) / 2 - blue
    spread = np.hypot(one.std(axis=1), two.std(axis=1)) + 0.3 * np.hypot(one.mean(axis=1), two.mean(axis=1))
    values = (
        luma.mean(axis=1),
        np.minimum(1, 2 * luma.std(axis=1)),
        (high - low).mean(axis=1) / brightest,
        (red - blue).mean(axis=1) / whole,
        spread * 2.55,
    )
    return np.stack(values, axis=1).astype(np.float32)


def light(image: Image) -> Light:
    """`lights` of one picture (height, width, 3)."""
    return Light(*lights(image[None])[0].tolist())
