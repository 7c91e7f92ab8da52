"""A real Ardour without a screen, over OSC and its session file: markers in, locate, follow, clips placed, and a crash in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import peers
import pytest
from sittings import scored

from bridge.chase import Chase, Reading
from bridge.clock import MonotonicClock
from bridge.daw import Address, Cue
from bridge.daws.ardour import Ardour
from bridge.transport import Report
from engines.errors import DawError
from engines.session.deliver import score_of

RATES = {
    "24": Fraction(24),
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
}
FRAMES = (0, 62, 130, 250, 311, 86400)
SAMPLE_RATE = 48000
DEADLINE_S = 30.0


@dataclass
class Host:
    session: peers.ArdourSession
    peer: peers.Peer

    def adapter(self, timeout_s: float = 5.0) -> Ardour:
        return Ardour(Address(project=self.session.folder, timeout_s=timeout_s))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Ardour with a session of 96 bpm in 3/4, with markers on the frames of every rate."""
    with peers.own_network():
        session = peers.ArdourSession(peers.ardour(), tmp_path_factory.mktemp("ardour") / "film").make(("Gen",))
        markers = {f"{name} {frame}": frame / rate for name, rate in RATES.items() for frame in FRAMES}
        session.edit(markers, {"scene A": (Fraction(62, 25), Fraction(130, 25))}, "timecode_25")
        made = Host(session, peers.dummy_host(session))
        try:
            yield made
        finally:
            made.peer.end()


@pytest.fixture
def ardour(host: Host) -> Iterator[Ardour]:
    adapter = host.adapter()
    yield adapter
    adapter.close()


def test_it_says_what_it_has_open(ardour: Ardour) -> None:
    reach = ardour.reach()
    assert reach.there
    assert reach.facts["tracks"] == ["Gen"]
    assert reach.facts["sample_rate"] == SAMPLE_RATE
    assert reach.facts["session"] == "peer"


def test_its_markers_are_the_cuts_to_the_frame_at_every_rate(ardour: Ardour) -> None:
    found = {marker.name: marker for marker in ardour.markers()}
    for name, rate in RATES.items():
        assert [found[f"{name} {frame}"].on_film(Fraction(0), rate).frame for frame in FRAMES] == list(FRAMES)
    scene = found["scene A"].on_film(Fraction(0), Fraction(25))
    assert (scene.frame, scene.length) == (62, 68)


def test_it_goes_to_the_exact_sample_and_rolls_and_stops(ardour: Ardour) -> None:
    for sample in (119_040, 1, 0, 2_000_003):
        at = ardour.go(Fraction(sample, SAMPLE_RATE))
        assert at.seconds == Fraction(sample, SAMPLE_RATE)
        assert at.rolling is False
    ardour.go(Fraction(0))
    assert ardour.go(rolling=True).rolling is True
    assert peers.until(lambda: (ardour.transport().seconds or 0) > Fraction(1, 2), 10)
    assert ardour.go(rolling=False).rolling is False
    there = ardour.transport()
    assert there.seconds == ardour.transport().seconds
    assert (there.bpm, str(there.metre)) == (96.0, "3/4")


def test_a_marker_set_in_ardour_arrives(ardour: Ardour) -> None:
    ardour.go(Fraction(263_040, SAMPLE_RATE))
    ardour.peer.send("/add_marker", "CUT-X")
    assert peers.until(lambda: any(m.name == "CUT-X" for m in ardour.markers()), 10)
    (mark,) = [m for m in ardour.markers() if m.name == "CUT-X"]
    assert mark.on_film(Fraction(0), Fraction(25)).frame == 137
    assert abs(mark.start - Fraction(263_040, SAMPLE_RATE)) < Fraction(1, SAMPLE_RATE)


def test_the_chase_follows_it_through_a_locate(ardour: Ardour) -> None:
    chase, clock = Chase(Fraction(25)), MonotonicClock()

    def comes(what: str, true: Callable[[Reading], bool]) -> None:
        assert peers.until(lambda: true(chase.at(clock.now_ns())), DEADLINE_S), f"not {what}: {chase.at(clock.now_ns())}"

    ardour.go(Fraction(10))
    ardour.follow(chase.hear)
    comes("at frame 250", lambda reading: reading.frame == 250)
    ardour.go(rolling=True)
    comes("locked at its speed", lambda reading: reading.state == "locked" and abs(reading.speed - 1) < 0.2)
    ardour.go(Fraction(40))
    comes("on its way from 40 s", lambda reading: reading.state == "locked" and (reading.seconds or 0) >= Fraction(81, 2))
    assert ardour.transport().rolling is True
    ardour.go(rolling=False)
    comes("stopped", lambda reading: reading.state == "stopped")


def test_what_is_open_in_ardour_is_not_written_over(ardour: Ardour, host: Host, trio: str) -> None:
    before = host.session.file.read_bytes()
    with pytest.raises(DawError, match="has this session open"):
        ardour.place(Cue.of(scored((3,))), Fraction(1))
    assert host.session.file.read_bytes() == before


def test_another_port_answers_nothing(host: Host) -> None:
    elsewhere = Ardour(Address(port=peers.free_port(), timeout_s=1))
    assert elsewhere.reach().there is False
    with pytest.raises(DawError, match="does not answer"):
        elsewhere.transport()
    elsewhere.close()


def test_after_a_crash_it_is_followed_again(host: Host) -> None:
    heard: list[Report] = []
    ardour = host.adapter()
    try:
        ardour.follow(heard.append)
        assert peers.until(lambda: len(heard) > 0, 10)
        host.peer.kill()
        assert ardour.reach().there is False
        host.peer = peers.dummy_host(host.session)
        heard.clear()
        assert peers.until(lambda: ardour.reach().there is True, 20)
        ardour.go(Fraction(7), rolling=True)
        assert peers.until(lambda: any((r.seconds or 0) > 7 for r in heard), 20)
        ardour.go(rolling=False)
    finally:
        ardour.close()


def test_clips_go_into_a_closed_session_and_ardour_reads_them_back(host: Host, tmp_path: Path, trio: str) -> None:
    """Last of this module, on a session of its own; the tempo of the session is not that of the cue."""
    session = peers.ArdourSession(peers.ardour(), tmp_path / "closed").make(("melody",), bpm=131)
    ardour = Ardour(Address(project=session.folder, port=peers.free_port(), timeout_s=1))
    take = scored((3, 3))
    cue = Cue.of(take)
    placed = ardour.place(cue, Fraction(1))
    assert placed.confirmed
    assert [clip.key for clip in placed.clips] == [clip.key for clip in cue.clips]
    assert placed.worst_ms < 1000 * 60 / 131 / 1920 + 0.03  # a tick, and a sample
    assert {note.stem for note in score_of(take).notes} == set(placed_tracks(session))
    ardour.close()


def placed_tracks(session: peers.ArdourSession) -> list[str]:
    """The tracks that have regions, as Ardour says after opening the session afresh."""
    printed = session.run(
        'local s = load_session (os.getenv ("PEER_FOLDER"), os.getenv ("PEER_NAME"))\n'
        "for r in s:get_tracks ():iter () do\n"
        '  for _ in r:to_track ():playlist ():region_list ():iter () do print ("HAS " .. r:name ()) break end\n'
        "end\nclose_session ()\nquit ()\n"
    )
    return [line.removeprefix("HAS ") for line in printed.splitlines() if line.startswith("HAS ")]
