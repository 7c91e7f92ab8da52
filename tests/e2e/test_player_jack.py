"""The player on a real JACK: every note at its sample as a program in C hears it, none left sounding, and a synthesiser that sounds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import peers

from bridge.clock import SECOND
from bridge.mtc import full_frame, quarter_frame
from bridge.player import Inlet, Outlet, Part, Player, Programme, Route, Status, TimedNote
from engines.picture.timecode import Timecode
from engines.spotting.tempo import TempoMap

pytestmark = pytest.mark.slow  # recorded in real time: in CI a check of its own

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
RATE = 48_000
PERIODS = (512, 2048, 4096)  # frames: the shortest with which every program keeps up, on a machine that does other things too
MS = SECOND // 1000
DEADLINE_S = 60.0
TAKES = 3  # of two seconds with one period, until one during which no program was late
SOUNDS = ("/usr/share/sounds/sf2/TimGM6mb.sf2", "/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/soundfonts/default.sf2")


class Graph:
    """A JACK server without a sound card, and a program on it that writes down every MIDI message with its sample."""

    def __init__(self, server: str, room: Path) -> None:
        self.server, self.room, self.period = server, room, PERIODS[0]
        self.environment = {**os.environ, "JACK_NO_AUDIO_RESERVATION": "1"}
        self.environment.pop("LD_LIBRARY_PATH", None)
        self.ear = peers.Peer("jack_midi_dump", ["jack_midi_dump", "-a", "ear"], self.environment, room / "ear.log")
        self.open(self.period)

    def open(self, period: int) -> None:
        """Starts both, with periods of so many frames."""
        self.period = period
        precise = subprocess.run(["chrt", "-f", "60", "true"], capture_output=True, check=False).returncode == 0
        way = ["-R", "-P", "60"] if precise else ["--no-realtime"]
        # not in step with its clients (-S): it would stand still for twenty seconds when one of them is killed
        command = [*peers.ahead(), "jackd", "-n", self.server, *way, "-t", "2000"]
        command += ["-d", "dummy", "-r", str(RATE), "-p", str(period)]

        def fresh() -> list[peers.Peer]:
            return [peers.Peer("jackd", command, self.environment, self.room / "jackd.log")]

        (self.jackd,) = peers.started(fresh, lambda: "system:playback_1" in peers.ports(self.server))
        self.ear.start()
        assert peers.until(lambda: "ear:input" in peers.ports(self.server), 10)

    def close(self) -> None:
        self.jackd.end()  # first: a client that leaves holds the server up for ten seconds
        self.ear.kill()
        for left in Path("/dev/shm").glob(f"jack*_{self.server}_*"):
            left.unlink(missing_ok=True)

    def undisturbed(self, take: Callable[[], T]) -> T:
        """A take during which every program kept up with the server; fails where none can be had with any period."""
        for period in PERIODS[PERIODS.index(self.period) :]:
            if period != self.period:
                self.close()
                self.open(period)
            for _ in range(TAKES):
                told, logged = peers.Slips(self.server), self._logged
                try:
                    taken = take()
                finally:
                    told.close()
                slips = told.count + self._logged - logged
                if not slips:
                    return taken
                print(f"\nJACK was late {slips} times with periods of {period} frames: once more")
        pytest.fail(f"some program was late in each of {TAKES} takes with periods of {', '.join(map(str, PERIODS))} frames")

    def heard(self) -> list[tuple[int, bytes]]:
        """Samples of the listener's own count, and messages."""
        rows = re.findall(r"^\s*(\d+):((?: [0-9a-f]{2})+)", self.ear.said, re.MULTILINE)
        return [(int(sample), bytes.fromhex(message)) for sample, message in rows]

    @property
    def _logged(self) -> int:
        said = self.jackd.said.lower()
        return said.count("process error") + said.count("was not finished") + said.count("xrun")


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    peers.needs("jackd", "jack_lsp", "jack_midi_dump")
    server = f"hitpoint-player-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", server)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # no latency that this machine's owner measured
    made = Graph(server, tmp_path)
    try:
        yield made
    finally:
        made.close()


