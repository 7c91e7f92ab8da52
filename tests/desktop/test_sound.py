"""The film's sound: the samples that go out are those of the frame that is shown, the picture goes by them, and silence has its reasons."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QIODevice
from pytestqt.qtbot import QtBot
from sounding_films import RATE, lag, truth, write_sounding

from bridge.chase import Reading
from desktop import film_sound
from desktop.audio_clock import LOST_S, WAIT_S, AudioClock
from desktop.click_sound import Beats
from desktop.film_sound import FilmSound
from desktop.outlet import Mix, speaker
from desktop.preferences import Preferences
from desktop.sound import Sound, sound_of
from desktop.transport import Transport
from desktop.window import Window
from engines.picture.reel import Reel

PATIENCE = 30_000
STEP = 480
"""Samples that the sink takes at once: ten milliseconds."""


class Hand:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


class Sink:
    """An output that plays as much as the test says, and keeps it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.played = 0
        self._source: QIODevice | None = None

    def start(self, source: QIODevice) -> None:
        assert self._source is None, "one thing at a time"
        self._source, self.played = source, 0
        self.log.append("start")

    def stop(self) -> None:
        self._source = None
        self.log.append("stop")

    @property
    def on(self) -> bool:
        return self._source is not None

    def pull(self, count: int) -> np.ndarray:
        assert self._source is not None
        read = self._source.read(4 * count)
        assert read is not None
        self.played += count
        return np.frombuffer(read, "<i2").reshape(-1, 2)


class Desk:
    """A film, a transport, its sound and a sink, under a clock that the test turns."""

    def __init__(self, qtbot: QtBot) -> None:
        self.bot, self.clock, self.sink = qtbot, Hand(), Sink()
        self.transport = Transport(self.clock)
        self.sound = Sound(self.transport, lambda: self.sink, self.clock)
        self.reel: Reel | None = None

    def open(self, path: Path) -> Reel:
        self.reel = Reel.open(path)
        self.transport.load(self.reel.timing)
        self.sound.open(self.reel)
        return self.reel

    def cue(self, frame: int) -> int:
        """Goes to a frame and waits until its sound is in hand; the sample that belongs to the frame."""
        self.transport.locate(frame)
        at, film = round(self.transport.seconds * RATE), self.sound.film
        assert film is not None
        film.want(at)
        self.bot.waitUntil(lambda: film.has(at, RATE), timeout=PATIENCE)
        return at

    def in_hand(self) -> None:
        """Waits for the decoder, which has not the time that a film gives it."""
        film, mix = self.sound.film, self.sound._mix
        if film is not None and mix is not None and self.sound.plays_film:
            at = round(self.sound._begins * RATE) + mix.read_on
            if not film.has(at, STEP):
                film.want(at)
                self.bot.waitUntil(lambda: film.has(at, STEP), timeout=PATIENCE)

    def roll(self, seconds: float, rate: float = 1.0) -> np.ndarray:
        """Time goes by, in which the sink plays at its own ``rate``; what it played."""
        parts = []
        for k in range(round(seconds * RATE / STEP)):
            self.clock.ns = self.clock.ns + round(STEP / RATE / rate * 1e9)
            self.in_hand()
            parts.append(self.sink.pull(STEP))
            if k % 2:
                self.transport.look()
        self.transport.look()
        return np.concatenate(parts)


