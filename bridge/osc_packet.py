"""OSC packets read and built within bounds (Open Sound Control 1.0): whatever comes in costs no more than its own bytes.

Single values are read and written by python-osc. Bundles are walked here, because a bundle may hold bundles: depth and number of
messages have a limit. Time tags are not waited for: what comes is done when it comes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.parsing import osc_types

from engines.errors import OptionError

LARGEST = 8192
"""Bytes of a datagram that is read; nothing that Hitpoint understands is longer."""

LARGEST_ANSWER = 60_000
"""Bytes of a datagram that is sent: below what UDP can carry (65,507)."""

DEEPEST = 4
"""Bundles within bundles."""

MOST = 64
"""Messages of one datagram."""

BUNDLE = b"#bundle\0"

Message = tuple[str, tuple[Any, ...]]
"""An address and its arguments."""


class Malformed(ValueError):
    """A datagram that is no OSC, or goes beyond the bounds."""


_READERS: dict[str, Callable[[bytes, int], tuple[Any, int]]] = {
    "i": osc_types.get_int,
    "h": osc_types.get_int64,
    "f": osc_types.get_float,
    "d": osc_types.get_double,
    "s": osc_types.get_string,
    "b": osc_types.get_blob,
    "r": osc_types.get_rgba,
    "m": osc_types.get_midi,
    "T": lambda data, index: (True, index),
    "F": lambda data, index: (False, index),
    "N": lambda data, index: (None, index),
}
"""Types of arguments; arrays, time tags and what others invented are not understood."""


def read(data: bytes) -> tuple[Message, ...]:
    """The messages of a datagram, in order. Raises Malformed, and then none of them counts."""
    if len(data) > LARGEST:
        raise Malformed(f"{len(data)} bytes")
    found: list[Message] = []
    for message in _messages(data, 0):
        found.append(message)
        if len(found) > MOST:
            raise Malformed(f"more than {MOST} messages")
    return tuple(found)


def read_one(data: bytes) -> Message:
    """A single message of any length, as a client reads answers. Raises Malformed."""
    return _message(data)


def _messages(data: bytes, depth: int) -> Iterator[Message]:
    if not data.startswith(BUNDLE):
        yield _message(data)
        return
    if depth >= DEEPEST:
        raise Malformed(f"bundles {depth} deep")
    if len(data) < 16:
        raise Malformed("a bundle without its time")
    at = 16
    while at < len(data):
        if at + 4 > len(data):
            raise Malformed("a bundle that ends within a length")
        (size,) = struct.unpack_from(">i", data, at)
        at += 4
        if size <= 0 or size % 4 or at + size > len(data):
            raise Malformed(f"an element of {size} bytes")
        yield from _messages(data[at : at + size], depth + 1)
        at += size


def _message(data: bytes) -> Message:
    if not data.startswith(b"/") or len(data) % 4:
        raise Malformed("no message")
    try:
        address, at = osc_types.get_string(data, 0)
        if at >= len(data):
            return address, ()  # old senders leave out the tags where there are no arguments
        tags, at = osc_types.get_string(data, at)
        if not tags.startswith(","):
            raise Malformed("no type tags")
        args = []
        for tag in tags[1:]:
            reader = _READERS.get(tag)
            if reader is None:
                raise Malformed(f"an argument of type {tag!r}")
            value, after = reader(data, at)
            if after < at:
                raise Malformed("a blob of less than nothing")
            args.append(value)
            at = after
    except (osc_types.ParseError, struct.error, IndexError, UnicodeDecodeError, OverflowError) as error:
        raise Malformed("is cut off, or no text") from error
    if at > len(data):
        raise Malformed("is cut off")
    return address, tuple(args)


def build(address: str, args: Sequence[Any] = ()) -> bytes:
    """A message as a datagram. Raises OptionError where it is too long for one, or an argument is of no OSC type."""
    made = OscMessageBuilder(address)
    try:
        for value in args:
            made.add_arg(value.replace("\0", " ") if isinstance(value, str) else value)
        data: bytes = made.build().dgram
    except (BuildError, ValueError) as error:
        raise OptionError("cannot be said in OSC", where=address, cure="ask over HTTP") from error
    if len(data) > LARGEST_ANSWER:
        raise OptionError(f"its answer has {len(data)} bytes, too many for one datagram", where=address, cure="ask over HTTP")
    return data
