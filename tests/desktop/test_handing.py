"""Handing over from the window: what the menus write is what the wire and the command line write."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from sittings import saved, scored

from desktop.window import Window
from engines.picture import cutlist
from engines.score.smf import read_smf
from engines.session.model import Session
from engines.session.sheet import sheet_text

PATIENCE = 60_000


@pytest.fixture
def sitting(window: Window, trio: str, tmp_path: Path, qtbot: QtBot) -> Window:
    folder = tmp_path / "film" / "score"
    folder.mkdir(parents=True)
    window.commands.take(saved(scored(), folder / "cue.hitpoint"))
    qtbot.waitUntil(lambda: window.timeline.sheet is not None, timeout=PATIENCE)
    window.message.dismiss()
    return window


def session(window: Window) -> Session:
    assert window.document.now is not None
    return window.document.now.session


@pytest.mark.parametrize("name", ["cuts_out", "click_out", "brief_out", "cue_sheet"])
def test_a_file_is_asked_for_written_and_told(
    name: str, sitting: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[Path] = []

    def choose(parent: object, title: str, path: str, kinds: str) -> tuple[str, str]:
        offered.append(Path(path))
        return str(tmp_path / Path(path).stem), kinds  # typed without its ending

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    sitting.actions_by_name[name].trigger()
    qtbot.waitUntil(lambda: sitting.message.text.startswith("Wrote "), timeout=PATIENCE)
    (where,) = offered
    file = tmp_path / where.name
    assert sitting.message.text == f"Wrote {file}"
    if name == "cuts_out":
        cuts = [cut.frame for cut in session(sitting).programme.cuts]
        assert [cut.frame for cut in cutlist.read(file, session(sitting).film.rate).cuts] == cuts
    elif name == "click_out":
        assert read_smf(file).notes
    elif name == "brief_out":
        assert file.read_text("utf-8") == sheet_text(session(sitting))
    else:
        assert "<html" in file.read_text("utf-8")


def test_a_folder_is_delivered_and_its_files_are_counted(
    sitting: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(out))
    sitting.actions_by_name["deliver"].trigger()
    qtbot.waitUntil(lambda: sitting.message.text.startswith("Wrote "), timeout=PATIENCE)
    assert str(out) in sitting.message.text
    assert list(out.rglob("*.mid"))


def test_the_cue_is_placed_and_what_was_confirmed_is_told(sitting: Window, qtbot: QtBot, tmp_path: Path) -> None:
    sitting.actions_by_name["place"].trigger()
    qtbot.waitUntil(lambda: bool(list(tmp_path.rglob("*.mid"))) and sitting.message.text != "", timeout=PATIENCE)
    assert any("midi" in path.parent.name for path in tmp_path.rglob("*.mid"))


def test_a_brief_is_read_back_as_one_act(sitting: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = tmp_path / "brief.txt"
    sheet.write_text(sheet_text(session(sitting)), "utf-8")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(sheet), ""))
    with qtbot.waitSignal(sitting.document.session_changed, timeout=PATIENCE):
        sitting.actions_by_name["brief_in"].trigger()


def test_what_cannot_be_is_told_in_the_bar_and_nothing_chosen_does_nothing(
    sitting: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    sitting.actions_by_name["cuts_out"].trigger()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "seen"))
    sitting.actions_by_name["preview"].trigger()  # the session's film is nowhere
    qtbot.waitUntil(lambda: "film" in sitting.message.text, timeout=PATIENCE)
    assert not (tmp_path / "seen").exists()