@pytest.fixture
def desk(qapp: object, qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot)
    yield made
    made.transport.stop()
    made.sound.close()


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds at 24000/1001 with a click on the first sample of every tenth frame."""
    rate = Fraction(24_000, 1001)
    on = [round(frame / rate * RATE) for frame in range(0, 240, 10)]
    return write_sounding(tmp_path_factory.mktemp("sound") / "clicks.mov", 240, rate, on)


@pytest.mark.parametrize(
    ("film", "most"), [("big_buck_bunny_480p.mp4", 0), ("big_buck_bunny_720p.webm", 8), ("tears_of_steel_battle.webm", 160)]
)
def test_what_sounds_belongs_to_the_frame_that_is_shown_from_wherever_it_starts(
    desk: Desk, shared: Path, film: str, most: int
) -> None:
    """Within one block of the codec (1024 samples) by far: to the sample for mp4."""
    reel, whole = desk.open(shared / "media" / film), truth(shared / "media" / film)
    compared = 0
    for frame in (333, 100, 600, 239, 0, 500, 101):
        at = desk.cue(frame)
        desk.transport.play(1)
        heard = desk.roll(0.5)
        desk.transport.stop()
        assert at == round(reel.timing.time(frame) * RATE)
        if np.abs(heard).max() > 200:
            compared += 1
            assert abs(lag(heard, whole, at, 400)) <= most, frame
    assert compared >= 4


def test_the_click_of_a_frame_is_heard_as_the_frame_is_shown(desk: Desk, clicks: Path) -> None:
    """With a rate that no sample rate divides: wherever it begins, every click is on the sample on which its frame begins."""
    reel = desk.open(clicks)
    for frame in (0, 7, 90, 3, 151):
        at = desk.cue(frame)
        desk.transport.play(1)
        heard = desk.roll(1.0)
        for place in np.flatnonzero(heard[:, 0] > 10_000):
            shown = (at + int(place)) / Fraction(RATE)
            nearest = round(shown * reel.rate)
            assert nearest % 10 == 0
            assert abs(shown - reel.timing.time(nearest)) * RATE <= 1
        desk.transport.stop()


@pytest.mark.parametrize("rate", [1.0, 0.97, 1.03])
def test_the_picture_goes_by_the_sound_however_the_clocks_differ(desk: Desk, clicks: Path, rate: float) -> None:
    reel = desk.open(clicks)
    desk.cue(12)
    desk.transport.play(1)
    start = reel.timing.time(12)
    for _ in range(80):
        desk.roll(0.1, rate)
        heard = reel.timing.at(start + Fraction(desk.sink.played, RATE))
        assert abs(desk.transport.frame - heard) <= 1
    assert desk.clock.ns / 1e9 == pytest.approx(8 / rate, abs=0.01)


def test_the_picture_waits_for_the_first_sample_and_goes_on_alone_where_none_comes(desk: Desk, clicks: Path) -> None:
    desk.open(clicks)
    desk.cue(24)
    desk.transport.play(1)
    desk.clock.ns += round(WAIT_S * 0.9e9)
    desk.transport.look()
    assert desk.transport.frame == 24
    for _ in range(round(LOST_S * 20)):
        desk.clock.ns += round(0.05e9)
        desk.transport.look()
    assert 24 + 60 < desk.transport.frame < 24 + 76
    assert "does not answer" in desk.sound.word
    assert not desk.sink.on
    desk.transport.stop()
    desk.transport.play(1)
    assert not desk.sink.on, "not tried again by itself"
    desk.sound.switch(False)
    desk.sound.switch(True)
    assert desk.sink.on
    assert desk.sound.word == ""


def test_an_output_that_is_pulled_out_leaves_the_picture_where_it_was(desk: Desk, clicks: Path) -> None:
    desk.open(clicks)
    desk.cue(0)
    desk.transport.play(1)
    desk.roll(2.0)
    before = desk.transport.frame
    for _ in range(70):
        desk.clock.ns += round(0.05e9)
        desk.transport.look()
        assert 0 <= desk.transport.frame - before <= 7, "no leap"
        before = desk.transport.frame
    assert "does not answer" in desk.sound.word
    assert desk.transport.speed == 1


def test_an_output_that_pauses_goes_on_where_the_picture_is(desk: Desk, clicks: Path) -> None:
    """PulseAudio may take two seconds to begin again: the picture does not wait so long, and the sound is right from then on."""
    reel = desk.open(clicks)
    desk.cue(0)
    desk.transport.play(1)
    desk.roll(0.1)
    for _ in range(40):
        desk.clock.ns += round(0.05e9)
        desk.transport.look()
    assert desk.transport.frame > 40
    desk.roll(0.2)
    at = round(desk.transport.moment * RATE)
    found = [at + int(k) for k in np.flatnonzero(desk.roll(2.0)[:, 0] > 10_000)]
    on = [round(reel.timing.time(frame) * RATE) for frame in range(0, 240, 10)]
    assert len(found) >= 4
    assert all(min(abs(place - click) for click in on) < 600 for place in found), "within 12 ms"
    assert desk.sink.log == ["start"]
    assert desk.sound.word == ""


@pytest.mark.parametrize("speed", [2.0, -1.0, 0.5, 4.0])
def test_a_shuttle_is_silent(desk: Desk, clicks: Path, speed: float) -> None:
    desk.open(clicks)
    desk.transport.locate(100)
    desk.transport.play(speed)
    assert desk.sink.log == []
    desk.transport.play(1)
    assert desk.sink.on
    desk.transport.play(speed)
    assert not desk.sink.on


def test_going_elsewhere_while_it_rolls_sounds_from_there(desk: Desk, clicks: Path) -> None:
    reel = desk.open(clicks)
    desk.cue(0)
    desk.transport.play(1)
    desk.roll(0.5)
    desk.transport.locate(120)
    at, film = round(reel.timing.time(120) * RATE), desk.sound.film
    assert film is not None
    desk.bot.waitUntil(lambda: film.has(at, RATE), timeout=PATIENCE)
    assert np.flatnonzero(desk.roll(0.2)[:, 0] > 10_000).tolist() == [0], "frame 120 has a click"
    assert desk.sink.log == ["start", "stop", "start"]


def test_without_an_output_it_is_said_once_and_the_picture_plays_alone(qapp: object, qtbot: QtBot, clicks: Path) -> None:
    asked: list[int] = []

    def none() -> str:
        asked.append(1)
        return "no sound here"

    clock = Hand()
    transport = Transport(clock)
    sound = Sound(transport, none, clock)
    said: list[str] = []
    sound.changed.connect(lambda: said.append(sound.word))
    reel = Reel.open(clicks)
    transport.load(reel.timing)
    sound.open(reel)
    said.clear()
    for _ in range(3):
        transport.play(1)
        clock.ns += 10**9
        transport.look()
        transport.stop()
    assert transport.frame > 60
    assert said == ["no sound here"]
    sound.close()


def test_it_is_off_while_a_daw_leads_unless_the_composer_asks(desk: Desk, clicks: Path) -> None:
    desk.open(clicks)
    desk.cue(48)
    there = {"seconds": Fraction(2), "speed": 1.0}

    def reading() -> Reading:
        seconds = Fraction(there["seconds"])
        frame = desk.transport.timing.at(seconds)
        return Reading("locked", seconds, None, frame, float(there["speed"]), 0.0, 0.0, "mtc", "")

    desk.transport.follow(reading)
    desk.transport.look()
    assert desk.sink.log == []
    desk.sound.listen_while_led(True)
    desk.transport.look()
    assert desk.sink.on
    film = desk.sound.film
    assert film is not None
    desk.bot.waitUntil(lambda: film.has(2 * RATE, 2 * RATE), timeout=PATIENCE)
    mix = desk.sink._source
    for _ in range(100):
        desk.clock.ns += 10**7
        there["seconds"] = Fraction(there["seconds"]) + Fraction(1, 100)
        desk.sink.pull(STEP)
        desk.transport.look()
    assert desk.sink._source is mix
    assert desk.transport.frame == desk.transport.timing.at(Fraction(3)), "the DAW leads, not the sound"
    assert desk.sound.at() == pytest.approx(Fraction(3), abs=0.05)
    there["seconds"] = Fraction(5)
    desk.transport.look()
    assert desk.sound.at() == pytest.approx(Fraction(5), abs=0.05), "it goes along"
    there["speed"] = 0.0
    desk.transport.look()
    assert not desk.sink.on
    there["speed"] = 1.0
    desk.transport.look()
    assert desk.sink.on
    desk.transport.follow(None)
    assert not desk.sink.on


def test_what_sets_the_picture_right_takes_the_sound_along_without_a_pause(desk: Desk, clicks: Path) -> None:
    """The player's music leads where it is heard: it may be some milliseconds later than the picture began."""
    desk.open(clicks)
    desk.cue(0)
    desk.transport.play(1)
    desk.roll(1.0)
    desk.transport.set_right(Fraction(1) + Fraction(1, 10), Fraction(1, 50))
    desk.roll(0.5)
    assert desk.sink.log == ["start"]
    assert abs(desk.transport.frame - desk.transport.timing.at(Fraction(16, 10))) <= 1
    on = [round(frame * Fraction(1001, 24_000) * RATE) for frame in range(0, 240, 10)]
    heard = desk.roll(1.0)
    at = round(Fraction(16, 10) * RATE)
    found = [at + int(k) for k in np.flatnonzero(heard[:, 0] > 10_000)]
    assert len(found) >= 2
    assert all(min(abs(place - click) for click in on) <= 2 for place in found)


