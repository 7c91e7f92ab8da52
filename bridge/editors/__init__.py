"""Editing programs: the scripts that they run to hand over their cuts, and a watched file for those that only export."""

from __future__ import annotations

from pathlib import Path

HANDED = Path("~/.hitpoint/editor")
"""Where the scripts in Blender and Resolve write: ``cuts.json``, the cut list, and ``place.json``, where the editor's playhead stands."""

CUTS, PLACE = "cuts.json", "place.json"
