"""Paths of other programs' files that are pipes: nobody waits for what they never say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from sittings import scored

from bridge.daw import Address, Cue
from bridge.daws.ardour_file import ArdourFile
from bridge.daws.folder import LEDGER, Folder
from bridge.daws.reaper_project import markers
from bridge.editors import PLACE
from bridge.editors.watched import WatchedFile, editor_place
from engines.errors import HitpointError

LONG = 20.0

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are another matter elsewhere")

READERS: dict[str, Callable[[Path], object]] = {
    "song.RPP": markers,
    "song.ardour": ArdourFile.read,
    PLACE: lambda path: editor_place(path.parent),
    LEDGER: lambda path: Folder(Address(path.parent))._ledger(),
    "cut.edl": lambda path: WatchedFile(path, lambda _: None).look(),
}


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_holds_nobody_up(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    said: list[object] = []

    def read() -> None:
        try:
            said.append(READERS[name](path))
        except HitpointError as error:
            said.append(error)

    thread = Thread(target=read, daemon=True)
    thread.start()
    thread.join(LONG)
    held_up = thread.is_alive()
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # whoever still waits there reads its end
    assert not held_up
    assert said[0] is False if name == "cut.edl" else "\n" not in str(said[0])


def test_a_folder_in_which_a_pipe_has_a_files_name_takes_no_cue(tmp_path: Path, trio: str) -> None:
    cue = Cue.of(scored((2,)))
    os.mkfifo(tmp_path / f"{cue.name}.mid")
    with pytest.raises(HitpointError, match="device or a pipe"):
        Folder(Address(tmp_path)).place(cue, cue.pieces[0].start)
