"""The verbs that speak to a DAW: place, markers, daw."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import OptionError
from engines.verbs.reading import within
from engines.verbs.terminal import Verb, give, progress, say

if TYPE_CHECKING:
    from bridge.daw import Address
    from bridge.project import Project
    from engines.picture.timecode import Timecode
    from engines.session.model import Session

_ROLLS = {"play": True, "stop": False}


def place(args: argparse.Namespace) -> None:
    """Put the cue, or some of its scenes, into a DAW (or a folder of files to drag in), and say what the DAW confirmed."""
    from bridge.daw import Cue
    from bridge.placing import place_in
    from engines.session.working import look_at

    session = look_at(args.session).session
    cue, project = Cue.of(session, args.scene), said(args, session.start)
    daw = args.daw or "folder"
    placement = place_in(daw, _address(args, project, session, daw), cue, project.zero)
    project.keep(args.session)
    understood(args, project, session.start)
    if not placement.placed.confirmed:
        say("nothing was confirmed by the DAW")
    give(args, placement.json(), placement.placed.said)


def markers(args: argparse.Namespace) -> None:
    """Markers and regions of a DAW's project, by timecode and frame of the film; with --hits they become hits, where none lies on their
    frame (+). A region has two rows; its end (.) becomes a hit with --region-ends, or by its number. `undo` takes all of them back in one
    step."""
    from bridge.marking import marked
    from engines.session.working import act_on, look_at

    session = look_at(args.session).session
    project = said(args, session.start)
    daw = named(args, project)
    found = marked(daw, _address(args, project, session, daw), session, project.zero)
    act = found.act(args.only, args.weight, args.region_ends) if args.hits or args.only else None
    if act is not None:
        act_on(args.session, [act], progress(args))
        say(act.sentence)
    elif args.hits or args.only:
        say("no marker lies inside the film where no hit is: nothing was marked")
    project.keep(args.session)
    understood(args, project, session.start)
    give(args, found.json() | {"marked": [] if act is None else [mark.frame for mark in act.marks]}, found.text())


def daw(args: argparse.Namespace) -> None:
    """Have a DAW play, stop or go to a place in the film, or say where it is (where). Machine control (--daw generic) is answered by
    nothing: look at the DAW."""
    from bridge.daw import open_daw
    from bridge.driving import Went, film_place
    from bridge.places import Place
    from bridge.ports import CONTROL
    from engines.session.working import look_at

    session = look_at(args.session).session
    project = said(args, session.start)
    name = named(args, project)
    if (args.act == "locate") is not (args.place is not None):
        raise OptionError(f"{args.act} {'needs a' if args.act == 'locate' else 'takes no'} place", where="daw", cure="see --help")
    if name == "generic" and args.act != "where" and project.midi is None:
        cure = "name a port of the DAW's: --midi system:NAME; or let the window or serve tell it, while they run"
        raise OptionError(f"our port {CONTROL!r} would be gone again when this ends", where="--midi", cure=cure)
    begins, seconds = project.begins(session, name), Place.of(args.place or "0", session.start, "locate").seconds
    adapter = open_daw(name, _address(args, project, session, name))
    try:
        if args.act == "where":
            told = adapter.transport()
        else:
            told = adapter.go(film_place(seconds if args.place else None, begins, name), _ROLLS.get(args.act))
    finally:
        adapter.close()
    project.keep(args.session)
    understood(args, project, session.start)
    went = Went.of(name, told, begins)
    give(args, went.json(), went.words)


def said(args: argparse.Namespace, start: Timecode) -> Project:
    """The project that is kept for a session whose film begins at ``start``, with what the command line says of it."""
    from bridge.places import Place
    from bridge.project import Project

    at = None if args.at is None else Place.in_project(args.at, start)
    about = {name: getattr(args, name, None) for name in ("daw", "project")}
    daw = None if about["daw"] == "folder" else about["daw"]
    return Project.of(args.session).but(
        daw, at, about["project"], getattr(args, "cue_tempo", False) or None, getattr(args, "midi", None)
    )


def understood(args: argparse.Namespace, project: Project, start: Timecode) -> None:
    """Says where the film lies, where the command line has just said it: the same label is two places, by how it counts."""
    place = project.place(start)
    if args.at is not None and place is not None:
        say(f"the film lies at {place.words} of the project")


def named(args: argparse.Namespace, project: Project) -> str:
    """The DAW that is meant. Raises OptionError where nobody has said which."""
    name: str | None = args.daw or project.daw
    if name is None:
        raise OptionError("nobody has said which DAW", where="--daw", cure="choose one of: ardour, reaper, live, folder, generic")
    return name


def _address(args: argparse.Namespace, project: Project, session: Session, daw: str) -> Address:
    return project.address(session, args.session, daw, args.port, args.folder)


def about(parser: argparse.ArgumentParser) -> None:
    """The options that say where a DAW is found."""
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for files to drag in, and a project exported as MIDI file")
    parser.add_argument("--project", type=Path, help="the DAW's project: the folder of an Ardour session, a .RPP file")
    parser.add_argument("--port", type=within(1, 65535, int), help="on which the DAW listens, where it is not the usual one")


def film_at(parser: argparse.ArgumentParser) -> None:
    """The option that says where the film lies in a DAW's project."""
    parser.add_argument(
        "--at", metavar="PLACE",
        help="of the film's first frame in the DAW's project: seconds, or timecode that counts as the film does (with ; it is "
        "drop-frame, with ndf behind it not); kept with the session (0 at first)",
    )  # fmt: skip


def add(verb: Verb) -> None:
    """Adds these verbs to the command line."""
    from bridge.daws import DAWS

    one = verb("place", place, "put a cue into a DAW, or files for one into a folder")
    two = verb("markers", markers, "markers of a DAW's project, and hits made of them")
    three = verb("daw", daw, "have a DAW play, stop, or go to a place in the film")
    for parser in (one, two, three):
        parser.add_argument("session", type=Path, metavar="SESSION")
    three.add_argument("act", choices=("where", "play", "stop", "locate"))
    three.add_argument(
        "place", nargs="?", metavar="PLACE", help="for locate: seconds of the film, or hh:mm:ss:ff from its first frame"
    )
    for parser, last in ((one, "left open, a folder"), (two, "left open, the last one"), (three, "left open, the last one")):
        parser.add_argument("--daw", choices=DAWS, help=last)
        film_at(parser)
        about(parser)
        parser.add_argument(
            "--cue-tempo", action="store_true", help="its project has the cue's tempo map, imported with its MIDI file (Live)"
        )
    one.add_argument("--scene", type=int, action="append", default=[], help="only this scene; may be given again")
    two.add_argument("--hits", action="store_true", help="make hits of those inside the film")
    two.add_argument("--only", type=int, action="append", default=[], metavar="N", help="of this one; may be given again")
    two.add_argument("--region-ends", action="store_true", help="with --hits: where regions end, too")
    two.add_argument("--weight", type=within(0, 1, float), help="of these hits (1)")
    three.add_argument("--midi", metavar="PORT", help="that takes machine control for --daw generic: system:NAME")
