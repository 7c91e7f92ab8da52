"""The verb for the hits of a session that is at work: listed, marked, moved, weighed, thrown away, and the tempo that follows them."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import OptionError
from engines.verbs.reading import within
from engines.verbs.terminal import Verb, give, progress, say

if TYPE_CHECKING:
    from engines.session.desk import Act
    from engines.session.model import Session


def hits(args: argparse.Namespace) -> None:
    """The hits of a session: list them, mark, move, weigh or drop them, and let the tempo of a scene follow. A frame is a number, counted
    from 0, or a timecode of the film."""
    from engines.session.hit_listing import hits_json, hits_lines
    from engines.session.working import act_on, look_at

    session = look_at(args.session).session
    if acts := _acts(args, session):
        session = act_on(args.session, acts, progress(args)).session
        for span in session.spans:
            if span.scene.chosen is None:
                say(f"scene {span.number} is silent: refill --scene {span.number} composes it")
    give(args, {"hits": hits_json(session)}, hits_lines(session))


def _acts(args: argparse.Namespace, session: Session) -> list[Act]:
    from engines.commands import AddHit, DropHit, FollowHits, MoveHit, WeighHit

    said = (args.weight, args.hard, args.early, args.late)
    if args.weigh is None and any(word is not None for word in said):
        raise OptionError("no hit is named", where="hits", cure="add --weigh FRAME")
    if args.label is not None and args.weigh is None and len(args.add) != 1:
        raise OptionError("no one hit is named", where="--label", cure="add --weigh FRAME, or one --add FRAME")
    label = None if args.weigh is not None else args.label
    acts: list[Act] = [AddHit(frame_of(text, session), label) for text in args.add]
    acts += [MoveHit(frame_of(old, session), frame_of(new, session)) for old, new in args.move]
    if args.weigh is not None:
        early, late = (None if frames is None else Fraction(str(frames)) for frames in (args.early, args.late))
        acts.append(WeighHit(frame_of(args.weigh, session), args.weight, args.hard, early, late, args.label))
    acts += [DropHit(frame_of(text, session)) for text in args.drop]
    return [*acts, *(FollowHits(scene) for scene in args.follow)]


def frame_of(text: str, session: Session) -> int:
    """A frame of the film, from its number or a timecode. Raises OptionError."""
    from engines.picture.timecode import Timecode

    if ":" in text or ";" in text:
        return Timecode.parse(text, session.film.rate, session.start.drop).frame - session.start.frame
    if not text.isdecimal() or len(text) > 9:
        raise OptionError(
            f"{text!r} is no frame", where="hits", cure="write its number from 0, or a timecode such as 01:00:04:12"
        )
    return int(text)


def add(verb: Verb) -> None:
    """Adds this verb to the command line."""
    made = verb("hits", hits, "the hits of a session: list, mark, move, weigh, drop")
    made.add_argument("session", type=Path, metavar="SESSION", help="the .hitpoint file")
    made.add_argument("--add", action="append", default=[], metavar="FRAME", help="mark a frame as a hit; may be repeated")
    made.add_argument("--move", action="append", nargs=2, default=[], metavar="FRAME", help="let the hit on one lie on the other")
    made.add_argument("--drop", action="append", default=[], metavar="FRAME", help="throw a hit away; may be repeated")
    made.add_argument("--weigh", metavar="FRAME", help="the hit that the next five options are about")
    made.add_argument("--weight", type=within(0, 1, float), help="how much missing it costs, 0 to 1")
    made.add_argument("--hard", action=argparse.BooleanOptionalAction, help="it must have an onset, or may pass")
    made.add_argument("--early", type=within(0, 1000, float), metavar="FRAMES", help="so early it still sounds on")
    made.add_argument("--late", type=within(0, 1000, float), metavar="FRAMES", help="so late it still sounds on")
    made.add_argument("--label", help="its name; of a hit that is marked, too")
    made.add_argument(
        "--follow",
        type=within(1, 10**6, int),
        action="append",
        default=[],
        metavar="SCENE",
        help="solve its tempo again for its hits",
    )
