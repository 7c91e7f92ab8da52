"""Both languages say everything: no word of the window is written past the translator, none lacks its Chinese, no place is lost."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QApplication

from desktop.app import speak
from desktop.language import TABLES, act, spoken, table, words
from desktop.plainly import plainly
from engines.commands import (
    AddHit,
    AddHits,
    Choose,
    Delete,
    DropHit,
    FollowHits,
    Hold,
    Join,
    MoveHit,
    Refill,
    Remark,
    Score,
    Split,
    Tell,
    TellAll,
    Title,
    WeighHit,
)  # fmt: skip
from engines.errors import HitpointError, OptionError, SessionError
from engines.session.model import Told
from engines.session.refill import Wish

DESKTOP = Path(__file__).resolve().parents[2] / "desktop"
SHOWS = {
    *("setText", "setToolTip", "setAccessibleName", "setPlaceholderText", "setWindowTitle", "setStatusTip", "setTitle"),
    *("addMenu", "addTab", "setInformativeText", "setAccessibleDescription", "showMessage", "QLabel", "QPushButton", "QAction"),
    *("QGroupBox", "QCheckBox", "QRadioButton", "setPrefix", "setSuffix", "setSpecialValueText", "setWhatsThis"),
}
"""What puts words on the screen."""
NAMES = {"Hitpoint", "C Am F/A G7"}
"""Words that are the same in every language."""
ELSEWHERE = {"acts", "doctor", "errors", "spotting"}
"""Contexts of what is said outside the window. Those whose names begin with Q are Qt's own, where its file of words lacks some."""


