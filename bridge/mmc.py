"""MIDI machine control, built and read: stop, play, locate, record (MMA RP-013); what a DAW's transport obeys and sends.

A command is a universal system exclusive message ``F0 7F device 06 command... F7``; several commands may ride in one. Device 127
speaks to all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from bridge.mtc import code_of, day_of, label_bytes, timecode_of
from bridge.transport import Report
from engines.errors import OptionError
from engines.picture.timecode import Timecode, nominal

COMMANDS = {
    0x01: "stop",
    0x02: "play",
    0x03: "deferred play",  # as soon as a locate that is under way is done
    0x04: "fast forward",
    0x05: "rewind",
    0x06: "record strobe",
    0x07: "record exit",
    0x08: "record pause",
    0x09: "pause",
    0x44: "locate",
}
"""The commands that mean something to a film's transport; others are passed over."""

CODES = {name: code for code, name in COMMANDS.items()}

ROLLING = {"play": True, "deferred play": True, "record strobe": True, "stop": False, "pause": False, "record pause": False}
"""Whether the transport runs after a command; winding is neither."""

_TARGET = b"\x06\x01"  # six bytes follow, and they are a place


@dataclass(frozen=True)
class Command:
    """One command; ``target`` and ``subframes`` (hundredths of a frame) for a locate alone."""

    name: str
    target: Timecode | None = None
    subframes: int = 0
    device: int = 0x7F


def build(name: str, target: Timecode | None = None, device: int = 0x7F, subframes: int = 0) -> bytes:
    """The message of one command; OptionError for a command that is not known, and a locate without a target."""
    if name not in CODES or (name == "locate") is not (target is not None):
        raise OptionError(f"machine control has no {name!r} {'with' if target else 'without'} a place", cure="see bridge/mmc.py")
    place = b"" if target is None else _TARGET + label_bytes(target) + bytes((subframes,))
    return bytes((0xF0, 0x7F, device, 0x06, CODES[name])) + place + b"\xf7"


def parse(message: bytes, picture: Fraction | None = None) -> tuple[Command, ...]:
    """The commands of a message in their order; none if it is no machine control, or broken."""
    if len(message) < 6 or message[:2] != b"\xf0\x7f" or message[3] != 0x06 or message[-1] != 0xF7:
        return ()
    if any(byte > 0x7F for byte in message[1:-1]):
        return ()
    return tuple(_commands(message[4:-1], message[2], picture))


def _commands(data: bytes, device: int, picture: Fraction | None) -> Iterator[Command]:
    while data:
        code = data[0]
        # from 40 to 77 a count says how many bytes belong to the command; the others have none
        size = 2 + data[1] if 0x40 <= code < 0x78 and len(data) > 1 else 1
        here, data = data[:size], data[size:]
        if code != CODES["locate"]:
            if code in COMMANDS:
                yield Command(COMMANDS[code], device=device)
        elif len(here) == 8 and here[1:3] == _TARGET:
            target = _target(here[3:7], picture)
            if target is not None:
                yield Command("locate", target, here[7], device)


def _target(label: bytes, picture: Fraction | None) -> Timecode | None:
    """The frame of a locate. Ardour 7.3 sends the rate code of 24 at every rate: a picture of 25 or 30 knows better."""
    if picture is not None and not label[0] & 0x60 and nominal(picture) in (25, 30):
        label = bytes((label[0] | code_of(picture) << 5, *label[1:]))
    return timecode_of(label, picture)


class MmcReader:
    """Reads machine control as reports: a DAW that sends it tells when it starts, stops and where it goes, and nothing between."""

    def __init__(self, source: str, picture: Fraction | None = None) -> None:
        self.source, self.picture = source, picture

    def feed(self, message: bytes, received_ns: int) -> Report | None:
        """Reads one MIDI message; several commands in one add up: a locate and a play is a start at that place."""
        report: Report | None = None
        for command in parse(message, self.picture):
            target, before = command.target, report
            rolling = ROLLING.get(command.name, before.rolling if before else None)
            if target is not None:
                report = self._located(target, command.subframes, rolling, received_ns)
            elif command.name in ROLLING:
                place = before.seconds if before else None
                report = Report(
                    self.source, "mmc", received_ns, place, rolling=rolling, located=place is not None, steady=False,
                    rate=before.rate if before else None, drop=bool(before and before.drop), day=before.day if before else None,
                )  # fmt: skip
        return report

    def _located(self, target: Timecode, subframes: int, rolling: bool | None, received_ns: int) -> Report:
        seconds = (target.frame + Fraction(subframes, 100)) / target.rate
        return Report(
            self.source, "mmc", received_ns, seconds, rolling=rolling, located=True, steady=False,
            rate=target.rate, drop=target.drop, day=day_of(target.rate, target.drop),
        )  # fmt: skip
