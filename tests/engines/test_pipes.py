"""Whatever path a person gives: one that is a pipe, or a device, is told of in one line, and nobody waits for what it never says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread

import pytest

from engines.diffbgm.features import load_features
from engines.errors import HitpointError
from engines.picture import cutlist
from engines.picture.mux import mux
from engines.picture.reel import Reel
from engines.score.notes import Note
from engines.score.preview import render
from engines.score.smf import Score, write_smf
from engines.score.smf_reader import read_smf
from engines.session.desk import Desk
from engines.session.editor import sheet_from
from engines.session.heard import feature_files
from engines.session.ledger import Ledger
from engines.spotting.tempo import TempoMap

LONG = 20.0

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are another matter elsewhere")


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    made: list[Path] = []

    def make(name: str) -> Path:
        path = tmp_path / name
        os.mkfifo(path)
        made.append(path)
        return path

    yield make
    for path in made:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # whoever still waits there reads its end


READERS: dict[str, Callable[[Path], object]] = {
    "cue.hitpoint": Desk.open,
    "seen.hitpoint": lambda path: Desk.open(path, read_only=True),
    "brief.toml": sheet_from,
    "cut.edl": cutlist.read,
    "cut.csv": cutlist.read,
    "cue.mid": read_smf,
    "film.mp4": Reel.open,
    "visual.npy": lambda path: load_features([path]),
    "visual.pt": lambda path: load_features([path]),
    "heard.npy": lambda path: feature_files([path]),
    "rights.json": lambda path: Ledger.read(path.parent),
}


def refused(work: Callable[[], object]) -> str:
    """The one line with which it is refused, in time."""
    said: list[object] = []
    done = Event()

    def run() -> None:
        try:
            said.append(work())
        except HitpointError as error:
            said.append(error)
        finally:
            done.set()

    Thread(target=run, daemon=True).start()
    assert done.wait(LONG), "waits for what a pipe never says"
    assert isinstance(said[0], HitpointError), said
    return str(said[0])


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_is_refused_at_once(pipe: Callable[[str], Path], name: str) -> None:
    path = pipe(name)
    said = refused(lambda: READERS[name](path))
    assert name in said
    assert "device or a pipe" in said or "is no file" in said


def test_music_and_soundfonts_are_files(pipe: Callable[[str], Path], shared: Path, tmp_path: Path) -> None:
    film, sound, font = shared / "media" / "fades.mp4", pipe("a.wav"), pipe("a.sf2")
    assert "device or a pipe" in refused(lambda: mux(film, sound, tmp_path / "out.mp4"))
    tune = write_smf(tmp_path / "a.mid", Score(TempoMap.steady(120), (Note(Fraction(0), 60, Fraction(1), 80, "piano"),)))
    assert "device or a pipe" in refused(lambda: render(tune, tmp_path / "b.wav", soundfont=font))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device that never ends")
@pytest.mark.parametrize("name", READERS)
def test_a_device_fills_no_memory(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/zero")
    assert name in refused(lambda: READERS[name](tmp_path / name))
