"""Editors: what their scripts hand over is read as a cut list, to the frame; a file that is exported again is noticed once it is whole."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from threading import Event
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.editors import blender_addon, resolve_script
from bridge.editors.watched import WatchedFile, editor, editor_place
from engines.errors import CutListError, DawError
from engines.picture import cutlist
from engines.picture.timecode import Timecode, drops

# --- a watched file


def looks(watched: WatchedFile, count: int = 3) -> int:
    return sum(watched.look() for _ in range(count))


def test_a_file_exported_again_is_told_of_once(tmp_path: Path) -> None:
    path, told = tmp_path / "cut.edl", list[str]()
    path.write_text("one")
    watched = WatchedFile(path, lambda p: told.append(p.read_text()))
    assert looks(watched) == 0
    path.write_text("two")
    assert looks(watched) == 1
    assert looks(watched) == 0
    path.write_text("three")
    path.unlink()
    assert looks(watched) == 0
    path.write_text("four")
    assert looks(watched) == 1
    assert told == ["two", "four"]


def test_the_same_content_written_again_is_no_new_cut(tmp_path: Path) -> None:
    path = tmp_path / "cut.edl"
    path.write_text("one")
    watched = WatchedFile(path, lambda _: pytest.fail("nothing changed"))
    os.utime(path, ns=(1, 1))
    assert looks(watched) == 0


def test_a_file_that_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    path, told = tmp_path / "cut.edl", list[str]()
    watched = WatchedFile(path, lambda p: told.append(p.read_text()))
    text = ""
    for number in range(5):
        text += f"line {number}\n"
        path.write_text(text)
        assert watched.look() is False
    assert looks(watched) == 1
    assert told == [text]


def test_a_file_that_lay_there_before_is_news_if_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "cut.edl"
    path.write_text("one")
    assert looks(WatchedFile(path, lambda _: None, known=False)) == 1


def test_a_bundle_of_final_cut_is_watched_by_what_is_in_it(tmp_path: Path) -> None:
    bundle = tmp_path / "cut.fcpxmld"
    bundle.mkdir()
    (bundle / "Info.fcpxml").write_text("<fcpxml/>")
    watched = WatchedFile(bundle, lambda _: None)
    (bundle / "Info.fcpxml").write_text("<fcpxml version='1.11'/>")
    assert looks(watched) == 1


def test_the_thread_tells_and_ends(tmp_path: Path) -> None:
    path, told = tmp_path / "cut.edl", Event()
    watched = WatchedFile(path, lambda _: told.set(), every_s=0.01).start()
    path.write_text("one")
    assert told.wait(20)
    watched.close()
    watched.close()


# --- Blender, a double of its values


@dataclass
class Strip:
    frame_final_start: int
    frame_final_end: int
    channel: int
    type: str = "COLOR"
    name: str = ""
    mute: bool = False
    filepath: str = ""
    frame_start: float = 0.0


def scene(*strips: Strip, fps: int = 24, base: float = 1.0, first: int = 1, last: int = 311) -> Any:
    markers = [SimpleNamespace(name="HIT", frame=201), SimpleNamespace(name="before", frame=0)]
    editor = SimpleNamespace(sequences_all=list(reversed(strips)))  # their order is not the timeline's
    render = SimpleNamespace(fps=fps, fps_base=base)
    return SimpleNamespace(
        name="Scene", frame_start=first, frame_end=last, frame_current=63, render=render, sequence_editor=editor,
        timeline_markers=markers,
    )  # fmt: skip


def handed(table: dict[str, Any], tmp_path: Path) -> cutlist.CutList:
    path = tmp_path / "cuts.json"
    path.write_text(json.dumps(table))
    return cutlist.read(path)


def test_blenders_strips_become_cuts_from_the_films_first_frame(tmp_path: Path) -> None:
    strips = [Strip(a + 1, b + 1, 1, name=f"shot{a}") for a, b in ((0, 62), (62, 130), (130, 250), (250, 311))]
    strips += [
        Strip(1, 312, 9, "SOUND", "music"),
        Strip(50, 90, 8, "TEXT", "title"),
        Strip(100, 200, 7, "COLOR", "off", mute=True),
    ]
    found = handed(blender_addon.cut_list(scene(*strips), "Blender", "film"), tmp_path)
    assert [cut.frame for cut in found.cuts] == [62, 130, 250]
    assert (found.rate, found.frames, found.title) == (Fraction(24), 311, "film")
    assert [(m.frame, m.name) for m in found.markers] == [(200, "HIT")]


def test_what_is_seen_is_the_highest_channel_and_one_film_that_goes_on_is_not_cut(tmp_path: Path) -> None:
    film = [
        Strip(1, 101, 1, "MOVIE", "a", filepath="//a.mov", frame_start=1.0),
        Strip(101, 312, 1, "MOVIE", "a.001", filepath="//a.mov", frame_start=1.0),
    ]
    over = Strip(151, 181, 2, "IMAGE", "insert")
    found = handed(blender_addon.cut_list(scene(*film, over), "Blender", "film"), tmp_path)
    assert [cut.frame for cut in found.cuts] == [150, 180]


def test_a_cross_is_one_dissolve_at_its_middle(tmp_path: Path) -> None:
    strips = [Strip(1, 111, 1, name="a"), Strip(91, 312, 2, name="b"), Strip(91, 111, 3, "CROSS", "mix")]
    (cut,) = handed(blender_addon.cut_list(scene(*strips), "Blender", "film"), tmp_path).cuts
    assert (cut.frame, cut.kind, cut.length) == (100, "dissolve", 20)


@pytest.mark.parametrize(("fps", "base", "rate"), [(24, 1.001, "24000/1001"), (30, 1.00100004673, "30000/1001"), (25, 1.0, "25")])
def test_blenders_rate_is_exact(fps: int, base: float, rate: str) -> None:
    assert blender_addon.rate_of(scene(fps=fps, base=base)) == rate


def test_a_blender_without_a_sequencer_has_no_cuts() -> None:
    empty = scene()
    empty.sequence_editor = None
    assert blender_addon.cuts_of(empty) == []


def test_the_add_on_registers_writes_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a bpy that keeps what it is given; the real one is met in the slow test."""
    kept: list[Any] = []
    timers = SimpleNamespace(
        register=lambda call, **_: kept.append(call), unregister=kept.remove, is_registered=lambda call: call in kept
    )
    bpy: Any = ModuleType("bpy")
    bpy.types = SimpleNamespace(Operator=object, Panel=object, Scene=type("Scene", (), {}))
    bpy.props = SimpleNamespace(BoolProperty=lambda **about: about)
    bpy.utils = SimpleNamespace(register_class=kept.append, unregister_class=kept.remove)
    bpy.app = SimpleNamespace(timers=timers, version_string="4.2.0")
    bpy.data = SimpleNamespace(filepath="/films/edit.blend")
    bpy.context = SimpleNamespace(scene=scene(Strip(1, 100, 1, name="a"), Strip(100, 312, 1, name="b")))
    monkeypatch.setitem(sys.modules, "bpy", bpy)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    blender_addon.register()
    assert blender_addon.look() == blender_addon.EVERY_S
    found = cutlist.read(tmp_path / ".hitpoint" / "editor" / "cuts.json")
    assert (found.title, [cut.frame for cut in found.cuts]) == ("edit", [99])
    place = editor_place(tmp_path / ".hitpoint" / "editor")
    assert place is not None
    assert (place.program, place.frame, str(place.timecode)) == ("Blender 4.2.0", 62, "00:00:02:14")
    blender_addon.unregister()
    assert kept == []


