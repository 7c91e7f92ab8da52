"""Structureness: how well some segment of a piece explains the rest of it by coming back, from its sound.

The indicator is MusDr's (Wu and Yang, ISMIR 2020): the highest fitness in a fitness scape plot (Mueller, Grosche and Jiang, ISMIR
2011) among segments of a range of lengths. A fitness needs an optimal family of paths through the self-similarity matrix; here all
segments of one length are searched at once, and lengths and coverages are carried forward instead of traced back.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.errors import Cancelled, MidiError

Floats = NDArray[np.float64]

RATE = 22_050
"""Samples a second of the sound that is analysed."""
FRAME, HOP = 4410, 2205  # samples of a chroma frame, and from one to the next: 10 a second
SMOOTHED, KEPT = 21, 5  # frames averaged; every fifth is kept: 2 a second
SECOND = 2
"""Columns of the matrix a second."""
PATH = 16  # columns along which similar passages are smoothed
TEMPI = tuple(2.0 ** (k / 3 - 1) for k in range(7))  # ratios of tempo at which a passage may come back, 0.5 to 2
SHARE, PENALTY = 0.25, -2.0  # the most similar cells, and what the others cost
RANGES = {"short": (3, 8), "mid": (8, 15), "long": (15, None)}
"""Seconds of the segments that an indicator looks at."""
LONGEST = 240.0
"""Seconds of music beyond which only the beginning is looked at: the search grows with the fourth power of the length."""


def chroma(samples: Floats, rate: int) -> Floats:
    """The energy of the twelve pitch classes (12, n), two columns a second, each of length 1; ``samples`` are mono."""
    from scipy.signal import resample_poly

    if rate != RATE:
        common = np.gcd(rate, RATE)
        samples = resample_poly(samples, RATE // common, rate // common)
    if len(samples) < FRAME:
        samples = np.pad(samples, (0, FRAME - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    classes = _filters() @ power.T
    classes /= np.maximum(np.linalg.norm(classes, axis=0), 1e-9)
    boxcar = np.ones(SMOOTHED) / SMOOTHED
    smooth = np.array([np.convolve(row, boxcar, mode="same") for row in classes])[:, ::KEPT]
    return np.asarray(smooth / np.maximum(np.linalg.norm(smooth, axis=0), 1e-9), np.float64)


def _filters() -> Floats:
    """(12, bins) weights of the spectrum's bins, a Gaussian of a semitone around each pitch from A0 to C8."""
    hertz = np.fft.rfftfreq(FRAME, 1 / RATE)
    pitch = 69 + 12 * np.log2(np.maximum(hertz, 1.0) / 440)
    audible = (pitch >= 33) & (pitch <= 108)  # below A1 a frame of 200 ms cannot tell semitones apart
    distance = (pitch[None, :] - np.arange(12)[:, None] + 6) % 12 - 6
    weights = np.exp(-0.5 * (np.where(audible, distance, 99) / 0.5) ** 2)
    return np.asarray(weights, np.float64)


def similarity(classes: Floats) -> Floats:
    """The self-similarity matrix of chroma: transpositions allowed, smoothed along paths, the best quarter kept, the rest penal."""
    stages = []
    for shift in range(12):
        raw = classes.T @ np.roll(classes, shift, axis=0)
        stages.append(np.maximum(_along(raw), _along(raw[::-1, ::-1])[::-1, ::-1]))
    best = np.max(stages, axis=0)
    count = best.size
    edge = np.partition(best.ravel(), count - max(1, round(SHARE * count)))[count - max(1, round(SHARE * count))]
    top = best.max()
    scaled = (best - edge) / (top - edge) if top > edge else np.ones_like(best)
    kept = np.where(best >= edge, scaled, PENALTY)
    np.fill_diagonal(kept, 1.0)
    return np.asarray(kept, np.float64)


def _along(matrix: Floats) -> Floats:
    """The largest mean along lines of `TEMPI` that run on from each cell."""
    n = len(matrix)
    padded = np.pad(matrix, ((0, PATH), (0, 2 * PATH)))
    means = []
    for tempo in TEMPI:
        total = np.zeros_like(matrix)
        for step in range(PATH):
            across = round(step * tempo)
            total += padded[step : step + n, across : across + n]
        means.append(total / PATH)
    return np.asarray(np.max(means, axis=0), np.float64)


def scape(matrix: Floats, cancelled: Callable[[], bool] | None = None) -> Floats:
    """Fitness (n, n) of every segment: row k holds the segments of k + 1 columns, by where they begin; 0 where there is none.

    The fitness is the harmonic mean of normalised score and coverage, both without what every segment has by repeating itself.
    """
    n = len(matrix)
    out = np.zeros((n, n))
    for length in range(1, n + 1):
        if cancelled is not None and cancelled():
            raise Cancelled
        out[length - 1, : n - length + 1] = _fitness(matrix, length)
    return out


