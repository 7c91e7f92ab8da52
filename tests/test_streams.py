"""Standard streams that are closed, full, or of another alphabet: what was asked for is done, and what can be said is said in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[1] / "main.py"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX closes the streams")


def shell(words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    line = f'"{sys.executable}" "{MAIN}" {words}'
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=120,
        check=False,
        env={**os.environ, **env},
    )


@pytest.fixture
def cuts(tmp_path: Path) -> Path:
    path = tmp_path / "cuts.csv"
    path.write_text("frame,time_s,kind\n96,4.0,cut\n192,8.0,cut\n300,12.5,cut\n", "utf-8")
    return path


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_closed_stream_changes_nothing_of_what_is_done(closed: str, cuts: Path) -> None:
    done = shell(f"spot cuts.csv --rate 24 --click click.mid --json {closed}", cuts.parent)
    assert done.returncode == 0
    assert (cuts.parent / "click.mid").read_bytes()[:4] == b"MThd"
    assert done.stderr in ("", "wrote click.mid\n")
    if closed == "2>&-":
        assert json.loads(done.stdout)["candidates"]


def test_bad_input_is_two_where_nobody_can_be_told(cuts: Path) -> None:
    assert shell("spot nowhere.csv 2>&-", cuts.parent).returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_an_answer_that_cannot_be_written_is_one_line_and_what_was_asked_for_is_there(cuts: Path) -> None:
    done = shell("spot cuts.csv --rate 24 --click click.mid > /dev/full", cuts.parent)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("hitpoint: standard output: the answer cannot be written (")
    assert done.stderr.splitlines()[:-1] == ["wrote click.mid"]
    assert (cuts.parent / "click.mid").exists()
    assert shell("spot cuts.csv --rate 24 --json 2> /dev/full", cuts.parent).returncode == 0
    assert shell("spot cuts.csv --rate 24 --click again.mid 2> /dev/full", cuts.parent).returncode == 0, "words that nobody gets"
    assert shell("spot nowhere.csv 2> /dev/full", cuts.parent).returncode == 2


def test_a_name_that_the_terminal_cannot_show_is_still_told(cuts: Path) -> None:
    done = shell("spot 'n\u00f6where.csv'", cuts.parent, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 2
    assert "n\\xf6where.csv" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only there may a name be bytes that are no text")
def test_json_is_text_whatever_a_name_is(cuts: Path) -> None:
    done = shell("spot cuts.csv --rate 24 --json --click \"$(printf 'a\\377.mid')\"", cuts.parent)
    assert done.returncode == 0
    assert done.stdout.encode("utf-8", "surrogateescape").decode("utf-8")  # without a byte that is none
    assert json.loads(done.stdout)["candidates"]
    assert (cuts.parent / os.fsdecode(b"a\xff.mid")).exists()
