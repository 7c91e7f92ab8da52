"""What every DAW owes: it says what it has, not what it was told; a clip placed again takes the place of the old one; errors have cures."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_double import LiveDouble
from reaper_double import ReaperDouble, WebReaper
from sittings import scored

from bridge.daw import Address, Clip, Cue, Daw, ProjectMarker, Sound, confirm, open_daw
from bridge.daws import DAWS
from bridge.daws.ardour_file import ArdourFile
from bridge.daws.folder import Folder
from bridge.daws.generic import Generic
from bridge.daws.live import Live
from bridge.ports import MemoryPort
from engines.errors import DawError, OptionError, OutputError
from engines.score.smf import Score, read_smf, write_smf
from engines.score.smf_reader import Marker
from engines.session.model import Session
from engines.spotting.tempo import TempoMap

HERE = Path(__file__).resolve().parents[1]

MARKERS = (ProjectMarker(Fraction(2), "in"), ProjectMarker(Fraction(7, 2), "hit"))


class World(ABC):
    """A DAW with its double (or the real thing), seen from both sides."""

    def __init__(self, room: Path, opened: ExitStack) -> None:
        self.room, self.opened = room, opened
        self.daw = self.begin()
        opened.callback(self.daw.close)

    @abstractmethod
    def begin(self) -> Daw:
        """Starts the double, and opens the adapter."""

    @abstractmethod
    def notes(self) -> dict[str, int]:
        """How many notes each of our clips has on the DAW's side, by the clip's name or file."""

    @abstractmethod
    def mark(self) -> None:
        """Puts `MARKERS` into the project."""

    rolls = True


class FolderWorld(World):
    rolls = False

    def begin(self) -> Daw:
        return open_daw("folder", Address(folder=self.room / "for-the-daw"))

    def notes(self) -> dict[str, int]:
        ours = {path: read_smf(path).notes for path in (self.room / "for-the-daw").glob("*-scene-*-*.mid")}
        return {path.name: len(notes) for path, notes in ours.items()}

    def mark(self) -> None:
        folder = self.room / "for-the-daw"
        folder.mkdir(exist_ok=True)
        exported = Score(TempoMap.steady(96), (), markers=tuple(Marker(m.start, m.name) for m in MARKERS))
        write_smf(folder / "from-logic.mid", exported)


class GenericWorld(FolderWorld):
    rolls = False

    def begin(self) -> Daw:
        return Generic(Address(folder=self.room / "for-the-daw"), MemoryPort(), Fraction(24))


class ArdourWorld(World):
    """A session that Ardour 7.3 wrote, closed; Ardour itself is met in tests/e2e."""

    rolls = False

    def begin(self) -> Daw:
        from bridge.daws import ardour

        home = self.room / "film"
        (home / "interchange" / "film" / "midifiles").mkdir(parents=True)
        shutil.copy(HERE / "golden" / "ardour" / "film.ardour", home)
        patch = self.opened.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(ardour.LuaSession, "find", lambda: None)
        patch.setattr(ardour, "window_runs", lambda: False)
        return open_daw("ardour", Address(project=home, port=1, timeout_s=0.3))

    @property
    def file(self) -> ArdourFile:
        return ArdourFile.read(self.room / "film" / "film.ardour")

    def notes(self) -> dict[str, int]:
        sources = {row.get("id"): row.get("name", "") for row in self.file.root.iterfind("Sources/Source")}
        out = {}
        for playlist in self.file.playlists().values():
            for region in playlist.iterfind("Region"):
                path = self.file.midi_folder / sources[region.get("source-0")]
                out[region.get("name", "")] = len(read_smf(path).notes)
        return out

    def mark(self) -> None:
        file = self.file
        places = file.root.find("Locations")
        assert places is not None
        places.clear()
        for number, marker in enumerate(MARKERS, 9000):
            at = f"a{int(marker.start * file.units)}"
            ElementTree.SubElement(places, "Location", id=str(number), name=marker.name, start=at, end=at, flags="IsMark")
        (self.room / "film" / "film.ardour").write_bytes(ElementTree.tostring(file.root))


class LiveWorld(World):
    def begin(self) -> Daw:
        self.live = LiveDouble()
        self.opened.callback(self.live.close)
        return open_daw("live", Address(port=self.live.port, timeout_s=5))

    def notes(self) -> dict[str, int]:
        return {clip.name: len(clip.notes) for track in self.live.set.tracks for clip in track.slots if clip}

    def mark(self) -> None:
        self.live.set.cues = [(m.name, float(m.start * 96 / 60)) for m in reversed(MARKERS)]


class ReaperWorld(World):
    """The script alone, without the web interface."""

    port = 1

    def begin(self) -> Daw:
        self.reaper = ReaperDouble(self.room)
        self.opened.callback(self.reaper.close)
        self.reaper.tell("tempo 9.25 131.7")  # items and notes lie on both sides of a change of tempo
        self.reaper.dump()
        return open_daw("reaper", Address(box=self.reaper.box, port=self.port))

    def notes(self) -> dict[str, int]:
        return {row[1]: int(row[4]) for row in self.reaper.dump() if row[0] == "item"}

    def mark(self) -> None:
        for marker in reversed(MARKERS):
            self.reaper.tell(f"marker {float(marker.start)} {marker.name}")
        self.reaper.dump()  # it has read all of it


class WebReaperWorld(ReaperWorld):
    """The script for what is placed, the web interface for all else."""

    def begin(self) -> Daw:
        self.web = WebReaper()
        self.opened.callback(self.web.close)
        self.port = self.web.port
        return super().begin()

    def mark(self) -> None:
        self.web.markers = [(m.name, float(m.start)) for m in reversed(MARKERS)]


WORLDS = {
    "folder": FolderWorld,
    "generic": GenericWorld,
    "ardour": ArdourWorld,
    "live": LiveWorld,
    "reaper": ReaperWorld,
    "reaper, web": WebReaperWorld,
}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path: Path, trio: str) -> Iterator[World]:
    with ExitStack() as opened:
        yield WORLDS[request.param](tmp_path, opened)


@pytest.fixture(scope="module")
def session(trio: str) -> Session:
    """Three scenes with takes for three stems."""
    return scored((4, 3, 4))


def only_melody(cue: Cue, world: World) -> Cue:
    """For a DAW in which no track can be made: the one stem that it has a track for."""
    if not isinstance(world, ArdourWorld):
        return cue
    pieces = tuple(
        replace(
            piece, score=replace(piece.score, notes=tuple(n for n in piece.score.notes if n.stem == "melody"), stems=("melody",))
        )
        for piece in cue.pieces
    )
    return replace(cue, pieces=pieces)


def test_every_daw_is_tested() -> None:
    assert {name.partition(",")[0] for name in WORLDS} == set(DAWS)


def test_what_is_placed_lies_there_note_by_note(world: World, session: Session) -> None:
    cue = only_melody(Cue.of(session), world)
    placed = world.daw.place(cue, Fraction(5, 3))
    there = world.notes()
    assert sorted(there.values()) == sorted(len(clip.sounds) for clip in cue.clips)
    if placed.confirmed:
        assert [(c.key, len(c.sounds)) for c in placed.clips] == [(c.key, len(c.sounds)) for c in cue.clips]
        assert placed.worst_ms < 2
        for asked, got in zip(cue.clips, placed.clips, strict=True):
            pairs = zip(*(sorted(c.sounds, key=lambda s: (s.pitch, s.start)) for c in (asked, got)), strict=True)
            assert all(abs(a.start - b.start) < Fraction(2, 1000) and abs(a.end - b.end) < Fraction(4, 1000) for a, b in pairs)
    else:
        assert placed.clips == ()
    assert placed.said


def test_placed_again_it_lies_there_once(world: World, session: Session) -> None:
    cue = only_melody(Cue.of(session), world)
    world.daw.place(cue, Fraction(1))
    before = world.notes()
    world.daw.place(cue, Fraction(1))
    assert world.notes() == before


def test_one_scene_composed_again_replaces_its_clips_and_no_others(world: World, session: Session) -> None:
    cue = only_melody(Cue.of(session), world)
    world.daw.place(cue, Fraction(1))
    before = world.notes()
    middle = only_melody(Cue.of(session, [2]), world)
    thinner = replace(middle.pieces[0], score=replace(middle.pieces[0].score, notes=middle.pieces[0].score.notes[::2]))
    world.daw.place(replace(middle, pieces=(thinner,)), Fraction(1))
    after = world.notes()
    changed = {name for name in before if after.get(name) != before[name]}
    assert set(after) == set(before)
    assert len(changed) == len(middle.clips)
    fewer = {clip.key: len(clip.sounds) for clip in replace(middle, pieces=(thinner,)).clips}
    assert sorted(after[name] for name in changed) == sorted(fewer.values())


def test_a_scene_that_is_no_more_leaves_with_the_whole_cue(world: World, session: Session) -> None:
    cue = only_melody(Cue.of(session), world)
    world.daw.place(cue, Fraction(1))
    shorter = replace(cue, pieces=cue.pieces[:-1])
    world.daw.place(shorter, Fraction(1))
    assert len(world.notes()) == len(shorter.clips)


def test_markers_come_in_order(world: World) -> None:
    world.mark()
    # a microsecond: Live tells floats of 32 bits
    assert [(round(m.start, 6), m.name) for m in world.daw.markers()] == [(m.start, m.name) for m in MARKERS]


def test_the_transport_goes_where_it_is_sent_or_says_why_not(world: World) -> None:
    if not world.rolls:
        pytest.skip("what has no transport of its own is tested below")
    at = world.daw.go(Fraction(7, 2))
    assert at.seconds is not None
    assert abs(at.seconds - Fraction(7, 2)) < Fraction(1, 1000)
    assert world.daw.go(rolling=True).rolling is True
    assert world.daw.transport().rolling is True
    assert world.daw.go(Fraction(20)).rolling is True  # it goes on from there
    assert (world.daw.transport().seconds or 0) >= 20
    assert world.daw.go(rolling=False).rolling is False
    assert world.daw.transport().metre is not None


def test_it_is_reached_and_closed_as_often_as_one_likes(world: World) -> None:
    reach = world.daw.reach()
    assert reach.said
    world.daw.close()
    world.daw.close()


@pytest.mark.parametrize("name", DAWS)
def test_a_daw_that_is_not_there_is_one_line_with_a_cure(name: str, tmp_path: Path, session: Session) -> None:
    daw = open_daw(
        name, Address(folder=tmp_path / "files", box=tmp_path / "box", project=tmp_path / "none", port=9, timeout_s=0.2)
    )
    reach = daw.reach()
    assert reach.said
    if name not in ("folder", "generic"):
        assert reach.there is False
        assert reach.cure
        for act in (lambda: daw.place(Cue.of(session), Fraction(0)), daw.markers, daw.transport, lambda: daw.go(rolling=True)):
            with pytest.raises(DawError) as told:
                act()
            assert told.value.cure
            assert "\n" not in str(told.value)
    daw.close()


def test_music_before_the_project_begins_is_refused_and_a_silent_start_is_cut(session: Session) -> None:
    clip = Cue.of(session).clips[0]
    assert clip.start < 0
    rests = replace(clip, sounds=tuple(s for s in clip.sounds if s.start > 1))
    assert rests.begins(Fraction(0)) == 0
    assert rests.begins(Fraction(2)) == clip.start + 2
    with pytest.raises(DawError, match="before the project begins"):
        clip.begins(-clip.sounds[-1].start)


def test_a_name_that_is_no_daws_is_refused() -> None:
    with pytest.raises(OptionError, match="choose one of: folder"):
        open_daw("fl-studio")


def test_a_cue_without_takes_is_refused(session: Session) -> None:
    silent = replace(session, scenes=tuple(replace(scene, chosen=None) for scene in session.scenes))
    with pytest.raises(OptionError, match="no take to place"):
        Cue.of(silent)


def test_the_folder_never_writes_over_a_persons_work(tmp_path: Path, session: Session) -> None:
    daw = Folder(Address(folder=tmp_path))
    placed = daw.place(Cue.of(session), Fraction(0))
    mine = placed.files[0]
    mine.write_bytes(mine.read_bytes() + b"changed")
    changed = mine.read_bytes()
    with pytest.raises(OutputError, match="was changed since it was written"):
        daw.place(Cue.of(session), Fraction(0))
    assert mine.read_bytes() == changed
    mine.unlink()
    assert daw.place(Cue.of(session), Fraction(0)).files[0] == mine


def test_the_folder_touches_only_what_changed(tmp_path: Path, session: Session) -> None:
    daw = Folder(Address(folder=tmp_path))
    files = daw.place(Cue.of(session), Fraction(0)).files
    before = {path: path.stat().st_mtime_ns for path in files}
    daw.place(Cue.of(session), Fraction(0))
    assert {path: path.stat().st_mtime_ns for path in files} == before


def test_what_the_wire_to_live_loses_is_sent_again_and_letters_are_small(tmp_path: Path, session: Session) -> None:
    with ExitStack() as opened:
        world = LiveWorld(tmp_path, opened)
        lost = {b"/live/clip/add/notes": 2, b"/live/song/get/tempo": 1, b"/live/clip/get/notes": 1}

        def lose(datagram: bytes) -> bool:
            address = datagram.partition(b"\0")[0]
            lost[address] = lost.get(address, 0) - 1
            return lost[address] >= 0

        world.live.lose = lose
        cue = Cue.of(session)
        placed = world.daw.place(cue, Fraction(1))
        assert sum(world.notes().values()) == sum(len(clip.sounds) for clip in placed.clips)
        assert world.live.largest < 1400
        assert isinstance(world.daw, Live)
        world.daw.peer.timeout_s = 1  # it will wait in vain
        world.live.lose = lambda datagram: datagram.startswith(b"/live/clip/add/notes")
        with pytest.raises(DawError, match="has 0 notes"):
            world.daw.place(cue, Fraction(1))
        world.live.lose = lambda datagram: datagram.startswith(b"/live/clip_slot/create_clip")
        with pytest.raises(DawError, match="made no clip"):
            world.daw.place(cue, Fraction(1))


def test_a_session_that_a_silent_ardour_may_have_open_is_left_alone(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as opened:
        world = ArdourWorld(tmp_path, opened)
        monkeypatch.setattr("bridge.daws.ardour.window_runs", lambda: True)
        with pytest.raises(DawError, match="may be open in the Ardour"):
            world.daw.place(only_melody(Cue.of(session), world), Fraction(1))
        assert world.notes() == {}


def test_the_generic_daw_is_told_by_machine_control_and_claims_nothing(tmp_path: Path, session: Session) -> None:
    port = MemoryPort()
    daw = Generic(Address(folder=tmp_path), port, Fraction(25))
    daw.go(Fraction(3601, 25), rolling=True)
    assert [message.hex() for _, message in port.sent] == ["f07f7f06440601" + "2002180100" + "f7", "f07f7f0603f7"]
    assert daw.place(Cue.of(session), Fraction(0)).confirmed is False
    assert daw.reach().there is None
    daw.close()


sounds = st.builds(
    Sound,
    st.fractions(0, 100, max_denominator=960),
    st.integers(0, 127),
    st.fractions(101, 102, max_denominator=960),
    st.integers(1, 127),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(sounds, min_size=1, max_size=6, unique=True), st.data())
def test_no_wrong_note_is_ever_confirmed(rows: list[Sound], data: st.DataObject) -> None:
    asked = Clip("1m1/s1/melody", "s1", "melody", "a clip", Fraction(0), Fraction(102), tuple(sorted(rows)))
    got = list(asked.sounds)
    which = data.draw(st.integers(0, len(got) - 1))
    spoil = data.draw(st.sampled_from(("late", "lost", "pitch", "velocity", "none")))
    if spoil == "late":
        got[which] = replace(got[which], start=got[which].start + Fraction(1, 50))
    elif spoil == "lost":
        del got[which]
    elif spoil == "pitch":
        got[which] = replace(got[which], pitch=(got[which].pitch + 1) % 128)
    elif spoil == "velocity":
        got[which] = replace(got[which], velocity=got[which].velocity % 127 + 1)
    found = {asked.key: replace(asked, sounds=tuple(got))}
    if spoil == "none":
        assert confirm("double", [asked], found, Fraction(1, 100))[1] == 0
        return
    if sorted(got) == sorted(asked.sounds):
        return  # two equal notes took each other's places
    near = [s for s in asked.sounds if s.pitch == asked.sounds[which].pitch and s != asked.sounds[which]]
    if spoil == "late" and near:
        return  # it may stand for another one of its pitch
    with pytest.raises(DawError):
        confirm("double", [asked], found, Fraction(1, 100))


def test_a_clip_that_is_not_there_is_not_confirmed() -> None:
    asked = Clip("1m1/s1/melody", "s1", "melody", "a clip", Fraction(0), Fraction(1), ())
    with pytest.raises(DawError, match="does not have it now"):
        confirm("double", [asked], {}, Fraction(1, 100))