def _fitness(matrix: Floats, length: int) -> Floats:
    """The fitness of all segments of one length."""
    n, starts = len(matrix), len(matrix) - length + 1
    columns = np.arange(starts)[:, None] + np.arange(length)[None, :]
    nowhere = np.full((starts, length + 1), -np.inf)
    # (score, path length, coverage) of the best family that ends in each column of a row; column 0 is between two paths
    score = [nowhere.copy(), nowhere.copy()]
    score[-1][:, 0] = 0.0
    steps = [np.zeros((starts, length + 1)), np.zeros((starts, length + 1))]
    cover = [np.zeros((starts, length + 1)), np.zeros((starts, length + 1))]
    for row in range(n):
        cells = matrix[row][columns]
        one, two = score[-1], score[-2]
        here, walked, covered = nowhere.copy(), np.zeros_like(one), np.zeros_like(one)
        ended = one[:, length] > one[:, 0]
        for target, source in ((here, score), (walked, steps), (covered, cover)):
            target[:, 0] = np.where(ended, source[-1][:, length], source[-1][:, 0])
        here[:, 1], walked[:, 1], covered[:, 1] = here[:, 0] + cells[:, 0], walked[:, 0] + 1, covered[:, 0] + 1
        if length > 1:
            shape = (starts, length - 1)
            options = np.full((3, *shape), -np.inf)
            # from column 1 on: a path begins in column 1, never in column 0
            options[0], options[1] = one[:, 1:length], two[:, 1:length]
            options[2, :, 1:] = one[:, 1 : length - 1]
            choice = options.argmax(axis=0)
            best = options.max(axis=0)
            lanes = [(steps[-1], cover[-1]), (steps[-2], cover[-2]), (steps[-1], cover[-1])]
            gone = np.stack([lanes[0][0][:, 1:length], lanes[1][0][:, 1:length], _shifted(lanes[2][0], length)])
            seen = np.stack([lanes[0][1][:, 1:length], lanes[1][1][:, 1:length], _shifted(lanes[2][1], length)])
            here[:, 2:] = best + cells[:, 1:]
            walked[:, 2:] = np.take_along_axis(gone, choice[None], 0)[0] + 1
            covered[:, 2:] = np.take_along_axis(seen, choice[None], 0)[0] + np.where(choice == 1, 2, 1)
        score, steps, cover = [one, here], [steps[-1], walked], [cover[-1], covered]
    last, whole = score[-1][:, 0], score[-1][:, length]
    done = whole > last
    best_score = np.where(done, whole, last)
    path = np.where(done, steps[-1][:, length], steps[-1][:, 0])
    spread = np.where(done, cover[-1][:, length], cover[-1][:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        scored = np.where(path > 0, (best_score - length) / path, 0.0)
        covers = (spread - length) / n
        fitness = np.where(scored + covers > 0, 2 * scored * covers / (scored + covers), 0.0)
    return np.asarray(np.clip(np.nan_to_num(fitness), 0.0, 1.0), np.float64)


def _shifted(values: Floats, length: int) -> Floats:
    """Values of the column two before: nothing for the first."""
    out = np.zeros((len(values), length - 1))
    out[:, 1:] = values[:, 1 : length - 1]
    return out


def indicators(plot: Floats) -> dict[str, float | None]:
    """The structureness indicators of `RANGES`; None where the piece is shorter than the range begins."""
    n = len(plot)
    out: dict[str, float | None] = {}
    for name, (low, high) in RANGES.items():
        rows = plot[SECOND * low - 1 : n if high is None else SECOND * high]
        out[f"si_{name}"] = float(rows.max()) if len(rows) else None
    return out


def structureness(midi: Path, cancelled: Callable[[], bool] | None = None) -> dict[str, float | None]:
    """The indicators of a MIDI file, rendered with the bundled soundfont. Raises MidiError for a silent one."""
    import tempfile
    import wave

    from engines.score.preview import render

    with tempfile.TemporaryDirectory(prefix="hitpoint-") as home:
        sound = render(midi, Path(home) / "sound.wav")
        with wave.open(str(sound)) as file:
            rate, channels = file.getframerate(), file.getnchannels()
            data = file.readframes(min(file.getnframes(), int(LONGEST * rate)))
    samples = np.frombuffer(data, "<i2").reshape(-1, channels).mean(axis=1) / 32768
    if not samples.any():
        raise MidiError("is silent", where=midi, cure="give a file with notes")
    return indicators(scape(similarity(chroma(samples, rate)), cancelled))