@pytest.mark.slow
def test_a_real_blender_hands_its_cuts_over(tmp_path: Path) -> None:
    program = shutil.which("blender")
    if program is None:
        pytest.skip("no Blender here: apt-get install blender")
    make = tmp_path / "make.py"
    make.write_text(
        "import bpy\n"
        "scene = bpy.context.scene\n"
        "scene.render.fps, scene.render.fps_base = 24, 1.001\n"
        "scene.frame_start, scene.frame_end = 1, 311\n"
        "strips = scene.sequence_editor_create().sequences\n"
        "for number, (a, b) in enumerate([(0, 62), (62, 130), (130, 250), (250, 311)]):\n"
        "    strips.new_effect(name='shot%d' % number, type='COLOR', channel=1, frame_start=a + 1, frame_end=b + 1)\n"
        "scene.timeline_markers.new('HIT', frame=201)\n"
        f"bpy.ops.wm.save_as_mainfile(filepath={str(tmp_path / 'edit.blend')!r})\n"
    )
    home = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([program, "-b", "--factory-startup", "-P", str(make)], env=home, check=True, capture_output=True, timeout=120)
    command = [program, "-b", str(tmp_path / "edit.blend"), "-P", blender_addon.__file__]
    done = subprocess.run(command, env=home, check=True, capture_output=True, text=True, timeout=120)
    assert "Error" not in done.stderr
    found = cutlist.read(tmp_path / ".hitpoint" / "editor" / "cuts.json")
    assert [cut.frame for cut in found.cuts] == [62, 130, 250]
    assert (found.rate, found.frames, found.title) == (Fraction(24000, 1001), 311, "edit")
    assert [(m.frame, m.name) for m in found.markers] == [(200, "HIT")]