def test_film_and_click_go_out_together(desk: Desk, clicks: Path) -> None:
    desk.open(clicks)
    desk.cue(0)
    desk.transport.play(1)
    alone = desk.roll(1.0)
    desk.transport.stop()
    desk.cue(0)
    desk.sound.click(Beats(np.array([0.25, 0.75]), np.array([True, False])))
    assert not desk.sink.on
    desk.transport.play(1)
    both = desk.roll(1.0)
    more = np.abs(both.astype(int) - alone.astype(int)).max(1) > 300
    assert abs(int(np.argmax(more)) / RATE - 0.25) < 0.001
    assert not more[: round(0.25 * RATE)].any()
    desk.sound.click(None)
    assert not desk.sound.clicks
    assert desk.sound.plays_film


def test_volume_and_mute(desk: Desk, clicks: Path) -> None:
    desk.open(clicks)
    desk.cue(0)
    desk.sound.turn_to(0.25)
    desk.transport.play(1)
    assert desk.roll(0.3).max() == pytest.approx(32_767 / 4, abs=2)
    desk.sound.switch(False)
    assert not desk.sink.on
    desk.clock.ns += 10**9
    desk.transport.look()
    assert desk.transport.frame == desk.transport.timing.at(Fraction(13, 10)), "and the picture goes on"
    desk.sound.turn_to(7)
    assert desk.sound.volume == 1


