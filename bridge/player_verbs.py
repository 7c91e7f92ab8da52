"""The verbs of the player: play, calibrate."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.errors import OptionError, PortError
from engines.verbs.reading import within
from engines.verbs.terminal import Verb, give, say

if TYPE_CHECKING:
    from bridge.player import Outlet, Player, Route, Status
    from bridge.playing import Played

_FILE = "file:"


def play(args: argparse.Namespace) -> None:
    """Play a session's takes, or a MIDI file, into other programs: by itself, or with the DAW's transport (--follow). What is composed or
    written anew meanwhile is heard from the next bar on. Ctrl-C ends it."""
    from bridge.daw_verbs import said, understood
    from bridge.places import Place
    from bridge.playback import inlets_of, routes_of
    from bridge.player import Player
    from bridge.player.latencies import latencies
    from bridge.playing import Played

    sends = {"timecode": _sends(args.send_timecode, "timecode"), "clock": _sends(args.send_clock, "clock")}
    if args.follow and any(sends.values()):
        raise OptionError(
            "who follows a DAW sends it no timecode or clock: its own would come back to it",
            where="play",
            cure="leave --follow away, or --send-timecode and --send-clock",
        )
    played = Played(args.session, args.scene)
    begin = Place.of(args.start, played.start, "--from").seconds if args.start else Fraction(0)
    end = Place.of(args.end, played.start, "--to").seconds if args.end else None
    routes = [_to_file(word) for word in args.out if _FILE in word]
    routes += routes_of(";".join(word for word in args.out if _FILE not in word) or ("" if routes else "auto"))
    _reached(routes, played)
    project = said(args, played.start)
    heard = inlets_of(";".join(args.sync) or ("auto" if args.follow else ""))
    inlets = [replace(inlet, song_step=project.song_step) for inlet in heard]
    last = played.length if end is None else end
    if not args.follow and not begin < last:
        raise OptionError(
            f"nothing lies between {float(begin):g} and {float(last):g} s", where="play", cure="see --from and --to"
        )
    say(*filter(None, [latencies().fault]))
    with Player(routes, inlets) as player:
        if any(sends.values()):
            player.lead(**sends)
        _opened(player, args.follow and not args.sync)
        player.origins(project.at)
        project.keep(args.session)
        understood(args, project, played.start)
        player.load(played.programme)
        _told_how(player)
        with played.followed(player, say):
            if args.follow:
                player.settle(player.follow())
                say("following: start the DAW; Ctrl-C ends it")
                with suppress(KeyboardInterrupt):
                    _through(args, player, lambda status: False)
            else:
                player.settle(player.play(begin, args.speed))
                try:
                    _through(args, player, lambda status: status.seconds >= (played.length if end is None else end))
                except KeyboardInterrupt:
                    say(_words(player.settle(player.stop())))
                    raise
        status = player.settle(player.stop())
    give(args, _told(status, played), _words(status))


def _reached(routes: Sequence[Route], played: Played) -> None:
    """Says which stems go nowhere. Raises OptionError for a route of a stem that is not there."""
    from bridge.player import EVERY

    stems, routed = [part.stem for part in played.programme.parts], {route.stem for route in routes}
    if missing := sorted(routed - {EVERY, *stems}):
        raise OptionError(
            f"no stem is named {missing[0]!r}", where="--out", cure=f"choose from {', '.join(stems)}, or name no stem"
        )
    if EVERY not in routed and (silent := [stem for stem in stems if stem not in routed]):
        say(f"goes nowhere: {', '.join(silent)}; --out PORT without a stem is for all that have none of their own")


def _to_file(text: str) -> Route:
    """Where a stem goes, or all of them, to be read instead of heard: ``file:PATH``, ``melody=file:PATH``."""
    from bridge.player import EVERY, Outlet, Route

    stem, _, path = text.partition(_FILE)
    return Route(Outlet("file", path), stem.strip().removesuffix("=").strip() or EVERY)


def _sends(text: str | None, what: str) -> Outlet | None:
    """Where timecode or clock goes; into a file, to be read, with ``file:PATH``."""
    from bridge.playback import lead_of
    from bridge.player import Outlet

    if text is not None and text.startswith(_FILE):
        return Outlet("file", text.removeprefix(_FILE))
    return None if text is None else lead_of(text, what)


def _told_how(player: Player) -> None:
    """Says how what is sent counts. Raises PortError for what cannot be sent."""
    for sender in player.settle().senders:
        if sender.socket.fault:
            raise PortError(sender.socket.fault)
        say(f"{sender.socket.name}: open ({sender.socket.kind}), {sender.what}, {sender.counts}")


def _opened(player: Player, hears: bool) -> None:
    """Raises PortError with what is wrong where not one port opened out, or ``hears`` and not one in."""
    status = player.settle()
    for sockets in (status.outlets, status.inlets if hears else ()):
        if sockets and all(socket.fault for socket in sockets):
            raise PortError(sockets[0].fault)
    for socket in (*status.outlets, *status.inlets):
        say(socket.fault or f"{socket.name}: open ({socket.kind})")


def _through(args: argparse.Namespace, player: Player, done: Callable[[Status], bool]) -> None:
    """Shows where it is until it is ``done``, also where the player's process dies and another one takes over. Raises PortError where
    none does any more."""
    while True:
        status = _shown(args, player, lambda status: done(status) or not status.alive)
        if done(status):
            return
        say(status.word)
        status = player.wait(lambda status: status.alive or status.bare)
        if status.bare:
            raise PortError(
                status.word, where="play", cure="play again, leaving out one --out after the other: one of the ports may kill it"
            )
        if not status.follows:  # it stands where the last one was
            player.settle(player.play(None, args.speed))


def _shown(args: argparse.Namespace, player: Player, done: Callable[[Status], bool]) -> Status:
    """Shows where it is until it is done."""
    shown = [""]

    def show(status: Status) -> None:
        why = f" - {status.reading.why}" if status.follows and status.reading is not None else ""
        text = f"{'plays' if status.rolling else 'stands'} at {float(status.seconds):.1f} s{why}"
        if text != shown[0] and sys.stderr.isatty() and not args.quiet:
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()
            shown[0] = text

    quiet = player.subscribe(show)
    try:
        return player.wait(done, 1e6)
    finally:
        quiet()


def _told(status: Status, played: Played) -> dict[str, Any]:
    late = status.lateness
    return {
        "seconds": round(float(status.seconds), 6),
        "notes": sum(len(part.notes) for part in played.programme.parts),
        "swaps": played.swaps,
        "sent": late.count,
        "lateness_ms": {"p50": late.p50_ms, "p99": late.p99_ms, "max": late.max_ms},
        "ports": [{"name": socket.name, "kind": socket.kind, "fault": socket.fault} for socket in status.outlets],
        "sends": {sender.what: {"name": sender.socket.name, "counts": sender.counts} for sender in status.senders},
    }


def _words(status: Status) -> str:
    late = status.lateness
    how = f"late by {late.p50_ms:.2f} ms (half), {late.p99_ms:.2f} ms (99 of 100), {late.max_ms:.2f} ms (worst)"
    return f"played to {float(status.seconds):.1f} s: {late.count} messages, {how if late.max_ms else 'each at its moment'}"


def calibrate(args: argparse.Namespace) -> None:
    """Measure how late a port's notes are, by a recording of the DAW's or by notes sent round through it, and keep what makes up for that;
    or tell it, for a port or for a stem whose sounds begin late (--set). A recording is of what was played with what is kept: what it
    tells is added to that. Notes are sent round without it: what they tell takes its place."""
    from bridge.calibrating import Aim, Recording, calibrated, told
    from bridge.player.latencies import forget, latencies

    measures = [args.midi, args.expected, args.at, args.rate, args.dry_run or None, args.anyway or None]
    if args.set is not None:
        if any(given is not None for given in measures):
            raise OptionError("a latency is told or measured", where="--set", cure="leave away what measures it")
        one = told(args.set, args.out, args.stem)
        give(args, one.json(), one.text())
    elif args.list or args.forget:
        said = forget(args.forget).said if args.forget else ""
        known = latencies()
        say(*filter(None, [said, known.fault]))
        give(args, known.json(), known.text())
    elif args.stem is not None:
        cure = "give it with --set MS; how late it is at a port is measured with --out melody=virtual:NAME"
        raise OptionError("how late a stem sounds by itself cannot be measured over MIDI", where="--stem", cure=cure)
    else:
        recording = Recording.of(args.midi, args.expected, args.at, args.rate)
        done = calibrated(Aim.of(args.out or "auto"), args.into, recording, not args.dry_run, args.anyway, say)
        give(args, done.json(), done.text())


def add(verb: Verb) -> None:
    """Adds these verbs to the command line."""
    from bridge.daw_verbs import film_at
    from engines.verbs.reading import rate

    one = verb("play", play, "play a session's takes into other programs, by itself or with the DAW")
    one.add_argument("session", type=Path, metavar="SESSION", help="or a MIDI file; it is read again whenever it changes")
    one.add_argument("--from", dest="start", metavar="PLACE", help="seconds of the film, or hh:mm:ss:ff from its first frame")
    one.add_argument("--to", dest="end", metavar="PLACE", help="where to end; without it, where the film does")
    one.add_argument("--scene", type=int, action="append", default=[], help="only this scene; may be given again")
    one.add_argument(
        "--out", action="append", default=[], metavar="PORT",
        help="auto, jack:NAME, virtual:NAME, system:NAME or file:PATH, for one stem melody=system:NAME; may be given again",
    )  # fmt: skip
    one.add_argument("--follow", action="store_true", help="go with what is heard at --sync, or at a port of ours: Hitpoint sync")
    film_at(one)
    one.add_argument(
        "--sync", action="append", default=[], metavar="PORT",
        help="where timecode, clock or machine control is heard: virtual:NAME, system:NAME, jack:NAME, 'jack transport', link",
    )  # fmt: skip
    one.add_argument(
        "--send-timecode", metavar="PORT", help="MIDI timecode to who follows, out of a port as --out names them: auto is Hitpoint timecode"
    )  # fmt: skip
    one.add_argument(
        "--send-clock", metavar="PORT", help="MIDI clock along the cue's tempo map, the same way: auto is Hitpoint clock"
    )
    one.add_argument("--speed", type=within(0.01, 16, float), default=1.0, help="1 is normal")
    two = verb("calibrate", calibrate, "measure how late a port's notes are, and make up for it")
    two.add_argument("--out", metavar="PORT", help="the port that is measured, as play names it; what play opens, left open")
    two.add_argument("--in", dest="into", default="auto:Hitpoint return", metavar="PORT", help="where the notes come back in")
    two.add_argument("--midi", type=Path, metavar="RECORDED", help="what the DAW recorded, in place of notes sent round")
    two.add_argument("--expected", type=Path, metavar="CUE", help="what was played to it: a .hitpoint or a MIDI file")
    two.add_argument(
        "--at", metavar="PLACE",
        help="of the film, at which the recording begins: seconds (0), or hh:mm:ss:ff from its first frame as the session counts",
    )  # fmt: skip
    two.add_argument("--rate", type=rate, help="frames a second of that timecode, where it is not the session's")
    two.add_argument("--dry-run", action="store_true", help="keep nothing")
    two.add_argument("--anyway", action="store_true", help="keep it though the notes lie far apart, or the rounds differ")
    two.add_argument(
        "--set", type=within(-2000, 2000, float), metavar="MS",
        help="keep this, as a DAW's track delay: -150 plays 150 ms earlier; for the port --out, or for --stem",
    )  # fmt: skip
    two.add_argument(
        "--stem", metavar="NAME", help="whose sounds begin late at any port, added to the port's: melody, bridge, piano"
    )
    two.add_argument("--list", action="store_true", help="what is kept")
    two.add_argument("--forget", metavar="NAME", help="forget what is kept for a port or a stem, as --list names it")
