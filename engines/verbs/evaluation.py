"""The verb that measures: evaluate."""

from __future__ import annotations

import argparse
from pathlib import Path

from engines.verbs.reading import rate
from engines.verbs.terminal import Verb, give, progress


def evaluate(args: argparse.Namespace) -> None:
    """Folders of MIDI files, measured beside real music and a floor of random notes."""
    from engines.yardstick.evaluate import evaluate as measured
    from engines.yardstick.evaluate import retrieved

    watch = progress(args)
    with watch.stage("measure") as told:
        table = measured(args.folder, args.reference, args.cuts, args.rate, args.structure, told, watch.cancelled)
    out, text = table.json(), table.text()
    if args.retrieval:
        out["retrieval"] = {folder.name: retrieved(folder, args.retrieval) for folder in args.folder}
        for name, found in out["retrieval"].items():
            share, chance = found["p_at_20"], found["chance_at_20"]
            text += f"\n{name}: P@20 {share:.3f} of {found['rows']} rows (chance {chance:.3f}; by {found['features']})"
    give(args, out, text)


def add(verb: Verb) -> None:
    """Adds this verb to the command line."""
    made = verb("evaluate", evaluate, "measure folders of MIDI files beside real music")
    made.add_argument("folder", type=Path, nargs="+", metavar="DIR", help="a folder of MIDI files: one engine's, say")
    made.add_argument("--reference", type=Path, metavar="DIR", help="real music: the folder of POP909, or of MIDI files")
    made.add_argument("--cuts", type=Path, help="a cut list: the hit error of every file against it")
    made.add_argument("--rate", type=rate, help="frames a second of a cut list that does not say")
    made.add_argument(
        "--structure", action="store_true", help="structureness too, from the sound: about ten seconds a minute of music"
    )
    made.add_argument("--retrieval", type=Path, metavar="DIR", help="real files of the same names: how often ours find theirs")
