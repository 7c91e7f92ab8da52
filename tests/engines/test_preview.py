"""The preview: as long as the film, every onset where the score has it, dynamics and releases heard."""

from __future__ import annotations

import shutil
import wave
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.errors import MissingLibraryError, OptionError, OutputError
from engines.score import preview
from engines.score.instruments import INSTRUMENTS
from engines.score.notes import Note
from engines.score.preview import RATE, render
from engines.score.sampler import Sampler, Voice
from engines.score.smf import Score, read_smf
from engines.score.soundfont import SoundFont, bundled_soundfont
from engines.spotting.tempo import Segment, TempoMap

F = Fraction


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SoundFont(bundled_soundfont()))


def heard(sampler: Sampler, *voices: Voice, seconds: float = 3) -> NDArray[np.float32]:
    return np.concatenate(list(sampler.blocks(voices, round(seconds * RATE))), axis=1)


def level(sound: NDArray[np.float32], start: float, end: float) -> float:
    return float(np.sqrt((sound[:, round(start * RATE) : round(end * RATE)] ** 2).mean()))


def samples(path: Path) -> NDArray[np.float64]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).T / 32767


def first_sound(sound: NDArray[np.float64], after: float) -> float:
    begin = round(after * RATE)
    loud = np.abs(sound[:, begin:]).max(axis=0)
    return (begin + int(np.argmax(loud > 0.02 * np.abs(sound).max()))) / RATE


def test_louder_notes_sound_louder_by_the_square_of_their_velocity(sampler: Sampler) -> None:
    soft, loud = (level(heard(sampler, Voice(0, 1, 60, v)), 0, 1) for v in (40, 120))
    assert loud / soft == pytest.approx(9, rel=1e-3)


