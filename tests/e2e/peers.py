"""Real programs as peers of tests: Ardour without a screen, with and without JACK, in a network of their own, ended by their ids.

A peer that does not come up is started again, five times at most; then the test is skipped and says why. One that came up and then
does something else than it should fails the test.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

TRIES = 5
SUPERCLOCK = 282_240_000  # units of Ardour's session file in a second
OSC_PORT = 3819
_HERE = Path(__file__).parent
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of sched.h

MAKE_LUA = """
local s = create_session (os.getenv ("PEER_FOLDER"), os.getenv ("PEER_NAME"), 48000)
local midi = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
for name in os.getenv ("PEER_TRACKS"):gmatch ("[^,]+") do
  s:new_midi_track (midi, midi, true, ARDOUR.PluginInfo (), nil, nil, 1, name, ARDOUR.PresentationInfo.max_order,
    ARDOUR.TrackMode.Normal, true)
end
local map = Temporal.TempoMap.write_copy ()
local bpm = tonumber (os.getenv ("PEER_BPM"))
map:set_tempo (Temporal.Tempo (bpm, bpm, 4), Temporal.timepos_t (0))
map:set_meter (Temporal.Meter (tonumber (os.getenv ("PEER_BEATS")), 4), Temporal.timepos_t (0))
Temporal.TempoMap.update (map)
map = nil
s:save_state ("", false, false, false, false, false)
sleep (0.2)
close_session ()
quit ()
"""

HOST_LUA = """
local s = load_session (os.getenv ("PEER_FOLDER"), os.getenv ("PEER_NAME"))
assert (s)
io.stderr:write ("READY\\n")
while true do sleep (1) end
"""


def until(true: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    """Waits until something is so; whether it came to be in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


@dataclass(frozen=True)
class Install:
    """Where Ardour's programs are, and what they need in the environment."""

    home: Path
    data: Path
    config: Path

    @property
    def luasession(self) -> Path:
        return self.home / "luasession"

    @property
    def hardour(self) -> Path:
        return next(iter(sorted(self.home.glob("hardour-*"))))

    def environment(self, user: Path, **more: str) -> dict[str, str]:
        """Of a process of Ardour's; ``user`` is where it keeps what it remembers."""
        user.mkdir(parents=True, exist_ok=True)
        own = {
            "LD_LIBRARY_PATH": str(self.home),
            "ARDOUR_DATA_PATH": str(self.data),
            "ARDOUR_CONFIG_PATH": str(self.config),
            "ARDOUR_DLL_PATH": str(self.home),
            "XDG_CONFIG_HOME": str(user),
            "XDG_CACHE_HOME": str(user / "cache"),
        }
        return {**os.environ, **own, **more}


@cache
def _ardour() -> Install | None:
    for home in sorted(Path("/usr/lib").glob("ardour[0-9]*")):
        if (home / "luasession").is_file():
            return Install(home, Path("/usr/share") / home.name, Path("/etc") / home.name)
    return None


def ardour() -> Install:
    """The Ardour of this machine; skips where there is none."""
    found = _ardour()
    if found is None:
        pytest.skip("no Ardour here: apt-get install --no-install-recommends ardour")
    return found


def needs(*programs: str) -> None:
    """Skips where a program is missing."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here: apt-get install {program}")


@contextmanager
def own_network() -> Iterator[None]:
    """A network with nothing in it but this machine itself, for this thread and what it starts: Ardour listens on every address.

    Skips where the system does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:
        if libc.unshare(_NEW_NETWORK):
            pytest.skip(f"no network of its own for Ardour, which listens on every address: {os.strerror(ctypes.get_errno())}")
        try:
            needs("ip")
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            if libc.setns(before.fileno(), _NEW_NETWORK):
                pytest.exit("the thread cannot go back to its own network")


@dataclass
class Peer:
    """A process of a test: started, watched, ended by its id; what it prints goes to a file."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, how: int = signal.SIGTERM) -> None:
        """Ends it, and waits until it has ended."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process = None

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.end(signal.SIGKILL)

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


def started(peers: Callable[[], list[Peer]], up: Callable[[], bool], seconds: float = 15.0) -> list[Peer]:
    """Starts peers until they are ``up``; five tries, then the test is skipped."""
    last = "nothing"
    for _ in range(TRIES):
        running = peers()
        try:
            if _came_up(running, up, seconds):
                return running
        except BaseException:
            _end(running)
            raise
        last = "; ".join(f"{peer.name}: {(peer.said.splitlines() or ['nothing'])[-1]}" for peer in running)
        _end(running)
    pytest.skip(f"could not be started in {TRIES} tries ({last})")


def _came_up(running: list[Peer], up: Callable[[], bool], seconds: float) -> bool:
    for peer in running:
        peer.start()
    return until(lambda: up() or not all(peer.lives for peer in running), seconds) and all(peer.lives for peer in running)


def _end(peers: list[Peer]) -> None:
    for peer in reversed(peers):
        peer.end()


