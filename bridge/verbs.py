"""The verbs of the bridge: serve, ports, doctor, watch; and those of its other rooms."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from engines.errors import HitpointError, OptionError
from engines.verbs.reading import rate, within
from engines.verbs.terminal import Verb, give, progress, say

FAULTS = 1
"""What `doctor` ends with where something is at fault, so that a script need not read its words."""


def serve(args: argparse.Namespace) -> None:
    """Let other programs of this machine work here: HTTP, WebSocket, and OSC if a port for it is given. Ctrl-C ends it."""
    from bridge.addresses import ASKED
    from bridge.daw_verbs import understood
    from bridge.osc_page import osc_page
    from bridge.places import Place
    from bridge.playback import inlets_of
    from bridge.server.running import running

    if args.addresses:
        give(args, {"addresses": [row.json() for row in ASKED]}, osc_page().rstrip())
        return
    if args.at and args.session is None:
        raise OptionError("there is no session to keep it with", where="--at", cure="open one: --session SESSION")
    with running(args.port, args.osc_port, args.osc_read_only, args.session) as house:
        if args.at:
            start = house.studio.now.session.start
            understood(args, house.studio.neighbours.lie(at=Place.in_project(args.at, start)), start)
        if args.sync:
            house.studio.playback.open(inlets=inlets_of(";".join(args.sync)))
        if args.follow:
            house.studio.playback.follow()
        say(f"token: {house.token}", f"also in {house.token_file}, which only you can read")
        say(*house.said, *filter(None, [house.warning]))
        with suppress(KeyboardInterrupt):  # as soon as it is told that it serves, it may be ended
            give(args, house.json(), house.text())
            sys.stdout.flush()
            house.wait()
    say("stopped: jobs are cancelled, the session is saved", *(f"did not stop: {sentence}" for sentence in house.left))


def ports(args: argparse.Namespace) -> None:
    """The MIDI ports that other programs offer, by MIDI system."""
    from bridge.doctor import midi
    from bridge.ports import names

    found = names()
    table: dict[str, Any] = {}
    for system, seen in found.items():
        table[system] = {"error": seen} if isinstance(seen, str) else {"in": seen[0], "out": seen[1]}
    give(args, {"systems": table}, "\n".join(finding.words for finding in midi(lambda: found)))


def doctor(args: argparse.Namespace) -> int:
    """Every link to the other programs, in words: seen or not, rate against the picture's, offset, jitter, and what to do. Ends with 1
    where something is at fault (FAULT, with --json the state broken), else with 0: what is merely not there is no fault."""
    from bridge.checkup import checkup
    from bridge.daw import Address

    address = Address(args.folder, args.project, port=args.port)
    diagnosis = checkup(args.session, tuple(args.daw), args.listen, address)
    give(args, diagnosis.json(), diagnosis.words)
    return FAULTS if diagnosis.state == "broken" else 0


def watch(args: argparse.Namespace) -> None:
    """Wait until an editor hands its cuts over again or exports them, and say what the new cut would change; with --accept carry the
    session to it. Ctrl-C ends it. With --json one object a change, each on a line of its own."""
    from bridge.editors import CUTS, HANDED
    from bridge.editors.watched import awaited, changes
    from engines.session.working import conform_file, look_at

    look_at(args.session).close()
    missing = awaited(args.cuts)
    cuts = args.cuts or HANDED.expanduser() / CUTS
    say(f"watching {cuts}: Ctrl-C ends it", *filter(None, [missing]))
    for path in changes(cuts, args.every, known=not args.now):
        try:
            told = progress(args)
            found, done = conform_file(args.session, path, None, args.rate, told, None, not args.accept)
        except HitpointError as error:
            if args.once:
                raise
            say(f"hitpoint: {error}")
        else:
            say(*told.said)
            give(args, found.json() | {"accepted": done is not None}, found.text())
            sys.stdout.flush()
            if done is None:
                say(f"to carry it over: python main.py conform {args.session} --cuts {path}")
        if args.once:
            return


def add(verb: Verb) -> None:
    """Adds the verbs to the command line."""
    from bridge import daw_verbs, player_verbs
    from bridge.daws import DAWS

    player_verbs.add(verb)
    daw_verbs.add(verb)

    made = verb("serve", serve, "let other programs of this machine work here: HTTP, WebSocket, OSC")
    made.add_argument("--session", type=Path, metavar="SESSION", help="open this one first")
    made.add_argument("--port", type=within(0, 65535, int), help="of the HTTP server (4747); 0 takes a free one")
    made.add_argument("--osc-port", type=within(0, 65535, int), metavar="PORT", help="listen for OSC too; 0 takes a free one")
    made.add_argument("--osc-read-only", action="store_true", help="OSC may ask, and change nothing")
    made.add_argument("--follow", action="store_true", help="go with the DAW from the start; what comes in is heard at --sync")
    made.add_argument(
        "--sync", action="append", default=[], metavar="PORT",
        help="where the DAW is heard: virtual:NAME, system:NAME, jack:NAME, 'jack transport', link (a port of ours: Hitpoint sync)",
    )  # fmt: skip
    daw_verbs.film_at(made)
    made.add_argument("--addresses", action="store_true", help="only write the table of addresses")
    verb("ports", ports, "MIDI ports that other programs offer")
    two = verb("doctor", doctor, "every link to DAW, editor and engine, in words")
    four = verb("watch", watch, "wait for a new cut from the editor, and offer to carry the session to it")
    four.add_argument("session", type=Path, metavar="SESSION")
    four.add_argument(
        "--cuts", type=Path, metavar="FILE", help="the cut list to watch; else what the script in the editor hands over"
    )
    four.add_argument("--rate", type=rate, help="frames a second of a cut list that does not say")
    four.add_argument("--accept", action="store_true", help="carry the session over without being asked")
    four.add_argument("--once", action="store_true", help="end after the first change")
    four.add_argument("--now", action="store_true", help="begin with the cut list as it lies there")
    four.add_argument("--every", type=within(0.05, 3600, float), default=1.0, metavar="SECONDS", help="between two looks")
    two.add_argument("session", type=Path, nargs="?", metavar="SESSION", help="compare rates with its picture")
    two.add_argument("--daw", choices=DAWS, action="append", default=[], help="only look for this one; may be given again")
    two.add_argument("--listen", type=within(0, 60, float), default=1.0, metavar="SECONDS", help="to MIDI before judging it")
    daw_verbs.about(two)
