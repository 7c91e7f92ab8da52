"""Serving from the command line: the studio with its wires, from start to Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from bridge.checkup import SERVER_PORT
from bridge.events import Message
from bridge.logfile import log_to_file
from bridge.osc import OscServer
from bridge.server.local import LocalServer
from bridge.studio import Studio
from engines import files
from engines.errors import HitpointError, OutputError
from engines.session.desk import holder

LOOK = 1.0
"""Seconds between two looks for Ctrl-C, which Windows does not hand to a thread that waits without end."""


@dataclass(frozen=True)
class House:
    """What is served, and where."""

    studio: Studio
    url: str
    token: str
    token_file: Path
    osc_port: int | None
    log: Path | None
    said: tuple[str, ...] = ()
    """What went wrong while the session was opened, before anybody could listen: lines for the person."""
    left: list[str] = field(default_factory=list)
    """What did not stop, once it has ended: sentences of jobs."""

    def json(self) -> dict[str, Any]:
        """As the programs read it that start us."""
        return {
            "url": self.url,
            "events": f"{self.url.replace('http', 'ws', 1)}/hitpoint/events",
            "openapi": f"{self.url}/openapi.json",
            "token": self.token,
            "token_file": str(self.token_file),
            "osc_port": self.osc_port,
            "session": str(self.studio.now.path) if self.studio.is_open else None,
            "read_only": self.read_only,
            "log": None if self.log is None else str(self.log),
        }

    @property
    def read_only(self) -> bool:
        """Whether another program had the session open first."""
        return self.studio.is_open and self.studio.now.read_only

    @property
    def warning(self) -> str | None:
        """What the person should know before relying on the session."""
        if not self.read_only:
            return None
        path = self.studio.now.path
        who = holder(path) or "another program"
        return f"{path}: is open in {who}: here it is read-only; close it there, then open it here again"

    def text(self) -> str:
        """The same for a person."""
        osc = "no OSC: add --osc-port" if self.osc_port is None else f"OSC on 127.0.0.1, UDP port {self.osc_port}"
        return f"{self.url}\n{osc}\nCtrl-C ends it"

    def wait(self) -> None:
        """Waits for Ctrl-C, or for the system to end the program."""
        try:
            while not Event().wait(LOOK):
                pass
        except KeyboardInterrupt:
            return


def _ended(studio: Studio) -> tuple[str, ...]:
    """Closes the studio. A session that its disk refuses is written where this person's data lie: nobody is there to be asked.

    Raises OutputError with where it is.
    """
    try:
        return studio.close()
    except HitpointError as refused:
        from platformdirs import user_data_path

        home = files.folder(user_data_path("hitpoint") / "rescued")
        name = f"{studio.now.path.stem} {datetime.now():%Y-%m-%d %H.%M.%S}.hitpoint"
        path = studio.save(home / name)
        studio.close_session()
        raise OutputError(refused.what, where=refused.where, cure=f"what could not be saved there is in {path}") from refused


@contextmanager
def running(port: int | None, osc_port: int | None, osc_read_only: bool, session: Path | None) -> Iterator[House]:
    """The studio with its wires; in the end jobs are cancelled, the session is saved and closed. Raises PortError, SessionError."""
    with ExitStack() as closing:
        log = log_to_file()
        studio, left = Studio(), list[str]()
        closing.callback(lambda: left.extend(_ended(studio)))
        told = list[str]()
        if session is not None:
            quiet = studio.subscribe(lambda event: told.append(event.text) if isinstance(event, Message) else None)
            studio.open_session(Path(files.spelled(session)))
            quiet()
        server = LocalServer(studio, SERVER_PORT if port is None else port)
        closing.callback(server.close)
        osc = None
        if osc_port is not None:
            osc = OscServer(studio, osc_port, osc_read_only)
            closing.callback(osc.close)
        facts = {"osc_port": None if osc is None else osc.port}
        yield House(studio, server.url, server.door.token, server.post(facts), facts["osc_port"], log, tuple(told), left)