# --- Resolve, a double of its module


@dataclass
class Item:
    start: int
    end: int
    name: str
    offset: int = 0

    def GetStart(self) -> int:
        return self.start

    def GetEnd(self) -> int:
        return self.end

    def GetName(self) -> str:
        return self.name

    def GetLeftOffset(self) -> int:
        return self.offset


@dataclass
class Timeline:
    """As the scripting guide of Resolve has it: tracks from 1, items at absolute frames, markers from the timeline's first frame."""

    tracks: list[list[Item]]
    first: int = 86400
    last: int = 86400 + 311
    rate: str = "24"
    drop: str = "0"
    start: str = "01:00:00:00"
    now: str = "01:00:02:14"
    markers: dict[float, dict[str, Any]] = field(default_factory=dict)
    off: set[int] = field(default_factory=set)

    def GetName(self) -> str:
        return "Cut 7"

    def GetStartFrame(self) -> int:
        return self.first

    def GetEndFrame(self) -> int:
        return self.last

    def GetStartTimecode(self) -> str:
        return self.start

    def GetCurrentTimecode(self) -> str:
        return self.now

    def GetSetting(self, name: str) -> str:
        return {"timelineFrameRate": self.rate, "timelineDropFrameTimecode": self.drop}[name]

    def GetTrackCount(self, kind: str) -> int:
        assert kind == "video"
        return len(self.tracks)

    def GetIsTrackEnabled(self, kind: str, index: int) -> bool:
        return index not in self.off

    def GetItemListInTrack(self, kind: str, index: int) -> list[Item] | None:
        assert index >= 1
        return self.tracks[index - 1] or None

    def GetMarkers(self) -> dict[float, dict[str, Any]]:
        return self.markers


def application(timeline: Timeline | None) -> Any:
    project = SimpleNamespace(GetCurrentTimeline=lambda: timeline)
    manager = SimpleNamespace(GetCurrentProject=lambda: project)
    return SimpleNamespace(
        GetProjectManager=lambda: manager, GetProductName=lambda: "DaVinci Resolve Studio", GetVersionString=lambda: "19.0"
    )


EDGES = (0, 62, 130, 250, 311)


def shots(at: int = 86400) -> list[Item]:
    return [Item(at + a, at + b, f"shot{a}.mov", 100) for a, b in itertools.pairwise(EDGES)]


