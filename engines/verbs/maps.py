"""The verb for the tempo of a session that is at work: its maps with their price in words, choosing one, bars that are locked."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.errors import OptionError
from engines.verbs.reading import bar_range, metre, tempo, within
from engines.verbs.terminal import Verb, give, progress, say

if TYPE_CHECKING:
    from engines.session.model import Limits, Session
    from engines.session.remap import Maps


def maps(args: argparse.Namespace) -> None:
    """Other tempo maps for a session, around what is locked: list them with their price, choose one, lock bars or unlock them."""
    from engines.commands import Lock, UseMap
    from engines.session.desk import Act
    from engines.session.remap import spotted_again
    from engines.session.working import act_on, look_at

    watch = progress(args)
    acts: list[Act] = [Lock(bars) for bars in args.lock]
    acts += [Lock(bars, locked=False) for bars in args.unlock]
    session = look_at(args.session).session
    for act in acts:
        session = act.do(session, watch)
    found = spotted_again(session, watch, _limits(args, session))
    if args.choose is not None:
        if args.choose >= len(found.all):
            raise OptionError(f"there is no map {args.choose}", where="--choose", cure=f"choose 0 to {len(found.all) - 1}")
        acts.append(UseMap(found.all[args.choose], found.limits))
    if acts:
        session = act_on(args.session, acts, watch).session
    if args.choose is not None:
        silent = [str(span.number) for span in session.spans if span.scene.chosen is None]
        if silent:
            say(f"silent until refilled, since they have other bars: scenes {', '.join(silent)}")
        found = spotted_again(session, watch, found.limits)
    give(args, maps_json(session, found), maps_lines(session, found))


def _limits(args: argparse.Namespace, session: Session) -> Limits:
    """The session's limits, with what was typed instead."""
    from engines.spotting.solve import exact

    limits = session.limits
    if args.tempo is not None:
        limits = replace(limits, tempo=args.tempo)
    if args.max_bend is not None:
        limits = replace(limits, max_bend=exact(args.max_bend))
    if args.metre:
        limits = replace(limits, metres=tuple(args.metre))
    return limits if args.subdivision is None else replace(limits, subdivision=args.subdivision)


def maps_json(session: Session, found: Maps) -> dict[str, Any]:
    """The maps as other programs read them: as ``spot`` prints candidates, the one in use first."""
    from engines.session.lock import locked_bars
    from engines.spotting.locked import runs
    from engines.spotting.words import words

    return {
        "maps": [
            candidate.json() | {"map": number, "in_use": not number, "words": words(candidate, session.film.rate)}
            for number, candidate in enumerate(found.all)
        ],
        "locked": [[first + 1, end] for first, end in runs(sorted(locked_bars(session)))],
    }


def maps_lines(session: Session, found: Maps) -> str:
    """The same for a person; * is in use."""
    from engines.session.lock import locked_bars
    from engines.spotting.locked import runs
    from engines.spotting.words import words

    rows = ["map  kind       tempo  on beats   price  in words"]
    for number, candidate in enumerate(found.all):
        caught = f"{candidate.hits_on_beat} of {candidate.hits_total}"
        rows.append(
            f"{number:>3}{' ' if number else '*'} {candidate.name:8} {float(candidate.tempo_bpm):7.2f}  {caught:>9} {candidate.cost:7.2f}"
            f"  {words(candidate, session.film.rate)}"
        )
    locked = [f"{first + 1}-{end}" if end - first > 1 else f"{end}" for first, end in runs(sorted(locked_bars(session)))]
    return "\n".join([*rows, f"locked bars: {', '.join(locked) or 'none'}"])


def add(verb: Verb) -> None:
    """Adds this verb to the command line."""
    made = verb("maps", maps, "other tempo maps for a session: list, choose, lock bars")
    made.add_argument("session", type=Path, metavar="SESSION", help="the .hitpoint file")
    made.add_argument("--choose", type=within(0, 99, int), metavar="MAP", help="put the cue on this map of the list")
    made.add_argument(
        "--lock",
        type=bar_range,
        action="append",
        default=[],
        metavar="A-B",
        help="leave these bars' beats alone; may be repeated",
    )
    made.add_argument("--unlock", type=bar_range, action="append", default=[], metavar="A-B", help="let them go again")
    made.add_argument("--tempo", type=tempo, metavar="LO-HI", help="nominal tempo, beats a minute; else the session's")
    made.add_argument("--max-bend", type=within(0, 50, float), metavar="PERCENT", help="how far any beat may leave it")
    made.add_argument("--metre", type=metre, action="append", metavar="4/4", help="each one given is tried")
    made.add_argument("--subdivision", type=int, choices=(1, 2), help="2 lets hits lie on eighths")
