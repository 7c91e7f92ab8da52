"""Driving a DAW: it plays, stops and goes where the film is told to, over its own OSC, its web interface, or machine control (MMC)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from threading import RLock
from typing import Any

from bridge.daw import Address, Daw, Transport, open_daw
from bridge.latest import Latest
from engines.errors import DawError, HitpointError

KEPT = ("generic",)
"""DAWs for which a port of ours is open: it stays open, so that what was connected to it in the DAW stays connected."""


@dataclass(frozen=True)
class Went:
    """What a DAW says of its transport after it was told to go: ``seconds`` of the film, None where it does not say."""

    daw: str
    seconds: Fraction | None
    rolling: bool | None
    bpm: float | None

    @classmethod
    def of(cls, daw: str, told: Transport, begins: Fraction) -> Went:
        """From the DAW's own words, the film's first frame ``begins`` seconds into its project."""
        return cls(daw, None if told.seconds is None else told.seconds - begins, told.rolling, told.bpm)

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        seconds = None if self.seconds is None else round(float(self.seconds), 6)
        return {"daw": self.daw, "seconds": seconds, "rolling": self.rolling, "bpm": self.bpm}

    @property
    def words(self) -> str:
        """The same for a person."""
        if self.seconds is None and self.rolling is None:
            return f"{self.daw} says nothing of its transport over MIDI: look at it"
        place = "" if self.seconds is None else f" at {float(self.seconds):.3f} s of the film"
        return f"{self.daw} {'plays' if self.rolling else 'stands'}{place}"


def film_place(seconds: Fraction | None, begins: Fraction, daw: str) -> Fraction | None:
    """Seconds of the film as seconds of a project. Raises DawError for what lies before the project begins."""
    if seconds is not None and seconds + begins < 0:
        raise DawError(f"{float(seconds):g} s of the film lie before the project begins", where=daw, cure="go to a later place")
    return None if seconds is None else seconds + begins


class Driver:
    """The DAWs that are held open to be told to go, one at a time. Any thread may call; ``failed`` hears what went wrong in `soon`."""

    def __init__(self, failed: Callable[[HitpointError], None]) -> None:
        self._lock, self._closed = RLock(), False
        self._held: dict[str, tuple[Address, Daw]] = {}
        self._wish: tuple[str, Address, Fraction, Fraction | None, bool | None] | None = None
        self._later = Latest(self._obey, failed, "driving")

    def hold(self, daw: str, where: Address) -> Daw:
        """The adapter of a DAW, open until `drop`; what was open at another address is let go. Raises OptionError."""
        with self._lock:
            held = self._held.get(daw)
            if held is not None and held[0] == where:
                return held[1]
            self.drop(daw)
            made = open_daw(daw, where)  # no socket is open yet
            if self._closed:
                raise DawError("is told nothing any more", where=daw, cure="the program is ending")
            self._held[daw] = where, made
            return made

    def holds(self, daw: str) -> bool:
        """Whether a DAW is held open."""
        return daw in self._held

    def drop(self, daw: str) -> None:
        """Lets go of a DAW."""
        with self._lock:
            held = self._held.pop(daw, None)
            if held is not None:
                held[1].close()

    def ask(self, daw: str, where: Address, question: Callable[[Daw], Any]) -> Any:
        """The answer of a DAW to a question: of the adapter that is held, else of one for this alone (but see `KEPT`)."""
        with self._lock:
            passing = not self.holds(daw) and daw not in KEPT
            adapter = self._held[daw][1] if self.holds(daw) and daw not in KEPT else self.hold(daw, where)
            try:
                return question(adapter)
            finally:
                if passing:
                    self.drop(daw)

    def go(
        self, daw: str, where: Address, begins: Fraction, seconds: Fraction | None = None, rolling: bool | None = None
    ) -> Went:
        """Locates to ``seconds`` of the film, then starts or stops; what the DAW says then. Raises DawError, OptionError."""
        place = film_place(seconds, begins, daw)
        return Went.of(daw, self.ask(daw, where, lambda adapter: adapter.go(place, rolling)), begins)

    def soon(
        self, daw: str, where: Address, begins: Fraction, seconds: Fraction | None = None, rolling: bool | None = None
    ) -> None:
        """The same in a thread, at once; of many wishes that come while it goes, the last. What fails is told, and raises nothing."""
        self._wish = daw, where, begins, seconds, rolling
        self._later.touch()

    def settle(self) -> None:
        """Waits until the last wish was obeyed, or failed."""
        self._later.flush()

    def close(self) -> None:
        """Lets go of every DAW, when the last wish was obeyed."""
        self._later.close()
        with self._lock:
            self._closed = True
        for daw in tuple(self._held):
            self.drop(daw)

    def _obey(self) -> None:
        wish = self._wish
        if wish is not None:
            self.go(*wish)
