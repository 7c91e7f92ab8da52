"""Ardour without its window, asked through its own Lua program: it makes tracks in a session, and says which notes it finds there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from bridge.daw import Sound
from engines.errors import DawError

COMPANION = Path(__file__).with_name("ardour_companion.lua")
"""The script that does it; it runs in Ardour's Lua program alone, and nobody copies it anywhere."""

_TIMEOUT_S = 120
_WINDOW = re.compile(r"ardour([-.]?\d.*)?", re.IGNORECASE)
_NOTE = re.compile(r"NOTE\t([^\t]*)\t(-?\d+)\t(-?\d+)\t(\d+)\t(\d+)")


@dataclass(frozen=True)
class LuaSession:
    """Ardour's program ``luasession``, with what it needs in the environment."""

    program: Path
    environment: dict[str, str]

    @classmethod
    def find(cls) -> LuaSession | None:
        """The newest one of this machine; None where there is none."""
        homes = [*Path("/usr/lib").glob("ardour[0-9]*"), *Path("/opt").glob("Ardour-*/bin")]
        homes += Path("/Applications").glob("Ardour*.app/Contents/lib")
        for home in sorted(homes, reverse=True):
            if (home / "luasession").is_file():
                share, etc = Path("/usr/share") / home.name, Path("/etc") / home.name
                own = {"ARDOUR_DATA_PATH": str(share), "ARDOUR_CONFIG_PATH": str(etc), "ARDOUR_DLL_PATH": str(home)}
                return cls(home / "luasession", {"LD_LIBRARY_PATH": str(home), **own})
        on_path = shutil.which("ardour-lua") or next((w for n in "987" if (w := shutil.which(f"ardour{n}-lua"))), None)
        return cls(Path(on_path), {}) if on_path else None

    def run(self, folder: Path, snapshot: str, tracks: tuple[str, ...] = ()) -> str:
        """What it prints of a snapshot of a session, after making the ``tracks`` that are missing and saving it."""
        with tempfile.TemporaryDirectory(prefix="hitpoint-ardour-") as user:
            asked = {"HITPOINT_FOLDER": str(folder), "HITPOINT_SNAPSHOT": snapshot, "HITPOINT_TRACKS": "\n".join(tracks)}
            # a home of its own, so that no control surface of the person's is opened
            environment = {**os.environ, **self.environment, "XDG_CONFIG_HOME": user, "XDG_CACHE_HOME": user, **asked}
            try:
                done = subprocess.run(  # noqa: S603 - Ardour's own program, with a script of ours
                    [str(self.program), str(COMPANION)],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_TIMEOUT_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise DawError(
                    "does not open the session without its window", where=folder, cure="open it in Ardour once"
                ) from error
        out = done.stdout.decode("utf-8", "replace")
        if done.returncode or "\nDONE" not in f"\n{out}":
            said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"])[-1]
            raise DawError(
                f"cannot open the session without its window ({said[:120]})", where=folder, cure="open it in Ardour once"
            )
        return out


def window_runs() -> bool:
    """Whether an Ardour with a window runs on this machine, as far as the system's list of programs says."""
    program = shutil.which("ps")
    if program is None:
        return False
    done = subprocess.run([program, "-A", "-o", "comm="], capture_output=True, text=True, check=False)  # noqa: S603
    # its helpers are called ardour-avahi and the like
    return any(_WINDOW.fullmatch(Path(line.strip()).name) for line in done.stdout.splitlines())


def sounds(printed: str) -> dict[str, list[Sound]]:
    """The notes that Ardour found, by region; starts and ends in samples of the session."""
    out: dict[str, list[Sound]] = {}
    for line in printed.splitlines():
        if line.startswith("REGION\t"):
            out.setdefault(line.split("\t")[1], [])
        found = _NOTE.fullmatch(line)
        if found:
            start, end, pitch, velocity = (int(found[k]) for k in (2, 3, 4, 5))
            out.setdefault(found[1], []).append(Sound(Fraction(start), pitch, Fraction(end), velocity))
    return out
