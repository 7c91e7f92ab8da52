# Hitpoint in Blender: hands the cuts and markers of the Video Sequencer over, and again whenever they change.
#
# Install it in Edit, Preferences, Add-ons, Install: choose this file and tick "Hitpoint". A panel "Hitpoint" appears at the side of the
# Video Sequencer. Without a window: blender -b film.blend -P blender_addon.py
#
# It writes the folder .hitpoint/editor of your home: cuts.json, which Hitpoint watches (python main.py watch SESSION), and place.json.
"""The add-on for Blender 3 and 4: strips and timeline markers of its Video Sequencer as a cut list, written whenever they change."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

bl_info = {
    "name": "Hitpoint",
    "author": "Hitpoint",
    "version": (1, 0, 0),
    "blender": (3, 0, 0),
    "location": "Video Sequencer > Sidebar > Hitpoint",
    "description": "Hands cuts and markers over to Hitpoint, which scores to picture",
    "category": "Sequencer",
}

PICTURES = {"MOVIE", "IMAGE", "SCENE", "CLIP", "META", "MASK", "COLOR"}
"""Kinds of strips that fill the picture; text and adjustments lie over another one."""

MIXES = {"CROSS", "GAMMA_CROSS", "WIPE", "ALPHA_OVER", "ALPHA_UNDER"}
"""Kinds of strips that mix two others; the first three are dissolves and wipes."""

EVERY_S = 1.0
"""Between two looks at the sequencer."""


def rate_of(scene: Any) -> str:
    """The exact frame rate as text: 24 over a base of 1.001 is 24000/1001."""
    fps, base = int(scene.render.fps), float(scene.render.fps_base)
    if abs(base - 1.001) < 1e-5:
        return f"{fps * 1000}/1001"
    return str(fps) if abs(base - 1) < 1e-6 else f"{fps / base:.6f}"


def cuts_of(scene: Any) -> list[dict[str, Any]]:
    """The cuts of what is seen, in frames of the film, whose first is the scene's first frame."""
    first, frames = int(scene.frame_start), int(scene.frame_end) - int(scene.frame_start) + 1
    strips = [s for s in strips_of(scene) if not s.mute]
    pictures = [(int(s.frame_final_start) - first, int(s.frame_final_end) - first, s) for s in strips if s.type in PICTURES]
    mixes = [
        (int(s.frame_final_start) - first, int(s.frame_final_end) - first)
        for s in strips
        if s.type in ("CROSS", "GAMMA_CROSS", "WIPE")
    ]
    rows = {}
    for start, end in mixes:
        if 0 < (start + end) // 2 < frames:
            rows[(start + end) // 2] = ("dissolve", end - start)
    edges = sorted({frame for start, end, _ in pictures for frame in (start, end) if 0 < frame < frames})
    for frame in edges:
        inside = any(start <= frame <= end for start, end in mixes)
        if not inside and seen(pictures, frame) != seen(pictures, frame - 1):
            rows[frame] = ("cut", 0)
    return [{"frame": frame, "kind": kind, "length": length} for frame, (kind, length) in sorted(rows.items())]


def seen(pictures: list[tuple[int, int, Any]], frame: int) -> Any:
    """What is on the screen at a frame: the strip on the highest channel. Two pieces of one film that go on are the same."""
    here = [strip for start, end, strip in pictures if start <= frame < end]
    if not here:
        return None
    top = max(here, key=lambda strip: strip.channel)
    return (top.filepath, int(top.frame_start)) if top.type == "MOVIE" else top.name


def strips_of(scene: Any) -> list[Any]:
    """All strips of the sequencer, whatever this version of Blender calls them; none where it was never opened."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return list(editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all)


def cut_list(scene: Any, program: str, title: str) -> dict[str, Any]:
    """The cut list as Hitpoint reads it."""
    first, frames = int(scene.frame_start), int(scene.frame_end) - int(scene.frame_start) + 1
    markers: list[dict[str, Any]] = [{"frame": int(m.frame) - first, "name": str(m.name)} for m in scene.timeline_markers]
    return {
        "program": program,
        "film": title,
        "rate": rate_of(scene),
        "frames": frames,
        "start": "00:00:00:00",
        "cuts": cuts_of(scene),
        "markers": sorted((m for m in markers if 0 <= m["frame"] < frames), key=lambda m: m["frame"]),
    }


def timecode(frame: int, rate: str) -> str:
    """The label of a frame of the film, without drop-frame."""
    over, _, under = rate.partition("/")
    base = round(float(over) / float(under or 1))
    return ":".join(f"{part:02d}" for part in (frame // base // 3600, frame // base // 60 % 60, frame // base % 60, frame % base))


def write(name: str, table: dict[str, Any], folder: str | None = None) -> str:
    """Writes one file whole or not at all, and only where it is another one; returns its path. The place is touched in any case: so
    Hitpoint knows that somebody is at work here."""
    home = folder or os.path.join(os.path.expanduser("~"), ".hitpoint", "editor")
    os.makedirs(home, exist_ok=True)
    path, text = os.path.join(home, name), json.dumps(table, indent=1, ensure_ascii=False) + "\n"
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as file:
            same = file.read() == text
        if same:
            if name == "place.json":
                os.utime(path)
            return path
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)
    return path


def hand_over(scene: Any, folder: str | None = None) -> str:
    """Writes both files; returns the path of the cut list."""
    bpy: Any = import_module("bpy")
    program = f"Blender {bpy.app.version_string}"
    title = os.path.splitext(os.path.basename(bpy.data.filepath))[0] or scene.name
    rate, frame = rate_of(scene), max(0, int(scene.frame_current) - int(scene.frame_start))
    place = {"program": program, "rate": rate, "timecode": timecode(frame, rate), "frame": frame}
    write("place.json", place, folder)
    return write("cuts.json", cut_list(scene, program, title), folder)


def look() -> float:
    """What Blender's timer calls; a sequencer that cannot be read now is read the next time."""
    bpy: Any = import_module("bpy")
    scene = bpy.context.scene
    if scene is not None and scene.sequence_editor is not None and getattr(scene, "hitpoint_on", True):
        hand_over(scene)
    return EVERY_S


def classes() -> tuple[Any, ...]:
    """The button and the panel; made here, since only Blender has what they are made from."""
    bpy: Any = import_module("bpy")

    class HITPOINT_OT_hand_over(bpy.types.Operator):  # type: ignore[misc]  # noqa: N801 - Blender wants the name so
        bl_idname = "hitpoint.hand_over"
        bl_label = "Hand over now"
        bl_description = "Write the cuts and markers of the sequencer for Hitpoint"

        def execute(self, context: Any) -> set[str]:
            self.report({"INFO"}, f"Hitpoint: {hand_over(context.scene)}")
            return {"FINISHED"}

    class HITPOINT_PT_panel(bpy.types.Panel):  # type: ignore[misc]  # noqa: N801
        bl_label = "Hitpoint"
        bl_space_type = "SEQUENCE_EDITOR"
        bl_region_type = "UI"
        bl_category = "Hitpoint"

        def draw(self, context: Any) -> None:
            self.layout.prop(context.scene, "hitpoint_on")
            self.layout.operator("hitpoint.hand_over")
            self.layout.label(text=f"{len(cuts_of(context.scene))} cuts, {rate_of(context.scene)} fps")

    return HITPOINT_OT_hand_over, HITPOINT_PT_panel


_made: list[Any] = []


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    bpy: Any = import_module("bpy")
    _made[:] = classes()
    for made in _made:
        bpy.utils.register_class(made)
    bpy.types.Scene.hitpoint_on = bpy.props.BoolProperty(name="Hand over whenever it changes", default=True)
    bpy.app.timers.register(look, first_interval=EVERY_S, persistent=True)


def unregister() -> None:
    """Called by Blender when the add-on is switched off."""
    bpy: Any = import_module("bpy")
    if bpy.app.timers.is_registered(look):
        bpy.app.timers.unregister(look)
    for made in reversed(_made):
        bpy.utils.unregister_class(made)
    del bpy.types.Scene.hitpoint_on


if __name__ == "__main__":  # blender -b film.blend -P blender_addon.py
    sys.stdout.write(f"Hitpoint: {hand_over(import_module('bpy').context.scene)}\n")
