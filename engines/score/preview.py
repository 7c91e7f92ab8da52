"""The preview: a cue as sound, exactly as long as its film, with nothing installed beyond pip."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from engines import files
from engines.errors import MidiError, MissingLibraryError, OptionError
from engines.score.sampler import RATE, Sampler, Sound, Voice
from engines.score.smf import Score, smf_bytes
from engines.score.smf_reader import LARGEST, Smf, parse_smf, read_smf
from engines.score.soundfont import SoundFont, bundled_soundfont

Synthesiser = Literal["sampler", "fluidsynth"]

PEAK = 10 ** (-1 / 20)  # full scale less 1 dB: room for what encoders add
FADE = 0.75  # seconds at the end of the film
LONGEST = Fraction(4 * 3600)
"""Seconds of the longest preview."""

_DRUMS, _PERCUSSION_BANK = 9, 128
_GAIN_OF_SILENCE = 1e-6


def render(
    music: Score | Smf | str | Path,
    out: str | Path,
    length: Fraction | None = None,
    soundfont: str | Path | None = None,
    synthesiser: Synthesiser = "sampler",
) -> Path:
    """Play a cue (a score, a MIDI file or what was read from one) into a stereo WAV file of 48 kHz and 16 bits.

    It begins with the film's first frame. ``length`` is the film's in exact seconds (default: the score's own, or until the
    last note has died away): what sounds beyond fades out. The loudest moment lies 1 dB under full scale. ``soundfont`` is an
    .sf2 file (default: pretty_midi's General MIDI). ``fluidsynth`` asks that program instead of our sampler. Raises
    OptionError, OutputError, MissingLibraryError, and MidiError for a broken file.
    """
    smf = music if isinstance(music, Smf) else read_smf(music) if isinstance(music, str | Path) else parse_smf(smf_bytes(music))
    zero = music.zero if isinstance(music, Score) else Fraction(0)
    sounding = max([smf.length, *(note.end + 2 for note in smf.notes)]) + zero
    wanted = length or (music.length if isinstance(music, Score) and music.length else sounding)
    if not 0 < wanted <= LONGEST:
        raise OptionError(
            f"a preview of {float(wanted):.0f} s is not between 0 and {LONGEST} s", cure="preview one cue at a time"
        )
    font, frames = Path(soundfont or bundled_soundfont()), round(wanted * RATE)
    if synthesiser == "fluidsynth":
        if isinstance(music, Smf):
            raise OptionError("fluidsynth plays files and scores", where="preview", cure="give the MIDI file itself")
        data = smf_bytes(music) if isinstance(music, Score) else files.read(music, LARGEST)
        return _normalised(_by_fluidsynth(data, font, zero, frames), frames, out)
    return _normalised(Sampler(SoundFont(font)).blocks(_voices(smf, zero), frames), frames, out)


def _voices(smf: Smf, zero: Fraction) -> Iterator[Voice]:
    programs = {(k, channel): program for k, track in enumerate(smf.tracks) for channel, program in track.programs}
    for note in smf.notes:
        if note.start + zero >= 0:  # before the film there is nothing to hear it with
            bank = _PERCUSSION_BANK if note.channel == _DRUMS else 0
            program = programs.get((note.track, note.channel), 0)
            length = float(note.end - note.start)
            yield Voice(float(note.start + zero), length, note.pitch, note.velocity, program, bank)


def _normalised(blocks: Iterable[Sound], frames: int, out: str | Path) -> Path:
    """Write blocks of shape (2, n) as a WAV file at an even peak; they wait on the disk until their loudest moment is known."""
    with tempfile.TemporaryFile() as waiting, files.atomic(out) as temporary:
        peak = _GAIN_OF_SILENCE
        for block in blocks:
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            waiting.write(np.ascontiguousarray(block.T, "<f4").tobytes())
        gain = PEAK / peak if peak > _GAIN_OF_SILENCE else 1.0
        waiting.seek(0)
        # through a file of our own: wave closes one that it opened only when all went well
        with temporary.open("wb") as file, wave.open(file) as written:
            written.setnchannels(2)
            written.setsampwidth(2)
            written.setframerate(RATE)
            for begin in range(0, frames, RATE):
                some = np.frombuffer(waiting.read(8 * min(RATE, frames - begin)), "<f4").reshape(-1, 2)
                shaped = some * (gain * _fade(begin, len(some), frames))[:, None] * 32767
                written.writeframes(np.round(shaped).astype("<i2").tobytes())
    return Path(out)


def _fade(begin: int, count: int, frames: int) -> Sound:
    """1, and down to 0 on a cosine over the last moments of the film."""
    span = min(FADE * RATE, frames / 4)
    left = (frames - begin - np.arange(count)) / span
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(left, 0, 1)), np.float32)


def _by_fluidsynth(data: bytes, font: Path, zero: Fraction, frames: int) -> Iterator[Sound]:
    program = shutil.which("fluidsynth")
    if program is None:
        raise MissingLibraryError("fluidsynth is not installed", cure="install it, or leave the choice to the built-in sampler")
    with tempfile.TemporaryDirectory() as folder:
        midi, sound = Path(folder) / "cue.mid", Path(folder) / "cue.wav"
        midi.write_bytes(data)
        command = [program, "-ni", "-q", "-g", "0.4", "-r", str(RATE), "-F", str(sound), str(font), str(midi)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
        if done.returncode or not sound.exists():
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise MidiError(f"fluidsynth failed: {said}", where=font, cure="check the soundfont, or use the built-in sampler")
        with wave.open(str(sound)) as played:
            played.setpos(min(played.getnframes(), round(-zero * RATE)))
            for begin in range(0, frames, RATE):
                count = min(RATE, frames - begin)
                some = np.frombuffer(played.readframes(count), "<i2").reshape(-1, 2).T / np.float32(32768)
                yield np.pad(some, ((0, 0), (0, count - some.shape[1])))
