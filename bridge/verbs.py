"""The verbs of the bridge: serve, ports, doctor, place, watch."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from engines.errors import HitpointError
from engines.verbs.reading import rate, within
from engines.verbs.terminal import Verb, give, progress, say


def serve(args: argparse.Namespace) -> None:
    """Let other programs of this machine work here: HTTP, WebSocket, and OSC if a port for it is given. Ctrl-C ends it."""
    from bridge.addresses import ASKED
    from bridge.osc_page import osc_page
    from bridge.server.running import running

    if args.addresses:
        give(args, {"addresses": [row.json() for row in ASKED]}, osc_page().rstrip())
        return
    with running(args.port, args.osc_port, args.osc_read_only, args.session) as house:
        say(f"token: {house.token}", f"also in {house.token_file}, which only you can read")
        give(args, house.json(), house.text())
        sys.stdout.flush()
        house.wait()
    say("stopped: jobs are cancelled, the session is saved")


def ports(args: argparse.Namespace) -> None:
    """The MIDI ports that other programs offer, by MIDI system."""
    from bridge.doctor import midi
    from bridge.ports import names

    found = names()
    table: dict[str, Any] = {}
    for system, seen in found.items():
        table[system] = {"error": seen} if isinstance(seen, str) else {"in": seen[0], "out": seen[1]}
    give(args, {"systems": table}, "\n".join(finding.words for finding in midi(lambda: found)))


def doctor(args: argparse.Namespace) -> None:
    """Every link to the other programs, in words: seen or not, rate against the picture's, offset, jitter, and what to do."""
    from bridge.checkup import checkup

    diagnosis = checkup(args.session, tuple(args.daw), args.listen, _address(args))
    give(args, diagnosis.json(), diagnosis.words)


def place(args: argparse.Namespace) -> None:
    """Put the cue, or some of its scenes, into a DAW (or a folder of files to drag in), and say what the DAW confirmed."""
    from bridge.daw import Cue
    from bridge.placing import place_in, place_of
    from engines.session.working import look_at

    session = look_at(args.session).session
    cue, at = Cue.of(session, args.scene), place_of(args.at, session.film.rate)
    placement = place_in(args.daw, _address(args, args.session.parent / f"{args.session.stem}-midi"), cue, at)
    if not placement.placed.confirmed:
        say("nothing was confirmed by the DAW")
    give(args, placement.json(), placement.placed.said)


def watch(args: argparse.Namespace) -> None:
    """Wait until an editor hands its cuts over again or exports them, and say what the new cut would change; with --accept carry the
    session to it. Ctrl-C ends it. With --json one object a change, each on a line of its own."""
    from bridge.editors import CUTS, HANDED
    from bridge.editors.watched import changes
    from engines.session.working import conform_file, look_at

    look_at(args.session).close()
    cuts = args.cuts or HANDED.expanduser() / CUTS
    say(f"watching {cuts}: Ctrl-C ends it")
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


def _address(args: argparse.Namespace, folder: Path | None = None) -> Any:
    from bridge.daw import Address

    return Address(args.folder or folder, args.project, port=args.port)


def add(verb: Verb) -> None:
    """Adds the verbs to the command line."""
    from bridge import player_verbs
    from bridge.daws import DAWS

    player_verbs.add(verb)

    made = verb("serve", serve, "let other programs of this machine work here: HTTP, WebSocket, OSC")
    made.add_argument("--session", type=Path, metavar="SESSION", help="open this one first")
    made.add_argument("--port", type=within(0, 65535, int), help="of the HTTP server (4747); 0 takes a free one")
    made.add_argument("--osc-port", type=within(0, 65535, int), metavar="PORT", help="listen for OSC too; 0 takes a free one")
    made.add_argument("--osc-read-only", action="store_true", help="OSC may ask, and change nothing")
    made.add_argument("--addresses", action="store_true", help="only write the table of addresses")
    verb("ports", ports, "MIDI ports that other programs offer")
    two = verb("doctor", doctor, "every link to DAW, editor and engine, in words")
    three = verb("place", place, "put a cue into a DAW, or files for one into a folder")
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
    three.add_argument("session", type=Path, metavar="SESSION")
    three.add_argument("--daw", choices=DAWS, default="folder")
    three.add_argument("--scene", type=int, action="append", default=[], help="only this scene; may be given again")
    three.add_argument("--at", default="0", metavar="PLACE", help="of the film's first frame in the project: seconds or timecode")
    for parser in (two, three):
        parser.add_argument("--folder", type=Path, metavar="DIR", help="for files to drag in")
        parser.add_argument("--project", type=Path, help="the DAW's project: the folder of an Ardour session")
        parser.add_argument("--port", type=within(1, 65535, int), help="on which the DAW listens, where it is not the usual one")