def test_the_window_waits_for_no_decoder(qapp: object, clicks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that never answers: what it would give is silent, every call returns."""
    stuck, seen = threading.Event(), []

    @contextmanager
    def never(reel: Reel) -> Iterator[Callable[[int], Iterator[object]]]:
        seen.append(threading.current_thread().name)
        stuck.wait()
        yield lambda start: iter(())

    monkeypatch.setattr(film_sound, "held_open", never)
    film = FilmSound(Reel.open(clicks))
    film.want(0)
    assert not film.read(0, RATE).any()
    assert not film.has(0, RATE)
    film.close(wait=False)
    stuck.set()
    film.close()
    assert seen == ["film sound"]


def test_a_clock_in_steps_is_even() -> None:
    """An output that takes 40 ms at a time: the picture does not go in steps of 40 ms."""
    hand, played = Hand(), 0
    clock = AudioClock(Fraction(0), lambda: played, hand)
    told = []
    for k in range(500):
        hand.ns = k * 5_000_000
        played = k // 8 * 8 * 240
        at = clock.at()
        assert at is not None
        told.append(float(at))
    steps = np.diff(told[100:])
    assert steps.min() >= 0
    assert steps.max() < 0.02
    assert told[-1] == pytest.approx(499 * 0.005, abs=0.04)


def test_a_mix_is_held_within_its_bits(qapp: object) -> None:
    def loud(first: int, count: int) -> np.ndarray:
        return np.full((count, 2), 30_000, np.int16)

    mix = Mix(loud, loud)
    read = np.frombuffer(mix.read(400), "<i2")
    assert set(read.tolist()) == {32_767}
    assert mix.read_on >= 100


def test_the_speaker_of_this_machine_is_one_or_a_sentence(qapp: object) -> None:
    made = speaker()
    assert (isinstance(made, str) and made.endswith(".")) or hasattr(made, "start")


LOADS = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PyQt6.QtCore import QCoreApplication, QLibrary
from desktop import language, outlet

asked = []
real = language.Language.translate
language.Language.translate = lambda self, *said: asked.append(said) or real(self, *said)
app = QCoreApplication([])
language.speak(app, "zh")
tr = language.words("hits")
assert tr("missed") == "错过" and len(asked) == 1
asked.clear()
with language.wordless():
    assert not QLibrary("a library that is not there").load()
QLibrary("a library that is not there").load()
assert len(asked) == 1, "Qt asks for its own words"
asked.clear()
outlet.load()
assert asked == [], asked
assert tr("missed") == "错过"
"""


def test_while_sound_libraries_are_loaded_no_python_runs_that_could_wait_for_another_thread_that_loads() -> None:
    """It stood for ever: Qt's complaint was translated by Python while it held the system's lock on loading."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", LOADS], cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_window_keeps_how_loud_it_is_and_says_why_it_is_silent(
    window: Window, preferences: Preferences, clicks: Path, shared: Path, qtbot: QtBot
) -> None:
    sound, box = window.sound, window.transport_bar.sound
    assert sound is sound_of(window.transport)
    assert "no sound" in box.sign.accessibleDescription(), "nothing is open"
    assert not box.slider.isEnabled()
    sound.open(Reel.open(clicks))
    assert box.slider.isEnabled()
    assert box.sign.accessibleDescription() == "The film is heard with the picture."
    box.slider.setValue(40)
    assert sound.volume == 0.4
    window.actions_by_name["louder"].trigger()
    assert box.slider.value() == 50
    box.sign.click()
    assert not sound.on
    assert box.sign.accessibleDescription() == "The film is silent."
    assert (preferences.flag("sound", True), preferences.number("volume", 1)) == (False, 0.5)
    box.sign.click()
    sound._make = lambda: "No sound output on this machine: the picture plays alone."
    sound.restart()
    window.transport.load(Reel.open(clicks).timing)
    window.transport.play(1)
    assert window.viewer.toolTip() == sound.word == box.sign.accessibleDescription()
    status = window.statusBar()
    assert status is not None
    assert status.currentMessage() == sound.word
    window.transport.stop()
    window.sound.open(Reel.open(shared / "media" / "counter.mp4"))
    assert sound.film is None
