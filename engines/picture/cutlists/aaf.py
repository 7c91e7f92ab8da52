"""AAF compositions (Avid, Premiere, Resolve), read with pyaaf2.

Source: AMWA, AAF Object Specification 1.1 and AAF Edit Protocol. The public adapter above pyaaf2 loses markers and drop-frame.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from engines.errors import CutListError, HitpointError, MissingLibraryError
from engines.picture.cutlist import CutList, Marker
from engines.picture.cutlists.assembly import MOST_PIECES, Layer, Mix, Piece, assemble, whole, within
from engines.picture.timecode import Timecode, drops, nominal, parse_rate

_BREAKS = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError, OSError),
    *(RecursionError, TypeError, ValueError, struct.error),
)
"""What pyaaf2 raises over a damaged file, besides errors of its own."""

_DEEPEST = 30  # segments inside one another
_LONGEST_CHAIN = 12  # mobs from a clip to its tape


def read(path: Path, rate: Fraction | None = None, assumed: Fraction | None = None) -> CutList:
    """The programme of the first top-level composition, its video tracks stacked, effects and nested compositions opened.

    Raises CutListError for a file that is damaged or cut short, and for one without a composition.
    """
    try:
        from aaf2.exceptions import AAFError
        from aaf2.file import AAFFile
    except ImportError:
        raise MissingLibraryError("reading AAF needs pyaaf2", where=path, cure="pip install pyaaf2") from None
    logger = logging.getLogger()
    quiet = logging.NullHandler()
    logger.addHandler(quiet)  # pyaaf2 logs to the root, which would print over our one line
    file: Any = AAFFile.__new__(AAFFile)  # made before it is opened, so that a damaged file can still be closed
    try:
        file.__init__(str(path), "r")
        return _Reader(path).programme(file)
    except HitpointError:
        raise
    except (AAFError, *_BREAKS) as error:
        what = f"the AAF is damaged or cut short ({type(error).__name__}: {str(error)[:80] or 'no more is known'})"
        raise CutListError(what, where=path, cure="export the sequence as AAF again, or as EDL or XML") from None
    finally:
        logger.removeHandler(quiet)
        if hasattr(file, "f"):
            file.f.close()


class _Reader:
    """Segments to layers, in frames of the slot that holds them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pieces = 0

    def programme(self, file: Any) -> CutList:
        """The cut list of the first composition that has a picture."""
        tops = list(file.content.toplevel()) or list(file.content.compositionmobs())
        if not tops:
            what = "there is no composition in this AAF, only media"
            raise CutListError(what, where=self.path, cure="export the sequence, not its clips")
        mob = next((top for top in tops if _pictures(top)), None)
        if mob is None:
            raise CutListError("there is no picture track in this AAF", where=self.path, cure="export the video tracks too")
        slots = _pictures(mob)
        rate = _rate(slots[0])
        layers = [layer for slot in slots for layer in self.layers(slot.segment, rate / _rate(slot), rate, 0)]
        length = max(whole(_length(slot.segment) * rate / _rate(slot)) for slot in slots)
        return assemble(layers, _start(mob, rate), length, _markers(mob, rate), str(mob.name or ""), self.path)

    def layers(self, segment: Any, ratio: Fraction, rate: Fraction, depth: int) -> list[Layer]:
        """What a segment shows from its beginning, times ``ratio``, in frames of the outer ``rate``; lowest first."""
        self.pieces += 1
        if depth > _DEEPEST or self.pieces > MOST_PIECES:
            raise CutListError("segments nest without end", where=self.path, cure="export the sequence as AAF again")
        kind = type(segment).__name__
        if kind == "Sequence":
            return self._sequence(segment, ratio, rate, depth)
        if kind == "SourceClip":
            return self._clip(segment, ratio, rate, depth)
        if kind == "OperationGroup":
            return self._effect(segment, ratio, rate, depth)
        if kind == "NestedScope":
            return [layer for slot in segment.slots for layer in self.layers(slot, ratio, rate, depth + 1)]
        if kind == "Selector":
            return self.layers(segment["Selected"].value, ratio, rate, depth + 1)
        if kind == "EssenceGroup":
            return self.layers(next(iter(segment["Choices"].value)), ratio, rate, depth + 1)
        return []  # fillers, and references to the tracks below, hide nothing

    def _sequence(self, segment: Any, ratio: Fraction, rate: Fraction, depth: int) -> list[Layer]:
        """Components one after the other; a transition takes its length from both of its neighbours."""
        at = joint = Fraction(0)
        placed: list[tuple[Any, Fraction, Fraction, Fraction]] = []
        mixes: list[Mix] = []
        for component in segment.components:
            length = _length(component) * ratio
            if type(component).__name__ != "Transition":
                placed.append((component, at, joint, at + length))
                at = joint = at + length
                continue
            at -= length
            cut_point = Fraction(component.cutpoint) * ratio
            joint = at + (cut_point if 0 <= cut_point <= length else length / 2)
            mixes.append(Mix(at, at + length, joint, "dip" if _dips(component) else "mix"))
            if placed:
                placed[-1] = (*placed[-1][:3], joint)
        pieces: list[Piece] = []
        inside: list[Mix] = []
        above: list[Layer] = []
        for component, begin, first, last in placed:
            shown = [within(layer, (first, last), begin, rate) for layer in self.layers(component, ratio, rate, depth + 1)]
            if shown:
                pieces += shown[0].pieces
                inside += shown[0].mixes
                above += shown[1:]
        base = Layer(tuple(pieces), (*inside, *mixes))
        return [base, *(Layer(layer.pieces, (*layer.mixes, *mixes)) for layer in above)]

    def _clip(self, clip: Any, ratio: Fraction, rate: Fraction, depth: int) -> list[Layer]:
        length = _length(clip) * ratio
        if clip.mob_id is None or clip.mob_id.int == 0:
            return []  # no source is black
        mob = clip.mob
        if type(mob).__name__ == "CompositionMob":
            slot = mob.slot_at(clip.slot_id)
            inner = rate / _rate(slot)
            shift = -Fraction(clip.start) * ratio
            nested = self.layers(slot.segment, inner, rate, depth + 1)
            return [within(layer, (Fraction(0), length), shift, rate) for layer in nested]
        reel, source = _tape(clip, rate / ratio)
        name = "" if mob is None else str(mob.name or "")
        return [Layer((Piece(Fraction(0), length, name, reel, source),))]

    def _effect(self, group: Any, ratio: Fraction, rate: Fraction, depth: int) -> list[Layer]:
        """An effect shows its inputs, for its own length: a speed effect stretches them."""
        length = _length(group) * ratio
        inputs = list(group.segments or ()) if "InputSegments" in group else []
        if not inputs:
            return [Layer((Piece(Fraction(0), length, str(group.operation.name)),))]
        out: list[Layer] = []
        for segment in inputs:
            own = _length(segment) * ratio
            scale = length / own if own else Fraction(1)
            for layer in self.layers(segment, ratio, rate, depth + 1):
                out.append(within(layer, (Fraction(0), length), Fraction(0), rate, scale, 1 / scale if scale else Fraction(1)))
        return out


