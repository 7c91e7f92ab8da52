"""OpenTimelineIO timelines, written through the library so that every program that speaks OTIO opens them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engines.errors import MissingLibraryError
from engines.picture.cutlist import CutList, Marker, Shot
from engines.picture.cutlists.transitions import transitions


def written(programme: CutList, suffix: str = ".otio") -> str:
    """One video track: clips, gaps for black, a transition over every dissolve and fade; the start as global start time.

    Where shots are shorter than their transitions these are shortened, and the cut stays in its place. Raises
    MissingLibraryError where the library is not installed.
    """
    try:
        import opentimelineio as otio
    except ImportError:
        raise MissingLibraryError("writing OTIO needs OpenTimelineIO", cure="pip install opentimelineio") from None
    rate = float(programme.rate)

    def span(start: int, frames: int) -> Any:
        return otio.opentime.TimeRange(otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(frames, rate))

    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    mixes = transitions(programme)
    for place, shot in enumerate(programme.shots):
        mix = mixes[place - 1] if place else None
        if mix and mix.length:
            offsets = (shot.start - mix.start, mix.start + mix.length - shot.start)
            before, after = (otio.opentime.RationalTime(frames, rate) for frames in offsets)
            way = otio.schema.TransitionTypes.SMPTE_Dissolve
            note = {"hitpoint": "fade"} if mix.from_black else {}
            track.append(otio.schema.Transition("Cross Dissolve", way, before, after, metadata=note))
        track.append(_item(otio, shot, place, programme, span))
    start = otio.opentime.RationalTime(programme.start.frame, rate)
    timeline = otio.schema.Timeline(programme.title or "Hitpoint", global_start_time=start)
    timeline.metadata["hitpoint"] = {"rate": str(programme.rate), "drop": programme.start.drop}
    timeline.tracks.append(track)
    for marker in programme.markers:
        timeline.tracks.markers.append(_marker(otio, marker, span(marker.frame, marker.length)))
    return str(otio.adapters.write_to_string(timeline, "otio_json")) + "\n"


def _item(otio: Any, shot: Shot, place: int, programme: CutList, span: Callable[[int, int], Any]) -> Any:
    """A clip, or a gap for black."""
    frames = shot.end - shot.start
    if shot.black:
        return otio.schema.Gap(source_range=span(0, frames))
    source = programme.start.frame + shot.start if shot.source_in is None else round(shot.source_in * programme.rate)
    clip = otio.schema.Clip(shot.name or f"shot {place + 1}", otio.schema.MissingReference())
    clip.source_range = span(source, frames)
    if shot.reel:
        clip.metadata["cmx_3600"] = {"reel": shot.reel}
    if shot.speed == 0:
        clip.effects.append(otio.schema.FreezeFrame())
    elif shot.speed != 1:
        clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=float(shot.speed)))
    return clip


def _marker(otio: Any, marker: Marker, span: Any) -> Any:
    colour = marker.colour.upper()
    known = colour if hasattr(otio.schema.MarkerColor, colour) else "RED"
    made = otio.schema.Marker(marker.name, span, color=known)
    made.comment = marker.comment
    return made
