"""Stands for Ableton Live with AbletonOSC: its handlers as the remote script has them, over a small model of a set, on a tick.

Written after the handlers of AbletonOSC: it reads all datagrams of a tick, answers to a fixed port of the sender's machine, answers of
clips and tracks begin with their indices, those of older clip slots do not, numbers with a point are floats of 32 bits, a wrong index
is an error that is told on /live/error and answers nothing.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder

from bridge.daws.osc_peer import messages


@dataclass
class LiveClip:
    length: float
    name: str = ""
    notes: list[tuple[int, float, float, float, bool]] = field(default_factory=list)


@dataclass
class LiveTrack:
    name: str
    midi: bool = True
    slots: list[LiveClip | None] = field(default_factory=lambda: [None] * 4)


@dataclass
class LiveSet:
    """The set, as far as AbletonOSC shows it."""

    tempo: float = 96.0
    time: float = 0.0
    playing: bool = False
    cues: list[tuple[str, float]] = field(default_factory=list)
    tracks: list[LiveTrack] = field(default_factory=lambda: [LiveTrack("1-MIDI"), LiveTrack("2-Audio", midi=False)])


class LiveDouble:
    """Runs in a thread until `close`. ``lose`` is called with each datagram: what it says True to is lost."""

    def __init__(self, tick_s: float = 0.01, port: int = 0) -> None:
        self.set, self.tick_s = LiveSet(), tick_s
        self.lose: Callable[[bytes], bool] = lambda _: False
        self.largest = 0
        self.listening: set[str] = set()
        self._socket = self._bound(port)
        self.port = int(self._socket.getsockname()[1])
        self._socket.setblocking(False)
        self._reply: tuple[str, int] | None = None
        self._done = Event()
        self._thread = Thread(target=self._run, name="live double", daemon=True)
        self._thread.start()

    @staticmethod
    def _bound(port: int) -> socket.socket:
        """A socket whose next port is free too: the answers go there."""
        while True:
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            wire.bind(("127.0.0.1", port))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("127.0.0.1", wire.getsockname()[1] + 1))
                    return wire
                except (OSError, OverflowError):
                    wire.close()

    def close(self) -> None:
        self._done.set()
        self._thread.join(5)
        self._socket.close()

    def _run(self) -> None:
        while not self._done.wait(self.tick_s):
            if self.set.playing:
                self.set.time += self.tick_s * self.set.tempo / 60
                self._push("current_song_time", self.set.time)
            while True:
                try:
                    datagram, sender = self._socket.recvfrom(65535)
                except BlockingIOError:
                    break
                self._reply = (sender[0], self.port + 1)
                self.largest = max(self.largest, len(datagram))
                if not self.lose(datagram):
                    for address, args in messages(datagram):
                        self._answer(address, args)

    def _answer(self, address: str, args: tuple[Any, ...]) -> None:
        try:
            said = self._handle(address, list(args))
        except (IndexError, TypeError, ValueError, AttributeError) as error:
            self._send("/live/error", f"Error handling OSC message: {error}")
            return
        if said is not None:
            self._send(address, *said)

    def _send(self, address: str, *args: Any) -> None:
        if self._reply is None:
            return
        built = OscMessageBuilder(address)
        for arg in args:
            built.add_arg(arg)
        self._socket.sendto(built.build().dgram, self._reply)

    def _push(self, what: str, value: Any) -> None:
        if what in self.listening:
            self._send(f"/live/song/get/{what}", value)

    def _handle(self, address: str, args: list[Any]) -> tuple[Any, ...] | None:
        parts = address.split("/")[2:]
        if parts == ["test"]:
            return ("ok",)
        room, rest = parts[0], "/".join(parts[1:])
        handler: Callable[[str, list[Any]], tuple[Any, ...] | None] = getattr(self, f"_{room}")
        return handler(rest, args)

    def _song(self, what: str, args: list[Any]) -> tuple[Any, ...] | None:
        live = self.set
        values = {
            "tempo": live.tempo, "is_playing": live.playing, "current_song_time": live.time, "num_tracks": len(live.tracks),
            "num_scenes": len(live.tracks[0].slots), "signature_numerator": 4, "signature_denominator": 4,
        }  # fmt: skip
        way, _, name = what.partition("/")
        if what == "get/cue_points":
            return tuple(value for cue in live.cues for value in cue)
        if way == "get":
            return (values[name],)
        if way == "start_listen":
            self.listening.add(name)
            self._push(name, values[name])
        elif way == "stop_listen":
            self.listening.discard(name)
        elif what == "set/current_song_time":
            live.time = float(args[0])
            self._push("current_song_time", live.time)
        elif what in ("start_playing", "continue_playing", "stop_playing"):
            live.playing = what != "stop_playing"
            self._push("is_playing", live.playing)
        elif what == "create_midi_track":
            assert args == [-1]
            live.tracks.append(LiveTrack(f"{len(live.tracks) + 1}-MIDI", slots=[None] * len(live.tracks[0].slots)))
        elif what == "create_scene":
            for track in live.tracks:
                track.slots.append(None)
        return None

    def _track(self, what: str, args: list[Any]) -> tuple[Any, ...] | None:
        index = int(args[0])
        track = self.set.tracks[index]
        if what == "get/name":
            return index, track.name
        if what == "set/name":
            track.name = str(args[1])
        if what == "get/clips/name":
            return index, *(None if clip is None else clip.name for clip in track.slots)
        return None

    def _clip_slot(self, what: str, args: list[Any]) -> tuple[Any, ...] | None:
        track, slot = self.set.tracks[int(args[0])], int(args[1])
        there = track.slots[slot]
        if what == "create_clip":
            if there is not None or not track.midi:
                raise ValueError("Slot must be empty and on a MIDI track")
            track.slots[slot] = LiveClip(float(args[2]))
        elif what == "delete_clip":
            if there is None:
                raise ValueError("Slot is empty")
            track.slots[slot] = None
        elif what == "get/has_clip":
            return (there is not None,)
        return None

    def _clip(self, what: str, args: list[Any]) -> tuple[Any, ...] | None:
        place = int(args[0]), int(args[1])
        clip = self.set.tracks[place[0]].slots[place[1]]
        if clip is None:
            raise AttributeError("'NoneType' object has no attribute")
        rest = args[2:]
        if what == "set/name":
            clip.name = str(rest[0])
        elif what == "get/length":
            return *place, clip.length
        elif what == "add/notes":
            for first in range(0, len(rest), 5):
                pitch, start, length, velocity, mute = rest[first : first + 5]
                clip.notes.append((int(pitch), _single(start), _single(length), float(velocity), bool(mute)))
        elif what == "get/notes":
            if len(rest) not in (0, 4):
                raise ValueError("Either 0 or 4 arguments must be passed")
            pitch, span, start, length = rest or (0, 127, -8192.0, 16384.0)
            inside = [n for n in clip.notes if pitch <= n[0] < pitch + span and start <= n[1] < start + length]
            return *place, *(value for note in sorted(inside, key=lambda n: n[1]) for value in note)
        return None


def _single(value: float) -> float:
    """As OSC carries it."""
    return float(struct.unpack(">f", struct.pack(">f", value))[0])
