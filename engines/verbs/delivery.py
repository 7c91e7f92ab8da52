"""The verbs that hand a cue over: cuesheet, deliver."""

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


def add(verb: Verb) -> None:
    """Adds these verbs to the command line."""
    one = verb("cuesheet", cuesheet, "the cue sheet and spotting notes of a session")
    two = verb("deliver", deliver, "a folder with all that is handed over of a cue")
    for parser in (one, two):
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
