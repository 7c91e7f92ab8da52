"""What engines and bridge say in English is said in Chinese by the window: every sentence that a composer is likely to meet is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from PyQt6.QtCore import QLibraryInfo, Qt
from PyQt6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot
from seated import PATIENCE, Seat, at_seat  # noqa: F401  a fixture

from bridge.events import Message
from desktop.app import speak
from desktop.document import Document
from desktop.language import table
from desktop.links_rows import told as told_by_the_doctor
from desktop.refusals import heard, told
from desktop.window import Window
from engines.errors import FilmError, HitpointError, OptionError, SessionError
from engines.files import REFUSALS

ROOT = Path(__file__).resolve().parents[2]
MET = (
    *("desktop/*.py", "engines/commands.py", "engines/engine.py", "engines/files.py", "engines/runtime.py", "engines/scoring.py"),
    *(f"bridge/{name}.py" for name in ("beginning", "driving", "jobs", "marking", "neighbours", "opened", "patience", "placing")),
    *(f"bridge/{name}.py" for name in ("playback", "ports", "rebase", "sitting", "studio", "player/handle", "player/outbox")),
    *(f"engines/picture/{name}.py" for name in ("container", "cutlist", "reel", "timecode")),
    *(f"engines/session/{name}.py" for name in ("desk", "divide", "film", "history", "ledger", "lock", "marks", "model")),
    *(f"engines/session/{name}.py" for name in ("recut", "refill", "remap", "respot", "told", "upgrades", "working")),
    "engines/spotting/solve.py",
)
"""Modules whose errors a composer meets in the window. Others may stay English."""
SETUP = "desktop/verbs.py"
"""What is said before there is a window."""
CHINESE = re.compile("[\u4e00-\u9fff]")


def written(node: ast.AST, named: dict[str, list[ast.AST]]) -> list[str]:
    """The sentences that an expression may be, ``{}`` where something stands in them; none where that cannot be read."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)]  # type: ignore[misc]
    if isinstance(node, ast.IfExp):
        return written(node.body, named) + written(node.orelse, named)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in written(value, named)]
    if isinstance(node, ast.Name):
        return [text for value in named.get(node.id, ()) for text in written(value, {})]
    return []


def assigned(tree: ast.AST) -> dict[str, list[ast.AST]]:
    found: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            several = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            pairs = zip(target.elts, node.value.elts, strict=False) if several else [(target, node.value)]  # type: ignore[attr-defined]
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    found.setdefault(name.id, []).append(value)
    return found


def called(path: Path, names: Iterable[str]) -> Iterator[tuple[ast.Call, dict[str, list[ast.AST]]]]:
    """Calls of functions of some names, with what stands in the names that are used there."""
    tree = ast.parse(path.read_text("utf-8"))
    for scope in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        named = assigned(scope)
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node, named


def raised() -> Iterator[tuple[Path, str]]:
    """What goes wrong in the modules that a composer meets, and what to do about it."""
    kinds = {kind.__name__ for kind in (HitpointError, *HitpointError.__subclasses__())}
    for path in (path for pattern in MET for path in sorted(ROOT.glob(pattern))):
        for call, named in called(path, kinds):
            for part in (*call.args[:1], *(word.value for word in call.keywords if word.arg == "cure")):
                yield from ((path, text) for text in written(part, named))
    yield from ((ROOT / "engines/files.py", text) for pair in REFUSALS.values() for text in pair)