def modules() -> Iterator[tuple[Path, ast.Module, str | None]]:
    """Every module of the window with the context of its words."""
    for path in sorted(DESKTOP.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        found = [
            node.value.args[0].value  # type: ignore[attr-defined]
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "words"
        ]
        yield path, tree, found[0] if found else None


def said(tree: ast.Module) -> Iterator[str]:
    """The texts that a module has translated, as they stand in its calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tr" and node.args:
            text = node.args[0]
            if isinstance(text, ast.Constant):
                yield text.value


def test_every_text_has_its_chinese() -> None:
    missing = [
        f"{path.name}: {context}: {text!r}"
        for path, tree, context in modules()
        for text in said(tree)
        if not table("zh").get(context or "", {}).get(text)
    ]
    assert missing == []


def test_no_translation_is_left_of_a_text_that_is_gone() -> None:
    there: dict[str, set[str]] = {}
    for _, tree, context in modules():
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        there.setdefault(context or "", set()).update(texts)
    every = set().union(*there.values())
    stale = [
        f"{code}/{context}: {text!r}"
        for code in ("en", "zh")
        for context, rows in table(code).items()
        for text in rows
        if context not in ELSEWHERE
        and not context.startswith("Q")
        and text not in there.get(context, set())
        and text not in every
    ]
    assert stale == []


def engines_own() -> str:
    """The source of all packages, with a place wherever a sentence has one."""
    paths = (path for name in ("engines", "bridge", "desktop") for path in sorted((DESKTOP.parent / name).rglob("*.py")))
    return "\n".join(re.sub(r"\{[^{}]*\}", "{}", path.read_text("utf-8")) for path in paths)


def test_every_error_that_the_window_says_otherwise_is_one_that_is_raised() -> None:
    source = engines_own()
    every = set(table("en")["errors"])
    assert every <= set(table("zh")["errors"])
    assert [
        text for text in sorted(every) if text not in source and text != "ALSA's sequencer is not there, no JACK server runs"
    ] == []


NEVER_IN_THE_WINDOW = re.compile(
    r"engines/(verbs|training|yardstick|bmt/(data|step)|session/(editor|recut|listing)|picture/(mux|cutlists/table|demo_film)|runtime)"
    r"|bridge/(editors|server|osc|wire|daw_verbs|player_verbs|verbs|checkup|calls\.|playing|project\.|calibrat|player/calibration)"
)
"""What is raised by the command line alone, or says what to install or how to start a server."""


def texts_of(node: ast.AST) -> Iterator[str]:
    """The texts of an expression, those with places as they are written."""
    if isinstance(node, ast.JoinedStr):
        yield ast.unparse(node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for inner in ast.iter_child_nodes(node):
            yield from texts_of(inner)


def cures() -> Iterator[tuple[str, str]]:
    """Every cure of an error that the engines and the bridge raise, with its module; places as the tables have them."""
    for name in ("engines", "bridge"):
        for path in sorted((DESKTOP.parent / name).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                for word in node.keywords if isinstance(node, ast.Call) else ():
                    if word.arg != "cure":
                        continue
                    for text in texts_of(word.value):
                        yield path.relative_to(DESKTOP.parent).as_posix(), text


def test_no_cure_that_the_window_shows_names_an_option_or_a_verb_of_the_command_line() -> None:
    jargon = re.compile(r"--[a-z]|\b(refill|relink|conform) (--|SESSION)|history lists|main\.py")
    known = [re.compile("(.+?)".join(re.escape(part) for part in text.split("{}"))) for text in table("en")["errors"]]
    found = []
    for path, cure in cures():
        text = re.sub(r"\{[^{}]*\}", "X", cure.removeprefix("f").strip("'\""))
        pieces = (text, *text.split("; "))
        if jargon.search(text) and not NEVER_IN_THE_WINDOW.match(path):
            found += [] if any(row.fullmatch(piece) for row in known for piece in pieces) else [f"{path}: {text}"]
    assert found == []


def test_an_error_is_said_in_the_words_of_the_window_and_in_both_languages(qapp: QApplication) -> None:
    wrong = [
        (OptionError("is another cut", where=Path("film.mp4"), cure="conform carries a session to another cut: conform --film"),
         "film.mp4: is another cut; to carry the session to another cut, drop it on Conform (Ctrl+Alt+O)"),
        (SessionError("there is nothing to undo", where="undo", cure="history lists what was done"), "there is nothing to undo"),
        (OptionError("scene 2 has no take", where="--take", cure="compose one: refill --scene 2"),
         "scene 2 has no take; compose scene 2 first (Enter)"),
        (HitpointError("Hitpoint: no MIDI system opens it (ALSA's sequencer is not there); "
                       "start the DAW or its MIDI driver, and give a port that it lists"),
         "Hitpoint: no MIDI system opens it (ALSA's sequencer is not there); "
         "start the DAW or its MIDI driver, and choose a port that it lists"),
        (OptionError("frame 7 is out of the way", where="here", cure="nothing"), "here: frame 7 is out of the way; nothing"),
    ]  # fmt: skip
    try:
        speak(qapp, "en")
        for error, said_ in wrong:
            assert plainly(error) == said_
        speak(qapp, "zh")
        assert plainly(wrong[1][0]) == "没有可撤销的操作"
        assert plainly(wrong[2][0]).endswith("请先创作场景 2（Enter）")
    finally:
        speak(qapp, "en")


def places(text: str) -> Counter[str]:
    return Counter(re.sub(r"\{\d\}", "{}", place) for place in re.findall(r"\{\d?\}|%n", text))


def test_no_translation_loses_a_place_or_a_shortcut_of_its_menu() -> None:
    for context, rows in table("zh").items():
        for source, target in rows.items():
            for form in target if isinstance(target, list) else [target]:
                assert places(form) == places(source), (context, source)
                form.replace("%n", "3").format(*"abcdefgh"[: max(1, len(re.findall(r"\{\d?\}", source)))])
    menus = [text for text in table("zh")["actions"] if "&" in text]
    assert all(f"(&{text[text.index('&') + 1].upper()})" in str(table("zh")["actions"][text]) for text in menus)


def test_no_word_is_written_past_the_translator() -> None:
    found = []
    for path, tree, _ in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in SHOWS:
                texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                found += [f"{path.name}:{node.lineno}: {t!r}" for t in texts if re.search(r"[A-Za-z]{2}", t) and t not in NAMES]
    assert found == []


def test_every_table_is_plain_and_sorted() -> None:
    files = sorted(TABLES.rglob("*.json"))
    assert files
    for path in files:
        rows = json.loads(path.read_text("utf-8"))
        assert list(rows) == sorted(rows), path


def test_a_language_is_spoken_from_the_moment_it_is_chosen(qapp: QApplication) -> None:
    tr = words("hits")
    try:
        speak(qapp, "zh")
        assert tr("missed") == "错过"
        assert tr("%n hits", n=3) == "3 个卡点"
        speak(qapp, "en")
        assert tr("missed") == "missed"
        assert [tr("%n hits", n=n) for n in (1, 2)] == ["1 hit", "2 hits"]
        assert QCoreApplication.translate("hits", "nothing that anybody says") == "nothing that anybody says"
    finally:
        speak(qapp, "en")


def test_the_choice_of_a_language_and_the_systems_own() -> None:
    assert spoken("zh") == "zh"
    assert spoken("klingon") in ("en", "zh")


ACTS = [
    Refill(Wish(3)), Refill(Wish(3, stems=("melody", "bass"))), Refill(Wish(3, bars=((2, 4), (7, 7)))),
    Refill(Wish(3, bars=((2, 4),), stems=("melody",))), Score(), Choose(1, 2), Choose(1, None), Remark(1, 2, rating=3), Remark(1, name="a"),
    Remark(1, 2, remark="b"), Delete(1, 2), Hold(1, ("melody",)), Hold(1, ()), Title("1m2"), Title("chase", 2), Tell(Told(), 1),
    Tell(Told()),
    Tell(Told(), bar=3), TellAll({}), TellAll({}, "Shape the intensity of bars 2 to 5"), Split(5), Join(1), AddHit(7), MoveHit(7, 9),
    AddHits((AddHit(7), AddHit(8)), "reaper"),
    WeighHit(7, 0.5), WeighHit(7, label="door"), WeighHit(7, early=Fraction(1)), DropHit(7), FollowHits(2),
]  # fmt: skip


@pytest.mark.parametrize("done", ACTS, ids=lambda done: done.sentence)
def test_the_sentence_of_every_act_is_told_in_chinese_with_its_numbers(done: object) -> None:
    sentence = done.sentence  # type: ignore[attr-defined]
    told = act(sentence, "zh")
    assert told != sentence
    assert sorted(re.findall(r"\d+", told)) == sorted(re.findall(r"\d+", sentence))
    assert act(sentence, "en") == sentence
