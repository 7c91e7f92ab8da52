"""POP909 as pieces on the sixteenth grid, and as windows of words to learn from.

POP909 (Wang et al. 2020, MIT licence): 909 songs in three tracks, with beats, chords and keys. Notes are quantised against
``beat_midi.txt``, whose third column marks the downbeats of 4/4; the MIDI file's own grid is out of phase. Most songs hold a few
bars of two or three beats, so bar lines follow every downbeat. Songs in triple metre (a downbeat every six rows) are left out.
Songs whose index ends in 5 are for validation and never learned.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.bmt.recall import MORE, recalled
from engines.bmt.tokens import GridNote, Piece, Words, carried, encode, our_events, register_level
from engines.bmt.vocabulary import (
    ROOTS,
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    Vocabulary,
    ours,
)
from engines.errors import OptionError

FLATS = {"Cb": "B", "Db": "C#", "Eb": "D#", "Fb": "E", "Gb": "F#", "Ab": "G#", "Bb": "A#", "E#": "F", "B#": "C"}
QUALITIES = {
    "maj": "M",
    "min": "m",
    "maj7": "M7",
    "min7": "m7",
    "7": "7",
    "dim": "o",
    "dim7": "o7",
    "hdim7": "/o7",
    "aug": "+",
    "sus2": "sus2",
    "sus4": "sus4",
    "sus4(b7)": "sus4",
    "maj6": "M",
    "min6": "m",
    "minmaj7": "m",
    "9": "7",
    "maj9": "M7",
    "min9": "m7",
    "11": "7",
    "maj11": "M7",
    "min11": "m7",
    "13": "7",
    "maj13": "M7",
    "min13": "m7",
}
HIGHEST = 105
OUTSIDE = 64
"""Beats that a song may go on beyond its annotation, at either end."""
STEMS = {"MELODY": "melody", "BRIDGE": "bridge", "PIANO": "piano"}


def chord_word(label: str) -> str:
    """A Harte label such as ``Eb:min7/b3`` as a chord word (``D#_m7``), without degrees that have none; what has no word is ``N_N``."""
    root, _, quality = label.partition("/")[0].partition(":")
    root = FLATS.get(root, root)
    quality = QUALITIES.get(quality or "maj", QUALITIES.get(quality.partition("(")[0], ""))
    return f"{root}_{quality}" if root in ROOTS and quality else "N_N"


def is_validation(song: str) -> bool:
    """Whether a song's index ends in 5."""
    return song.endswith("5")


def songs(root: str | Path, validation: bool | None = None) -> Iterator[Path]:
    """Folders of songs in order; only those of one share where ``validation`` is given. OptionError where there are none."""
    found = sorted(p for p in Path(root).glob("[0-9][0-9][0-9]") if (p / f"{p.name}.mid").is_file())
    if not found:
        raise OptionError(
            "holds no songs of POP909", where=root, cure="give --data the folder that holds 001/001.mid, 002/002.mid ..."
        )
    yield from (p for p in found if validation is None or is_validation(p.name) == validation)


def bar_beats(gap: int) -> list[int]:
    """The bars between two downbeats ``gap`` beats apart: of four beats, then what is left (five beats are three and two)."""
    if gap <= STEPS_PER_BAR // STEPS_PER_BEAT:
        return [gap]
    first = 3 if gap == 5 else STEPS_PER_BAR // STEPS_PER_BEAT
    return [first, *bar_beats(gap - first)]


def bar_lines(downbeats: Sequence[int], first: int, beats: int) -> list[int]:
    """The beat at which each bar begins, and the end: from the bar that holds beat ``first`` until ``beats`` are covered; before the
    first downbeat and after the last one bars have four beats."""
    lines = list(range(downbeats[0] - 4 * max(0, -(-(downbeats[0] - first) // 4)), downbeats[0] + 1, 4))
    for before, after in pairwise(downbeats):
        for length in bar_beats(after - before):
            lines.append(lines[-1] + length)
    while lines[-1] < beats:
        lines.append(lines[-1] + 4)
    return lines


def read_song(folder: Path) -> Piece | None:
    """One song on the sixteenth grid of its own beats, from its first bar with notes to its last; None in triple metre."""
    import symusic

    beats = np.loadtxt(folder / "beat_midi.txt", ndmin=2)
    downbeats = np.flatnonzero(beats[:, 2] == 1)
    if len(downbeats) < 3 or np.median(np.diff(downbeats)) != 4:
        return None
    # beats outside the annotation go on at the length of the first or the last
    times, outside = beats[:, 0], np.arange(1, OUTSIDE + 1)
    before, after = times[0] - (times[1] - times[0]) * outside[::-1], times[-1] + (times[-1] - times[-2]) * outside
    grid = np.concatenate([before, times, after])

    def steps(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Nearest step from the first beat of the annotation."""
        place = np.interp(seconds, grid, np.arange(len(grid))) - OUTSIDE
        return np.rint(STEPS_PER_BEAT * place).astype(np.int64)

    score = symusic.Score(str(folder / f"{folder.name}.mid")).to("second")
    found: dict[tuple[str, int, int], GridNote] = {}
    for track in score.tracks:
        if track.name not in STEMS:
            continue
        stem, arrays = STEMS[track.name], track.notes.numpy()
        begin = steps(arrays["time"].astype(np.float64))
        end = steps(arrays["time"].astype(np.float64) + arrays["duration"])
        for on, off, pitch, velocity in zip(begin, end, arrays["pitch"], arrays["velocity"], strict=True):
            # two notes of the whole set lie above the highest word
            pitch = pitch - 12 if pitch > HIGHEST else pitch
            note = GridNote(int(on), int(pitch), int(min(max(1, off - on), STEPS_PER_BAR)), int(velocity), stem)
            key = (stem, note.step, note.pitch)
            if key not in found or found[key].length < note.length:
                found[key] = note
    if not found:
        return None
    onsets = [n.step // STEPS_PER_BEAT for n in found.values()]
    lines = bar_lines(downbeats.tolist(), min(onsets), max(onsets) + 1)
    lines = lines[bisect_right(lines, min(onsets)) - 1 : bisect_right(lines, max(onsets)) + 1]
    offset, end_step = lines[0] * STEPS_PER_BEAT, lines[-1] * STEPS_PER_BEAT
    return Piece(
        tuple(sorted(replace(n, step=n.step - offset) for n in found.values())),
        tuple((b - a) * STEPS_PER_BEAT for a, b in pairwise(lines)),
        _chords(folder, lambda s: steps(s) - offset, end_step - offset),
        _tempi(grid, lines),
        key=_key(folder),
    )


def _chords(folder: Path, steps: object, end: int) -> tuple[tuple[int, str], ...]:
    changes: dict[int, str] = {0: "N_N"}
    for line in (folder / "chord_midi.txt").read_text().splitlines():
        start, _, label = line.split("\t")[:3]
        step = int(steps(np.array([float(start)]))[0])  # type: ignore[operator]
        if step < end:
            # every annotated change lies on a beat
            changes[max(0, round(step / STEPS_PER_BEAT) * STEPS_PER_BEAT)] = chord_word(label)
    out: list[tuple[int, str]] = []
    for step, chord in sorted(changes.items()):
        if not out or out[-1][1] != chord:
            out.append((step, chord))
    return tuple(out)


def _tempi(grid: npt.NDArray[np.float64], lines: Sequence[int]) -> tuple[tuple[int, Fraction], ...]:
    """The tempo of each bar where it leaves the last by more than 2 %."""
    out: list[tuple[int, Fraction]] = []
    for a, b in pairwise(lines):
        bpm = Fraction(round(6000 * (b - a) / (grid[OUTSIDE + b] - grid[OUTSIDE + a])), 100)
        if not out or abs(bpm / out[-1][1] - 1) > Fraction(2, 100):
            out.append(((a - lines[0]) * STEPS_PER_BEAT, bpm))
    return tuple(out)


def _key(folder: Path) -> str | None:
    """The key where the song keeps one."""
    rows = [line.split("\t") for line in (folder / "key_audio.txt").read_text().splitlines() if line.strip()]
    labels = {row[2] for row in rows}
    if len(labels) != 1:
        return None
    root, _, mode = labels.pop().partition(":")
    return f"{FLATS.get(root, root)}:{mode}"


@dataclass(frozen=True)
class Corpus:
    """Words of many songs in one array, ready to be cut into windows.

    ``words`` (n, fields) uint8; ``steps`` (n,) the sixteenth of each word from its song's start; ``pitch`` (n,) the mean pitch of the
    bar on density words, else 0; ``bars`` (b + 1,) the row of each bar word and the end; ``lengths`` (b,) the sixteenths and
    ``song`` (b,) the song of each bar; ``key`` and ``bpm`` a song.
    """

    words: npt.NDArray[np.uint8]
    steps: npt.NDArray[np.int32]
    pitch: npt.NDArray[np.float32]
    bars: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int32]
    song: npt.NDArray[np.int32]
    key: npt.NDArray[np.int16]
    bpm: npt.NDArray[np.float32]


def build_corpus(root: str | Path, validation: bool) -> Corpus:
    """Every 4/4 song of one share of POP909, in words of our vocabulary."""
    vocabulary = ours()
    column = vocabulary.column
    words, steps, pitch, bars, lengths, song, bpm = [], [], [], [], [], [], []
    keys: list[int] = []
    rows = 0
    for folder in songs(root, validation):
        piece = read_song(folder)
        if piece is None:
            continue
        # the prefix, the closing bar and EOS belong to a window, not to a song
        body = encode(our_events(piece), vocabulary)[1:-2]
        is_bar = body[:, column["barbeat"]] == vocabulary.id("barbeat", "Bar")
        beat = np.array([0 if v in (0, "Bar") else int(str(v)[5:]) for v in vocabulary.field("barbeat").values])
        index = np.cumsum(is_bar) - 1
        carries = body[:, column["barbeat"]] > 0
        last = np.maximum.accumulate(np.where(carries, np.arange(len(body)), 0))
        bars.append(rows + np.flatnonzero(is_bar))
        song.append(np.full(is_bar.sum(), len(keys)))
        words.append(body.astype(np.uint8))
        starts = np.cumsum([0, *piece.bar_steps])
        steps.append(starts[index] + beat[body[last, column["barbeat"]]])
        lengths.append(np.array(piece.bar_steps))
        mean = np.zeros(len(body), np.float32)
        by_bar: dict[int, list[int]] = {}
        for note in piece.notes:
            by_bar.setdefault(int(np.searchsorted(starts, note.step, side="right")) - 1, []).append(note.pitch)
        for row in np.flatnonzero(body[:, column["register"]]):
            mean[row] = np.mean(by_bar[int(index[row])])
        pitch.append(mean)
        rows += len(body)
        keys.append(vocabulary.id("key", piece.key or 0))
        bpm.append(float(piece.tempi[0][1]))
    return Corpus(
        np.concatenate(words),
        np.concatenate(steps).astype(np.int32),
        np.concatenate(pitch),
        np.append(np.concatenate(bars), rows),
        np.concatenate(lengths).astype(np.int32),
        np.concatenate(song).astype(np.int32),
        np.array(keys, np.int16),
        np.array(bpm, np.float32),
    )


def transposition(vocabulary: Vocabulary, semitones: int) -> dict[str, npt.NDArray[np.int16]]:
    """For pitch, chord and key: the id that each id becomes. A pitch that leaves the field's range folds by an octave."""

    def moved(name: str, value: object) -> object:
        if value in (0, "CONTI", "N_N"):
            return value
        text = str(value)
        if name == "pitch":
            pitch = int(text[11:]) + semitones
            return f"Note_Pitch_{pitch - 12 if pitch > HIGHEST else pitch + 12 if pitch < 22 else pitch}"
        separator = "_" if name == "chord" else ":"
        root, _, rest = text.partition(separator)
        return f"{ROOTS[(ROOTS.index(root) + semitones) % 12]}{separator}{rest}"

    return {
        name: np.array([vocabulary.id(name, moved(name, v)) for v in vocabulary.field(name).values], np.int16)  # type: ignore[arg-type]
        for name in ("pitch", "chord", "key")
    }


class Windows:
    """Draws training windows: whole bars of one song, transposed, controls dropped at random; ``carry`` and ``recalls`` as in
    `BMTConfig`."""

    LIMIT = 1024

    def __init__(self, corpus: Corpus, drop: float = 0.25, carry: bool = False, recalls: Sequence[int] = ()) -> None:
        self.corpus, self.drop, self.carry, self.vocabulary, self.recalls = corpus, drop, carry, ours(), tuple(recalls)
        self.column = self.vocabulary.column
        self._moves = {s: transposition(self.vocabulary, s) for s in range(-6, 6)}
        density = corpus.words[:, self.column["density"]]
        energy = corpus.words[:, self.column["energy"]]
        given = density > 0
        # arousal is measured against the whole corpus: what is lively for pop piano
        self._mean = (float(density[given].mean()), float(energy[given].mean()), float(np.log2(corpus.bpm).mean()))
        spread = (float(density[given].std()), float(energy[given].std()), float(np.log2(corpus.bpm).std()))
        self._spread = [deviation or 1.0 for deviation in spread]  # one song has one tempo

    def emotion(self, words: Words, song: int) -> int:
        """Pseudo-label of a window: valence from the mode of its key, arousal from density, energy and tempo. 0 without a key."""
        key = self.vocabulary.value("key", int(self.corpus.key[song]))
        if key == 0:
            return 0
        given = words[:, self.column["density"]] > 0
        if not given.any():
            return 0
        measured = (
            float(words[given, self.column["density"]].mean()),
            float(words[given, self.column["energy"]].mean()),
            float(np.log2(self.corpus.bpm[song])),
        )
        lively = sum((m - mean) / spread for m, mean, spread in zip(measured, self._mean, self._spread, strict=True)) > 0
        return {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}[(str(key).endswith("maj"), lively)]

    def window(self, bar: int, bars: int, semitones: int = 0, limit: int = LIMIT) -> tuple[Words, int]:
        """Up to ``bars`` bars from ``bar`` on, at most ``limit`` words, transposed, with all controls; and how many bars they are."""
        corpus, column = self.corpus, self.column
        song = int(corpus.song[bar])
        last = min(bar + bars, int(np.searchsorted(corpus.song, song, side="right")))
        start = int(corpus.bars[bar])
        # room for the prefix, the closing bar and EOS; one bar is always taken, cut short if it must be
        fit = int(np.searchsorted(corpus.bars[: last + 1], start + limit - 3, side="right")) - 1
        count = max(fit - bar, 1)
        stop = min(int(corpus.bars[bar + count]), start + limit - 3)
        body, moves = self._moved(start, stop, semitones), self._moves[semitones]
        steps = corpus.steps[start:stop] - corpus.steps[start]
        body[:, column["time"]] = np.minimum(99, 100 * steps // corpus.lengths[bar : bar + count].sum())
        words = np.zeros((len(body) + 3, len(self.vocabulary.fields)), np.int16)
        words[1:-2] = body
        words[0, column["type"]] = self.vocabulary.id("type", "Emotion")
        words[0, column["emotion"]] = self.emotion(body, song)
        words[0, column["key"]] = moves["key"][corpus.key[song]]
        words[-2, column["type"]] = self.vocabulary.id("type", "Bar")
        words[-2, column["barbeat"]] = self.vocabulary.id("barbeat", "Bar")
        words[-2, column["time"]] = 99
        return words, count

    def _moved(self, start: int, stop: int, semitones: int) -> Words:
        """The words of these rows, transposed."""
        body = self.corpus.words[start:stop].astype(np.int16)
        for name in ("pitch", "chord"):
            body[:, self.column[name]] = self._moves[semitones][name][body[:, self.column[name]]]
        controls, pitch = np.flatnonzero(body[:, self.column["register"]]), self.corpus.pitch[start:stop]
        body[controls, self.column["register"]] = [register_level(float(pitch[row]) + semitones) for row in controls]
        return body

    def before(self, bar: int, bars: int, semitones: int = 0) -> Words:
        """The words of up to ``bars`` bars of the song before a bar, transposed."""
        first = max(bar - bars, int(np.searchsorted(self.corpus.song, self.corpus.song[bar])))
        return self._moved(int(self.corpus.bars[first]), int(self.corpus.bars[bar]), semitones)

    def dropped(self, words: Words, rng: np.random.Generator) -> Words:
        """The same words as the network is to hear them: each control left out at random, for the window or for a bar."""
        heard = words.copy()
        for name in ("emotion", "key", "density", "energy", "register", "tempo"):
            if rng.random() < self.drop:
                heard[:, self.column[name]] = 0
        controls = np.flatnonzero(words[:, self.column["density"]])
        for name in ("density", "energy", "register"):
            heard[controls[rng.random(len(controls)) < 0.1], self.column[name]] = 0
        return self.heard(heard)

    def heard(self, words: Words) -> Words:
        """Words as the network hears them: with all that holds, where it was configured so."""
        return carried(words, self.vocabulary) if self.carry else words

    def recalled(self, words: Words, before: Words | None = None) -> Words:
        """What is recalled with each of the words (n, backs, fields + 2), likeness not said."""
        out = recalled(words, self.vocabulary, self.recalls, before)
        out[..., -1] = 0
        return out

    def draw(self, rng: np.random.Generator, limit: int = LIMIT) -> tuple[Words, Words, Words]:
        """One window of as many bars as fit into ``limit`` words, as (heard, meant, recalled): inputs with controls dropped, all to
        predict, and what is recalled, of bars before the window half the time; backs, and the likeness of windows and of bars, are
        left out at random."""
        semitones = int(rng.integers(-6, 6))
        for _ in range(8):
            bar = int(rng.integers(len(self.corpus.song)))
            words, _ = self.window(bar, limit, semitones, limit)
            if len(words) > 0.85 * limit:
                break  # a start near the end of a song gives a short window, and a padded batch
        heard = self.dropped(words, rng)
        if not self.recalls:
            return heard, words, np.zeros((len(words), 0, words.shape[1] + MORE), np.int16)
        before = self.before(bar, max(self.recalls), semitones) if rng.random() < 0.5 else None
        known = recalled(words, self.vocabulary, self.recalls, before)
        bars = np.cumsum(words[:, self.column["barbeat"]] == self.vocabulary.id("barbeat", "Bar"))
        for slot in range(len(self.recalls)):
            known[np.isin(bars, np.flatnonzero(rng.random(int(bars[-1]) + 1) < 0.1)), slot, -1] = 0
            if rng.random() < 0.15:
                known[:, slot, -1] = 0
            if rng.random() < 0.15:
                known[:, slot] = 0
        return heard, words, known