@cache
def sentences() -> frozenset[str]:
    """Whatever is written anywhere in the packages."""
    found = set()
    for package in ("bridge", "desktop", "engines"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                found |= set(written(node, {})) if isinstance(node, ast.Constant | ast.JoinedStr) else set()
    return frozenset(found)


@pytest.fixture
def chinese(qapp: QApplication) -> Iterator[QApplication]:
    speak(qapp, "zh")
    yield qapp
    speak(qapp, "en")


def test_what_a_composer_is_likely_to_meet_is_said_in_chinese() -> None:
    said = [(path, text) for path, text in raised() if text.strip("{} ") and path != ROOT / SETUP]
    assert len({text for _, text in said}) > 180, "they are found"
    unsaid = {text for text, target in table("zh")["errors"].items() if not target}  # of no use in a window, in either language
    missing = {
        f"{path.relative_to(ROOT)}: {text}"
        for path, text in said
        if text not in unsaid and not CHINESE.search(heard(text.replace("{}", "7"), "zh"))
    }
    assert missing == set()


def test_what_the_doctor_says_is_said_in_chinese(chinese: QApplication) -> None:
    daws = sorted((ROOT / "bridge/daws").glob("*.py"))
    states, missing = {"well", "odd", "broken", "absent"}, set()
    for path in (ROOT / "bridge/doctor.py", ROOT / "bridge/checkup.py", *daws):
        for call, named in called(path, {"Finding", "Reach"}):
            for part in (*call.args[1:], *(word.value for word in call.keywords)):
                for text in written(part, named):
                    whole = (
                        text.strip("{} ") and text not in states and not text.startswith("{}")
                    )  # else a part is told elsewhere
                    if whole and not CHINESE.search(told_by_the_doctor(text.replace("{}", "7"))):
                        missing.add(f"{path.name}: {text}")
    assert missing == {"ardour.py: answers{}, {} tracks at {} Hz", "reaper.py: start it, {}"}, (
        "parts of them are filled with words"
    )
    filled = ("answers, 3 tracks at 48000 Hz", "answers with the session song, 3 tracks at 48000 Hz")
    filled += ("start it, load /a/b.lua in REAPER's action list and run it",)
    alsa = "ALSA: MidiInAlsa::initialize: error creating ALSA sequencer client object.; JACK: JACK server not running?"
    for text in (*filled, alsa):
        assert CHINESE.search(told_by_the_doctor(text)), text


def test_no_pattern_is_left_of_a_sentence_that_is_gone() -> None:
    shortened = {"ALSA's sequencer is not there, no JACK server runs"}  # what the drivers said, as the window puts it
    assert set(table("zh")["errors"]) - sentences() - shortened == set()


def test_an_error_is_told_with_its_place_and_its_cure() -> None:
    error = OptionError("there is no hit at frame 5", where="hit", cure="mark one there first")
    assert told(error, "zh") == "卡点：第 5 帧没有卡点；请先在那里标记一个"
    assert told(error, "en") == str(error)
    busy = SessionError("is open in another program (hitpoint, process 77), here it is read-only", where=Path("/a/cue.hitpoint"))
    assert told(busy, "zh") == "/a/cue.hitpoint：已在另一个程序中打开 (hitpoint, process 77)，这里只能查看"
    assert told(SessionError("no session is open"), "zh") == "没有打开工程"
    assert "只有声音" in told(FilmError("there is sound only in this file", where="a.mp3"), "zh"), (
        "what stands in a place is told, too"
    )
    asked = OptionError("there is no scene 9", where="--scene", cure="this session has scenes 1 to 2")
    assert told(asked, "zh") == "没有场景 9；此工程有场景 1 到 2", "nobody gave an option here"
    unknown = OptionError("a sentence of tomorrow", where="here", cure="open one first")
    assert told(unknown, "zh") == "here：a sentence of tomorrow；请先打开一个", "what is not known stays, and its cure is told"


@pytest.mark.parametrize(
    ("line", "chinese"),
    [
        ("not saved: /a/cue.hitpoint: the disk is full; free some space, or write elsewhere",
         "未能保存：/a/cue.hitpoint：磁盘已满；请腾出空间，或写到别处"),
        ("the player's process ended (-9: no disk); another one takes over", "播放器进程已结束（-9: no disk）；已由新的进程接替"),
        ("Hitpoint: no MIDI system opens it (ALSA: error; JACK: none); start the DAW or its MIDI driver, and give a port that it lists",
         "Hitpoint：没有 MIDI 系统能打开它（ALSA: error; JACK: none）；请启动 DAW 或其 MIDI 驱动，并选择它列出的端口"),
        ("a line; that nobody: knows", "a line; that nobody: knows"),
    ],
)  # fmt: skip
def test_a_line_that_was_put_together_elsewhere_is_told_part_by_part(line: str, chinese: str) -> None:
    assert heard(line, "zh") == chinese
    assert heard(line, "en") == line


def test_the_message_bar_says_it_in_the_language_of_the_window(window: Window, chinese: QApplication, qtbot: QtBot) -> None:
    window.document.undo()
    qtbot.waitUntil(lambda: window.message.text == "没有打开工程；请打开一个，或打开影片并为其配乐", timeout=PATIENCE)
    speak(chinese, "en")
    qtbot.waitUntil(lambda: window.message.text.startswith("no session is open"), timeout=PATIENCE)
    speak(chinese, "zh")
    window.document.studio.events.publish(Message("what was done meanwhile is in it, too"))
    qtbot.waitUntil(lambda: window.message.text == "期间所做的也已包含在内", timeout=PATIENCE)


def test_the_takes_of_a_recut_are_named_in_the_language_of_the_window(seat: Seat, chinese: QApplication) -> None:
    from dataclasses import replace

    from desktop.takes_table import name_of
    from engines.session.before import AFTER, BEFORE

    _, take = seat.session.span(1).scene, seat.chosen(1)
    assert [name_of(replace(take, name=name)) for name in (BEFORE, AFTER, "mine")] == ["改剪前", "改剪后", "mine"]
    speak(chinese, "en")
    assert name_of(replace(take, name=AFTER)) == AFTER


def test_qts_own_dialogs_speak_chinese_where_its_words_are_there(chinese: QApplication, qtbot: QtBot) -> None:
    home = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    if not (home / "qtbase_zh_CN.qm").is_file():
        pytest.skip("this Qt came without its words in Chinese")
    kinds = QDialogButtonBox.StandardButton
    box = QDialogButtonBox(kinds.Close | kinds.Ok | kinds.Cancel)
    qtbot.addWidget(box)
    assert all(CHINESE.search(button.text()) for button in box.buttons()), [button.text() for button in box.buttons()]
    dialog = QFileDialog()
    qtbot.addWidget(dialog)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    words = [part.text() for kind in (QLabel, QPushButton) for part in dialog.findChildren(kind) if part.text()]
    assert len(words) >= 4
    assert all(CHINESE.search(word) for word in words), words
    speak(chinese, "en")
    english = QDialogButtonBox(kinds.Close, Qt.Orientation.Horizontal)
    qtbot.addWidget(english)
    assert "Close" in english.buttons()[0].text()


def test_a_document_without_a_window_says_what_it_says(qapp: QApplication) -> None:
    document = Document()
    refused: list[HitpointError] = []
    document.refused.connect(refused.append)
    document.open_cuts(Path("cuts.edl"))
    assert told(refused[0], "zh") == "cuts.edl：没有与此剪辑表对应的影片；请先打开影片"
    document.close()
