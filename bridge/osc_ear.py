"""A DAW's own OSC, heard at our port: what it says of its transport goes to the player, which follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bridge.osc_transport import ArdourTransport, LiveTransport, ReaperTransport
from bridge.transport import Report


class OscEar:
    """Reads Reaper, Ardour and Live alike: each uses addresses of its own, so whoever sends is known by them."""

    def __init__(self, hear: Callable[[Report], None]) -> None:
        self._hear = hear
        self._readers = (ReaperTransport(), ArdourTransport(), LiveTransport())

    def __call__(self, address: str, args: Sequence[Any], received_ns: int) -> None:
        """Takes one message that is not for us."""
        for reader in self._readers:
            report = reader.feed(address, args, received_ns)
            if report is not None:
                self._hear(report)