def _pictures(mob: Any) -> list[Any]:
    """The video slots of a composition, lowest first."""
    slots = [slot for slot in mob.slots if type(slot).__name__ == "TimelineMobSlot" and slot.segment is not None]
    found = [slot for slot in slots if slot.segment.media_kind in ("Picture", "LegacyPicture")]
    return sorted(found, key=_track_number)


def _track_number(slot: Any) -> int:
    return int(slot["PhysicalTrackNumber"].value) if "PhysicalTrackNumber" in slot else 0


def _rate(slot: Any) -> Fraction:
    return parse_rate(Fraction(slot.edit_rate.numerator, slot.edit_rate.denominator))


def _length(segment: Any) -> Fraction:
    length = segment.length
    if length is None or length < 0:
        raise ValueError(f"{type(segment).__name__} without a length")
    return Fraction(length)


def _start(mob: Any, rate: Fraction) -> Timecode:
    """The timecode of the composition: of its several timecode tracks, the first that counts as the picture does."""
    codes = []
    for slot in mob.slots:
        segment = slot.segment
        parts = segment.components if type(segment).__name__ == "Sequence" else [segment]
        codes += [part for part in parts if type(part).__name__ == "Timecode"]
    code = next((code for code in codes if code.fps == nominal(rate)), None)
    return Timecode(0, rate) if code is None else Timecode(int(code.start), rate, bool(code.drop) and drops(rate) > 0)


def _dips(transition: Any) -> bool:
    name = str(transition["OperationGroup"].value.operation.name) if "OperationGroup" in transition else ""
    return name.lower().startswith(("dip to", "fade to"))


def _tape(clip: Any, rate: Fraction) -> tuple[str, Fraction | None]:
    """The reel of a clip and the source time at its start, down the chain of mobs to the first that has timecode."""
    at = Fraction(clip.start) / rate
    try:
        for _ in range(_LONGEST_CHAIN):
            mob = clip.mob
            if mob is None:
                break
            code = next((slot for slot in mob.slots if type(slot.segment).__name__ == "Timecode"), None)
            if code is not None:
                return str(mob.name or ""), Fraction(code.segment.start) / _rate(code) + at
            slot = mob.slot_at(clip.slot_id)
            segment = slot.segment
            parts: Sequence[Any] = list(segment.components) if type(segment).__name__ == "Sequence" else [segment]
            clip = next((part for part in parts if type(part).__name__ == "SourceClip"), None)
            if clip is None:
                break
            at += Fraction(clip.start) / _rate(slot)
    except (*_BREAKS, HitpointError):
        return "", None  # where a clip comes from is worth knowing, not worth losing the cuts for
    return "", at


def _markers(mob: Any, rate: Fraction) -> Iterator[Marker]:
    for slot in mob.slots:
        if type(slot).__name__ != "EventMobSlot":
            continue
        ratio = rate / _rate(slot)
        for event in slot.segment.components if type(slot.segment).__name__ == "Sequence" else [slot.segment]:
            if "Position" not in event:
                continue
            tags = event["CommentMarkerAttributeList"].value if "CommentMarkerAttributeList" in event else ()
            notes = {tag.name: tag.value for tag in tags or ()}
            text = str(event["Comment"].value or "") if "Comment" in event else str(notes.get("_ATN_CRM_COM", ""))
            yield Marker(whole(Fraction(event["Position"].value) * ratio), text, colour=str(notes.get("_ATN_CRM_COLOR", "")))
