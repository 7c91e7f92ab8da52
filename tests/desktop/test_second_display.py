"""The picture on a second display: it goes there, fills it, comes back by the key and when it is unplugged, and follows the film."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop.window import Window
from engines.picture.reel import Reel

ROOT = Path(__file__).resolve().parents[2]
SCREENS = [
    {"name": "first", "x": 0, "y": 0, "width": 1400, "height": 1000},
    {"name": "second", "x": 1400, "y": 0, "width": 1280, "height": 1000},
]


def walk(film: Path, folder: Path, platform: str, how: str, *before: str) -> dict[str, Any]:
    env = os.environ | {"QT_QPA_PLATFORM": platform, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, str(Path(__file__).with_name("two_displays.py")), str(film), str(folder), how]
    done = subprocess.run([*before, *program], cwd=ROOT, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return seen


def hold(seen: dict[str, Any]) -> None:
    assert seen["screens"] == ["first", "second"]
    there = seen["there"]
    assert (there["window"], there["on"], there["full"], there["checked"]) == ("first", "second", True, True)
    assert there["rect"] == [1400, 0, 1280, 1000]
    back = seen["unplugged"]
    assert (back["on"], back["checked"], back["shown"]) == (None, False, 100)
    assert "unplugged" in back["message"]
    again = seen["again"]
    assert (again["on"], again["full"], again["checked"], again["message"]) == ("second", True, True, "")
    assert (seen["left"]["on"], seen["left"]["checked"]) == (None, False)
    assert seen["after"]["on"] is None, "who left it by the key is not sent there by a plug"


def test_it_goes_to_the_other_display_and_back(long_gop: Path, tmp_path: Path) -> None:
    config = tmp_path / "screens.json"
    rows = [row | {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1} for row in SCREENS]
    config.write_text(json.dumps({"screens": rows}), "utf-8")
    hold(walk(long_gop, tmp_path, f"offscreen:configfile={config}", "told"))


@pytest.mark.slow
def test_a_display_is_really_unplugged(long_gop: Path, tmp_path: Path) -> None:
    for program in ("xvfb-run", "xrandr"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on this machine")
    first = "xrandr --setmonitor first 1400/300x1000/250+0+0 screen && xrandr --setmonitor second 1280/300x1000/250+1400+0 none"
    server = ("xvfb-run", "-a", "-s", "-noreset -screen 0 2680x1000x24")
    hold(walk(long_gop, tmp_path, "xcb", "real", *server, "bash", "-c", f'{first} && exec "$0" "$@"'))


def test_another_film_is_there_too(window: Window, long_gop: Path, uneven: Path, qtbot: QtBot) -> None:
    window._show_reel(Reel.open(long_gop))
    window.second_display.show()
    view = window.second_display.view
    assert view is not None
    qtbot.waitUntil(lambda: view.shown == 0, timeout=60_000)
    window._show_reel(Reel.open(uneven))
    assert view.frames is window.viewer.frames
    qtbot.waitUntil(lambda: view.shown == 0, timeout=60_000)
    window.transport.locate(20)
    qtbot.waitUntil(lambda: view.shown == 20, timeout=60_000)
    window.second_display.leave()
    assert window.viewer.frames is not None
