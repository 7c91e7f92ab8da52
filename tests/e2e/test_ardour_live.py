"""A real Ardour on JACK: our player locks to its timecode, Ardour records a composed cue, and what it recorded is read back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median
from typing import TypeVar

import peers
import pytest
from sittings import unscored

from bridge.clock import SECOND
from bridge.daw import Address
from bridge.daws.ardour import Ardour
from bridge.daws.ardour_file import ArdourFile
from bridge.player import Inlet, Outlet, Player, Programme, Route
from bridge.player.calibration import Measured, measured
from bridge.player.writing import programme_of
from engines.picture.cut import Cut
from engines.picture.cutlist import CutList
from engines.score.smf import read_smf
from engines.session.deliver import landings
from engines.session.model import ChosenMap, Session
from engines.session.refill import Wish, refilled
from engines.spotting.hits import hits_from_cuts
from engines.spotting.tempo import TempoMap
from engines.watch import Watch

pytestmark = pytest.mark.slow  # in CI a check of its own

START = Fraction(2)  # of the film on Ardour's timeline, in seconds: the lock is there before the first note
PERIODS = (2048, 4096)  # frames: the shortest in which a machine that does other things too is in time
TAKES = 3  # of one kind with a period: one that a late server tore is not measured
DEADLINE_S = 30.0
T = TypeVar("T")
OUTLET = Outlet("jack", "hitpoint", connect=("ardour:Gen/midi_in 1",))


@dataclass(frozen=True)
class Heard:
    """One note as Ardour recorded it: seconds of its timeline."""

    start: Fraction
    end: Fraction
    pitch: int
    channel: int


@dataclass
class Desk:
    """What is opened with one period of JACK's: the server and Ardour on it, and our player at both ends of it."""

    studio: peers.Studio
    ardour: Ardour
    player: Player

    @classmethod
    def open(cls, made: peers.ArdourSession, period: int) -> Desk:
        studio = peers.studio(made, period)
        ardour = Ardour(Address(project=made.folder, timeout_s=10))
        player = Player([Route(OUTLET, latency_ms=0.0)], [Inlet("jack", "hitpoint sync", connect=("ardour:MTC out",))])
        desk = cls(studio, ardour, player)
        try:
            player.wait(lambda s: all(x.peers and not x.fault for x in (*s.outlets, *s.inlets)) and bool(s.inlets), DEADLINE_S)
        except BaseException:
            desk.close()
            raise
        return desk

    def close(self) -> None:
        self.player.close()
        self.ardour.close()
        self.studio.end()


