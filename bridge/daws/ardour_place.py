"""Clips into a session of Ardour's that is closed: MIDI files beside the others, regions at their places, read back by Ardour itself.

Everything is done to a snapshot (a second session file in the same folder, without control surfaces); only what Ardour has read back
from that takes the place of the session's file. The file as it was stays beside it.
"""

from __future__ import annotations

import copy
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from bridge.daw import Clip, Cue, Placed, Sound, confirm
from bridge.daws.ardour_file import TICKS, ArdourFile
from bridge.daws.ardour_lua import LuaSession, sounds
from engines import files
from engines.errors import DawError
from engines.session.delivery_names import safe

SNAPSHOT = "hitpoint-placing"
"""The name of the snapshot; it is gone when the work is done."""

BEFORE = ".before-hitpoint"
"""Ending of the session's file as it was."""

_REGION = {
    **dict.fromkeys(("muted", "locked", "video-locked", "import", "external", "sync-marked", "left-of-split"), "0"),
    **dict.fromkeys(("right-of-split", "hidden", "position-locked", "valid-transients", "layering-index", "contents"), "0"),
    **dict.fromkeys(("start", "sync-position", "ancestral-start"), "b0"),
    **dict.fromkeys(("stretch", "shift"), "1"),
    **dict.fromkeys(("opaque", "automatic", "whole-file"), "0"),
    "ancestral-length": "b0@b0",
    "tags": "",
    "type": "midi",
    "first-edit": "nothing",
}
"""A region as Ardour writes it; not opaque, so that a note that rings into the next scene is heard there too."""


@dataclass(frozen=True)
class Written:
    """A clip as it goes into the session: its region's name, the MIDI file, place and length in ticks."""

    clip: Clip
    region: str
    file: str
    content: bytes
    position: int
    length: int


def place(path: Path, cue: Cue, at: Fraction, lua: LuaSession | None) -> Placed:
    """Puts a cue into the session's file at ``path``; see `bridge.daw.Daw.place`. Raises DawError, and then the file is as it was."""
    session = ArdourFile.read(path)
    clips = cue.clips
    missing = tuple(dict.fromkeys(clip.track for clip in clips if clip.track not in session.playlists()))
    if missing and lua is None:
        raise DawError(f"has no MIDI track named {missing[0]!r}", where=path, cure="add it in Ardour, save, close the session")
    snapshot = path.with_name(f"{SNAPSHOT}.ardour")
    try:
        work = _surfaces_off(session)
        if missing:
            assert lua is not None
            _write(work, snapshot)
            lua.run(path.parent, SNAPSHOT, missing)
            work = ArdourFile.read(snapshot)
        written = tuple(_written(work, cue, clip, at) for clip in clips)
        _insert(work, cue, written)
        for row in written:
            files.write(files.folder(work.midi_folder) / row.file, row.content)
        _write(work, snapshot)
        finest = 2 * Fraction(60, TICKS) / min(point.bpm for point in work.tempi)  # s: two ticks
        if lua is not None:
            found = _heard(lua.run(path.parent, SNAPSHOT), written, work, at)
            back, worst = confirm("ardour", clips, found, finest)
        else:
            back, worst = (), 0.0
        _restore_surfaces(work, session)
        files.write(path.with_name(path.name + BEFORE), path.read_bytes())
        _write(work, path)
    finally:
        snapshot.unlink(missing_ok=True)
        snapshot.with_suffix(".ardour.bak").unlink(missing_ok=True)
    tracks = f", new tracks: {', '.join(missing)}" if missing else ""
    proof = "and Ardour read them back" if lua is not None else "which Ardour will read when it opens the session"
    said = f"{len(clips)} regions lie in {path.name} {proof}{tracks}"
    return Placed("ardour", said, back, lua is not None, (), worst)


def _written(session: ArdourFile, cue: Cue, clip: Clip, at: Fraction) -> Written:
    """A clip by the session's own tempo map: every note on its nearest tick."""

    def tick(seconds: Fraction) -> int:
        return round(session.quarter(seconds + at) * TICKS)

    position = floor(session.quarter(clip.begins(at)) * TICKS)
    rows = [(tick(s.start) - position, max(1, tick(s.end) - tick(s.start)), s) for s in clip.sounds]
    content = _smf(clip.track, rows)
    digest = hashlib.sha256(content).hexdigest()[:8]
    length = max(ceil(session.quarter(clip.end + at) * TICKS) - position, *(start + long for start, long, _ in rows))
    stem = f"{safe(cue.number)}-{clip.scene}-{safe(clip.track)}"
    return Written(
        clip, f"{_prefix(cue)}{clip.scene}-{safe(clip.track)}", f"hitpoint-{stem}-{digest}.mid", content, position, length
    )


