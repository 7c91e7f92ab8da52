"""Sessions for the tests of the studio and its wires: composed once, copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sittings import saved, scored
from slow_engine import Slow

from bridge.studio import Studio


@pytest.fixture(scope="session")
def scored_once(trio: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a session with three scenes, each composed once."""
    return saved(scored(), tmp_path_factory.mktemp("scored") / "cue.hitpoint").read_bytes()


@pytest.fixture
def file(scored_once: bytes, tmp_path: Path) -> Path:
    """A session's file of the test's own."""
    path = tmp_path / "cue.hitpoint"
    path.write_bytes(scored_once)
    return path


@pytest.fixture
def at_work(file: Path) -> Iterator[Studio]:
    """A studio with that session open."""
    made = Studio()
    made.open_session(file)
    yield made
    made.close(60.0)


@pytest.fixture
def slow(trio: str, monkeypatch: pytest.MonkeyPatch) -> type[Slow]:
    """The engine ``slow``, which nobody has asked yet."""
    from engines.engine import ENGINES

    Slow.began.clear()
    Slow.go.clear()
    Slow.asked = 0
    monkeypatch.setitem(ENGINES, "slow", f"{Slow.__module__}:Slow")
    return Slow
