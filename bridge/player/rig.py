"""The rig: every port of the player, in and out, and the clock that all of them run by: JACK's samples where JACK is, else the system's."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from bridge.clock import SECOND, Clock, FineClock
from bridge.jack_client import HEARING, JackClient
from bridge.lateness import Lateness, lateness
from bridge.player.ear import Ear
from bridge.player.messages import EVERY, Inlet, Lead, Outlet, Patch, Socket
from bridge.player.plug import AGAIN_NS, Plug
from bridge.ports import BOARD, Port
from bridge.transport import Report
from engines.errors import HitpointError


class Rig:
    """All ports. `patch`, `lead`, `listen` and `mend` return whether the clock is another now: who keeps moments must begin anew."""

    def __init__(self, boards: Any) -> None:
        self.clock: Clock = FineClock()
        self.plugs: dict[Outlet, Plug] = {}
        self.leads: dict[Outlet, Plug] = {}
        """Ports of timecode and clock into which no stem goes."""
        self.ears: tuple[Ear, ...] = ()
        self._boards = memoryview(boards).cast("B")
        self._jack: JackClient | None = None
        self._hearing: JackClient | None = None
        self._patch, self._lead, self._inlets = Patch((), ()), Lead(), tuple[Inlet, ...]()
        self._picture: Fraction | None = None
        self._tried: int | None = None
        self._nowhere = Plug(Outlet("memory", "nowhere"), self.clock, memoryview(bytearray(BOARD)), None)

    def way(self, stem: str) -> tuple[Port, int]:
        """The port of a stem, and its latency in nanoseconds."""
        routes = {route.stem: route for route in self._patch.routes}
        route = routes.get(stem, routes.get(EVERY))
        if route is None:
            return self._nowhere, 0
        plug = self.plugs[route.outlet]
        ms = route.jack_ms if route.jack_ms is not None and plug.exact else route.latency_ms
        return plug, round((ms or 0.0) * SECOND / 1000)

    def line(self, outlet: Outlet) -> Plug:
        """The port of what is told to those who follow: a stem's, where one goes there too."""
        return self.plugs.get(outlet) or self.leads.get(outlet) or self._nowhere

    def patch(self, patch: Patch) -> bool:
        """Other routes. Ports that stay are not touched."""
        self._patch = patch
        for outlet in [outlet for outlet in self.plugs if outlet not in dict(patch.boards)]:
            self.plugs.pop(outlet).close()
        return self._rewired()

    def lead(self, lead: Lead) -> bool:
        """Other ports for timecode and clock. Those that stay are not touched."""
        self._lead = lead
        return self._rewired()

    def listen(self, inlets: tuple[Inlet, ...]) -> bool:
        """Other inlets."""
        self._close_ears()
        self._inlets = inlets
        changed = self._reclock()
        self._plug_in()
        return changed

    def picture(self, rate: Fraction | None) -> None:
        """The film's rate, which timecode needs to know."""
        self._picture = rate
        for ear in self.ears:
            ear.picture(rate)

    def mend(self) -> bool:
        """Opens what is gone and can be had again."""
        changed = self._reclock()
        if changed:
            self._plug_in()
        for plug in self._all:
            plug.mend()
        for ear in self.ears:
            ear.mend()
        return changed

    def reports(self) -> Iterator[Report]:
        """What was heard since, at all inlets."""
        for ear in self.ears:
            yield from ear.drain()

    def service(self) -> int | None:
        """Lets out what is due at every port; the moment when the next message is."""
        moments = [moment for plug in self._all if (moment := plug.service()) is not None]
        return min(moments, default=None)

    def close(self) -> None:
        """Ends every note and closes everything."""
        self._unplug()
        self._leave_jack()

    @property
    def sockets(self) -> tuple[tuple[Socket, ...], tuple[Socket, ...]]:
        """How the outlets and the inlets do."""
        return tuple(plug.socket for plug in self.plugs.values()), tuple(ear.socket for ear in self.ears)

    @property
    def lateness(self) -> Lateness:
        """How late messages went out, at all outlets."""
        return lateness(*(plug.late for plug in self.plugs.values()))

    @property
    def slips(self) -> int:
        """How often JACK was late with a period, since the server of now is there."""
        return 0 if self._jack is None else self._jack.slips

    @property
    def word(self) -> str:
        """What is wrong with the first port that something is wrong with."""
        return next((plug.fault for plug in self._all if plug.fault), "")

    @property
    def _all(self) -> tuple[Plug, ...]:
        return *self.plugs.values(), *self.leads.values()

    @property
    def _outlets(self) -> tuple[Outlet, ...]:
        """All that are wanted."""
        return *(outlet for outlet, _ in self._patch.boards), *self._lead.outlets

    def _rewired(self) -> bool:
        """Closes the ports of timecode and clock that are not wanted, or that a stem has, and opens what is; as `patch`."""
        routed = dict(self._patch.boards)
        for outlet in [outlet for outlet in self.leads if outlet in routed or outlet not in self._lead.outlets]:
            self.leads.pop(outlet).close()
        changed = self._reclock()
        self._plug_in()
        return changed

    def _plug_in(self) -> None:
        """Opens what is wanted and not there."""
        peers = dict((*self._lead.peers, *self._patch.peers))
        for outlet, number in self._patch.boards:
            if outlet not in self.plugs:
                board = self._boards[number * BOARD : (number + 1) * BOARD]
                self.plugs[outlet] = Plug(outlet, self.clock, board, self._jack, peers.get(outlet.name, ()))
                self.plugs[outlet].open()
        for outlet in self._lead.outlets:
            if outlet not in self.plugs and outlet not in self.leads:
                board = memoryview(bytearray(BOARD))
                self.leads[outlet] = Plug(outlet, self.clock, board, self._jack, peers.get(outlet.name, ()))
                self.leads[outlet].open()
        if not self.ears:
            jack = self._hearing_jack()
            self.ears = tuple(Ear(inlet, self.clock, jack, self._picture) for inlet in self._inlets)
            for ear in self.ears:
                ear.open()

    def _close_ears(self) -> None:
        for ear in self.ears:
            ear.close()
        self.ears = ()

    def _reclock(self) -> bool:
        """Goes over to JACK's clock where some port is JACK's and it runs, and back where it went away."""
        if self._jack is not None and (
            self._jack.gone or (self._hearing and self._hearing.gone) or not (self._needs_jack or self._hopes_for_jack)
        ):
            self._unplug()
            self._leave_jack()
            self.clock, self._tried = FineClock(), None
            return True
        waited = self._tried is None or self.clock.now_ns() - self._tried > AGAIN_NS
        if self._jack is None and waited and (self._needs_jack or self._hopes_for_jack):
            self._tried = self.clock.now_ns()
            try:
                jack = JackClient()
            except HitpointError:
                return False  # the ports that need it say so
            self._unplug()
            self._jack, self.clock = jack, jack.clock
            return True
        return False

    def _hearing_jack(self) -> JackClient | None:
        """The client in which inlets are heard; none where JACK is not, or nothing is heard there."""
        if self._jack is None or not any(inlet.kind in ("jack", "jack transport", "auto") for inlet in self._inlets):
            return None
        if self._hearing is None:
            try:
                self._hearing = JackClient(HEARING, clock=self._jack.clock)
            except HitpointError:
                return None  # it went away just now: `mend` comes to it
        return self._hearing

    def _leave_jack(self) -> None:
        for client in (self._hearing, self._jack):
            if client is not None:
                client.close()
        self._hearing = self._jack = None

    @property
    def _needs_jack(self) -> bool:
        kinds = [outlet.kind for outlet in self._outlets] + [inlet.kind for inlet in self._inlets]
        return "jack" in kinds or "jack transport" in kinds

    @property
    def _hopes_for_jack(self) -> bool:
        """Whether some port would rather be JACK's: one that is open as another's stays that."""
        ears = {ear.inlet: ear for ear in self.ears}
        wired = self.plugs | self.leads
        autos: list[Plug | Ear | None] = [wired.get(outlet) for outlet in self._outlets if outlet.kind == "auto"]
        autos += [ears.get(inlet) for inlet in self._inlets if inlet.kind == "auto"]
        return any(port is None or port.fault or port.exact for port in autos)

    def _unplug(self) -> None:
        self._close_ears()
        for plug in self._all:
            plug.close()
        self.plugs.clear()
        self.leads.clear()
