"""One journey in a real window on a real display (Xvfb): the demo film, spotted, scored, played, refilled, killed, and found again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtGui import QImage

from engines.picture.demo_film import FRAMES

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("1-spotted", "2-scored", "3-light")


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A display of its own, ended with the test."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb on this machine (apt-get install xvfb)")
    if shutil.which("xdotool") is None:
        pytest.skip("nothing presses keys of a display on this machine (apt-get install xdotool)")
    inward, outward = os.pipe()
    command = ["Xvfb", "-displayfd", str(outward), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[outward], stderr=subprocess.DEVNULL)
    os.close(outward)
    try:
        with os.fdopen(inward) as told:
            number = told.readline().strip()
        if not number:
            pytest.skip("Xvfb does not start on this machine")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def walk(what: str, out: Path, home: Path, display: str) -> dict[str, object]:
    """One run of the program; what it saw."""
    env = os.environ | {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display, "PYTHONPATH": str(ROOT), "HITPOINT_PROVIDER": "cpu"}
    env |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data")}
    out.mkdir(exist_ok=True)
    script = Path(__file__).with_name("journey.py")
    done = subprocess.run(
        [sys.executable, str(script), str(out), what], cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False
    )
    if "xcb" in done.stderr and "could not" in done.stderr.lower():
        pytest.skip(f"Qt finds no way to a display here: {done.stderr.strip().splitlines()[0]}")
    assert "Traceback" not in done.stderr, done.stderr
    seen: dict[str, object] = json.loads((out / "seen.json").read_text("utf-8"))
    assert "failed" not in seen, seen
    return seen


@pytest.mark.slow
def test_from_the_first_start_to_a_kill_and_back(display: str, tmp_path: Path) -> None:
    seen = walk("walk", tmp_path / "walk", tmp_path / "home", display)
    assert seen["walked"] is True
    assert "score it with one click" in str(seen["greeted"])
    assert seen["engine"] == "bmt"
    verdicts = seen["verdicts"]
    assert isinstance(verdicts, list)
    assert verdicts.count("on") >= len(verdicts) - 2
    assert isinstance(seen["rolled_to"], int)
    assert seen["rolled_to"] > 155
    assert seen["palette"] == [10, FRAMES - 2], "the palette was typed into, and the window heard the next key"
    assert seen["done"] == ["Score the cue", "Refill scene 1", "Mark a hit at frame 10"]
    for name in PICTURES:
        image = QImage(str(tmp_path / "walk" / f"{name}.png")).convertToFormat(QImage.Format.Format_RGB32)
        data = image.constBits()
        assert data is not None
        data.setsize(image.sizeInBytes())
        pixels = np.frombuffer(data, np.uint32)
        assert image.width() > 1200
        assert len(np.unique(pixels)) > 50, f"{name} is empty"
    again = walk("again", tmp_path / "again", tmp_path / "home", display)
    assert "cue.hitpoint" in str(again["offered"])
    assert again["found"] == seen["done"]
