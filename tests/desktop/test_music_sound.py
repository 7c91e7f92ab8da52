"""The takes heard in the window: every onset at its second of the film, from wherever it starts; a swap without a click, nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PyQt6.QtCore import QObject
from pytestqt.qtbot import QtBot
from sittings import scored
from sounding_films import RATE, write_sounding
from test_sound import STEP, Hand, Sink
from watchdog import Watchdog

from bridge.chase import Reading
from bridge.rendering import Renderer
from desktop.click_sound import Beats
from desktop.music_sound import AHEAD, MEMORY, STRETCH, MusicSound
from desktop.sound import Sound
from desktop.splice import BEGIN, FADE, OVER, Splice
from desktop.transport import Transport, even
from engines.errors import HitpointError, MissingLibraryError
from engines.picture.reel import Reel
from engines.picture.soundtrack import Samples
from engines.score.instruments import INSTRUMENTS
from engines.score.notes import Note
from engines.score.sampler import Sampler
from engines.score.soundfont import SoundFont, bundled_soundfont
from engines.score.stretch import Rows, stretch
from engines.session.model import PlayedNote, Session
from engines.session.voices import Voices

PATIENCE = 30_000
MS = RATE // 1000


class Here:
    """Renders in the thread that asks; the test may make it wait, fail, and see what was asked."""

    def __init__(self) -> None:
        self.sampler = Sampler(SoundFont(bundled_soundfont()))
        self.asked: list[int] = []  # samples of each stretch
        self.free = threading.Event()
        self.free.set()
        self.error: HitpointError | None = None
        self.closed = False

    def stretch(self, rows: Rows, first: int, count: int) -> Samples:
        self.asked.append(count)
        self.free.wait()
        if self.error is not None:
            raise self.error
        return stretch(self.sampler, rows, first, count)

    def close(self) -> None:
        self.closed = True
        self.free.set()


class Room:
    """A transport, its sound and a sink under a clock that the test turns, and a session whose film is nowhere."""

    def __init__(self, bot: QtBot) -> None:
        self.bot, self.clock, self.sink, self.here = bot, Hand(), Sink(), Here()
        self.transport = Transport(self.clock)
        self.sound = Sound(self.transport, lambda: self.sink, self.clock, music=lambda: self.here)
        self.wanted = True
        self.sound.music_wanted = lambda: self.wanted

    def open(self, session: Session, anew: bool = True) -> None:
        if anew:
            self.transport.load(even(session.film.rate, session.film.frames))
        self.sound.show(session, anew)

    def cue(self, frame: int, seconds: float = 1.0) -> int:
        """Goes to a frame and waits until its music is in hand; the sample that belongs to the frame."""
        self.transport.locate(frame)
        at = round(self.transport.seconds * RATE)
        self.sound.music.want(at)
        self.in_hand(at, round(seconds * RATE))
        return at

    def in_hand(self, at: int, count: int = STEP) -> None:
        self.bot.waitUntil(lambda: self.sound.music.has(at, count), timeout=PATIENCE)

    def play(self, frame: int, seconds: float) -> tuple[int, np.ndarray]:
        """What is heard from a frame on, and the sample of the film that it begins with."""
        at = self.cue(frame)
        self.transport.play(1)
        heard = self.roll(seconds)
        self.transport.stop()
        return at, heard

    def roll(self, seconds: float, wait: bool = True) -> np.ndarray:
        """Time goes by in which the sink plays; waits for what is not rendered yet, which has not the time that a cue gives it."""
        parts = []
        for _ in range(round(seconds * RATE / STEP)):
            self.clock.ns += round(STEP / RATE * 1e9)
            if wait and self.sound.plays_music:
                assert self.sound._mix is not None
                self.in_hand(round(self.sound._begins * RATE) + self.sound._mix.read_on)
            parts.append(self.sink.pull(STEP))
            self.transport.look()
        return np.concatenate(parts)

    def whole(self, session: Session, seconds: float) -> np.ndarray:
        """The same music, rendered in one go."""
        count = round(seconds * RATE)
        return stretch(Sampler(SoundFont(bundled_soundfont())), Voices(session).between(0, count), 0, count).astype(int)


@pytest.fixture
def room(qapp: object, qtbot: QtBot) -> Iterator[Room]:
    made = Room(qtbot)
    yield made
    made.transport.stop()
    made.here.free.set()
    made.sound.close()


@pytest.fixture(scope="module")
def session(trio: str) -> Session:
    """Three scenes of half a minute together, notes that ring over bar lines, five tempi."""
    return scored((4, 3, 4), trio)


def with_notes(session: Session, of_scene: Callable[[int], list[Note]], lead: str = "synth lead") -> Session:
    """The session with other notes in its takes, in beats of each scene."""
    takes = dict(session.takes)
    for span in session.spans:
        name = span.scene.chosen or ""
        rows = tuple(PlayedNote(note, note) for note in sorted(of_scene(span.number)))
        takes[name] = replace(takes[name], notes=rows)
    return replace(session, takes=takes, instruments={"melody": INSTRUMENTS[lead]})


@pytest.fixture(scope="module")
def ticking(session: Session) -> Session:
    """A short note at an odd place of every beat, which has died away before the next."""
    beats = {span.number: int(span.end - span.start) for span in session.spans}
    return with_notes(
        session,
        lambda scene: [Note(k + Fraction(1 + k % 3, 7), 72, Fraction(1, 8), 100, "melody") for k in range(beats[scene])],
    )


def due(session: Session) -> list[Fraction]:
    """The seconds of the film at which the tempo map has the notes."""
    return [session.tempo_map.seconds(note.start) for note in session.notes]


def onsets(heard: np.ndarray, at: int) -> list[Fraction]:
    """The seconds of the film at which something is heard after a silence of 50 ms."""
    loud = np.flatnonzero(np.abs(heard.astype(int)).max(axis=1) > 150)
    firsts = [int(loud[0])] + [int(b) for a, b in pairwise(loud) if b - a > 50 * MS] if len(loud) else []
    return [Fraction(at + first, RATE) for first in firsts]


def no_click(heard: np.ndarray, natural: np.ndarray) -> None:
    """No step from sample to sample that the music itself does not have."""
    assert np.abs(np.diff(heard.astype(int), axis=0)).max() <= 1.15 * np.abs(np.diff(natural.astype(int), axis=0)).max() + 40


# where it sounds


def test_every_onset_is_heard_at_the_second_that_the_tempo_map_has_for_it(room: Room, ticking: Session) -> None:
    room.open(ticking)
    found: set[Fraction] = set()
    for frame in (0, 131, 60, 333, 517):
        at, heard = room.play(frame, 4.0)
        first, last = Fraction(at, RATE), Fraction(at + len(heard), RATE)
        expected = [second for second in due(ticking) if first + Fraction(1, 5) < second < last - Fraction(1, 100)]
        got = [second for second in onsets(heard, at) if second > first + Fraction(1, 5)]
        assert len(got) == len(expected) >= 4
        assert max(abs(a - b) for a, b in zip(got, expected, strict=True)) < Fraction(1, 1000)
        found.update(expected)
    assert len(found) > 20


def test_from_wherever_it_starts_the_music_is_what_the_whole_has_there(room: Room, session: Session) -> None:
    """Notes that are held sound on with what is left of them; but for two milliseconds in which it comes out of silence."""
    room.open(session)
    whole = room.whole(session, 26)
    for frame in (100, 101, 239, 7, 0, 480):
        at, heard = room.play(frame, 2.5)
        there = whole[at : at + len(heard)]
        assert np.abs(there[:BEGIN]).max() > 300 or frame == 0, "in the middle of a note"
        assert np.abs(heard[BEGIN:] - there[BEGIN:]).max() <= 2
        no_click(np.concatenate([np.zeros((1, 2), int), heard]), there)


def test_round_and_round_it_is_the_same_each_time(room: Room, session: Session) -> None:
    """A loop is a picture that goes back again and again while it rolls."""
    room.open(session)
    at = room.cue(180, 3.0)
    whole = room.whole(session, 12)
    room.transport.play(1)
    asked = len(room.here.asked)
    for _ in range(4):
        heard = room.roll(1.3)
        assert np.abs(heard[BEGIN:] - whole[at : at + len(heard)][BEGIN:]).max() <= 2
        room.transport.locate(180)
    assert len(room.here.asked) <= asked + AHEAD + 2, "what was heard is in hand"


def test_film_and_music_and_click_add_up_to_the_sample(room: Room, session: Session, tmp_path: Path) -> None:
    on = [k * RATE // 2 for k in range(20)]
    reel = Reel.open(write_sounding(tmp_path / "film.mov", 240, Fraction(24), on))
    room.open(session)
    room.sound.open(reel)
    film = room.sound.film
    assert film is not None

    def heard() -> np.ndarray:
        at = room.cue(24, 2.0)
        film.want(at)
        room.bot.waitUntil(lambda: film.has(at, 2 * RATE), timeout=PATIENCE)
        room.transport.play(1)
        parts = room.roll(1.5).astype(int)
        room.transport.stop()
        return parts

    room.sound.click(Beats(np.array([1.7]), np.array([True])))
    together = heard()
    room.sound.click(None)
    room.wanted = False
    film_alone = heard()
    room.wanted, _ = True, room.sound.switch(False)
    music_alone = heard()
    room.wanted = False
    room.sound.click(Beats(np.array([1.7]), np.array([True])))
    click_alone = heard()
    assert min(np.abs(part).max() for part in (film_alone, music_alone, click_alone)) > 1000
    assert np.abs(together - np.clip(film_alone + music_alone + click_alone, -32768, 32767)).max() <= 1


def test_what_sets_the_picture_right_takes_the_music_along_without_a_click(room: Room, session: Session) -> None:
    room.open(session)
    room.cue(48, 6.0)
    room.transport.play(1)
    before = room.roll(1.0)
    room.transport.set_right(room.transport.moment + Fraction(1, 10), Fraction(1, 50))
    heard = room.roll(1.0)
    whole = room.whole(session, 6)
    at = 2 * RATE + len(before) + RATE // 10
    shifted = min(range(-2, 3), key=lambda by: np.abs(heard[FADE:] - whole[at + by : at + by + len(heard)][FADE:]).max())
    assert np.abs(heard[FADE:] - whole[at + shifted : at + shifted + len(heard)][FADE:]).max() <= 2
    no_click(np.concatenate([before, heard]), whole)
    assert room.sink.log == ["start"], "and without a pause"


# another take


def other_take(session: Session, seed: int = 5) -> Session:
    rng = Random(seed)
    return with_notes(
        session,
        lambda _: [Note(Fraction(k, 2), rng.randint(50, 75), Fraction(2), rng.randint(50, 90), "melody") for k in range(20)],
        "organ",
    )


def test_a_take_that_is_chosen_while_it_rolls_is_heard_from_where_it_is_rendered(room: Room, session: Session) -> None:
    other = other_take(session)
    room.open(session)
    at = room.cue(48, 8.0)
    old, new = room.whole(session, 12), room.whole(other, 12)
    room.transport.play(1)
    room.roll(0.7)
    room.here.free.clear()
    room.open(other, anew=False)
    room.bot.waitUntil(lambda: bool(room.here.asked) and not room.here.free.is_set(), timeout=PATIENCE)
    meanwhile = room.roll(0.5, wait=False)
    assert np.abs(meanwhile - old[at + round(0.7 * RATE) :][: len(meanwhile)]).max() <= 2, "until then it is what it was"
    room.here.free.set()
    room.in_hand(at + round(1.2 * RATE), RATE)
    heard, here = room.roll(1.0), at + round(1.2 * RATE)
    assert np.abs(heard[FADE:] - new[here : here + len(heard)][FADE:]).max() <= 2
    share = np.arange(FADE)[:, None] / FADE
    faded = old[here : here + FADE] * (1 - share) + new[here : here + FADE] * share
    assert np.abs(heard[:FADE] - faded).max() <= 2, "ten milliseconds from one into the other"
    no_click(np.concatenate([meanwhile, heard]), np.concatenate([old, new]))
    assert room.sink.log == ["start"]


def test_back_and_forth_between_two_takes_nothing_is_rendered_twice(room: Room, session: Session) -> None:
    other = other_take(session)
    room.open(session)
    at = room.cue(0, 20.0)
    room.open(other, anew=False)
    room.in_hand(at, 20 * RATE)
    asked = len(room.here.asked)
    room.transport.play(1)
    for k in range(6):
        room.open(session if k % 2 else other, anew=False)
        room.roll(0.3)
    assert len(room.here.asked) <= asked + 4, "but for what lies further ahead"
    room.transport.stop()
    room.open(session, anew=False)
    at, heard = room.play(24, 0.5)
    assert np.abs(heard[BEGIN:] - room.whole(session, 3)[at : at + len(heard)][BEGIN:]).max() <= 2


def test_an_act_renders_no_more_than_it_changed(room: Room, session: Session) -> None:
    room.open(session)
    room.cue(0, 18.0)
    last, before = session.spans[2], len(room.here.asked)
    take = session.takes[last.scene.chosen or ""]
    changed = replace(
        session,
        takes={
            **session.takes,
            last.scene.chosen or "": replace(take, notes=tuple(row.moved(Fraction(1, 8)) for row in take.notes)),
        },
    )
    room.open(changed, anew=False)
    room.in_hand(0, 18 * RATE)
    first = int(last.seconds[0] * RATE) // STRETCH
    assert 0 < len(room.here.asked) - before <= AHEAD + 1 - first + 1


def test_a_session_that_is_closed_leaves_nothing_sounding_and_another_begins_with_its_own(room: Room, session: Session) -> None:
    room.open(session)
    room.cue(48, 4.0)
    room.transport.play(1)
    assert np.abs(room.roll(0.5)).max() > 500
    room.here.free.clear()
    room.sound.show(other_take(session), anew=True)
    heard = room.roll(0.5, wait=False)
    assert np.abs(heard[:FADE]).max() > 100, "it fades"
    assert not heard[FADE:].any(), "another session: nothing of the last one is left, and nothing of this is rendered"
    room.here.free.set()
    room.bot.waitUntil(lambda: room.sound.music.has(3 * RATE, RATE), timeout=PATIENCE)
    assert np.abs(room.roll(0.5)).max() > 500
    room.sound.show(None)
    heard = room.roll(0.5, wait=False)
    assert not heard[FADE:].any()
    assert not room.sound.plays_music


# when it sounds


@pytest.mark.parametrize("speed", [2.0, -1.0, 0.5, 4.0])
def test_a_shuttle_is_silent(room: Room, session: Session, speed: float) -> None:
    room.open(session)
    room.transport.locate(100)
    room.transport.play(speed)
    assert room.sink.log == []
    room.transport.play(1)
    assert room.sink.on
    assert room.sound.plays_music
    room.transport.play(speed)
    assert not room.sink.on


def test_the_picture_goes_by_the_music_where_the_film_has_no_sound(room: Room, session: Session) -> None:
    room.open(session)
    room.cue(24, 4.0)
    room.transport.play(1)
    room.clock.ns += 10**8
    room.transport.look()
    assert room.transport.frame == 24, "it waits for the first sample"
    for _ in range(200):
        room.clock.ns += round(STEP / RATE * 1e9 * 0.97)  # the output is that much faster than the machine's clock
        room.sink.pull(STEP)
        room.transport.look()
    heard = room.transport.timing.at(Fraction(24, 24) + Fraction(room.sink.played, RATE))
    assert abs(room.transport.frame - heard) <= 1


def test_it_is_off_while_a_daw_leads_unless_the_composer_asks(room: Room, session: Session) -> None:
    room.open(session)
    room.cue(48, 6.0)
    there = {"seconds": Fraction(2), "speed": 1.0}

    def reading() -> Reading:
        seconds = Fraction(there["seconds"])
        return Reading("locked", seconds, None, room.transport.timing.at(seconds), float(there["speed"]), 0.0, 0.0, "mtc", "")

    room.sound.listen_while_led(True)  # the film is another matter
    room.transport.follow(reading)
    room.transport.look()
    assert room.sink.log == []
    room.sound.listen_to_music_while_led(True)
    room.transport.look()
    assert room.sink.on
    heard = room.sink.pull(RATE)
    assert np.abs(heard[BEGIN:] - room.whole(session, 4)[2 * RATE : 3 * RATE][BEGIN:]).max() <= 2
    there["speed"] = 0.5
    room.transport.look()
    assert not room.sink.on
    there["speed"] = 1.0
    room.transport.look()
    assert room.sink.on
    room.wanted = False
    room.transport.look()
    assert not room.sink.on
    room.transport.follow(None)
    assert not room.sink.on


def test_volume_and_mute_are_faded_to_and_leave_the_output_alone(room: Room, session: Session) -> None:
    room.open(session)
    at = room.cue(48, 6.0)
    whole = room.whole(session, 8)
    room.transport.play(1)
    heard = [room.roll(0.5)]
    room.sound.turn_music_to(0.25)
    heard.append(room.roll(0.5))
    room.wanted = False
    heard.append(room.roll(0.5))
    room.wanted = True
    heard.append(room.roll(0.5))
    levels = (1, 0.25, 0, 0.25)
    for k, level in enumerate(levels):
        there = whole[at + k * RATE // 2 :][: len(heard[k])]
        assert np.abs(heard[k][FADE:] - there[FADE:] * level).max() <= 2, level
        fade = np.linspace(levels[k - 1], level, FADE)[:, None]
        assert k in (0, 3) or np.abs(heard[k][:FADE] - there[:FADE] * fade).max() <= 2, level
    no_click(np.concatenate(heard), whole)
    assert room.sink.log == ["start"]
    room.sound.turn_music_to(7)
    assert room.sound.music_volume == 1


def test_music_that_is_switched_on_while_a_silent_picture_rolls_comes_in(room: Room, session: Session) -> None:
    room.open(session)
    room.cue(48, 6.0)
    room.wanted = False
    room.transport.play(1)
    assert room.sink.log == []
    room.wanted = True
    room.sound.reconsider()
    assert np.abs(room.roll(0.5)).max() > 500
    assert room.sink.log == ["start"]


# what it costs


def test_of_a_long_reel_no_more_is_rendered_than_is_wanted_soon(room: Room) -> None:
    from long_sessions import long_session

    reel = long_session(330, 90, 40)
    room.open(reel)
    at = room.cue(24 * 3600)
    room.in_hand(at, AHEAD * STRETCH)
    assert at == 3600 * RATE
    assert len(room.here.asked) <= AHEAD + 3
    assert len(room.sound.music._now.keys) <= AHEAD + 3  # type: ignore[union-attr]


def test_what_is_in_hand_has_a_bound_and_what_is_heard_is_never_given_up_for_it(
    qapp: object, qtbot: QtBot, session: Session
) -> None:
    here = Here()
    most = 6
    music = MusicSound(lambda: here, memory=most * (STRETCH + OVER) * 4)
    music.show(session, anew=True)
    for at in (0, 4 * RATE, 12 * RATE, 2 * RATE, 18 * RATE):
        music.want(at)
        qtbot.waitUntil(lambda at=at: music.has(at, 2 * STRETCH), timeout=PATIENCE)  # type: ignore[misc]
        assert len(music._store) <= most
    music.close()
    assert MEMORY <= 200e6


def test_nothing_is_begun_before_there_is_something_to_hear(room: Room, session: Session) -> None:
    room.wanted = False
    room.open(session)
    room.sound._cued()
    room.sound._found()
    room.transport.play(1)
    assert room.sound.music._thread.ident is None
    room.transport.stop()
    assert room.here.asked == []


def test_at_rest_the_music_of_the_frame_is_made_ready(room: Room, session: Session) -> None:
    room.open(session)
    room.transport.locate(240)
    room.bot.waitUntil(lambda: room.sound.music.has(10 * RATE, RATE), timeout=PATIENCE)
    assert room.sink.log == [], "and nothing is played"


# what goes wrong


def test_the_window_waits_for_no_renderer(room: Room, session: Session) -> None:
    room.here.free.clear()
    room.open(session)
    room.sound.music.want(0)
    room.bot.waitUntil(lambda: bool(room.here.asked), timeout=PATIENCE)
    assert not room.sound.music.read(0, RATE).any()
    room.open(other_take(session), anew=False)
    assert not room.sound.music.has(0, 1)
    room.sound.music.close()
    assert room.here.closed
    assert not room.sound.music._thread.is_alive()


def test_while_the_music_of_a_reel_is_worked_out_and_swapped_the_window_turns(qapp: object, qtbot: QtBot) -> None:
    from long_sessions import long_session

    music, reels = MusicSound(Renderer), [long_session(330, 90, 40, seed=seed) for seed in (1, 2, 3)]
    with Watchdog() as away:
        for k, reel in enumerate(reels):
            music.show(reel, anew=k == 0)
            music.want(k * RATE)
            for _ in range(20):
                music.read(k * RATE, STEP)
                qtbot.wait(1)
            qtbot.waitUntil(lambda: music.has(0, 8 * RATE), timeout=PATIENCE)
    music.close()
    assert away.ticks > 10
    assert away.busy < 50


def test_what_fails_is_said_once_and_tried_again_when_the_music_is_switched_on(room: Room, session: Session) -> None:
    said: list[str] = []
    room.sound.music.failed.connect(lambda error: said.append(str(error)))
    room.here.error = MissingLibraryError("no soundfont", cure="install one")
    room.open(session)
    room.sound.music.want(0)
    room.bot.waitUntil(lambda: bool(said), timeout=PATIENCE)
    room.transport.play(1)
    assert not room.roll(0.3, wait=False).any()
    room.transport.locate(200)
    room.roll(0.3, wait=False)
    assert said == ["no soundfont; install one"]
    assert len(room.here.asked) == 1
    room.here.error = None
    room.sound.try_again()
    room.in_hand(round(room.transport.moment * RATE), RATE)
    assert np.abs(room.roll(0.5)).max() > 300


def test_a_fault_of_ours_ends_no_thread(room: Room, session: Session) -> None:
    said: list[str] = []
    room.sound.music.failed.connect(lambda error: said.append(str(error)))
    room.open(replace(session, takes={}))
    room.sound.music.want(0)
    room.bot.waitUntil(lambda: bool(said), timeout=PATIENCE)
    assert "a fault of ours" in said[0]
    room.sound.music.mend()
    room.open(session)
    room.in_hand(0, RATE)


def test_without_an_output_it_is_said_once_and_nothing_is_rendered(qapp: object, qtbot: QtBot, session: Session) -> None:
    here, clock = Here(), Hand()
    transport = Transport(clock)
    sound = Sound(transport, lambda: "no sound here", clock, music=lambda: here)
    said: list[str] = []
    sound.changed.connect(lambda: said.append(sound.word))
    transport.load(even(session.film.rate, session.film.frames))
    sound.show(session, anew=True)
    said.clear()
    for _ in range(3):
        transport.play(1)
        clock.ns += 10**9
        transport.look()
        transport.stop()
    assert transport.frame > 60
    assert said == ["no sound here"]
    assert here.asked == []
    sound.close()


def test_a_process_of_its_own_renders_the_same(qapp: object, qtbot: QtBot, session: Session, room: Room) -> None:
    music = MusicSound(Renderer)
    music.show(session, anew=True)
    music.want(0)
    qtbot.waitUntil(lambda: music.has(0, 4 * RATE), timeout=PATIENCE)
    music.begin()
    heard = music.read(RATE, 2 * RATE)
    assert np.abs(heard[BEGIN:] - room.whole(session, 3)[RATE:][BEGIN:]).max() <= 1
    music.close()
    assert isinstance(music, QObject)


# end to end


def sine(length: int, hertz: float, phase: float) -> Samples:
    wave = 12_000 * np.sin(2 * np.pi * hertz * np.arange(length) / RATE + phase)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.int16)


def test_stretches_that_come_and_go_and_places_that_leap_never_click() -> None:
    """Whatever is picked, and however it is read: no step that a tone of 200 Hz and a fade of ten milliseconds do not have."""
    rng, size = Random(8), 5 * FADE
    natural = 12_000 * 2 * np.pi * 200 / RATE + 2 * 12_000 / FADE
    for _ in range(20):
        splice, at, parts = Splice(size), 0, []
        have: dict[int, list[Samples | None]] = {
            k: [None, *(sine(size + OVER, 200, rng.random() * 6) for _ in range(2))] for k in range(-2, 40)
        }
        chosen = dict.fromkeys(have, 1)

        def pick(k: int, have: dict[int, list[Samples | None]] = have, chosen: dict[int, int] = chosen) -> Samples | None:
            return have[k][chosen[k]]

        splice.begin()
        while at < 30 * size:
            for k in rng.sample(sorted(have), 6):
                chosen[k] = rng.randrange(3)
            count = rng.choice((1, 37, STEP, 700))
            parts.append(splice.read(at, count, pick))
            at += count + (rng.choice((-900, 777)) if rng.random() < 0.05 and at > size else 0)
        heard = np.concatenate(parts)
        assert np.abs(np.diff(heard[BEGIN:], axis=0)).max() < natural * 1.1
        assert np.abs(heard).max() > 10_000


def test_stretches_that_follow_on_each_other_are_the_tone_that_they_were_cut_from() -> None:
    size = 5 * FADE
    tone = sine(20 * size + OVER, 313, 0)
    splice, parts, at = Splice(size), [], 0
    while at < 20 * size - STEP:
        parts.append(splice.read(at, STEP, lambda k: tone[k * size : (k + 1) * size + OVER]))
        at += STEP
    assert np.abs(np.concatenate(parts)[BEGIN:] - tone[:at][BEGIN:]).max() <= 0.01