def ticks(every: int = 20 * MS, length: int = 10 * MS, count: int = 3000) -> Programme:
    notes = tuple(TimedNote(k * every, k * every + length, 60 + k % 12, 1 + k % 127) for k in range(count))
    part = Part("melody", 0, notes, (b"\xc0\x28",))
    return Programme("ticks", (part,), tuple(range(0, count * every, SECOND // 2)), count * every, rate=Fraction(25))


def hanging(heard: list[tuple[int, bytes]]) -> set[tuple[int, int]]:
    """What sounds after all."""
    sounds: set[tuple[int, int]] = set()
    for _, message in heard:
        voice = message[0] & 0x0F, message[1] if len(message) > 1 else 0
        if message[0] & 0xF0 == 0x90:
            sounds.add(voice)
        elif message[0] & 0xF0 == 0x80:
            sounds.discard(voice)
    return sounds


def struck(heard: list[tuple[int, bytes]]) -> list[tuple[int, int]]:
    return [(sample, message[1]) for sample, message in heard if message[0] & 0xF0 == 0x90]


def player_on(graph: Graph, *inlets: Inlet, **more: Any) -> Player:
    return Player([Route(Outlet("jack", "melody", ("ear:input",)), latency_ms=more.get("latency_ms", 0.0))], inlets)


def reached(player: Player, many: int = 1) -> None:
    """Waits until its ports are connected, to so many others each."""
    player.wait(lambda s: bool(s.outlets) and all(len(port.peers) >= many for port in s.outlets), DEADLINE_S)


def all_end(graph: Graph, since: int = 0) -> None:
    """However often JACK was late, and whoever missed a period: no note is left sounding."""
    with nudged():
        ended = peers.until(lambda: not hanging(graph.heard()[since:]), 10)
    assert ended, f"{hanging(graph.heard()[since:])} hang of {graph.heard()[since:]}; JACK said {graph.jackd.said[-2000:]}"


@contextmanager
def nudged() -> Iterator[None]:
    """Meanwhile the listener, which keeps what it heard while it was writing until it hears more, hears more."""
    jack = pytest.importorskip("jack")
    client = jack.Client("nudge", no_start_server=True)
    out = client.midi_outports.register("out")

    @client.set_process_callback  # type: ignore[untyped-decorator]
    def process(frames: int) -> None:
        out.clear_buffer()
        if client.last_frame_time % (RATE // 10) < frames:
            out.write_midi_event(0, b"\xbf\x77\x00")  # an undefined controller

    client.activate()
    try:
        client.connect("nudge:out", "ear:input")
        yield
    finally:
        client.deactivate()
        client.close()


def test_every_note_goes_out_at_its_very_sample_and_every_one_ends(graph: Graph) -> None:
    def take() -> tuple[list[tuple[int, bytes]], Status]:
        with player_on(graph) as player:
            before = len(graph.heard())
            player.load(ticks())
            reached(player)
            player.play(0)
            player.wait(lambda s: s.rolling and s.seconds > 2, DEADLINE_S)
            status = player.settle(player.stop(), DEADLINE_S)
            all_end(graph, before)
            return graph.heard()[before:], status

    heard, status = graph.undisturbed(take)
    notes = struck(heard)
    assert len(notes) > 90
    off = Counter(sample - notes[0][0] - k * RATE // 50 for k, (sample, _) in enumerate(notes))
    assert off[0] >= 0.99 * len(notes), off.most_common(5)
    assert status.lateness.exact >= 0.99 * status.lateness.count
    said = [message for _, message in heard if message[0] & 0xF0 != 0x80]
    assert said[0] == b"\xc0\x28", "the instrument first"
    assert hanging(heard) == set()


def test_a_player_that_is_killed_ends_its_notes_through_the_next_one(graph: Graph) -> None:
    with player_on(graph) as player:
        reached(player)
        player.load(ticks(100 * MS, 900 * MS))
        player.play()
        player.wait(lambda s: len(s.sounding) > 3, DEADLINE_S)
        assert player.pid is not None
        first = player.pid
        os.kill(first, signal.SIGKILL)
        player.wait(lambda s: s.alive and s.heard > 0 and player.pid != first, DEADLINE_S)
        assert peers.until(lambda: bool(struck(graph.heard())) and not hanging(graph.heard()), DEADLINE_S)
        assert player.wait(lambda s: bool(s.outlets) and s.outlets[0].peers == ("ear:input",), DEADLINE_S).outlets[0].fault == ""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_dies_is_said_and_when_it_is_back_the_player_is(graph: Graph, how: signal.Signals) -> None:
    with player_on(graph) as player:
        reached(player)
        player.load(ticks(100 * MS, 300 * MS))
        player.play(0)
        player.wait(lambda s: s.rolling and s.seconds > 1, DEADLINE_S)
        first = player.pid
        graph.jackd.end(how)
        status = player.wait(lambda s: bool(s.outlets) and bool(s.outlets[0].fault), DEADLINE_S)
        assert "no JACK server runs" in status.word
        assert not status.rolling
        assert status.seconds > 1, "it stands where it was"
        graph.ear.kill()
        graph.jackd.start()
        assert peers.until(lambda: "system:playback_1" in peers.ports(graph.server), 20)
        graph.ear.start()
        reached(player)
        assert player.pid == first
        before = len(struck(graph.heard()))
        player.play()
        assert peers.until(lambda: len(struck(graph.heard())) > before + 5, DEADLINE_S)


def test_jacks_transport_is_followed_and_each_note_lies_at_its_sample_of_it(graph: Graph) -> None:
    moments, came = graph.undisturbed(lambda: followed_transport(graph))
    places = {first: place for first, place, rolls in moments if rolls}
    firsts = np.array(sorted(places))
    off = []
    for sample, pitch in struck(came):
        first = int(firsts[np.searchsorted(firsts, sample, "right") - 1])
        before = int(firsts[np.searchsorted(firsts, sample - RATE // 10, "right") - 1])
        if places[first] - places[before] != first - before:
            continue  # a tenth of a second after a start or a jump, what was on its way may still be heard
        place = places[first] + sample - first
        tick = round(place / (RATE // 50))
        off.append((place - tick * (RATE // 50)) * 1000 / RATE)
        assert 60 + tick % 12 == pitch
    assert len(off) > 100
    sizes = np.abs(off)
    print(f"\nJACK transport: {len(off)} notes within {np.percentile(sizes, 99):.3f} ms (99 %)")
    assert np.percentile(sizes, 99) < 1, "milliseconds"


def followed_transport(graph: Graph) -> tuple[list[tuple[int, int, bool]], list[tuple[int, bytes]]]:
    """Starts, jumps and stops JACK's transport: the server's sample, the transport's and whether it rolls, by period; what was heard."""
    jack = pytest.importorskip("jack")
    client = jack.Client("transport", no_start_server=True)
    moments: list[tuple[int, int, bool]] = []
    came: list[tuple[int, bytes]] = []

    @client.set_process_callback  # type: ignore[untyped-decorator]
    def process(frames: int) -> None:
        state, position = client.transport_query_struct()
        moments.append((client.last_frame_time, position.frame, state == jack.ROLLING))
        came.extend((client.last_frame_time + offset, bytes(message)) for offset, message in inlet.incoming_midi_events())

    inlet = client.midi_inports.register("in")
    client.activate()
    try:
        route = Route(Outlet("jack", "melody", ("transport:in", "ear:input")), latency_ms=0.0)
        with Player([route], [Inlet("jack transport")]) as player:
            reached(player, 2)
            player.load(ticks())
            player.settle(player.follow(), DEADLINE_S)
            client.transport_frame = RATE
            player.wait(lambda s: s.seconds == 1 and not s.rolling, DEADLINE_S)
            client.transport_start()
            player.wait(lambda s: s.rolling and s.seconds > 2.5, DEADLINE_S)
            client.transport_frame = 10 * RATE
            player.wait(lambda s: s.rolling and s.seconds > 11, DEADLINE_S)
            client.transport_stop()
            player.wait(lambda s: not s.rolling and not s.sounding, DEADLINE_S)
    finally:
        client.deactivate()
        client.close()
    all_end(graph)
    return moments, came


def followed_timecode(graph: Graph) -> tuple[Status, float, int, list[tuple[int, bytes]]]:
    """A sender of MIDI timecode, each quarter frame at its sample, as a DAW sends it: how the player did, how long it took to lock, the
    sample of the first, and what was heard."""
    jack = pytest.importorskip("jack")
    client = jack.Client("daw", no_start_server=True)
    out, inlet = client.midi_outports.register("mtc"), client.midi_inports.register("in")
    rate, start = Fraction(25), 90_000  # frames: one hour
    quarter = RATE // 100
    came: list[tuple[int, bytes]] = []
    zero: list[int] = []
    rolling: list[bool] = []

    @client.set_process_callback  # type: ignore[untyped-decorator]
    def process(frames: int) -> None:
        out.clear_buffer()
        first = client.last_frame_time
        came.extend((first + offset, bytes(message)) for offset, message in inlet.incoming_midi_events())
        if not rolling:
            return
        if not zero:
            zero.append(first)
            out.write_midi_event(0, full_frame(Timecode(start, rate)))
        k = -(-(first - zero[0]) // quarter)
        while zero[0] + k * quarter < first + frames:
            label = Timecode(start + k // 8 * 2, rate)
            out.write_midi_event(zero[0] + k * quarter - first, quarter_frame(label, k % 8))
            k += 1

    client.activate()
    try:
        with Player(
            [Route(Outlet("jack", "melody", ("daw:in", "ear:input")), latency_ms=0.0)],
            [Inlet("jack", "sync", connect=("daw:mtc",))],
        ) as player:
            programme = ticks()
            player.load(Programme("ticks", programme.parts, programme.bars, start=Fraction(3600), rate=rate))
            player.settle(player.follow(), DEADLINE_S)
            reached(player, 2)
            player.wait(lambda s: s.inlets[0].peers == ("daw:mtc",), DEADLINE_S)
            rolling.append(True)
            began = time.monotonic()
            status = player.wait(lambda s: s.reading is not None and s.reading.state == "locked", DEADLINE_S)
            locked_s = time.monotonic() - began
            status = player.wait(lambda s: s.seconds > 3, DEADLINE_S)
            rolling.clear()
            player.wait(lambda s: not s.rolling and not s.sounding, DEADLINE_S)
    finally:
        client.deactivate()
        client.close()
    all_end(graph)
    return status, locked_s, zero[0], came


def off_grid(notes: list[tuple[int, int]], zero: int) -> list[float]:
    """By how many milliseconds notes are off the ticks of their pitches; none where they are other ticks'."""
    off = []
    for sample, pitch in notes:
        place = sample - zero
        tick = round(place / (RATE // 50))
        off.append((place - tick * (RATE // 50)) * 1000 / RATE)
        if 60 + tick % 12 != pitch:
            return []
    return off


def test_timecode_through_jack_moves_the_player(graph: Graph) -> None:
    status, locked_s, zero, came = graph.undisturbed(lambda: followed_timecode(graph))
    assert status.reading is not None
    assert "timecode" in (status.reading.leader or "")
    assert status.reading.timecode is not None
    assert str(status.reading.timecode).startswith("01:00:0")
    notes = struck(came)
    assert len(notes) > 100
    notes = notes[len(notes) // 4 :]  # the first of them were laid while it locked
    late = np.array(off_grid(notes, zero))
    places = [(sample - zero, pitch) for sample, pitch in notes[:12]]
    assert len(late), f"the notes lie nowhere near their ticks with periods of {graph.period} frames: {places}"
    assert abs(np.median(late)) < 1, "who sends timecode and hears the notes closes no ring: nothing comes round a period later"
    assert np.percentile(late, 95) - np.percentile(late, 5) < 2, f"milliseconds; locked after {locked_s:.2f} s"
    spread = np.percentile(late, 99) - np.percentile(late, 1)
    print(
        f"\ntimecode: locked after {locked_s:.2f} s; {len(late)} notes {np.median(late):+.3f} ms, within {spread:.3f} ms (98 %)"
    )


def led(graph: Graph, what: str) -> tuple[Status, list[tuple[int, int]], list[tuple[int, int]]]:
    """A player of ours leads by timecode or clock, and another one follows it: how the other did, and what each struck."""
    jack = pytest.importorskip("jack")
    client = jack.Client("listener", no_start_server=True)
    inlets = {name: client.midi_inports.register(name) for name in ("mine", "its")}
    came: dict[str, list[tuple[int, bytes]]] = {name: [] for name in inlets}

    @client.set_process_callback  # type: ignore[untyped-decorator]
    def process(frames: int) -> None:
        for name, inlet in inlets.items():
            came[name] += [(client.last_frame_time + offset, bytes(message)) for offset, message in inlet.incoming_midi_events()]

    client.activate()
    programme = replace(ticks(), start=Fraction(3600), rate=Fraction(25), beats=TempoMap.steady(120))
    try:
        with Player([Route(Outlet("jack", "melody", ("listener:mine", "ear:input")), latency_ms=0.0)]) as leader:
            leader.lead(**{what: Outlet("jack", "lead")})
            leader.load(programme)
            reached(leader, 2)
            inlet = Inlet("jack", "sync", connect=("Hitpoint:lead",))
            with Player([Route(Outlet("jack", "melody", ("listener:its", "ear:input")), latency_ms=0.0)], [inlet]) as other:
                other.load(programme)
                other.settle(other.follow(), DEADLINE_S)
                reached(other, 2)
                other.wait(lambda s: s.inlets[0].peers == ("Hitpoint:lead",), DEADLINE_S)
                leader.locate(2)
                other.wait(lambda s: s.seconds == 2 and not s.rolling, DEADLINE_S)
                leader.play()
                status = other.wait(lambda s: s.rolling and s.seconds > 4.5, DEADLINE_S)
                leader.stop()
                other.wait(lambda s: not s.rolling and not s.sounding, DEADLINE_S)
    finally:
        client.deactivate()
        client.close()
    all_end(graph)
    return status, struck(came["mine"]), struck(came["its"])


@pytest.mark.parametrize("what", ["timecode", "clock"])
def test_a_player_of_ours_leads_and_another_follows_it_through_jack(graph: Graph, what: str) -> None:
    status, mine, its = graph.undisturbed(lambda: led(graph, what))
    assert status.reading is not None
    assert status.reading.state == "locked"
    assert what in (status.reading.leader or "")
    its = its[len(its) // 4 :]  # the first of them were laid while it locked, and the last are struck before it hears of the end
    its = [(sample, pitch) for sample, pitch in its if sample < mine[-1][0] + RATE // 100]
    off = [min((sample - at for at, same in mine if same == pitch), key=abs) for sample, pitch in its]
    rest = np.array(off) * 1000 / RATE
    assert len(rest) > 60
    print(f"\nled by {what}: {len(rest)} notes {np.median(rest):+.3f} ms from the leader's, within {np.abs(rest).max():.3f} ms")
    assert np.percentile(np.abs(rest), 99) < 1, "milliseconds"


def test_a_synthesiser_sounds_the_notes_that_were_meant(graph: Graph) -> None:
    peers.needs("fluidsynth")
    font = next((path for path in SOUNDS if Path(path).exists()), None)
    if font is None:
        pytest.skip("no soundfont for fluidsynth: apt-get install timgm6mb-soundfont")
    pitches = (60, 64, 67, 72)
    sound, onsets = graph.undisturbed(lambda: sounded(graph, font, pitches))
    assert len(onsets) == len(pitches)
    loud = np.abs(sound) > 0.005
    begin = int(loud.argmax())
    assert loud.any(), "it was silent"
    assert float(np.sqrt((sound[begin : begin + 2 * RATE] ** 2).mean())) > 0.005
    for k, pitch in enumerate(pitches):
        piece = sound[begin + k * RATE // 2 + 2000 : begin + k * RATE // 2 + 18_000]
        strongest = float(np.abs(np.fft.rfft(piece * np.hanning(len(piece)))).argmax()) * RATE / len(piece)
        harmonic = strongest / (440 * 2 ** ((pitch - 69) / 12))
        assert abs(harmonic - round(harmonic)) < 0.04, f"pitch {pitch}: {strongest:.1f} Hz"
        assert round(harmonic) >= 1
    assert float(np.abs(sound[-RATE // 4 :]).max()) < 0.01, "silence after the last note"


def connected(client: Any, theirs: str, ours: Any) -> bool:
    """Whether a program's port could be connected: it lists them before it begins."""
    jack = pytest.importorskip("jack")
    try:
        client.connect(theirs, ours)
    except jack.JackErrorCode:
        return False
    return True


def sounded(graph: Graph, font: str, pitches: tuple[int, ...]) -> tuple[Any, list[int]]:
    """What a synthesiser makes of notes half a second apart, and the samples at which they came to it."""
    jack = pytest.importorskip("jack")
    before = len(graph.heard())
    assert peers.until(lambda: "synth:left" not in peers.ports(graph.server), 20), "the synthesiser of the take before stays"
    command = [
        *("fluidsynth", "-i", "-s", "-q", "-a", "jack", "-m", "jack", "-j", "-r", str(RATE), "-g", "0.8"),
        *("-o", "midi.jack.id=synth", "-o", "audio.jack.id=synth", "-o", "audio.jack.autoconnect=0"),
        *("-o", f"shell.port={peers.free_port()}", "-o", "synth.reverb.active=0", "-o", "synth.chorus.active=0", font),
    ]

    def fresh() -> list[peers.Peer]:
        return [peers.Peer("fluidsynth", command, {**os.environ}, graph.room / "synth.log")]

    (synth,) = peers.started(fresh, lambda: {"synth:midi_00", "synth:left"} <= set(peers.ports(graph.server)))
    client = jack.Client("recorder", no_start_server=True)
    left = client.inports.register("left")
    pieces: list[tuple[int, Any]] = []
    client.set_process_callback(lambda frames: pieces.append((client.last_frame_time, left.get_array().copy())))
    notes = tuple(
        TimedNote((k + 1) * SECOND // 2, (k + 2) * SECOND // 2 - 50 * MS, pitch, 110) for k, pitch in enumerate(pitches)
    )
    try:
        client.activate()
        assert peers.until(lambda: connected(client, "synth:left", left), 20), "the synthesiser lists its ports and never begins"
        with Player([Route(Outlet("jack", "melody", ("synth:midi_00", "ear:input")), latency_ms=0.0)]) as player:
            reached(player, 2)
            player.load(Programme("chord", (Part("melody", 0, notes, (b"\xc0\x00",)),), (0,), 3 * SECOND))
            player.play(0)
            player.wait(lambda s: s.rolling and s.seconds > 3.2, DEADLINE_S)
    finally:
        client.deactivate()
        client.close()
        synth.end()
    all_end(graph, before)
    return np.concatenate([samples for _, samples in pieces]), [sample for sample, _ in struck(graph.heard()[before:])]


def test_a_port_of_the_systems_own_plays_the_same_notes_within_a_period_or_so(graph: Graph) -> None:
    """Where a program offers no samples to write to, notes go out by deadlines, through whatever MIDI system opens (here rtmidi's JACK)."""
    pytest.importorskip("rtmidi", reason="python-rtmidi is not installed")
    with Player([Route(Outlet("virtual", "by deadline"), latency_ms=0.0)]) as player:
        status = player.wait(lambda s: bool(s.outlets), DEADLINE_S)
        assert status.outlets[0].fault == ""
        assert status.outlets[0].kind == "SystemPort"
        port = next(name for name in peers.ports(graph.server) if name.endswith("by deadline"))
        subprocess.run(["jack_connect", port, "ear:input"], check=True, capture_output=True, timeout=20)
        player.load(ticks())
        player.play(0)
        player.wait(lambda s: s.rolling and s.seconds > 2, DEADLINE_S)
        player.settle(player.stop(), DEADLINE_S)
        assert peers.until(lambda: not hanging(graph.heard()), 10)
        status = player.status
    notes = struck(graph.heard())
    assert len(notes) > 60
    off = [abs(sample - notes[0][0] - round((sample - notes[0][0]) / (RATE // 50)) * (RATE // 50)) / 48 for sample, _ in notes]
    print(
        f"\nby deadline: sent within {status.lateness.p99_ms:.2f} ms (p99), heard within {np.percentile(off, 99):.2f} ms of a grid"
    )
    assert np.percentile(off, 50) < 1000 * 2 * graph.period / RATE


@pytest.mark.parametrize(
    ("words", "out", "back"),
    [(("--out", "jack:melody", "--in", "jack:return"), "melody", "return"), ((), "Hitpoint", "Hitpoint return")],
    ids=["named", "left open"],
)
def test_calibrate_measures_a_loop_to_the_sample(
    words: tuple[str, ...], out: str, back: str, graph: Graph, tmp_path: Path
) -> None:
    """What goes out and straight back in comes a period later, as JACK has it for loops, every time."""
    command = [sys.executable, str(ROOT / "main.py"), "calibrate", *words, "--json"]
    ours = [f"Hitpoint:{out}", f"Hitpoint:{back}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as calibrate:
        assert peers.until(lambda: set(ours) <= set(peers.ports(graph.server)), DEADLINE_S)
        subprocess.run(["jack_connect", *ours], check=True, capture_output=True, timeout=20)
        said, err = calibrate.communicate(timeout=DEADLINE_S)
    assert calibrate.returncode == 0, err
    assert "waiting" in err
    told = json.loads(said)
    assert told["found"] >= told["sent"] - 2
    assert told["spread_ms"] < 0.1
    assert min(abs(told["late_ms"] - periods * 1000 * graph.period / RATE) for periods in (0, 1)) < 0.1
    kept = json.loads(next((tmp_path / "config").rglob("latencies.json")).read_text())
    assert kept["latency_ms"] == {f"jack:{out}": told["latency_ms"]}
