"""A film that has moved is found by its content near the session, or asked for in one line."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from shutil import copy

import pytest
from sittings import unscored

from engines import commands
from engines.errors import FilmError, OptionError
from engines.picture.reel import Reel, digest
from engines.session import film as searched
from engines.session.film import find_film
from engines.session.model import Film, Session
from engines.watch import Watch


@pytest.fixture
def session(shared: Path, tmp_path: Path) -> Session:
    """A session whose film, a real one, is no longer where it was."""
    real = shared / "media" / "counter.mp4"
    film = Film(str(tmp_path / "gone" / "take 4.mp4"), digest(real), real.stat().st_size, Fraction(25), 250, Fraction(10))
    return replace(unscored(), film=film)


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "music" / "cue.hitpoint"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize("place", ["music/x.mp4", "music/reels/old/x.MOV", "x.mkv", "picture/x.webm", "music/take 4.mp4"])
def test_a_moved_film_is_found_by_what_it_is(place: str, session: Session, beside: Path, shared: Path) -> None:
    folder = beside.parent.parent
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    real = shared / "media" / "counter.mp4"
    for name in ("music/a.mp4", "b.mp4"):  # as long, and another film
        (folder / name).write_bytes(bytes(real.stat().st_size))
    (folder / "music" / "shorter.mp4").write_bytes(b"x")
    (folder / "music" / "a.txt").write_bytes(real.read_bytes())
    there = Path(copy(real, folder / place))
    there.chmod(0o644)
    assert find_film(session, beside) == there.resolve()


def test_a_film_that_is_where_it_was_is_not_looked_for(session: Session, beside: Path, shared: Path) -> None:
    real = shared / "media" / "counter.mp4"
    copy(real, beside.parent / "x.mp4")
    here = replace(session, film=replace(session.film, path=str(real)))
    assert find_film(here, beside) == real


def test_another_film_in_its_place_is_not_taken_for_it(session: Session, beside: Path, shared: Path) -> None:
    known = Path(session.film.path)
    known.parent.mkdir()
    known.write_bytes(bytes(session.film.size))
    there = Path(copy(shared / "media" / "counter.mp4", beside.parent / "x.mp4"))
    assert find_film(session, beside) == there


def test_a_session_of_version_1_knows_its_film_by_name_and_content(session: Session, beside: Path, shared: Path) -> None:
    old = replace(session, film=replace(session.film, size=0))
    copy(shared / "media" / "counter.mp4", beside.parent / "another name.mp4")
    with pytest.raises(FilmError):
        find_film(old, beside)
    there = Path(copy(shared / "media" / "counter.mp4", beside.parent / "take 4.mp4"))
    assert find_film(old, beside) == there


def test_a_film_that_is_nowhere_is_asked_for_in_one_line(session: Session, beside: Path) -> None:
    (beside.parent / "loop").symlink_to(beside.parent.parent)
    shut = beside.parent / "shut"
    shut.mkdir(0o000)
    with pytest.raises(FilmError, match=r"relink SESSION FILM") as caught:
        find_film(session, beside)
    assert session.film.path in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(FilmError, match="never shown a film"):
        find_film(replace(session, film=replace(session.film, path="", digest="", size=0)), beside)


def test_a_whole_disk_is_not_searched(session: Session, beside: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched, "LOOKED_AT", 10)
    for k in range(12):
        (beside.parent / f"{k:02}").mkdir()
    copy(shared / "media" / "counter.mp4", beside.parent / "11" / "x.mp4")
    with pytest.raises(FilmError):
        find_film(session, beside)


def test_relinking_takes_the_same_film_or_another_encoding_of_it(shared: Path, tmp_path: Path) -> None:
    real = shared / "media" / "counter.mp4"
    reel = Reel.open(real)
    known = Film(str(tmp_path / "gone.mp4"), reel.digest, real.stat().st_size, reel.rate, reel.frames, reel.duration)
    session = replace(unscored(), film=known)
    moved = commands.Relink(real).do(session, Watch())
    assert moved.film == replace(known, path=str(real.resolve()))
    other = replace(session, film=replace(known, digest="0" * 64, size=5))
    with pytest.raises(OptionError, match="another film"):
        commands.Relink(real).do(other, Watch())
    assert commands.Relink(real, other=True).do(other, Watch()).film == moved.film
    longer = replace(other, film=replace(other.film, frames=reel.frames + 1))
    with pytest.raises(OptionError, match="another cut"):
        commands.Relink(real, other=True).do(longer, Watch())
