"""The deck against a slow, plain account of what a transport does: every message at its moment, and no note left sounding."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.clock import SECOND, HandClock
from bridge.player.course import Course, Loop
from bridge.player.deck import AHEAD_NS, Deck
from bridge.player.programme import Part, Programme, TimedNote
from bridge.ports import MemoryPort

MS = SECOND // 1000
STEP = 6 * MS
"""Everything lies on this grid, so that every speed below reaches it at a whole nanosecond."""
SPEEDS = (Fraction(1, 2), Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3))
PIECE = 12 * MS  # of time: a whole number of steps at each of those speeds
Sent = list[tuple[int, bytes]]


def off(channel: int, pitch: int) -> bytes:
    return bytes((0x80 | channel, pitch, 64))


def on(channel: int, note: TimedNote) -> bytes:
    return bytes((0x90 | channel, note.pitch, note.velocity))


@dataclass
class Account:
    """What must go out, found by going through the film step by step."""

    programme: Programme
    now: int = 0
    place: int = 0
    rolling: bool = False
    speed: Fraction = Fraction(1)
    loop: Loop | None = None
    looping: bool = False
    coming: Programme | None = None
    at_bar: bool = False
    sounding: dict[tuple[str, int, int], tuple[TimedNote, int]] = field(default_factory=dict)  # note, steps that are left of it
    sent: Sent = field(default_factory=list)

    def run(self, time: int) -> None:
        end = self.now + time
        if self.rolling:
            while self.now < end:
                self.now += int(STEP / self.speed)
                self.place += STEP
                self._arrive()
        self.now = end

    def _arrive(self) -> None:
        wrapped = self.looping and self.loop is not None and self.place == self.loop.end
        if wrapped:
            self.silence()
            assert self.loop is not None
            self.place = self.loop.start
        line = wrapped or (self.loop is not None and self.looping and self.place == self.loop.start)
        if self.coming is not None and (line or self.place in self.coming.bars):
            self._switch()
        for key in list(self.sounding):
            note, left = self.sounding[key]
            self.sounding[key] = note, left - STEP
            if left == STEP:
                self._end(key)
        self.strike()

    def _switch(self) -> None:
        assert self.coming is not None
        self.programme, self.coming = self.coming, None
        for key in list(self.sounding):
            if self.sounding[key][0] not in self.programme.part(key[0], key[1]).notes:
                self._end(key)

    def strike(self) -> None:
        for part in self.programme.parts:
            for note in part.notes:
                if note.on == self.place:
                    self.sounding[part.stem, part.channel, note.pitch] = note, note.off - note.on
                    self.sent.append((self.now, on(part.channel, note)))

    def silence(self) -> None:
        for key in list(self.sounding):
            self._end(key)

    def _end(self, key: tuple[str, int, int]) -> None:
        del self.sounding[key]
        self.sent.append((self.now, off(key[1], key[2])))

    def go(self, place: int, rolling: bool, speed: Fraction | None = None) -> None:
        self.silence()
        self.programme, self.coming = self.coming or self.programme, None
        self.place, self.rolling, self.speed = place, rolling, speed or self.speed
        self.looping = self.loop is not None and place < self.loop.end
        if rolling:
            self.strike()


@st.composite
def parts(draw: st.DrawFn, channel: int) -> Part:
    notes = []
    for pitch in draw(st.sets(st.integers(60, 63), max_size=3)):
        place = 0
        for _ in range(draw(st.integers(0, 12))):
            place += draw(st.integers(0, 60)) * STEP
            length = draw(st.integers(1, 90)) * STEP
            notes.append(TimedNote(place, place + length, pitch, draw(st.integers(1, 127))))
            place += length
    return Part(f"stem {channel}", channel, tuple(sorted(notes)))


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    made = tuple(draw(parts(channel)) for channel in sorted(draw(st.sets(st.integers(0, 2), min_size=1))))
    return Programme("cue", made, tuple(range(0, 900 * STEP, draw(st.sampled_from((50, 77, 120))) * STEP)))


def variants(old: Programme, new: Programme) -> Programme:
    """A refill: the first part as it was, the others new."""
    return Programme("refilled", (*old.parts[:1], *(p for p in new.parts if p.channel != old.parts[0].channel)), old.bars)


places = st.integers(0, 700).map(lambda steps: steps * STEP)
acts = st.one_of(
    st.tuples(st.just("play"), places, st.sampled_from(SPEEDS)),
    st.tuples(st.just("stop"), st.none(), st.none()),
    st.tuples(st.just("panic"), st.none(), st.none()),
    st.tuples(st.just("locate"), places, st.none()),
    st.tuples(st.just("vary"), st.sampled_from(SPEEDS), st.none()),
    st.tuples(st.just("loop"), places, st.integers(1, 200).map(lambda steps: steps * STEP)),
    st.tuples(st.just("unloop"), st.none(), st.none()),
    st.tuples(st.just("swap"), programmes(), st.sampled_from(("bar", "now"))),
    st.tuples(st.just("refill"), programmes(), st.sampled_from(("bar", "now"))),
)
sittings = st.lists(st.tuples(acts, st.integers(0, 60).map(lambda pieces: pieces * PIECE)), min_size=1, max_size=9)


class Desk:
    """A deck on a port of memory, moved by hand."""

    def __init__(self, programme: Programme, latency_ns: int = 0) -> None:
        self.clock = HandClock()
        self.port = MemoryPort(self.clock)
        self.port.open()
        self.deck = Deck(self.clock, lambda stem: (self.port, latency_ns))
        self.deck.load(programme)

    def run(self, time: int) -> None:
        """Steps whenever the deck asks to be stepped, as a process that is never late does."""
        end = self.clock.now_ns() + time
        while (moment := self.deck.step()) is not None and moment <= end:
            self.clock.turn_to(max(moment, self.clock.now_ns()))
        self.clock.turn_to(end)
        self.deck.step()

    @property
    def notes(self) -> Sent:
        return [(now, message) for now, message in self.port.sent if message[0] < 0xA0]


def act(desk: Desk, account: Account, what: str, first: object, second: object) -> None:
    """The same act on both."""
    deck = desk.deck
    if what == "play":
        deck.play(first, second)  # type: ignore[arg-type]
        account.go(first, True, second)  # type: ignore[arg-type]
    elif what in ("stop", "panic"):
        getattr(deck, what)()
        account.go(account.place, False)
    elif what == "locate":
        deck.locate(first)  # type: ignore[arg-type]
        account.go(first, account.rolling)  # type: ignore[arg-type]
    elif what == "vary":
        deck.vary(first)  # type: ignore[arg-type]
        account.speed = first if account.rolling else account.speed  # type: ignore[assignment]
    elif what in ("loop", "unloop"):
        loop = Loop(first, first + second) if what == "loop" else None  # type: ignore[operator, arg-type]
        deck.set_loop(loop)
        account.loop, account.looping = loop, loop is not None and account.place < loop.end
    else:
        programme = first if what == "swap" else variants(account.coming or account.programme, first)  # type: ignore[arg-type]
        deck.swap(programme, second)  # type: ignore[arg-type]
        account.coming = programme  # type: ignore[assignment]
        lines = [bar for bar in programme.bars if bar > account.place]  # type: ignore[attr-defined]
        account.at_bar = second == "bar" and (bool(lines) or account.looping)
        if not account.rolling:
            account.programme, account.coming = account.coming, None
        elif not account.at_bar:
            assert deck.course is not None
            assert deck.seam is not None
            here, account.now = account.now, deck.course.moment(deck.seam)
            account._switch()
            account.now = here


def hanging(sent: Sent) -> set[tuple[int, int]]:
    """What sounds after all; fails where a note is struck that sounds, or released that does not."""
    sounds: set[tuple[int, int]] = set()
    for _, (status, pitch, _) in sent:
        voice = status & 0x0F, pitch
        assert (voice in sounds) is (status & 0xF0 == 0x80), "one on, one off, in turn"
        (sounds.discard if voice in sounds else sounds.add)(voice)
    return sounds


@given(programmes(), sittings)
@settings(max_examples=100)
def test_whatever_is_done_every_message_has_its_moment_and_every_note_its_end(programme: Programme, sitting: list) -> None:
    desk, account = Desk(programme), Account(programme)
    for (what, first, second), time in sitting:
        act(desk, account, what, first, second)
        desk.run(time)
        account.run(time)
        assert desk.deck.place == account.place
    desk.deck.stop()
    account.silence()
    assert sorted(desk.notes) == sorted(account.sent)
    assert hanging(desk.notes) == set()


@given(programmes(), sittings, st.integers(-200, 200))
@settings(max_examples=100)
def test_no_note_hangs_or_is_doubled_with_any_latency(programme: Programme, sitting: list, latency_ms: int) -> None:
    desk, account = Desk(programme, latency_ms * MS), Account(programme)
    for (what, first, second), time in sitting:
        act(desk, account, what, first, second)
        desk.run(time + 7 * MS)
    desk.deck.stop()
    assert hanging(desk.notes) == set()


@given(programmes(), st.integers(-180, 180))
@settings(max_examples=40)
def test_a_latency_moves_every_message_by_itself(programme: Programme, latency_ms: int) -> None:
    def played(latency: int) -> Sent:
        desk = Desk(programme, latency)
        desk.deck.stop(-SECOND)  # so that nothing is due before the start
        desk.deck.play(lead=0)
        desk.run(6 * SECOND)
        return [(now - latency, message) for now, message in desk.notes if now < 5 * SECOND + latency]

    assert played(latency_ms * MS) == played(0)


@pytest.mark.parametrize("latency_ms", [-1500, -150, -1, 0, 150])
def test_the_first_note_of_a_stem_that_is_played_early_is_in_time(latency_ms: int) -> None:
    desk = Desk(scale(), latency_ms * MS)
    begins = max(0, -latency_ms * MS)  # it waits until the earliest message may go out in time
    desk.deck.play(0)
    desk.run(4 * SECOND)
    struck = [now for now, message in desk.notes if message[0] & 0xF0 == 0x90]
    assert struck[:5] == [begins + k * 250 * MS + latency_ms * MS for k in range(5)]


def scale(count: int = 40, length: int = 200 * MS) -> Programme:
    notes = tuple(TimedNote(k * 250 * MS, k * 250 * MS + length, 60 + k % 12, 80) for k in range(count))
    return Programme("scale", (Part("melody", 0, notes, (b"\xc0\x28",)),), tuple(range(0, 10 * SECOND, SECOND)))


def test_at_once_is_within_a_microsecond() -> None:
    desk = Desk(scale())
    desk.deck.play()
    desk.run(100 * MS)
    desk.deck.swap(Programme("nothing", ()), "now")
    desk.run(MS)
    assert hanging(desk.notes) == set()
    assert 100 * MS < desk.notes[-1][0] < 100 * MS + 1000


def test_nothing_is_handed_over_more_than_the_look_ahead_before_it_is_due() -> None:
    desk = Desk(scale())
    desk.deck.play()
    for _ in range(400):
        desk.run(10 * MS)
        waiting = [due for due, _ in desk.port.recall(0)]  # what a change would have to take back
        assert all(due < desk.clock.now_ns() + AHEAD_NS for due in waiting)
        for lane in desk.deck._lanes.values():
            lane.bend()


def test_a_leader_that_drifts_less_than_a_millisecond_takes_nothing_back() -> None:
    desk = Desk(scale())
    desk.deck.chase(0, Fraction(1))
    taken = []
    recall = desk.port.recall
    desk.port.recall = lambda channel: taken.append(channel) or recall(channel)  # type: ignore[func-returns-value, method-assign]
    for k in range(100):
        desk.run(10 * MS)
        desk.deck.chase(desk.clock.now_ns() + (k % 3 - 1) * MS // 4, Fraction(1))
    assert taken == []
    desk.deck.chase(desk.clock.now_ns() + 3 * MS, Fraction(1))
    assert taken == [0]
    at = desk.clock.now_ns()
    desk.run(SECOND)
    struck = [now for now, message in desk.notes if message[0] == 0x90 and now > at]
    assert [(now + 3 * MS) % (250 * MS) for now in struck] == [0] * 4, "the rest lies where the leader is now"


def test_a_leader_that_jumps_ends_what_sounds_and_one_that_creeps_does_not() -> None:
    desk = Desk(scale(length=240 * MS))
    desk.deck.chase(0, Fraction(1))
    desk.run(300 * MS)
    desk.deck.chase(305 * MS, Fraction(1))
    assert desk.port.sounding(0) == (61,)
    desk.deck.chase(3 * SECOND + 10 * MS, Fraction(1))
    assert desk.port.sounding(0) == ()
    desk.run(300 * MS)
    desk.deck.chase(desk.deck.place, Fraction(0))
    assert desk.port.sounding(0) == ()
    assert hanging(desk.notes) == set()


def test_a_note_that_began_while_the_leader_was_not_yet_understood_is_struck_late() -> None:
    desk = Desk(scale(length=900 * MS))
    desk.deck.chase(SECOND, Fraction(0))
    desk.clock.turn(0.2)
    desk.deck.chase(SECOND + 200 * MS, Fraction(1))
    desk.run(MS)
    assert [message for _, message in desk.notes] == [b"\x90\x40\x50"], "the one of the second 1, not those before it"


def test_instruments_are_set_before_the_first_note_and_a_new_one_at_the_seam() -> None:
    desk = Desk(scale())
    desk.deck.play()
    desk.run(500 * MS)
    old = scale()
    part = old.parts[0]
    desk.deck.swap(Programme("other", (Part("melody", 0, part.notes, (b"\xc0\x05",)),), old.bars))
    assert desk.deck.seam == SECOND
    desk.run(SECOND)
    assert desk.deck.seam is None
    programs = [(now, message) for now, message in desk.port.sent if message[0] == 0xC0]
    assert programs == [(0, b"\xc0\x28"), (SECOND, b"\xc0\x05")]
    assert desk.port.sent[0][1] == b"\xc0\x28"
    assert desk.port.sent.index((SECOND, b"\xc0\x05")) < desk.port.sent.index((SECOND, b"\x90\x40\x50"))


def test_panic_silences_every_channel() -> None:
    desk = Desk(scale())
    desk.deck.play()
    desk.run(100 * MS)
    desk.deck.panic()
    said = {message for _, message in desk.port.sent}
    assert {bytes((0xB0 | channel, controller, 0)) for channel in range(16) for controller in (64, 120, 123)} <= said
    assert desk.deck.course is None
    assert hanging(desk.notes) == set()


@pytest.mark.parametrize(("place", "moment"), [(0, 5), (10, 25), (-4, -3)])
def test_a_course_is_a_straight_line(place: int, moment: int) -> None:
    course = Course(5, 0, Fraction(1, 2))
    assert course.moment(place) == moment
    assert course.place_at(moment) == place


@given(
    st.lists(st.tuples(st.integers(-5000, 5000), st.sampled_from((98, 100, 102))), min_size=20, max_size=60), st.integers(0, 100)
)
@settings(max_examples=60)
def test_a_leader_that_creeps_and_strays_loses_no_note_and_doubles_none(path: list[tuple[int, int]], latency_ms: int) -> None:
    """What a chase says of a rolling DAW: its place give or take a few milliseconds, its speed give or take some percent."""
    desk, true = Desk(scale(200, 100 * MS), latency_ms * MS), 0
    desk.deck.chase(0, Fraction(1))
    for stray_us, percent in path:
        true += 100 * MS * percent // 100
        desk.run(100 * MS)
        desk.deck.chase(true + stray_us * 1000, Fraction(percent, 100))
    desk.run(400 * MS)
    struck = [message[1] for _, message in desk.notes if message[0] == 0x90]
    assert struck == [60 + k % 12 for k in range(len(struck))]
    assert len(struck) >= (true + 300 * MS - latency_ms * MS) // (250 * MS)
    desk.deck.chase(true, Fraction(0))
    assert hanging(desk.notes) == set()
