# Hitpoint in DaVinci Resolve: hands the cuts and markers of the current timeline over, and again whenever they change.
#
# Copy this file into Resolve's folder of scripts, below Fusion/Scripts/Utility (on macOS in ~/Library/Application Support/Blackmagic
# Design/DaVinci Resolve, on Windows in %APPDATA%\Blackmagic Design\DaVinci Resolve\Support, on Linux in ~/.local/share/DaVinciResolve),
# then choose Workspace, Scripts, resolve_script. It stays at work until Resolve quits. Resolve Studio may run it from outside, too:
# python resolve_script.py (with External scripting using: Local in the preferences); python resolve_script.py --once ends after one look.
#
# It writes the folder .hitpoint/editor of your home: cuts.json, which Hitpoint watches (python main.py watch SESSION), and place.json.
"""The script for DaVinci Resolve: items and markers of its current timeline as a cut list, its playhead, written whenever they change."""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from typing import Any

EVERY_S = 1.0
"""Between two looks at the timeline."""


def application() -> Any:
    """Resolve itself: what its menu hands to scripts, else its module for programs outside. None where neither is there."""
    main = import_module("__main__")
    if getattr(main, "resolve", None) is not None:
        return main.resolve
    if getattr(main, "bmd", None) is not None:
        return main.bmd.scriptapp("Resolve")
    try:
        return import_module("DaVinciResolveScript").scriptapp("Resolve")
    except ImportError:
        return None


def current_timeline(resolve: Any) -> Any:
    """The timeline that is open, or None."""
    project = resolve.GetProjectManager().GetCurrentProject() if resolve is not None else None
    return project.GetCurrentTimeline() if project is not None else None


def rate_of(timeline: Any) -> str:
    """The exact frame rate as text, from what Resolve writes: 23.976 is 24000/1001."""
    said = float(timeline.GetSetting("timelineFrameRate"))
    whole = round(said)
    return f"{whole * 1000}/1001" if abs(said - whole * 1000 / 1001) < 0.006 and abs(said - whole) > 0.001 else str(whole)


def cuts_of(timeline: Any) -> list[dict[str, Any]]:
    """The cuts of what is seen, in frames from the timeline's first: items lie at absolute frames, the highest video track is seen."""
    first, end = int(timeline.GetStartFrame()), int(timeline.GetEndFrame())
    pictures = []
    for track in range(1, int(timeline.GetTrackCount("video")) + 1):
        enabled = getattr(timeline, "GetIsTrackEnabled", None)
        if enabled is not None and enabled("video", track) is False:
            continue
        for item in timeline.GetItemListInTrack("video", track) or []:
            pictures.append((int(item.GetStart()) - first, int(item.GetEnd()) - first, track, item))
    frames = end - first
    edges = sorted({frame for row in pictures for frame in row[:2] if 0 < frame < frames})
    changes = [frame for frame in edges if seen(pictures, frame) != seen(pictures, frame - 1)]
    return [{"frame": frame, "kind": "cut", "length": 0} for frame in changes]


def seen(pictures: list[tuple[int, int, int, Any]], frame: int) -> Any:
    """What is on the screen at a frame: the item on the highest track. Two pieces of one clip that go on are the same."""
    here = [row for row in pictures if row[0] <= frame < row[1]]
    if not here:
        return None
    start, _, _, item = max(here, key=lambda row: row[2])
    return item.GetName(), start - int(item.GetLeftOffset())


def markers_of(timeline: Any) -> list[dict[str, Any]]:
    """The timeline's markers; Resolve counts them from the timeline's first frame."""
    rows = []
    for frame, marker in (timeline.GetMarkers() or {}).items():
        row = {"frame": round(float(frame)), "name": marker.get("name", ""), "comment": marker.get("note", "")}
        rows.append({**row, "colour": marker.get("color", ""), "length": max(0, round(float(marker.get("duration", 1))) - 1)})
    return sorted(rows, key=lambda row: row["frame"])


def start_of(timeline: Any) -> str:
    """The timecode of the first frame; with a semicolon where the timeline drops frames."""
    label = str(timeline.GetStartTimecode())
    if str(timeline.GetSetting("timelineDropFrameTimecode")) == "1" and ";" not in label:
        label = label[:8] + ";" + label[9:]
    return label


def cut_list(timeline: Any, program: str) -> dict[str, Any]:
    """The cut list as Hitpoint reads it."""
    return {
        "program": program,
        "film": str(timeline.GetName()),
        "rate": rate_of(timeline),
        "frames": int(timeline.GetEndFrame()) - int(timeline.GetStartFrame()),
        "start": start_of(timeline),
        "cuts": cuts_of(timeline),
        "markers": markers_of(timeline),
    }


def place_of(timeline: Any, program: str) -> dict[str, Any]:
    """Where the playhead stands: its timecode, and frames from the timeline's first."""
    label, start = str(timeline.GetCurrentTimecode()), start_of(timeline)
    if ";" in start and ";" not in label:
        label = label[:8] + ";" + label[9:]
    rate = rate_of(timeline)
    return {"program": program, "rate": rate, "timecode": label, "frame": count(label, rate) - count(start, rate)}


def count(label: str, rate: str) -> int:
    """Frames from the label 00:00:00:00 to another; after a semicolon the labels that drop-frame skips are not counted (SMPTE 12M)."""
    hours, minutes, seconds, frames = (int(part) for part in label.replace(";", ":").split(":"))
    over, _, under = rate.partition("/")
    base = round(float(over) / float(under or 1))
    total = ((hours * 60 + minutes) * 60 + seconds) * base + frames
    if ";" in label:
        minute = hours * 60 + minutes
        total -= base // 15 * (minute - minute // 10)
    return total


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


def hand_over(resolve: Any, folder: str | None = None) -> str | None:
    """Writes both files; returns the path of the cut list, None where no timeline is open."""
    timeline = current_timeline(resolve)
    if timeline is None:
        return None
    program = f"{resolve.GetProductName()} {resolve.GetVersionString()}"
    write("place.json", place_of(timeline, program), folder)
    return write("cuts.json", cut_list(timeline, program), folder)


def main(once: bool = False) -> int:
    """Looks at the timeline every second until Resolve quits."""
    resolve = application()
    if resolve is None:
        sys.stderr.write("Hitpoint: Resolve does not answer; start it, and allow scripts in its preferences\n")
        return 2
    while True:
        try:
            path = hand_over(resolve)
        except (AttributeError, TypeError):  # what a Resolve that has quit leaves behind answers nothing
            return 0
        if once:
            sys.stdout.write(f"Hitpoint: {path or 'no timeline is open'}\n")
            return 0 if path else 2
        time.sleep(EVERY_S)


if __name__ == "__main__":
    sys.exit(main("--once" in sys.argv))
