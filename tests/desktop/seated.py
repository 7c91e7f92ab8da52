"""A document with a scored session and a transport over its film, as panels of the window get them; the film itself is nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sittings import saved, scored

from desktop import theme
from desktop.document import Document
from desktop.lately import waiting
from desktop.transport import Transport, even
from engines.errors import HitpointError
from engines.session.model import SceneTake, Session

PATIENCE = 30_000
"""Milliseconds that a busy machine may take."""


@dataclass
class Seat:
    """One composer's place."""

    document: Document
    transport: Transport
    bot: QtBot
    refused: list[HitpointError]

    @property
    def session(self) -> Session:
        assert self.document.now is not None
        return self.document.now.session

    @property
    def steps(self) -> list[str]:
        """What undo would take back, the last first."""
        assert self.document.now is not None
        return [step.sentence for step in reversed(self.document.now.history.done)]

    def chosen(self, scene: int) -> SceneTake:
        """The take of a scene that is heard."""
        return self.session.take(self.session.span(scene).scene)[1]

    def change(self, call: Callable[[], object]) -> Session:
        """Does something, and waits until the session is another."""
        with self.bot.waitSignal(self.document.session_changed, timeout=PATIENCE):
            call()
        self.settle()
        return self.session

    def settle(self) -> None:
        """Waits until every panel shows the newest session."""
        self.bot.waitUntil(lambda: not waiting(), timeout=PATIENCE)

    def composed(self, call: Callable[[], object], takes: int = 1) -> Session:
        """Does something that composes so many takes, and waits for them."""
        wanted = len(self.session.takes) + takes
        call()
        self.bot.waitUntil(lambda: len(self.session.takes) == wanted, timeout=PATIENCE)
        self.settle()
        return self.session


@cache
def _scored() -> Session:
    return scored()


@pytest.fixture(name="seat")
def at_seat(trio: str, tmp_path: Path, qapp: QApplication, qtbot: QtBot) -> Iterator[Seat]:
    """A session of three scenes with a take each; every refused act is noted."""
    theme.wear(qapp, "dark")
    document, transport = Document(), Transport()
    refused: list[HitpointError] = []
    document.refused.connect(refused.append)
    path = saved(_scored(), tmp_path / "cue.hitpoint")
    with qtbot.waitSignals([document.session_changed, document.reel_changed], timeout=PATIENCE):  # the reel: there is none
        document.open(path)
    assert document.now is not None
    film = document.now.session.film
    transport.load(even(film.rate, film.frames))
    yield Seat(document, transport, qtbot, refused)
    transport.stop()
    document.close()
