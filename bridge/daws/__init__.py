"""One adapter a DAW, and beside it the companion script that a person copies into the DAW, where it needs one."""

from __future__ import annotations

DAWS = {
    "folder": "bridge.daws.folder:Folder",
    "ardour": "bridge.daws.ardour:Ardour",
    "reaper": "bridge.daws.reaper:Reaper",
    "live": "bridge.daws.live:Live",
    "generic": "bridge.daws.generic:Generic",
}
"""The adapter of each DAW by name; loaded when asked for."""