class Room:
    """A cue, and a desk to record it at. Where JACK's server is late with a period again and again, it is opened with longer ones."""

    def __init__(self, made: peers.ArdourSession, session: Session) -> None:
        self.made, self.session = made, session
        self._periods = list(PERIODS)
        self.period = self._periods.pop(0)
        self.desk = Desk.open(made, self.period)
        self._calibration: Measured | None = None
        self._calibrated_at = 0

    @property
    def ardour(self) -> Ardour:
        return self.desk.ardour

    @property
    def player(self) -> Player:
        return self.desk.player

    def close(self) -> None:
        self.desk.close()

    def undisturbed(self, take: Callable[[], T]) -> T:
        """A take during which JACK's server was in time; fails where none can be had with any period."""
        while True:
            for _ in range(TAKES):
                slips = self.desk.studio.slips
                taken = take()
                if self.desk.studio.slips == slips:
                    return taken
                print(
                    f"\nJACK's server was late with {self.desk.studio.slips - slips} periods of {self.period} frames: once more"
                )
            if not self._periods:
                pytest.fail(f"JACK's server was late in each of {TAKES} takes with periods of {self.period} frames")
            self.desk.close()
            self.period, self._calibration = self._periods.pop(0), None
            self.desk = Desk.open(self.made, self.period)

    def calibrate(self) -> Measured:
        """The first scene recorded as it is played, and held against it, until two takes agree: Ardour learns how late its input is
        when ports are connected, and may be at it still while it records for the first time."""
        self.player.patch([Route(OUTLET, latency_ms=0.0)])
        first = replace(programme_of(self.session, [1]), start=START)
        found: list[Measured] = []
        while len(found) < 2 or abs(found[-1].late_ms - found[-2].late_ms) > 1:
            assert len(found) < TAKES + 1, f"Ardour's latency is no constant: {[one.late_ms for one in found]}"
            taken = self._record(first, float(START) + 3.5)
            found.append(measured(on_timeline(first), [(note.start, note.pitch) for note in taken]))
        self._calibration, self._calibrated_at = found[-1], self.desk.studio.slips
        return found[-1]

    def record(self, programme: Programme, until_s: float, swap: tuple[Programme, Fraction] | None = None) -> list[Heard]:
        """What Ardour recorded, after calibration, of a programme from its timeline's zero on, or of one that another took the place of
        in mid-take. A calibration holds until JACK's server is late with a period: then Ardour's time slips against JACK's."""

        def take() -> list[Heard]:
            known = self._calibration
            if known is None or self._calibrated_at != self.desk.studio.slips:
                known = self.calibrate()
            self.player.patch([Route(OUTLET, latency_ms=known.latency_ms)])
            return self._record(programme, until_s, swap)

        return self.undisturbed(take)

    def _record(self, programme: Programme, until_s: float, swap: tuple[Programme, Fraction] | None = None) -> list[Heard]:
        before = set(takes(self.made))
        self.ardour.go(Fraction(0), rolling=False)
        self.player.load(programme)
        self.player.follow()
        self.player.settle(timeout=DEADLINE_S)
        self.ardour.peer.send("/strip/recenable", 1, 1)
        self._arm(True)
        self.ardour.go(rolling=True)
        began = time.monotonic()
        status = self.player.wait(lambda s: s.reading is not None and s.reading.state == "locked", DEADLINE_S)
        print(f"\nlocked {time.monotonic() - began:.2f} s after the start: {status.reading and status.reading.why}")
        lead = next(standing for standing in status.standings if standing.leads)
        assert (lead.kind, lead.rate) == ("mtc", self.session.film.rate)
        if swap is not None:
            self.player.wait(lambda s: s.rolling and s.seconds >= swap[1], DEADLINE_S)
            self.player.swap(swap[0])
        assert peers.until(lambda: (self.ardour.transport().seconds or 0) > until_s, until_s + DEADLINE_S, 0.1)
        self.ardour.go(rolling=False)
        self.player.wait(lambda s: not s.rolling, DEADLINE_S)
        self._arm(False)
        self.ardour.markers()  # has it write its session's file
        assert peers.until(lambda: len(set(takes(self.made)) - before) == 1, 10)
        (new,) = set(takes(self.made)) - before
        return takes(self.made)[new]

    def _arm(self, on: bool) -> None:
        """Record or not; Ardour takes it back by itself when it stops."""
        if self._armed is not on:
            self.ardour.peer.send("/rec_enable_toggle")
        assert peers.until(lambda: self._armed is on, 5)

    @property
    def _armed(self) -> bool:
        return self.ardour.peer.ask("/record_enabled")[0] == 1


def takes(session: peers.ArdourSession) -> dict[str, list[Heard]]:
    """The notes of every region on the track, as the session's file and its MIDI files have them."""
    file = ArdourFile.read(session.file)
    sources = {row.get("id"): row.get("name", "") for row in file.root.iterfind("Sources/Source")}
    out = {}
    for region in file.playlists()["Gen"].iterfind("Region"):
        smf = read_smf(file.midi_folder / sources[region.get("source-0")])
        place = file.quarter(file.time(region.get("length", "").partition("@")[2])) - file.quarter(
            file.time(region.get("start", ""))
        )
        out[region.get("name", "")] = [
            Heard(
                file.seconds(place + Fraction(note.tick, smf.division)),
                file.seconds(place + Fraction(note.end_tick, smf.division)),
                note.pitch,
                note.channel,
            )
            for note in smf.notes
        ]
    return out


def on_timeline(programme: Programme) -> list[tuple[Fraction, int]]:
    """When its notes begin on Ardour's timeline, and their pitches."""
    return sorted((START + Fraction(note.on, SECOND), note.pitch) for part in programme.parts for note in part.notes)


def composed() -> Session:
    """Three scenes of a bar at 96 bpm, 24 fps: fifteen frames a beat, with hard cuts on four of the beats, and a take of each."""
    frames = 3 * 4 * 15
    cuts = [Cut(15 * beat, Fraction(15 * beat, 24)) for beat in (2, 4, 7, 10)]
    plain = unscored((1, 1, 1))
    session = replace(
        plain,
        film=replace(plain.film, frames=frames, duration=Fraction(frames, 24)),
        programme=CutList.of_cuts(cuts, Fraction(24), frames, title="a film"),
        hits=hits_from_cuts(cuts, Fraction(24), Fraction(frames, 24)),
        map=ChosenMap("steady", TempoMap.steady(96, 3), Fraction(96), 1.0),
    )
    for number in (1, 2, 3):
        session, _ = refilled(session, Wish(number), Watch())
    return session


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, trio: str) -> Iterator[Room]:
    """A cue of three scenes; Ardour with its cuts as markers, at its frame rate; our player connected to both ends of it."""
    session = composed()
    with peers.own_network(), pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("live")
        made = peers.ArdourSession(peers.ardour(), home / "film").make(("Gen",), bpm=96, beats=4)
        cuts = {f"cut {number}": START + cut.time for number, cut in enumerate(session.programme.cuts, 1)}
        made.edit(cuts, {}, "timecode_24")
        patch.setenv("JACK_DEFAULT_SERVER", peers.server_name())
        patch.setenv("JACK_NO_START_SERVER", "1")
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))  # no latency that this machine's owner measured
        room = Room(made, session)
        try:
            yield room
        finally:
            room.close()


