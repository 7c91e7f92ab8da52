"""How serving ends: also where the disk of the session is gone by then, nothing that was done is lost."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from bridge.server.running import running
from engines.commands import AddHit
from engines.errors import OutputError
from engines.session.desk import Desk


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this person's data, settings and logs lie."""
    home = tmp_path / "mine"
    for kind in ("data", "config", "log", "runtime"):
        monkeypatch.setattr(platformdirs, f"user_{kind}_path", lambda name, kind=kind, **_: home / kind / name)
    return home


def test_what_a_disk_refuses_in_the_end_is_rescued_and_told(file: Path, mine: Path, tmp_path: Path) -> None:
    home = tmp_path / "film"
    home.mkdir()
    path = file.rename(home / "cue.hitpoint")
    serving = running(0, None, False, path)
    house = serving.__enter__()
    house.studio.flush()
    home.rename(tmp_path / "unplugged")
    home.write_text("no folder any more")
    house.studio.act(AddHit(41))
    house.studio.act(AddHit(48))
    with pytest.raises(OutputError) as told:
        serving.__exit__(None, None, None)
    (rescued,) = (mine / "data" / "hitpoint" / "rescued").glob("*.hitpoint")
    assert str(rescued) in str(told.value)
    assert "\n" not in str(told.value)
    with Desk.open(rescued) as desk:
        assert {41, 48} <= {hit.frame for hit in desk.session.hits}
        assert len(desk.history.done) == 2


def test_nothing_is_rescued_where_all_was_saved(file: Path, mine: Path) -> None:
    with running(0, None, False, file) as house:
        house.studio.act(AddHit(41))
    with Desk.open(file) as desk:
        assert 41 in {hit.frame for hit in desk.session.hits}
    assert not (mine / "data").exists()
