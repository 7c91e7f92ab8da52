"""What killed windows had open is offered, once and to one window; what is open in a window that lives is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sittings import saved, scored

from desktop.app import window as window_of
from desktop.left_open import LeftOpen
from desktop.preferences import Preferences
from desktop.window import Window
from engines.picture.demo_film import make_demo_film

PATIENCE = 60_000
ROOT = Path(__file__).resolve().parents[2]
KEEPS = "import sys; from pathlib import Path; from desktop.left_open import LeftOpen; kept = LeftOpen(Path(sys.argv[1])); " \
        "kept.keep(Path(sys.argv[2])); print('open', flush=True); sys.stdin.read()"  # fmt: skip

Begin = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begins programs, and waits until each says that it has something open."""
    begun: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        env = os.environ | {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
        command = [sys.executable, *map(str, arguments)]
        begun.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT))
        stdout = begun[-1].stdout
        assert stdout is not None
        assert stdout.readline() == "open\n"
        return begun[-1]

    yield start
    for program in begun:
        end(program)


def end(program: subprocess.Popen[str]) -> None:
    """Kills a program: nothing of it is told to stop."""
    program.kill()
    program.wait()
    for stream in (program.stdin, program.stdout):
        if stream is not None:
            stream.close()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / name for name in ("one.hitpoint", "two.hitpoint", "film.mp4")]
    for path in made:
        path.write_text("something")
    return made


def test_what_is_open_in_a_living_window_is_not_offered_and_what_a_killed_one_had_is(
    begin: Begin, files: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "open"
    here = LeftOpen(folder)
    assert here.left == []
    first, second = (begin("-c", KEEPS, folder, path) for path in files[:2])
    assert here.left == []
    end(first)
    assert here.left == [files[0]]
    third = begin("-c", KEEPS, folder, files[2])
    end(second)
    end(third)
    assert set(here.left) == set(files)
    assert here.left[0] == files[2], "the last one first"
    fourth = begin("-c", KEEPS, folder, files[1])
    assert set(here.left) == {files[0], files[2]}, "it is open again"
    here.keep(files[0])
    assert here.left == [files[2]]
    files[2].unlink()
    assert here.left == []
    end(fourth)
    assert here.left == [files[1]]
    assert LeftOpen(folder).offer() == files[1], "and by a program that was ended at once"
    end(begin("-c", KEEPS, folder, files[0]))
    there = LeftOpen(folder)
    here.keep(None)
    assert there.offer() == files[0]
    there.end()
    assert there.left == [files[1]], "what it did not offer waits for the next window"
    assert there.offer() == files[1]
    there.end()
    assert LeftOpen(folder).left == [], "a window that closed as it should leaves nothing"
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_says_nothing(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "open").write_text("no folder")
    here = LeftOpen(tmp_path / "open")
    here.keep(files[0])
    assert here.left == []
    here.end()


@pytest.fixture
def opened(qapp: QApplication, tmp_path: Path) -> Iterator[Callable[[], Window]]:
    """Windows of one person, each begun as the program begins it."""
    made: list[Window] = []

    def make() -> Window:
        preferences = Preferences(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
        made.append(window_of(preferences))
        return made[-1]

    yield make
    for window in made:
        window.close()
        window.deleteLater()


def test_what_a_killed_program_left_is_offered_and_a_closed_one_is_not(
    opened: Callable[[], Window], begin: Begin, trio: str, tmp_path: Path, qtbot: QtBot
) -> None:
    home = tmp_path / "film" / "score"
    home.mkdir(parents=True)
    session = saved(scored(), home / "cue.hitpoint")
    other = begin(ROOT / "tests/desktop/killed_window.py", tmp_path / "settings.ini", session)
    beside = opened()
    assert beside.message.text == "", "it is open in another window, and nobody was ended"
    beside.close()
    end(other)
    window = opened()
    assert "cue.hitpoint" in window.message.text
    assert opened().message.text == window.message.text, "until somebody takes it"
    window.message._offer.click()
    document = window.document
    qtbot.waitUntil(lambda: document.now is not None, timeout=PATIENCE)
    assert document.now is not None
    assert 77 in [hit.frame for hit in document.now.session.hits]
    assert [step.sentence for step in document.now.history.done] == ["Mark a hit at frame 77"]
    qtbot.waitUntil(lambda: "was ended" not in window.message.text, timeout=PATIENCE)
    assert "was ended" not in opened().message.text
    window.close()
    assert opened().message.text == ""
    assert window.preferences.recent == [str(session.resolve())]


def test_a_film_that_was_not_scored_yet_is_offered_too(
    opened: Callable[[], Window], begin: Begin, tmp_path: Path, qtbot: QtBot
) -> None:
    film = make_demo_film(tmp_path / "demo.mp4")
    end(begin(ROOT / "tests/desktop/killed_window.py", tmp_path / "settings.ini", film))
    window = opened()
    assert "demo.mp4" in window.message.text
    window.message._offer.click()
    qtbot.waitUntil(lambda: window.document.film is not None, timeout=PATIENCE)
    assert window.document.at_hand == film
    qtbot.waitUntil(lambda: window.message.text == "", timeout=PATIENCE)
