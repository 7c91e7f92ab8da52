"""Stands for REAPER: its companion script, the real one, in a Lua program over a project in memory; and its web interface.

The script runs in whichever Lua is on this machine (REAPER's own is 5.4, Ardour's program holds 5.3). The web interface answers as
REAPER's: lines of words between tabs, escaped with backslashes, several commands in one request, commands by number.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Lock, Thread

import pytest

from bridge.daws.reaper import COMPANION

DOUBLE = Path(__file__).with_suffix(".lua")


def lua() -> str:
    """A Lua program; skips where there is none."""
    found = next((path for name in ("lua5.4", "lua5.3", "lua") if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Lua here: apt-get install lua5.4")
    return found


class ReaperDouble:
    """The script at work in a home of its own, until `close`."""

    def __init__(self, home: Path, tick_s: float = 0.01) -> None:
        self.box = home / ".hitpoint" / "reaper"
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self._process = subprocess.Popen(
            [lua(), str(DOUBLE), str(COMPANION)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._writing = Lock()
        self._done = Event()
        self._thread = Thread(target=self._tick, args=(tick_s,), name="reaper double", daemon=True)
        self._thread.start()

    def _tick(self, tick_s: float) -> None:
        while not self._done.wait(tick_s):
            self.tell("tick")

    def tell(self, line: str) -> None:
        """One wish; see the Lua file."""
        assert self._process.stdin
        with self._writing:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def dump(self) -> list[list[str]]:
        """Tracks, items and undo steps as rows of words."""
        assert self._process.stdout
        self.tell("dump")
        rows = []
        for line in self._process.stdout:
            if line.strip() == ".":
                return rows
            rows.append(line.rstrip("\n").split("\t"))
        raise AssertionError("the script ended")

    def close(self) -> None:
        self._done.set()
        self._thread.join(5)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@dataclass
class WebReaper:
    """REAPER's web interface over a transport and markers in memory. ``style`` spoils it: ``other`` is another program's page."""

    markers: list[tuple[str, float]] = field(default_factory=list)
    regions: list[tuple[str, float, float]] = field(default_factory=list)
    position: float = 0.0
    state: int = 0
    style: str = "reaper"
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                double._get(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="web reaper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        body, status = "", 200
        if self.style == "password":
            status = 401
        elif self.style == "other":
            body = "<html>a page</html>"
        elif request.path.startswith("/_/"):
            body = "".join(self._command(command) for command in request.path[3:].split(";"))
        content = body.encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _command(self, command: str) -> str:
        if command == "TRANSPORT":
            return f"TRANSPORT\t{self.state}\t{self.position:.15f}\t0\t1.1.00\t1.1.00\n"
        if command == "BEATPOS":
            return f"BEATPOS\t{self.state}\t{self.position:.15f}\t{self.position * 1.6:.15f}\t0\t0.0\t3\t4\n"
        if command == "MARKER":
            rows = "".join(f"MARKER\t{_escaped(name)}\t{n}\t{at:.15f}\t0\n" for n, (name, at) in enumerate(self.markers, 1))
            return f"MARKER_LIST\n{rows}MARKER_LIST_END\n"
        if command == "REGION":
            rows = "".join(f"REGION\t{_escaped(m)}\t{n}\t{a:.15f}\t{b:.15f}\t0\n" for n, (m, a, b) in enumerate(self.regions, 1))
            return f"REGION_LIST\n{rows}REGION_LIST_END\n"
        if command.startswith("SET/POS/"):
            self.position = float(command.removeprefix("SET/POS/"))
        elif command in ("1007", "1016"):
            self.state = 1 if command == "1007" else 0
        return ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
