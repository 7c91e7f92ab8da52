"""A DAW at the other end of JACK: its timecode comes in at the port that `play --follow` opens by itself, and machine control goes out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import peers
import pytest
from sittings import saved, scored

from bridge.daw import Address
from bridge.daws.generic import Generic
from bridge.mtc import full_frame, quarter_frame
from bridge.ports import CONTROL, SYNC
from engines.picture.timecode import Timecode

pytestmark = pytest.mark.slow  # in real time

ROOT = Path(__file__).resolve().parents[2]
RATE, PERIOD = 48_000, 256
FILM = Fraction(24)
DEADLINE_S = 60.0


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a JACK server without a sound card."""
    peers.needs("jackd", "jack_lsp")
    pytest.importorskip("jack")
    name = f"hitpoint-daw-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    here = {**os.environ, "JACK_NO_AUDIO_RESERVATION": "1"}
    here.pop("LD_LIBRARY_PATH", None)
    command = ["jackd", "-n", name, "--no-realtime", "-t", "2000", "-d", "dummy", "-r", str(RATE), "-p", str(PERIOD)]

    def fresh() -> list[peers.Peer]:
        return [peers.Peer("jackd", command, here, tmp_path / "jackd.log")]

    (jackd,) = peers.started(fresh, lambda: "system:playback_1" in peers.ports(name))
    try:
        yield name
    finally:
        jackd.end()
        for left in Path("/dev/shm").glob(f"jack*_{name}_*"):
            left.unlink(missing_ok=True)


class Daw:
    """A program on JACK that sends timecode from ``start`` on while it rolls, and writes down what it is told."""

    def __init__(self, start: Timecode) -> None:
        jack = pytest.importorskip("jack")
        self.start, self.rolling, self.heard = start, False, list[bytes]()
        self.zero: int | None = None
        self.client: Any = jack.Client("daw", no_start_server=True)
        self.out = self.client.midi_outports.register("mtc")
        self.into = self.client.midi_inports.register("mmc")
        self.client.set_process_callback(self._process)
        self.client.activate()

    def _process(self, frames: int) -> None:
        self.out.clear_buffer()
        self.heard += [bytes(message) for _, message in self.into.incoming_midi_events()]
        if not self.rolling:
            return
        first, quarter = self.client.last_frame_time, int(RATE / FILM) // 4
        if self.zero is None:
            self.zero = first
            self.out.write_midi_event(0, full_frame(self.start))
        k = -(-(first - self.zero) // quarter)
        while self.zero + k * quarter < first + frames:
            self.out.write_midi_event(self.zero + k * quarter - first, quarter_frame(self.start + k // 8 * 2, k % 8))
            k += 1

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


def port(server: str, name: str) -> str:
    """The full name of a port, once it is there."""
    assert peers.until(lambda: any(name in row for row in peers.ports(server)), DEADLINE_S), peers.ports(server)
    return next(row for row in peers.ports(server) if name in row)


def test_play_follows_a_project_that_has_the_film_at_an_hour(server: str, tmp_path: Path, trio: str) -> None:
    """Nothing is named but --follow and --at: the port is there, and the DAW's 01:00:00:00 is the film's first frame."""
    session, notes = saved(scored(), tmp_path / "cue.hitpoint"), tmp_path / "notes"
    words = [sys.executable, str(ROOT / "main.py"), "play", str(session), "--follow", "--at", "01:00:00:00"]
    daw = Daw(Timecode.parse("01:00:00:00", FILM))
    player = subprocess.Popen(
        [*words, "--out", f"file:{notes}", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        daw.client.connect("daw:mtc", port(server, SYNC))
        daw.rolling = True
        assert peers.until(lambda: notes.is_file() and notes.read_text().count(" 9") > 3, DEADLINE_S)
        ran = (daw.client.last_frame_time - (daw.zero or 0)) / RATE
        player.send_signal(signal.SIGINT)
        out, said = player.communicate(timeout=DEADLINE_S)
    finally:
        player.kill()
        daw.close()
    assert player.returncode == 0, said
    assert 0 < json.loads(out)["seconds"] < ran + 2
    assert "following: start the DAW" in said


def test_machine_control_comes_out_of_our_own_port(server: str, tmp_path: Path) -> None:
    pytest.importorskip("rtmidi")
    daw, ours = Daw(Timecode(0, FILM)), Generic(Address(folder=tmp_path, film=Timecode(0, FILM)))
    try:
        ours.go(rolling=False)  # opens it
        daw.client.connect(port(server, CONTROL), "daw:mmc")
        assert not any(SYNC in row for row in peers.ports(server)), "nothing is opened that nobody asked for"
        ours.go(Fraction(7205, 2), rolling=True)
        ours.go(rolling=False)
        expected = ["f07f7f06440601" + "010002" + "0c00" + "f7", "f07f7f0603f7", "f07f7f0601f7"]
        assert peers.until(lambda: len(daw.heard) >= len(expected), DEADLINE_S)
        assert [message.hex() for message in daw.heard] == expected
    finally:
        ours.close()
        daw.close()
