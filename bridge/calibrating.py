"""Calibration by notes that go out of one port and come back in at another, through the DAW."""

from __future__ import annotations

import time
from typing import Any

from bridge.clock import Clock, FineClock
from bridge.jack_client import JackClient
from bridge.jack_port import JackInput, JackPort
from bridge.playback import inlets_of, routes_of
from bridge.player.calibration import Measured, Ring
from bridge.player.priority import raised
from bridge.ports import SystemInput, SystemPort
from engines.errors import PortError

_LOOK_S = 0.1


def round_trip(out: str, into: str, count: int, apart_ns: int, connect_s: float) -> Measured:
    """Sends notes out of the port ``out`` and measures when they come in at ``into``, both as a person names them. JACK's are waited
    for until something is connected to them. Raises PortError, OptionError."""
    outlet, inlet = routes_of(out)[0].outlet, inlets_of(into)[0]
    jack = JackClient() if "jack" in (outlet.kind, inlet.kind) else None
    clock: Clock = jack.clock if jack is not None else FineClock()
    ring = Ring(clock)
    back: Any
    if inlet.kind == "jack" and jack is not None:
        back = JackInput(jack, inlet.name, ring.heard)
    elif inlet.kind in ("virtual", "system"):
        back = SystemInput(inlet.name, ring.heard, inlet.kind == "virtual", clock)
    else:
        raise PortError("no notes come in there", where=into, cure="give virtual:NAME, system:NAME or jack:NAME")
    virtual = outlet.kind != "system"
    port: Any = (
        JackPort(jack, outlet.name) if outlet.kind == "jack" and jack is not None else SystemPort(outlet.name, virtual, clock)
    )
    try:
        back.open()
        port.open()
        end = time.monotonic() + connect_s
        while not all(other.peers for other in (port, back) if isinstance(other, JackPort | JackInput)):
            if time.monotonic() > end:
                raise PortError("nothing was connected to it", where=f"{out}, {into}", cure="connect both in the DAW or in JACK")
            time.sleep(_LOOK_S)
        with raised():
            return ring.send(port, count, apart_ns, back.drain if isinstance(back, JackInput) else lambda: None)
    finally:
        port.close()
        back.close()
        if jack is not None:
            jack.close()