@pytest.fixture(scope="module")
def programme(room: Room) -> Programme:
    return replace(programme_of(room.session), start=START)


def test_ardours_markers_are_the_cuts_of_the_cue(room: Room) -> None:
    rate = room.session.film.rate
    frames = [marker.on_film(START, rate).frame for marker in room.ardour.markers()]
    assert frames == [cut.frame for cut in room.session.programme.cuts]


def test_the_latency_of_ardour_is_one_constant(room: Room) -> None:
    """None at all: Ardour makes up for the latency of its input, and we are no ring with it that JACK would open by a period."""
    found = room.undisturbed(room.calibrate)
    print(f"\nArdour records {found.text()}")
    assert found.found == found.sent
    assert found.range_ms < 2
    assert abs(found.late_ms) < 2


def test_a_cue_recorded_lands_on_its_cuts_and_a_scene_swapped_on_the_way_leaves_nothing_behind(
    room: Room, programme: Programme
) -> None:
    changed, _ = refilled(room.session, Wish(3, seed=99), Watch())
    other = replace(programme_of(changed), start=START)
    assert on_timeline(other) != on_timeline(programme)
    seam = Fraction(other.bars[2], SECOND)  # where the third scene begins
    end = START + Fraction(programme.length, SECOND)
    recorded = room.record(programme, float(end) + 0.5, (other, seam - 1))

    played = [row for row in on_timeline(programme) if row[0] < START + seam]
    played += [row for row in on_timeline(other) if row[0] >= START + seam]
    heard = sorted((note.start, note.pitch) for note in recorded)
    assert Counter(pitch for _, pitch in heard) == Counter(pitch for _, pitch in played)
    assert Counter(pitch for at, pitch in heard if at > START + seam - Fraction(1, 100)) == Counter(
        pitch for at, pitch in played if at >= START + seam
    )
    errors = errors_of(played, heard)
    print(f"\n{len(errors)} notes: median {median(errors):+.3f} ms, from {min(errors):+.3f} to {max(errors):+.3f} ms")
    assert max(errors) - min(errors) < 2
    assert max(map(abs, errors)) < 1000 / float(room.session.film.rate)

    caught = [START + landing.hit.time for landing in landings(changed) if landing.landed_by != "none"]
    assert len(caught) == len(room.session.programme.cuts)
    for cut in caught:
        nearest = min((at for at, _ in heard), key=lambda at: abs(at - cut))
        assert abs(nearest - cut) < 1 / room.session.film.rate
        assert abs(nearest - cut) < Fraction(2, 1000)
    assert all(note.end > note.start for note in recorded)
    assert all(note.end < end + 1 for note in recorded)  # no note hangs: Ardour ends one that does at the end of the take


def errors_of(played: list[tuple[Fraction, int]], heard: list[tuple[Fraction, int]]) -> list[float]:
    """Milliseconds by which each note was recorded late, the notes of each pitch in their order."""
    by_pitch = [sorted(rows, key=lambda row: (row[1], row[0])) for rows in (played, heard)]
    return [float(b[0] - a[0]) * 1000 for a, b in zip(*by_pitch, strict=True)]


def test_a_jump_while_it_rolls_is_followed_and_a_stop_ends_every_note(room: Room, programme: Programme) -> None:
    room.ardour.go(Fraction(0), rolling=False)
    room.player.load(programme)
    room.player.follow()
    room.player.settle(timeout=DEADLINE_S)
    room.ardour.go(rolling=True)
    room.player.wait(lambda s: s.rolling and s.seconds > 0 and bool(s.sounding), DEADLINE_S)
    room.ardour.go(START + 5)
    room.player.wait(
        lambda s: s.rolling and s.seconds >= 5 and s.reading is not None and s.reading.state == "locked", DEADLINE_S
    )  # fmt: skip
    room.ardour.go(rolling=False)
    status = room.player.wait(lambda s: not s.rolling and not s.sounding, DEADLINE_S)
    assert status.seconds >= 5
    assert not any(port.fault for port in (*status.outlets, *status.inlets))