def answers(port: int = OSC_PORT) -> bool:
    """Whether a program listens on a UDP port of this machine (read from the kernel's table: a probe would be taken for a message)."""
    rows = Path("/proc/thread-self/net/udp").read_text().splitlines()[1:]
    return any(int(row.split()[1].split(":")[1], 16) == port for row in rows)


@dataclass
class ArdourSession:
    """A session of Ardour's in a folder, made by Ardour itself: MIDI tracks, tempo and metre; then markers and options in its file."""

    install: Install
    folder: Path
    name: str = "peer"
    user: Path = field(init=False)

    def __post_init__(self) -> None:
        self.user = self.folder.parent / "ardour-user"

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.ardour"

    @property
    def environment(self) -> dict[str, str]:
        return self.install.environment(self.user, PEER_FOLDER=str(self.folder), PEER_NAME=self.name)

    def make(self, tracks: tuple[str, ...] = ("Gen",), bpm: int = 96, beats: int = 3) -> ArdourSession:
        """Makes it; five tries."""
        script = self.folder.parent / "make.lua"
        script.write_text(MAKE_LUA)
        more = {"PEER_TRACKS": ",".join(tracks), "PEER_BPM": str(bpm), "PEER_BEATS": str(beats)}
        self.configure()
        done = None
        for _ in range(TRIES):
            shutil.rmtree(self.folder, ignore_errors=True)
            command = [str(self.install.luasession), str(script)]
            try:
                done = subprocess.run(command, env={**self.environment, **more}, capture_output=True, timeout=60, check=False)
            except subprocess.TimeoutExpired:
                continue
            if self.file.exists():
                return self
        pytest.skip(f"Ardour makes no session in {TRIES} tries: {done and done.stderr.decode('utf-8', 'replace')[-200:]}")

    def configure(self, **options: str) -> None:
        """Writes what Ardour remembers of its user: what it sends and obeys."""
        known = {"send-mtc": "1", "send-mmc": "1", "send-midi-clock": "1", "mmc-control": "1", **options}
        rows = "".join(f'<Option name="{name}" value="{value}"/>' for name, value in known.items())
        home = self.user / self.install.home.name
        home.mkdir(parents=True, exist_ok=True)
        (home / "config").write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<Ardour><Config>{rows}</Config></Ardour>\n')

    def edit(
        self, markers: dict[str, Fraction], ranges: dict[str, tuple[Fraction, Fraction]], timecode: str, end: int = 60
    ) -> None:
        """Puts markers at exact seconds, the timecode format and OSC into the session's file, while no Ardour has it open."""
        tree = ET.parse(self.file)
        root = tree.getroot()
        places, number = root.find("Locations"), int(root.get("id-counter", "0"))
        assert places is not None
        rows = [(name, at, at, "IsMark") for name, at in markers.items()]
        rows += [(name, a, b, "IsRangeMarker") for name, (a, b) in ranges.items()]
        rows += [("session", Fraction(0), Fraction(end), "IsSessionRange")]
        for name, start, stop, flags in rows:
            number += 1
            at = {"start": f"a{int(start * SUPERCLOCK)}", "end": f"a{int(stop * SUPERCLOCK)}"}
            ET.SubElement(places, "Location", id=str(number), name=name, flags=flags, locked="0", timestamp="0", cue="0", **at)
        root.set("id-counter", str(number + 1))
        root.set("session-range-is-free", "0")
        for option in root.iter("Option"):
            if option.get("name") == "timecode-format":
                option.set("value", timecode)
        for surface in root.iter("Protocol"):
            if surface.get("name", "").startswith("Open Sound Control"):
                surface.attrib.update(
                    {"active": "1", "feedback": "0", "debugmode": "0", "address-only": "0", "remote-port": "8000"}
                )
                surface.attrib.update({"banksize": "0", "striptypes": "159", "gainmode": "0"})
        tree.write(self.file, encoding="UTF-8", xml_declaration=True)

    def run(self, lua: str, **more: str) -> str:
        """What a script of Ardour's own Lua prints about the session, while no Ardour has it open."""
        script = self.folder.parent / "ask.lua"
        script.write_text(lua)
        command = [str(self.install.luasession), str(script)]
        done = subprocess.run(command, env={**self.environment, **more}, capture_output=True, timeout=60, check=True)
        return done.stdout.decode()


def dummy_host(session: ArdourSession) -> Peer:
    """Ardour with the session open, without sound and MIDI ports, OSC on; in a network of its own. Skips if it does not come up."""
    script = session.folder.parent / "host.lua"
    script.write_text(HOST_LUA)
    command = [str(session.install.luasession), str(script)]
    log = session.folder.parent / "ardour.log"

    def fresh() -> list[Peer]:
        log.unlink(missing_ok=True)
        return [Peer("Ardour", command, session.environment, log)]

    # a message that comes while it still loads would silence its OSC for ever, so nobody asks before it says that it is ready
    return started(fresh, lambda: answers() and "READY" in log.read_text("utf-8", "replace"))[0]


