"""The player's own process: it obeys messages, follows the chase, moves the deck, and tells how it does."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bridge.chase import Chase
from bridge.clock import SECOND, MonotonicClock
from bridge.player.course import Loop
from bridge.player.deck import Deck
from bridge.player.leading import Leading
from bridge.player.messages import (
    Follow,
    Hear,
    Lead,
    Listen,
    Load,
    Locate,
    LoopOver,
    Message,
    Order,
    Origins,
    Panic,
    Patch,
    Play,
    Quit,
    Status,
    Stop,
    Swap,
    Vary,
)
from bridge.player.priority import raised
from bridge.player.programme import Programme
from bridge.player.rig import Rig
from bridge.signals import heed

TICK_NS = SECOND // 100
"""How often the chase is asked where the DAW is, and the deck is moved, at least."""

IDLE_NS = SECOND // 20
"""The same while it stands by itself: orders wake it."""

TELL_NS = SECOND // 15
"""How often the status is told while nothing happens to it."""

COMPARE_NS = SECOND // 2
"""How often all sources are compared for it, ports looked at, and lateness counted."""

BY_ITSELF = (Play, Stop, Locate, LoopOver, Vary, Panic)
"""What takes the player off the chase: who moves it by hand means to."""

_NEAR_NS = 3_000_000  # waiting for news is precise to a few milliseconds; the rest is slept
_FAREWELL_S = 1.0
_SOFTWARE = 70  # EX_SOFTWARE of sysexits.h
_SWITCH_S = 0.0005  # how long a thread may hold the interpreter while another waits


class Booth:
    """All that the process holds. `work` runs until it is told to quit, or whoever started it is gone."""

    def __init__(self, wire: Connection[Status, Order], boards: Any) -> None:
        self._wire = wire
        self.rig = Rig(boards)
        self.deck = Deck(self.rig.clock, self.rig.way)
        self._lead, self._leading = Lead(), Leading(self.rig.line)
        self.chase = Chase()
        self._origins = Origins()
        self._chosen: str | None = None  # the source that the composer lets lead
        self._place = 0  # where it was before this step: a clock that is gone cannot tell
        self._stamps = MonotonicClock()  # what those who hear OSC stamp it by
        self._orders: deque[Order] = deque()
        self._news = threading.Event()
        self._follows, self._done = False, False
        self._status, self._told_ns = Status(), 0
        self._compared_ns = 0
        self._outgoing: deque[Status] = deque(maxlen=1)
        self._something = threading.Event()
        self._words, self._told_all = threading.Thread(target=self._publish, name="words", daemon=True), False
        self._acts: dict[type, Callable[[Any], None]] = {
            Patch: self._repatch,
            Lead: self._lead_on,
            Listen: self._listen,
            Origins: self._originate,
            Load: lambda m: self._load(m.programme),
            Swap: self._swap,
            Play: lambda m: self.deck.play(m.place, m.speed),
            Stop: lambda m: self.deck.stop(),
            Locate: lambda m: self.deck.locate(m.place),
            LoopOver: lambda m: self.deck.set_loop(None if m.span is None else Loop(*m.span)),
            Vary: lambda m: self.deck.vary(m.speed),
            Follow: self._follow,
            Hear: self._hear,
            Panic: lambda m: self.deck.panic(),
            Quit: lambda m: self.stop_soon(),
        }

    def work(self) -> None:
        """Plays until the end."""
        threading.Thread(target=self._receive, name="orders", daemon=True).start()
        self._words.start()
        try:
            while not self._done:
                self.rig.service()  # first of all what is due: this is what it was woken for
                self._obey()
                self._renewed(self.rig.mend())
                self._chase()
                steps = self.deck.step(), self._tell_followers(), self.rig.service()  # notes first
                moments = [moment for moment in steps if moment is not None]
                self._place = self.deck.place
                self._tell()
                self._rest(min(moments, default=None))
        finally:
            self.deck.stop()
            self._tell_followers()
            self._tell(at_once=True)
            self.rig.close()

    def end(self) -> None:
        """Asks it to end; from any thread."""
        self._done = True
        self._news.set()

    def stop_soon(self) -> None:
        """Asks it to end, from a signal: what is interrupted may hold the lock of the news. It looks by itself soon enough."""
        self._done = True

    def _receive(self) -> None:
        """Takes orders in; the end of the pipe is the end of whoever gave them."""
        order = None
        while order is None or not isinstance(order.message, Quit):
            try:
                order = self._wire.recv()
            except (EOFError, OSError):
                self.end()
                return
            self._orders.append(order)
            self._news.set()

    def _publish(self) -> None:
        """Tells the newest status. In a thread of its own: a parent that does not listen must not stop the music."""
        while not self._told_all:
            self._something.wait()
            self._something.clear()
            while self._outgoing:
                try:
                    self._wire.send(self._outgoing.popleft())
                except (OSError, ValueError):
                    return

    def confess(self, word: str) -> None:
        """Tells why it ends."""
        self._status = replace(self._status, word=word)
        self._outgoing.append(self._status)

    def flush(self) -> None:
        """Waits until the last status is told, or nobody can be told."""
        self._told_all = True
        self._something.set()
        self._words.join(_FAREWELL_S)

    def _obey(self) -> None:
        self._news.clear()
        while self._orders and not self._done:
            order = self._orders.popleft()
            self._act(order.message)
            self._status = replace(self._status, heard=max(order.number, self._status.heard))
            self._told_ns = 0

    def _act(self, message: Message) -> None:
        if isinstance(message, BY_ITSELF):
            self._follows = False
        self._acts[type(message)](message)

    def _repatch(self, patch: Patch) -> None:
        self._compared_ns = 0
        self.deck.cut()
        if not self._renewed(self.rig.patch(patch)):
            self.deck.rewire()

    def _lead_on(self, lead: Lead) -> None:
        self._compared_ns = 0
        self._leading.end(self.rig.clock.now_ns(), lead)
        self._lead = lead
        self._renewed(self.rig.lead(lead))

    def _tell_followers(self) -> int | None:
        return self._leading.step(self.deck, self._lead, self._follows, self._origins.at)

    def _listen(self, listen: Listen) -> None:
        self._compared_ns = 0
        self._renewed(self.rig.listen(listen.inlets))

    def _renewed(self, other_clock: bool) -> bool:
        """Begins anew by another clock, standing where it was; whether it is another."""
        if other_clock:
            old, self._told_ns, self._compared_ns = self.deck, 0, 0
            self.deck = Deck(self.rig.clock, self.rig.way)
            self.deck.load(old.programme)
            self.deck.set_loop(old.loop)
            self.deck.stop(self._place)
            self.chase = self._chase_of(old.programme)
        return other_clock

    def _originate(self, origins: Origins) -> None:
        heard, self._origins = self.chase.heard, origins
        self.chase = self._chase_of(self.deck.programme)
        for report in heard:  # a DAW that stands says so only once
            self.chase.hear(report)

    def _chase_of(self, programme: Programme) -> Chase:
        at = self._origins.at
        start, zero = (programme.start, programme.start) if at is None else (at, Fraction(0))
        beats = programme.beats
        placed = None if beats is None else lambda beat: start + beats.seconds(beat)
        chase = Chase(programme.rate, start, placed, dict(self._origins.seconds), zero=zero)
        chase.follow(self._chosen)
        return chase

    def _learn(self, programme: Programme) -> None:
        """The chase counts in the programme's rate, timecode and beats; what it knows of the sources stays if these do."""
        old = self.deck.programme
        if (old.rate, old.start, old.beats) != (programme.rate, programme.start, programme.beats):
            self.chase = self._chase_of(programme)
            self.rig.picture(programme.rate)

    def _load(self, programme: Programme) -> None:
        self._compared_ns = 0
        self._learn(programme)
        self.deck.load(programme)

    def _swap(self, swap: Swap) -> None:
        self._learn(swap.programme)
        self.deck.swap(swap.programme, swap.at)

    def _follow(self, message: Follow) -> None:
        self._chosen = message.source
        self.chase.follow(message.source)
        if not self._follows:
            self._follows = True
            self.deck.stop()
            self.deck.set_loop(None)

    def _hear(self, message: Hear) -> None:
        # the clock here may be a sound card's: what matters is how long ago it was heard
        ago = self._stamps.now_ns() - message.report.received_ns
        self.chase.hear(replace(message.report, received_ns=self.rig.clock.now_ns() - max(0, ago)))

    def _chase(self) -> None:
        for report in self.rig.reports():
            self.chase.hear(report)
        if not self._follows:
            return
        now = self.rig.clock.now_ns()
        reading = self.chase.at(now)
        if reading.seconds is None:
            return
        place = round((reading.seconds - self.chase.start) * SECOND)
        speed = Fraction(reading.speed).limit_denominator(1_000_000)
        self.deck.chase(place, speed if reading.state not in ("stopped", "lost") else Fraction(0), now)

    def _tell(self, at_once: bool = False) -> None:
        now = self.rig.clock.now_ns()
        deck, last = self.deck, self._status
        changed = (deck.course is not None, self._follows) != (last.rolling, last.follows)
        if not (at_once or changed or now - self._told_ns >= TELL_NS):
            return
        self._told_ns = now
        if changed and deck.course is None:
            gc.collect()
        reading = self.chase.at(now)
        if at_once or changed or now - self._compared_ns >= COMPARE_NS:
            self._compared_ns = now
            outlets, inlets = self.rig.sockets
            last = replace(
                last,
                standings=self.chase.standings(now),
                lateness=self.rig.lateness,
                outlets=outlets,
                inlets=inlets,
                senders=self._leading.sockets(self._lead),
                slips=self.rig.slips,
                word=self.rig.word,
            )
        self._status = replace(
            last,
            rolling=deck.course is not None,
            follows=self._follows,
            seconds=Fraction(deck.place, SECOND),
            speed=float(deck.course.speed) if deck.course is not None else 0.0,
            title=deck.programme.title,
            seam=None if deck.seam is None else Fraction(deck.seam, SECOND),
            loop=None if deck.loop is None else (Fraction(deck.loop.start, SECOND), Fraction(deck.loop.end, SECOND)),
            sounding=deck.sounding,
            reading=reading,
            moment=self._stamps.now_ns(),
        )
        self._outgoing.append(self._status)
        self._something.set()

    def _rest(self, moment: int | None) -> None:
        """Waits for news, or until the moment; the last milliseconds are slept, which is more precise than waiting."""
        now = self.rig.clock.now_ns()
        until = now + (TICK_NS if self._follows or self.deck.course is not None else IDLE_NS)
        until = until if moment is None else min(moment, until)
        if until - now > _NEAR_NS:
            self._news.wait((until - now - _NEAR_NS) / SECOND)
        left = until - self.rig.clock.now_ns()
        if left > 0 and not self._news.is_set():
            time.sleep(left / SECOND)


def perform(wire: Connection[Status, Order], boards: Any) -> None:
    """Plays in this thread until the end."""
    booth = Booth(wire, boards)
    try:
        booth.work()
    finally:
        booth.flush()
        wire.close()


def run(wire: Connection[Status, Order], boards: Any) -> None:
    """The process: as `perform`, alone, with all the precision that the system grants."""
    booth = Booth(wire, boards)
    heed(booth.stop_soon)
    sys.setswitchinterval(_SWITCH_S)
    gc.disable()  # what it would find is collected while nothing plays
    try:
        with raised():
            booth.work()
    except Exception as error:
        if os.environ.get("HITPOINT_TRACEBACK"):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        booth.confess(f"a fault of ours ({what}, {Path(place.filename).name} line {place.lineno}); please report it")
        sys.exit(_SOFTWARE)
    finally:
        booth.flush()
        wire.close()
