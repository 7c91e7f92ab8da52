"""Watching the editor from the conform panel: chosen, shown when it is exported again, left; whoever else chose it is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from sittings import saved, scored

from desktop.document import Document
from desktop.recut import Recut
from desktop.transport import Transport

PATIENCE = 60_000


@pytest.fixture
def panel(qtbot: QtBot, trio: str, tmp_path: Path) -> Recut:
    document = Document()
    made = Recut(document, Transport())
    qtbot.addWidget(made, before_close_func=lambda _: document.close())
    made.show()
    with qtbot.waitSignal(document.drawn, timeout=PATIENCE):
        document.open(saved(scored(), tmp_path / "cue.hitpoint"))
    return made


def export(path: Path, frames: list[int]) -> None:
    path.write_text("frame\n" + "\n".join(map(str, frames)) + "\n", "utf-8")


def test_a_cut_list_that_is_exported_again_is_shown(
    panel: Recut, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, watching = panel._document, panel.watching
    assert document.now is not None
    frames = [cut.frame for cut in document.now.session.programme.cuts]
    path = tmp_path / "reel.csv"
    export(path, frames)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    assert watching.text() == "Watch the editor"
    assert watching.file is not None
    watching.file.trigger()
    qtbot.waitUntil(lambda: watching.text() == "Watches reel.csv", timeout=PATIENCE)
    assert panel.recutting is None, "it is known as it lies there"
    export(path, [frame - 24 for frame in frames if frame > 48])
    qtbot.waitUntil(lambda: panel.recutting is not None, timeout=PATIENCE)
    assert "reel.csv" in panel.name.text()
    assert watching.nothing is not None
    watching.nothing.trigger()
    qtbot.waitUntil(lambda: watching.text() == "Watch the editor", timeout=PATIENCE)
    assert document.studio.neighbours.cuts is None


def test_what_another_client_chose_is_seen_and_the_script_can_be_chosen(panel: Recut, qtbot: QtBot, tmp_path: Path) -> None:
    studio, watching = panel._document.studio, panel.watching
    studio.neighbours.watch(tmp_path / "elsewhere.edl")
    watching.show_watched()
    assert watching.text() == "Watches elsewhere.edl"
    assert watching.nothing is not None
    assert watching.nothing.isEnabled()
    assert watching.script is not None
    watching.script.trigger()
    qtbot.waitUntil(lambda: watching.text() == "Watches cuts.json" or "elsewhere" not in watching.text(), timeout=PATIENCE)
    assert studio.neighbours.cuts is not None