def test_a_note_has_its_pitch_dies_away_and_is_released(sampler: Sampler) -> None:
    for program, pitch in ((0, 69), (73, 81), (48, 57)):
        sound = heard(sampler, Voice(0, 1, pitch, 100, program))
        spectrum = np.abs(np.fft.rfft(sound.sum(axis=0)[RATE // 4 : RATE // 4 + 32768] * np.hanning(32768)))
        tone = 440 * 2 ** ((pitch - 69) / 12)
        around = slice(int(0.94 * tone * 32768 / RATE), int(1.06 * tone * 32768 / RATE) + 2)
        peak = (around.start + int(np.argmax(spectrum[around]))) * RATE / 32768
        assert peak == pytest.approx(tone, rel=0.01)
        assert spectrum[around].max() > 0.2 * spectrum.max()
        assert 0 < level(sound, 1.02, 1.06) < level(sound, 0.9, 1.0)
        assert level(sound, 2.6, 3) < 0.05 * level(sound, 0.5, 1.0)


def test_voices_add_up_across_blocks(sampler: Sampler) -> None:
    voices = [Voice(9.9 + 0.05 * k, 1.5, 60 + k, 80, 48) for k in range(4)]
    together = heard(sampler, *voices, seconds=13)
    apart = sum(heard(sampler, voice, seconds=13) for voice in voices)
    assert np.allclose(together, apart, atol=1e-5)
    assert together.shape == (2, 13 * RATE)


def test_a_render_is_as_long_as_the_film_and_hits_are_where_they_are(tmp_path: Path) -> None:
    tempo_map = TempoMap((Segment(F(0), F(1001, 2000)), Segment(F(4), F(1001, 1800))), origin=F(1001, 1000))
    score = Score(tempo_map, tuple(Note(F(k), 72, F(1, 4), 100) for k in (0, 3, 6)), length=F(7007, 1000))
    sound = samples(render(score, tmp_path / "cue.wav"))
    assert sound.shape == (2, round(F(7007, 1000) * RATE))
    assert np.abs(sound).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    for beat in (0, 3, 6):
        due = float(tempo_map.seconds(beat))
        assert first_sound(sound, due - 0.1) == pytest.approx(due, abs=0.004)
    assert [p.name for p in tmp_path.iterdir()] == ["cue.wav"]


def test_a_long_note_fades_out_with_the_film(tmp_path: Path) -> None:
    held = {"piano": INSTRUMENTS["organ"]}
    score = Score(TempoMap.steady(60), (Note(F(0), 60, F(20), 100),), length=F(4), instruments=held)
    sound = samples(render(score, tmp_path / "cue.wav"))
    assert np.abs(sound[:, -5:]).max() < 1e-3
    assert np.abs(sound[:, 3 * RATE - 2400 : 3 * RATE]).max() > 0.2
    halves = np.abs(sound[:, -36000:]).reshape(2, 6, -1).max(axis=(0, 2))
    assert all(a > b for a, b in pairwise(halves[1:]))


def test_music_that_begins_before_the_film_is_cut_there(tmp_path: Path) -> None:
    score = Score(TempoMap.steady(60, origin=F(-5, 2)), tuple(Note(F(k), 72, F(1, 4), 100) for k in range(6)), length=F(4))
    sound = samples(render(score, tmp_path / "cue.wav"))
    assert first_sound(sound, 0.2) == pytest.approx(0.5, abs=0.004)


def test_any_midi_file_is_heard_and_silence_stays_silent(shared: Path, tmp_path: Path) -> None:
    scale = samples(render(shared / "midi" / "test-c-major-scale.mid", tmp_path / "scale.wav"))
    assert [level(scale, k / 2, k / 2 + 0.4) > 0.02 for k in (*range(8), 10)] == [True] * 8 + [False]
    empty = samples(render(read_smf(shared / "midi" / "test-empty.mid"), tmp_path / "empty.wav", length=F(1)))
    assert not empty.any()
    drums = samples(render(read_smf(shared / "midi" / "test-all-gm-percussion.mid"), tmp_path / "drums.wav", length=F(5)))
    assert np.abs(drums).max() > 0.5


def test_soundfonts_that_are_none_and_folders_that_are_not_there_are_one_line(tmp_path: Path) -> None:
    score = Score(TempoMap.steady(60), (Note(F(0), 60, F(1), 100),))
    (tmp_path / "noise.sf2").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "short.sf2").write_bytes(bundled_soundfont().read_bytes()[:5000])
    for name, words in (
        ("noise.sf2", "not a SoundFont 2 file"),
        ("short.sf2", "not a SoundFont 2"),
        ("no.sf2", "cannot be read"),
    ):
        with pytest.raises(OptionError, match=words) as refused:
            render(score, tmp_path / "x.wav", soundfont=tmp_path / name)
        assert "\n" not in str(refused.value)
    with pytest.raises(OutputError, match="folder does not exist"):
        render(score, tmp_path / "no" / "x.wav")
    with pytest.raises(OptionError, match="not between"):
        render(score, tmp_path / "x.wav", length=F(-1))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["noise.sf2", "short.sf2"]


def test_ctrl_c_while_rendering_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sampler, "_played", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render(Score(TempoMap.steady(60), (Note(F(0), 60, F(1), 100),)), tmp_path / "cue.wav")
    assert list(tmp_path.iterdir()) == []


def test_fluidsynth_is_asked_only_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview.shutil, "which", lambda name: None)
    with pytest.raises(MissingLibraryError, match="fluidsynth is not installed"):
        render(Score(TempoMap.steady(60), ()), tmp_path / "x.wav", length=F(1), synthesiser="fluidsynth")


@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="fluidsynth is not installed")
def test_fluidsynth_hears_the_same_dynamics_as_our_sampler(tmp_path: Path) -> None:
    notes = tuple(Note(F(2 * k), 60 + 5 * k, F(1), 40 + 25 * k) for k in range(4))
    score = Score(TempoMap.steady(120), notes, length=F(5))
    ours, theirs = (samples(render(score, tmp_path / f"{s}.wav", synthesiser=s)) for s in ("sampler", "fluidsynth"))  # type: ignore[arg-type]
    assert ours.shape == theirs.shape
    for k in range(4):
        a, b = (20 * np.log10(level(s, k, k + 0.5)) for s in (ours, theirs))
        assert a == pytest.approx(b, abs=3)
        assert first_sound(theirs, k - 0.05 if k else 0) == pytest.approx(k, abs=0.02)
