"""The verbs that begin with a film or a cut list: demo, score, shots, spot, report, compose."""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from pathlib import Path

from engines.engine import MOODS
from engines.verbs.reading import metre, rate, tempo, wishes, within
from engines.verbs.terminal import Verb, give, progress, say


def demo(args: argparse.Namespace) -> None:
    """Make a film, score it, and say where everything lies."""
    from engines.files import folder
    from engines.picture.demo_film import make_demo_film

    folder(args.out)
    watch = progress(args)
    with watch.stage("film") as told:
        args.film = make_demo_film(args.out / "demo.mp4", told)
    args.preview = True
    score(args)


def score(args: argparse.Namespace) -> None:
    """A film to a cue that lands on its cuts."""
    from engines.scoring import preview, score_film

    out = args.out or Path(f"{args.film.stem}-score")
    watch = progress(args)
    cue = score_film(args.film, out, wishes(args), args.cuts, args.rate, watch)
    if args.preview:
        cue = preview(cue, args.film, watch, args.mix, args.soundfont, args.synthesiser)
    say(*watch.said, cue.provider_said)
    give(args, cue.json(), cue.text())


def shots(args: argparse.Namespace) -> None:
    """The cuts of a film."""
    from engines.picture import cutlist
    from engines.picture.reel import Reel
    from engines.scoring import cut_lines, film_cuts, shots_json

    watch = progress(args)
    reel = Reel.open(args.film)
    programme, _ = film_cuts(reel, watch)
    for path in (args.csv, args.edl, args.otio):
        if path:
            cutlist.write(programme, path)
            say(f"wrote {path}")
    say(*watch.said)
    give(args, shots_json(programme, args.film), cut_lines(programme.cuts, programme.start))


def spot(args: argparse.Namespace) -> None:
    """Tempo maps for a cut list."""
    from engines.picture import cutlist
    from engines.scoring import candidate_lines, write_click
    from engines.scoring import spot as spotted_from

    spotted = spotted_from(cutlist.read(args.cuts, args.rate), wishes(args), progress(args))
    if args.click:
        write_click(args.click, spotted.chosen, spotted.programme)
        say(f"wrote {args.click}")
    give(args, {"candidates": [c.json() for c in spotted.candidates]}, candidate_lines(spotted.candidates))


def report(args: argparse.Namespace) -> None:
    """The hit report of anybody's MIDI file."""
    from engines.scoring import midi_report

    found = midi_report(args.midi, args.cuts, args.film, args.rate)
    give(args, found.json(), found.text(sys.stdout.isatty()))


def compose(args: argparse.Namespace) -> None:
    """Sketches without a film."""
    from engines.score.harmony import chord_names
    from engines.sketch import Sketch, sketches
    from engines.spotting.tempo import Metre

    low, high = args.tempo or (Fraction(100), Fraction(100))
    sketch = Sketch(
        args.bars,
        (low + high) / 2,
        (args.metre or [Metre()])[0],
        MOODS.get(args.mood),
        args.density,
        args.energy,
        args.register,
        args.key,
        chord_names(args.chords or ""),
    )
    watch = progress(args)
    with watch.stage("compose") as told:
        made = sketches(
            sketch, args.out, args.count, args.seed, args.engine, args.provider, args.performance, told, features=args.features
        )
    seconds = watch.seconds["compose"]
    give(args, {"files": [str(p) for p in made], "seconds": round(seconds, 3)}, "\n".join(str(p) for p in made))


def spotting_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--tempo", type=tempo, metavar="LO-HI", help="nominal tempo in BPM (70-140)")
    made.add_argument("--max-bend", type=within(0, 50, float), metavar="PERCENT", help="how far a beat may leave it (4)")
    made.add_argument(
        "--metre", type=metre, action="append", metavar="4/4", help="metres that the cue may be in; may be repeated"
    )
    made.add_argument("--subdivision", type=int, choices=(1, 2), default=1, help="hits on beats, or on eighths too")
    made.add_argument("--candidate", metavar="KIND", help="steady, bend, ramp or odd bar, instead of the cheapest")
    made.add_argument(
        "--hit",
        action="append",
        default=[],
        metavar="FRAME[=WEIGHT][,hard|soft|off][,late=FRAMES]",
        help="your word on a hit",
    )
    made.add_argument("--rate", type=rate, help="frames a second of a cut list that does not say")


