"""A real Ardour on JACK: our player locks to its timecode, Ardour records a composed cue, and what it recorded is read back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

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
PERIOD = 2048  # frames: a shorter one is missed on a machine that does other things too
TAKES = 5  # of one kind: one that a late server tore is not measured
DEADLINE_S = 30.0
OUTLET = Outlet("jack", "hitpoint", connect=("ardour:Gen/midi_in 1",))


@dataclass(frozen=True)
class Heard:
    """One note as Ardour recorded it: seconds of its timeline."""

    start: Fraction
    end: Fraction
    pitch: int
    channel: int


@dataclass
class Room:
    studio: peers.Studio
    ardour: Ardour
    player: Player
    session: Session
    calibration: Measured | None = None
    calibrated_at: int = 0

    def calibrate(self) -> Measured:
        """The first scene recorded as it is played, and held against it."""
        self.player.patch([Route(OUTLET, latency_ms=0.0)])
        first = replace(programme_of(self.session, [1]), start=START)
        return measured(on_timeline(first), [(note.start, note.pitch) for note in self._record(first, float(START) + 3.5)])

    def record(self, programme: Programme, until_s: float, swap: tuple[Programme, Fraction] | None = None) -> list[Heard]:
        """What Ardour recorded, after calibration, of a programme from its timeline's zero on, or of one that another took the place of
        in mid-take. A calibration holds until JACK's server is late with a period: then Ardour's time slips against JACK's."""
        for _ in range(TAKES):
            slips = self.studio.slips
            if self.calibration is None or self.calibrated_at != slips:
                self.calibration, self.calibrated_at = self.calibrate(), slips
            self.player.patch([Route(OUTLET, latency_ms=self.calibration.latency_ms)])
            notes = self._record(programme, until_s, swap)
            if self.studio.slips == slips:
                return notes
        pytest.skip(f"JACK's server was late with a period in each of {TAKES} takes: the machine is too busy to measure")

    def _record(self, programme: Programme, until_s: float, swap: tuple[Programme, Fraction] | None = None) -> list[Heard]:
        before = set(takes(self.studio.session))
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
        assert peers.until(lambda: len(set(takes(self.studio.session)) - before) == 1, 10)
        (new,) = set(takes(self.studio.session)) - before
        return takes(self.studio.session)[new]

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
        studio = peers.studio(made, PERIOD)
        patch.setenv("JACK_DEFAULT_SERVER", studio.server)
        patch.setenv("JACK_NO_START_SERVER", "1")
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))  # no latency that this machine's owner measured
        ardour = Ardour(Address(project=made.folder, timeout_s=10))
        player = Player(
            [Route(OUTLET, latency_ms=0.0)],
            [Inlet("jack", "hitpoint sync", connect=("ardour:MTC out",))],
        )
        try:
            player.wait(lambda s: all(x.peers and not x.fault for x in (*s.outlets, *s.inlets)) and bool(s.inlets), DEADLINE_S)
            yield Room(studio, ardour, player, session)
        finally:
            player.close()
            ardour.close()
            studio.end()


@pytest.fixture(scope="module")
def programme(room: Room) -> Programme:
    return replace(programme_of(room.session), start=START)


def test_ardours_markers_are_the_cuts_of_the_cue(room: Room) -> None:
    rate = room.session.film.rate
    frames = [marker.on_film(START, rate).frame for marker in room.ardour.markers()]
    assert frames == [cut.frame for cut in room.session.programme.cuts]


def test_the_latency_of_ardour_is_one_constant(room: Room) -> None:
    """One period and some samples, since Ardour makes up for the latency of its input."""
    for _ in range(TAKES):
        slips = room.studio.slips
        found = room.calibrate()
        if room.studio.slips == slips:
            break
    else:
        pytest.skip(f"JACK's server was late with a period in each of {TAKES} takes: the machine is too busy to measure")
    room.calibration, room.calibrated_at = found, slips
    print(f"\nArdour records {found.text()}")
    assert found.found == found.sent
    assert found.range_ms < 2
    assert abs(found.late_ms) < 3 * 1000 * PERIOD / 48000


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
