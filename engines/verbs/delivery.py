"""The verbs that hand a cue over: cuesheet, deliver, preview."""

from __future__ import annotations

import argparse
from pathlib import Path

from engines.verbs.reading import within
from engines.verbs.terminal import Verb, give, progress, say


def cuesheet(args: argparse.Namespace) -> None:
    """The cue sheet and spotting notes of a session, to read, as tables, and as a page to print."""
    from engines.files import write
    from engines.session.cue_sheet import cue_sheet
    from engines.session.cue_sheet_csv import cue_csv, hit_csv
    from engines.session.cue_sheet_page import page
    from engines.session.cue_sheet_text import sheet_json, sheet_text
    from engines.session.working import look_at

    sheet = cue_sheet(look_at(args.session).session)
    for path, content in ((args.csv, cue_csv), (args.spotting, hit_csv), (args.html, page)):
        if path:
            say(f"wrote {write(path, content(sheet))}")
    give(args, sheet_json(sheet), sheet_text(sheet))


def deliver(args: argparse.Namespace) -> None:
    """All of a cue in one folder: MIDI, cue sheet, spotting notes, hit report, cut list, and the rights of what composed it."""
    from engines.session.delivery import deliver as delivered
    from engines.session.working import look_at

    session = look_at(args.session).session
    takes = args.takes or bool(args.scene)
    done = delivered(session, args.out, stems=args.stems, takes=takes, scenes=args.scene, watch=progress(args))
    give(args, done.json(), done.text())


def preview(args: argparse.Namespace) -> None:
    """The music of a session on its film's picture, as a sound file and as a film to look at; on request a click track, too."""
    from engines.session.clicked import write_click
    from engines.session.film import find_film
    from engines.session.shown import shown
    from engines.session.working import look_at

    session = look_at(args.session).session
    if args.click:
        say(f"wrote {write_click(session, args.click)}")
    film = find_film(session, args.session)
    out = args.out or args.session.parent
    made = shown(session, film, out, progress(args), args.mix, args.soundfont, args.synthesiser)
    give(args, {"files": {name: str(path) for name, path in made.items()}}, "\n".join(map(str, made.values())))


def add(verb: Verb) -> None:
    """Adds these verbs to the command line."""
    one = verb("cuesheet", cuesheet, "the cue sheet and spotting notes of a session")
    two = verb("deliver", deliver, "a folder with all that is handed over of a cue")
    three = verb("preview", preview, "the music of a session on its film's picture")
    for parser in (one, two, three):
        parser.add_argument("session", type=Path, metavar="SESSION", help="the .hitpoint file")
    one.add_argument("--csv", type=Path, metavar="FILE", help="write the cue and its scenes as a table")
    one.add_argument("--spotting", type=Path, metavar="FILE", help="write the hits as a table")
    one.add_argument("--html", type=Path, metavar="FILE", help="write a page to print")
    two.add_argument("--out", type=Path, required=True, metavar="DIR", help="files of an earlier delivery there are replaced")
    two.add_argument("--stems", action="store_true", help="a MIDI file for each stem, too")
    two.add_argument("--takes", action="store_true", help="a MIDI file for each take of each scene, too, chosen or not")
    two.add_argument(
        "--scene",
        type=within(1, 10**6, int),
        action="extend",
        nargs="+",
        default=[],
        metavar="N",
        help="the takes of these alone",
    )
    three.add_argument("--out", type=Path, metavar="DIR", help="else beside the session")
    three.add_argument("--mix", type=within(0, 1, float), default=0.3, help="level of the film's own sound, 0 to 1")
    three.add_argument("--soundfont", type=Path, help="an .sf2")
    three.add_argument("--synthesiser", choices=("sampler", "fluidsynth"), default="sampler", help="who plays it")
    three.add_argument("--click", type=Path, metavar="FILE", help="write a click on the tempo map as MIDI, too")