def music_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--engine", default="bmt", help="which engine composes: bmt (default) or diffbgm")
    made.add_argument(
        "--features",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what a published diffbgm checkpoint hears of the film; may be repeated",
    )
    made.add_argument("--provider", help="cuda, tensorrt, coreml, directml or cpu; an error if it does not load")
    made.add_argument("--mood", choices=tuple(MOODS), help="the quadrant of valence and arousal")
    made.add_argument("--density", type=within(0, 16, int), help="onset positions a bar, 0 to 16")
    made.add_argument("--energy", type=within(0, 1, float), help="0 to 1")
    made.add_argument("--key", help="C:maj, F#:min and so on")
    made.add_argument("--seed", type=within(0, 2**63 - 1, int), default=1, help="same seed, same notes")
    made.add_argument(
        "--performance", type=within(0, 1, float), default=0.5, help="how far dynamics and timing are shaped, 0 to 1"
    )


def scoring_options(made: argparse.ArgumentParser) -> None:
    spotting_options(made)
    music_options(made)
    made.add_argument("--mode", choices=("strict", "official"), help="official: the published inference")
    made.add_argument("--formula", choices=("ours", "cmt", "bmt"), default="ours", help="who maps the picture to density")
    made.add_argument("--instrument", action="append", metavar="STEM=NAME", help="melody=violin, for the file and the preview")
    made.add_argument("--mix", type=within(0, 1, float), default=0.3, help="level of the film's own sound in the preview, 0 to 1")
    made.add_argument("--soundfont", type=Path, help="an .sf2 for the preview")
    made.add_argument("--synthesiser", choices=("sampler", "fluidsynth"), default="sampler", help="who plays the preview")


def add(verb: Verb) -> None:
    """Adds these verbs to the command line."""
    made = verb("demo", demo, "make a short film, score it, render a preview: the first command")
    made.add_argument("--out", type=Path, default=Path("hitpoint-demo"))
    scoring_options(made)
    made.set_defaults(cuts=None)

    made = verb("score", score, "the main job: a film to cut-aligned MIDI")
    made.add_argument("film", type=Path)
    made.add_argument("--cuts", type=Path, metavar="FILE", help="the editor's cut list instead of pixels")
    made.add_argument("--out", type=Path, metavar="DIR")
    made.add_argument("--preview", action="store_true", help="render audio and mux it onto the picture")
    scoring_options(made)

    made = verb("shots", shots, "the cuts of a film, to the frame")
    made.add_argument("film", type=Path)
    for suffix in ("csv", "edl", "otio"):
        made.add_argument(f"--{suffix}", type=Path, metavar="FILE")

    made = verb("spot", spot, "tempo maps for a cut list, priced")
    made.add_argument("cuts", type=Path)
    made.add_argument("--click", type=Path, metavar="FILE", help="write a click track as MIDI")
    spotting_options(made)

    made = verb("report", report, "the hit report of anybody's MIDI file")
    made.add_argument("midi", type=Path)
    made.add_argument("--cuts", type=Path, required=True)
    made.add_argument("--film", type=Path, help="for its rate and start timecode")
    made.add_argument("--rate", type=rate)

    made = verb("compose", compose, "sketches without a film")
    made.add_argument("--bars", type=int, default=8)
    made.add_argument("--count", type=int, default=1)
    made.add_argument("--out", type=Path, default=Path("sketches"))
    made.add_argument("--tempo", type=tempo, metavar="BPM")
    made.add_argument("--metre", type=metre, action="append", metavar="4/4")
    made.add_argument("--register", type=within(36, 96, float), help="mean MIDI pitch")
    made.add_argument("--chords", metavar='"C Am F/A G7"', help="one a bar, in a round")
    music_options(made)