@cache
def serial_libjack(folder: Path) -> Path:
    """The folder of a libjack that lets one caller at a time ask the server; see serial_libjack.c. Skips where it cannot be built."""
    needs("gcc")
    real = next((p for p in Path("/usr/lib").glob("*/libjack.so.0") if p.exists()), None)
    if real is None:
        pytest.skip("no libjack here: apt-get install jackd2")
    folder.mkdir(parents=True, exist_ok=True)
    content = real.resolve().read_bytes()
    if content.count(b"libjack.so.0\0") != 1:
        pytest.skip(f"{real} does not name itself once")
    (folder / "libjakk.so.0").write_bytes(content.replace(b"libjack.so.0\0", b"libjakk.so.0\0"))
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wl,-soname,libjack.so.0", "-o", str(folder / "libjack.so.0")]
    command += [str(_HERE / "serial_libjack.c"), "-Wl,--no-as-needed", f"-L{folder}", "-l:libjakk.so.0", "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the serial libjack cannot be built: {done.stderr.strip().splitlines()[-1]}")
    return folder


def free_port() -> int:
    """A UDP port that nobody has just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Slips:
    """A client of a JACK server's that counts how often JACK tells its clients that it was late with a period."""

    def __init__(self, server: str) -> None:
        jack = pytest.importorskip("jack")
        self.count = 0
        self._client = jack.Client("slips", no_start_server=True, servername=server)
        self._client.set_xrun_callback(self._slipped)
        self._client.activate()

    def close(self) -> None:
        self._client.deactivate()
        self._client.close()

    def _slipped(self, delayed_us: float) -> None:
        self.count += 1


@cache
def ahead() -> list[str]:
    """What to begin a command with so that it goes before programs that compute, where the system allows that."""
    command = ["nice", "-n", "-10"]
    allowed = shutil.which("nice") and subprocess.run([*command, "true"], capture_output=True, check=False).stderr == b""
    return command if allowed else []


@dataclass
class Studio:
    """A JACK server without a sound card, and Ardour on it with a session open: real MIDI ports, every event at its sample."""

    session: ArdourSession
    server: str
    period: int
    jackd: Peer
    hardour: Peer
    told: Slips | None = None

    def end(self) -> None:
        if self.told is not None:
            self.told.close()
        self.hardour.end()
        self.jackd.end()

    @property
    def slips(self) -> int:
        """How often the server was late with a period so far, as its log, Ardour's and its clients have it: what was recorded across
        one is not to be measured."""
        logged = self.jackd.said.lower()
        told = self.told.count if self.told is not None else 0
        return told + logged.count("process error") + logged.count("xrun") + self.hardour.said.lower().count("xrun")


def ports(server: str) -> list[str]:
    """The ports that a JACK server lists."""
    environment = {**os.environ, "JACK_DEFAULT_SERVER": server, "JACK_NO_START_SERVER": "1"}
    done = subprocess.run(["jack_lsp"], env=environment, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def studio(session: ArdourSession, period: int = 256, track: str = "Gen") -> Studio:
    """Starts both until Ardour's port for ``track`` is there and OSC listens; five tries, then the test is skipped."""
    needs("jackd", "jack_lsp", "gcc")
    said = "nothing"
    for attempt in range(TRIES):
        both = _studio(session, period, attempt)
        try:
            if _both_up(both, f"ardour:{track}/midi_in 1"):
                both.told = Slips(both.server)
                return both
        except BaseException:
            both.end()
            raise
        both.end()
        said = (both.hardour.said.splitlines() or both.jackd.said.splitlines() or ["nothing"])[-1]
    pytest.skip(f"Ardour on JACK could not be started in {TRIES} tries: {said}")


def server_name() -> str:
    """What the JACK server of a `studio` is called."""
    return f"hitpoint-{os.getpid()}"


def _studio(session: ArdourSession, period: int, attempt: int) -> Studio:
    room = session.folder.parent
    shim = serial_libjack(room / "libjack")
    server = server_name()
    plain = {**os.environ, "JACK_NO_AUDIO_RESERVATION": "1", "JACK_DEFAULT_SERVER": server, "JACK_NO_START_SERVER": "1"}
    own = {**session.environment, "JACK_DEFAULT_SERVER": server, "JACK_NO_START_SERVER": "1"}
    own["LD_LIBRARY_PATH"] = f"{shim}:{session.install.home}"
    # in step with its clients (-S), however late they are: a period that comes late is none that somebody misses
    jackd = [*ahead(), "jackd", "-S", "-n", server, "--no-realtime", "-t", "10000"]
    jackd += ["-d", "dummy", "-r", "48000", "-p", str(period)]
    hardour = [*ahead(), str(session.install.hardour), "-O", str(session.folder), session.name]
    return Studio(
        session,
        server,
        period,
        Peer("jackd", jackd, plain, room / f"jackd-{attempt}.log"),
        Peer("Ardour", hardour, own, room / f"hardour-{attempt}.log"),
    )


def _both_up(both: Studio, port: str) -> bool:
    both.jackd.start()
    if not until(lambda: "system:playback_1" in ports(both.server), 5, 0.1):
        return False
    both.hardour.start()
    return until(lambda: (answers() and port in ports(both.server)) or not both.hardour.lives, 20, 0.2) and both.hardour.lives
