"""Light and colour of one picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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


def light(image: Image) -> Light:
    """Light of an RGB picture (height, width, 3) uint8.

    Colourfulness after D. Hasler and S. Süsstrunk (*Measuring colourfulness in natural images*, 2003), over 100.
    """
    rgb = image.reshape(-1, 3).astype(np.float32) / 255
    luma = rgb @ _LUMA
    red, green, blue = rgb.T
    high, low = rgb.max(axis=1), rgb.min(axis=1)
    brightest, whole = float(high.mean()) + DARK, float(rgb.mean()) * 3 + 3 * DARK
    one, two = red - green, (red + green) / 2 - blue
    spread = float(np.hypot(one.std(), two.std())) + 0.3 * float(np.hypot(one.mean(), two.mean()))
    return Light(
        float(luma.mean()),
        min(1.0, 2 * float(luma.std())),
        float((high - low).mean()) / brightest,
        float((red - blue).mean()) / whole,
        spread * 2.55,
    )
