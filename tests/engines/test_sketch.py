"""Sketches: what is asked is what is in the brief and in the file; what cannot be is said before anything is composed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engines import engine as contract
from engines.engine import Brief
from engines.errors import OptionError, OutputError
from engines.score.notes import Note, Take
from engines.score.smf_reader import read_smf
from engines.sketch import Sketch, sketches
from engines.spotting.tempo import Metre

ASKED: list[int] = []


class Drone:
    """One long note a bar, and a list of the seeds that were asked for."""

    name = "drone"

    def __init__(self, provider: str | None = None) -> None:
        ASKED.clear()

    def compose(self, brief: Brief, seed: int, keep=None, on_progress=None, cancelled=None) -> Take:
        ASKED.append(seed)
        return Take(tuple(Note(bar.start, 48 + seed, bar.length, 70) for bar in brief.bars), {"key": "D:min"})


@pytest.fixture(autouse=True)
def _drone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(contract.ENGINES, "drone", f"{__name__}:Drone")


@pytest.mark.parametrize("bpm", [0, -5, Fraction(1, 3), 9, 401, 10**12])
def test_a_tempo_that_no_metronome_counts_is_one_line(bpm: Fraction, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--tempo: .* is not in 10\.\.400; 70-140 is usual"):
        sketches(Sketch(bpm=Fraction(bpm)), tmp_path / "out", engine="drone")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("typed", "meant"), [("Am", "A:min"), ("db", "C#:maj"), ("F#:min", "F#:min"), (None, None)])
def test_a_key_is_read_as_score_reads_it(typed: str | None, meant: str | None) -> None:
    assert Sketch(key=typed).brief().key == meant


@pytest.mark.parametrize("typed", ["", "H", "C:dorian"])
def test_what_is_no_key_is_one_line(typed: str) -> None:
    with pytest.raises(OptionError, match=r"--key: .* is no key; write C:maj"):
        Sketch(key=typed).brief()


def test_a_folder_that_cannot_be_is_said_before_anything_is_composed(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"mine")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        sketches(Sketch(), tmp_path / "taken", engine="drone")
    assert ASKED == []
    assert (tmp_path / "taken").read_bytes() == b"mine"


def test_the_file_holds_the_bars_the_metre_and_the_tempo_that_were_asked_for(tmp_path: Path) -> None:
    sketch = Sketch(3, Fraction(90), Metre(7, 8), chords=("C:maj", "A:min"))
    assert [bar.chord for bar in sketch.brief().bars] == ["C:maj", "A:min", "C:maj"]
    made = sketches(sketch, tmp_path / "out", 2, 5, "drone", performance=0.0)
    assert [path.name for path in made] == ["sketch-5.mid", "sketch-6.mid"]
    assert ASKED == [5, 6]
    for seed, path in zip(ASKED, made, strict=True):
        smf = read_smf(path)
        assert smf.metres == ((0, Metre(7, 8)),)
        assert smf.key == "D:min"
        assert abs(smf.length - 3 * Fraction(7, 2) * Fraction(60, 90)) < Fraction(1, 10**5)
        bar = Fraction(7, 2) * Fraction(60, 90)
        assert all(abs(note.start - k * bar) < Fraction(1, 10**5) for k, note in enumerate(smf.notes))
        assert [note.pitch for note in smf.notes] == [48 + seed] * 3