def _prefix(cue: Cue) -> str:
    """How the names of all regions of a cue begin."""
    return f"hitpoint-{safe(cue.number)}-"


def _smf(track: str, rows: Iterable[tuple[int, int, Sound]]) -> bytes:
    """One track of notes at ticks from the region's start, as Ardour keeps its own: type 0, no tempo."""
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    events = []
    for start, long, sound in rows:
        events.append((start, 1, Message("note_on", note=sound.pitch, velocity=sound.velocity)))
        events.append((start + long, 0, Message("note_off", note=sound.pitch, velocity=64)))
    made, now = MidiTrack([MetaMessage("track_name", name=track)]), 0
    for tick, _, message in sorted(events, key=lambda event: (event[0], event[1], event[2].note)):
        made.append(message.copy(time=tick - now))
        now = tick
    made.append(MetaMessage("end_of_track", time=0))
    file = MidiFile(type=0, ticks_per_beat=TICKS, charset="utf-8")
    file.tracks.append(made)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _insert(session: ArdourFile, cue: Cue, rows: tuple[Written, ...]) -> None:
    """Sources and regions into the file; earlier regions of the same clips, or of the whole cue, leave their playlists."""
    root = session.root
    sources, regions = root.find("Sources"), root.find("Regions")
    if sources is None or regions is None:
        raise DawError("lacks its lists of sources and regions", where=session.path, cure="open it in Ardour and save it")
    ours = {row.region for row in rows}
    for playlist in session.playlists().values():
        for region in list(playlist.iterfind("Region")):
            name = region.get("name", "")
            if name in ours or (cue.whole and name.startswith(_prefix(cue))):
                playlist.remove(region)
    known = {source.get("name"): source for source in sources.iterfind("Source")}
    number = int(root.get("id-counter", "0"))
    for row in rows:
        source = known.get(row.file)
        if source is None:
            number += 1
            about = {"take-id": "", "type": "midi", "flags": "Writable,CanRename", "origin": "", "captured-for": row.clip.track}
            source = SubElement(sources, "Source", {"name": row.file, "id": str(number), "natural-position": "a0", **about})
            number += 1
            _region(regions, number, source, row, whole=True)
        number += 1
        _region(session.playlists()[row.clip.track], number, source, row, whole=False)
    root.set("id-counter", str(number + 1))


def _region(parent: Element, number: int, source: Element, row: Written, whole: bool) -> None:
    own = {"whole-file": "1", "automatic": "1"} if whole else {}
    name = row.file.removesuffix(".mid") if whole else row.region
    origin = source.get("id", "")
    place = {"length": f"b{row.length}@b{row.position}", "source-0": origin, "master-source-0": origin, "id": str(number)}
    SubElement(parent, "Region", {"name": name, **_REGION, **own, **place})


def _heard(printed: str, rows: tuple[Written, ...], session: ArdourFile, at: Fraction) -> dict[str, Clip]:
    """The clips as Ardour itself found them, in seconds of the film."""
    rate = int(session.root.get("sample-rate", "48000"))
    found = sounds(printed)
    out = {}
    for row in rows:
        if row.region in found:
            heard = (replace(s, start=s.start / rate - at, end=s.end / rate - at) for s in found[row.region])
            out[row.clip.key] = replace(row.clip, sounds=tuple(sorted(heard)))
    return out


def _surfaces_off(session: ArdourFile) -> ArdourFile:
    """A copy in which no control surface is on: opening it must not open a port on every address of this machine."""
    root = copy.deepcopy(session.root)
    for surface in root.iterfind("ControlProtocols/Protocol"):
        surface.set("active", "0")
    return ArdourFile(session.path, root)


def _restore_surfaces(work: ArdourFile, session: ArdourFile) -> None:
    mine, its = (root.find("ControlProtocols") for root in (work.root, session.root))
    if mine is not None and its is not None:
        mine[:] = [copy.deepcopy(surface) for surface in its]
    work.root.set("name", session.root.get("name", ""))


def _write(session: ArdourFile, path: Path) -> None:
    files.write(path, ElementTree.tostring(session.root, encoding="UTF-8", xml_declaration=True))