def test_resolves_items_are_cuts_from_the_timelines_first_frame(tmp_path: Path) -> None:
    marker = {"color": "Blue", "duration": 1.0, "note": "the door", "name": "HIT", "customData": ""}
    timeline = Timeline([shots(), [Item(86400 + 150, 86400 + 170, "insert.mov")], []], markers={200.0: marker})
    assert resolve_script.hand_over(application(timeline), str(tmp_path)) == str(tmp_path / "cuts.json")
    found = cutlist.read(tmp_path / "cuts.json")
    assert [cut.frame for cut in found.cuts] == [62, 130, 150, 170, 250]
    assert (str(found.start), found.rate, found.frames, found.title) == ("01:00:00:00", Fraction(24), 311, "Cut 7")
    assert [(m.frame, m.name, m.comment, m.colour, m.length) for m in found.markers] == [(200, "HIT", "the door", "Blue", 0)]
    place = editor_place(tmp_path)
    assert place is not None
    assert (place.frame, str(place.timecode), place.program) == (62, "01:00:02:14", "DaVinci Resolve Studio 19.0")
    assert "stands at 01:00:02:14" in editor(tmp_path).said


def test_a_track_that_is_off_and_a_clip_that_goes_on_are_no_cuts() -> None:
    split = [Item(86400, 86500, "a.mov", 0), Item(86500, 86711, "a.mov", 100)]
    timeline = Timeline([split, [Item(86420, 86440, "title")]], off={2})
    assert resolve_script.cuts_of(timeline) == []


@pytest.mark.parametrize(
    ("said", "rate"),
    [("23.976", "24000/1001"), ("23.98", "24000/1001"), ("24", "24"), ("25.0", "25"), ("29.97", "30000/1001"), ("60", "60")],
)
def test_resolves_rate_is_exact(said: str, rate: str) -> None:
    assert resolve_script.rate_of(Timeline([], rate=said)) == rate


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 24 * 3600 * 24), st.sampled_from(("24", "25", "30", "30000/1001", "24000/1001", "60000/1001")), st.booleans()
)
def test_the_scripts_count_frames_as_we_do(frame: int, rate: str, drop: bool) -> None:
    exact = Fraction(rate)
    label = Timecode(frame, exact, drop and drops(exact) > 0)
    assert resolve_script.count(str(label), rate) == frame
    if not label.drop:
        assert blender_addon.timecode(frame, rate) == str(label)


def test_a_timeline_that_drops_frames_is_read_with_its_own_labels(tmp_path: Path) -> None:
    timeline = Timeline([shots(107892)], 107892, 107892 + 311, "29.97", "1", "01:00:00:00", "01:00:01;02")
    resolve_script.hand_over(application(timeline), str(tmp_path))
    found = cutlist.read(tmp_path / "cuts.json")
    assert (str(found.start), found.start.drop) == ("01:00:00;00", True)
    place = editor_place(tmp_path)
    assert place is not None
    assert place.frame == 32


def test_without_a_timeline_or_resolve_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert resolve_script.hand_over(application(None), str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []
    assert resolve_script.main(once=True) == 2
    assert "does not answer" in capsys.readouterr().err


def test_what_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    timeline = Timeline([shots()])
    resolve_script.hand_over(application(timeline), str(tmp_path))
    before = (tmp_path / "cuts.json").stat().st_mtime_ns
    resolve_script.hand_over(application(timeline), str(tmp_path))
    assert (tmp_path / "cuts.json").stat().st_mtime_ns == before


def test_an_editor_that_never_spoke_or_fell_silent_is_said(tmp_path: Path) -> None:
    assert editor(tmp_path).state == "absent"
    assert editor(tmp_path).cure
    resolve_script.hand_over(application(Timeline([shots()])), str(tmp_path))
    os.utime(tmp_path / "place.json", (0, 0))
    assert editor(tmp_path).state == "odd"
    (tmp_path / "place.json").write_text('{"rate": "0"}')
    assert editor(tmp_path).state == "odd"
    with pytest.raises(DawError, match="cannot be read"):
        editor_place(tmp_path)


@pytest.mark.parametrize("markers", ['"x"', "[1]", '[{"frame": "one"}]', '[{"frame": 1, "length": true}]'])
def test_broken_markers_are_one_line(tmp_path: Path, markers: str) -> None:
    path = tmp_path / "cuts.json"
    path.write_text(f'{{"rate": "24", "cuts": [], "markers": {markers}}}')
    with pytest.raises(CutListError) as told:
        cutlist.read(path)
    assert told.value.cure
