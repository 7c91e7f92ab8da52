"""The command line of Hitpoint: read it, call one function, print."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # stopped while it still imports, it ends without a word; from main() on, with one line
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import json
import os
import sys
import threading
import traceback
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines import __version__
from engines.engine import MOODS
from engines.errors import Cancelled, HitpointError, OptionError

if TYPE_CHECKING:
    from engines.scoring import Wishes
    from engines.watch import Watch


class _Parser(argparse.ArgumentParser):
    """One line for a wrong option, too."""

    def error(self, message: str) -> Any:
        raise OptionError(message, where=self.prog.removeprefix("hitpoint").strip() or None, cure="see --help")


def _progress(args: argparse.Namespace) -> Watch:
    """Progress as one line on standard error, where that is a terminal."""
    from engines.watch import Watch

    if args.quiet or not sys.stderr.isatty():
        return Watch()
    shown = [""]

    def show(stage: str, done: float, total: float) -> None:
        text = f"{stage}: {100 * done / total:3.0f} %" if total else stage
        if text != shown[0]:
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()
            shown[0] = text

    return Watch(show)


def _say(*lines: str) -> None:
    """A word to the person, on standard error, so that standard output stays for what was asked."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    for line in lines:
        print(line, file=sys.stderr)


def _give(args: argparse.Namespace, value: object, text: str) -> None:
    print(json.dumps(value, ensure_ascii=False) if args.json else text)


def _tempo(text: str) -> tuple[Fraction, Fraction]:
    low, _, high = text.partition("-")
    try:
        return Fraction(low), Fraction(high or low)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a tempo: write 96 or 70-140") from None


def _metre(text: str) -> Any:
    from engines.spotting.tempo import Metre

    beats, _, unit = text.partition("/")
    if not (beats.isdigit() and unit in ("1", "2", "4", "8", "16") and 1 <= int(beats) <= 32):
        raise argparse.ArgumentTypeError(f"{text!r} is not a metre: write 4/4, 3/4 or 7/8")
    return Metre(int(beats), int(unit))


def _within(low: float, high: float, kind: type[int] | type[float]) -> Any:
    def read(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not in {low:g} to {high:g}")
        return value

    return read


def _rate(text: str) -> Fraction:
    from engines.picture.timecode import parse_rate

    return parse_rate(text)


def _instruments(words: list[str]) -> dict[str, Any]:
    from engines.score.instruments import instrument
    from engines.score.notes import STEMS

    out = {}
    for word in words:
        stem, _, name = word.partition("=")
        if stem not in STEMS or not name:
            raise OptionError(
                f"{word!r} is not STEM=NAME", where="--instrument", cure=f"write {STEMS[0]}=violin; stems are {', '.join(STEMS)}"
            )
        out[stem] = instrument(name)
    return out


def _wishes(args: argparse.Namespace) -> Wishes:
    from engines.scoring import Wishes
    from engines.spotting.hits import override_from_text
    from engines.spotting.solve import MAX_BEND, TEMPO
    from engines.spotting.tempo import Metre

    given = vars(args)
    return Wishes(
        engine=given.get("engine", "bmt"),
        mode=given.get("mode"),
        formula=given.get("formula", "ours"),
        provider=given.get("provider"),
        tempo=args.tempo or TEMPO,
        max_bend=MAX_BEND if args.max_bend is None else args.max_bend,
        metres=tuple(args.metre or (Metre(),)),
        subdivision=args.subdivision,
        candidate=args.candidate,
        mood=MOODS.get(given.get("mood", "")),
        density=given.get("density"),
        energy=given.get("energy"),
        key=given.get("key"),
        seed=given.get("seed", 1),
        performance=given.get("performance", 0.5),
        overrides=tuple(override_from_text(word) for word in args.hit),
        instruments=_instruments(given.get("instrument") or []),
    )


def demo(args: argparse.Namespace) -> None:
    """Make a film, score it, and say where everything lies."""
    from engines.files import folder
    from engines.picture.demo_film import make_demo_film

    folder(args.out)
    watch = _progress(args)
    with watch.stage("film") as progress:
        args.film = make_demo_film(args.out / "demo.mp4", progress)
    args.preview = True
    score(args)


def score(args: argparse.Namespace) -> None:
    """A film to a cue that lands on its cuts."""
    from engines.scoring import preview, score_film

    out = args.out or Path(f"{args.film.stem}-score")
    watch = _progress(args)
    cue = score_film(args.film, out, _wishes(args), args.cuts, args.rate, watch)
    if args.preview:
        cue = preview(cue, args.film, watch, args.mix, args.soundfont, args.synthesiser)
    _say(cue.provider_said)
    _give(args, cue.json(), cue.text())


def shots(args: argparse.Namespace) -> None:
    """The cuts of a film."""
    from engines.picture import cutlist
    from engines.picture.reel import Reel
    from engines.scoring import cut_lines, film_cuts, shots_json

    watch = _progress(args)
    reel = Reel.open(args.film)
    programme, _ = film_cuts(reel, watch)
    for path in (args.csv, args.edl, args.otio):
        if path:
            cutlist.write(programme, path)
            _say(f"wrote {path}")
    _give(args, shots_json(programme, args.film), cut_lines(programme.cuts, programme.start))


def spot(args: argparse.Namespace) -> None:
    """Tempo maps for a cut list."""
    from engines.picture import cutlist
    from engines.scoring import candidate_lines, write_click
    from engines.scoring import spot as spotted_from

    spotted = spotted_from(cutlist.read(args.cuts, args.rate), _wishes(args), _progress(args))
    if args.click:
        write_click(args.click, spotted.chosen, spotted.programme)
        _say(f"wrote {args.click}")
    _give(args, {"candidates": [c.json() for c in spotted.candidates]}, candidate_lines(spotted.candidates))


def report(args: argparse.Namespace) -> None:
    """The hit report of anybody's MIDI file."""
    from engines.scoring import midi_report

    found = midi_report(args.midi, args.cuts, args.film, args.rate)
    _give(args, found.json(), found.text(sys.stdout.isatty()))


def compose(args: argparse.Namespace) -> None:
    """Sketches without a film."""
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
        tuple(args.chords.split()) if args.chords else (),
    )
    watch = _progress(args)
    with watch.stage("compose") as progress:
        made = sketches(sketch, args.out, args.count, args.seed, args.engine, args.provider, args.performance, progress)
    seconds = watch.seconds["compose"]
    _give(args, {"files": [str(p) for p in made], "seconds": round(seconds, 3)}, "\n".join(str(p) for p in made))


def train(args: argparse.Namespace) -> None:
    """Train an engine; goes on where it was interrupted."""
    from engines.training import train_engine

    best = train_engine(args.engine, args.data, args.out, args.steps, args.hours, args.size, lambda row: _say(json.dumps(row)))
    _give(args, {"checkpoint": str(best)}, str(best))


def export(args: argparse.Namespace) -> None:
    """A checkpoint as a graph with its card."""
    from engines.training import export_engine

    made = export_engine(args.engine, args.checkpoint, args.out, args.storage, args.dictionary)
    _give(args, made, "\n".join(f"{k}: {v}" for k, v in made.items()))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="hitpoint", description="Score to picture: cuts to the frame, a tempo map that lands on them, MIDI that proves it."
    )
    parser.add_argument("--version", action="version", version=f"hitpoint {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser)

    def verb(name: str, call: Any, help: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=help, description=call.__doc__)
        made.set_defaults(call=call)
        made.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else there")
        made.add_argument("--quiet", action="store_true", help="no progress")
        return made

    def spotting(made: argparse.ArgumentParser) -> None:
        made.add_argument("--tempo", type=_tempo, metavar="LO-HI", help="nominal tempo in BPM (70-140)")
        made.add_argument("--max-bend", type=_within(0, 50, float), metavar="PERCENT", help="how far a beat may leave it (4)")
        made.add_argument(
            "--metre", type=_metre, action="append", metavar="4/4", help="metres that the cue may be in; may be repeated"
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
        made.add_argument("--rate", type=_rate, help="frames a second of a cut list that does not say")

    def music(made: argparse.ArgumentParser) -> None:
        made.add_argument("--engine", default="bmt", help="which engine composes (bmt)")
        made.add_argument("--provider", help="cuda, tensorrt, coreml, directml or cpu; an error if it does not load")
        made.add_argument("--mood", choices=tuple(MOODS), help="the quadrant of valence and arousal")
        made.add_argument("--density", type=_within(0, 16, int), help="onset positions a bar, 0 to 16")
        made.add_argument("--energy", type=_within(0, 1, float), help="0 to 1")
        made.add_argument("--key", help="C:maj, F#:min and so on")
        made.add_argument("--seed", type=_within(0, 2**63 - 1, int), default=1, help="same seed, same notes")
        made.add_argument(
            "--performance", type=_within(0, 1, float), default=0.5, help="how far dynamics and timing are shaped, 0 to 1"
        )

    def scoring(made: argparse.ArgumentParser) -> None:
        spotting(made)
        music(made)
        made.add_argument("--mode", choices=("strict", "official"), help="official: the published inference")
        made.add_argument("--formula", choices=("ours", "cmt", "bmt"), default="ours", help="who maps the picture to density")
        made.add_argument(
            "--instrument", action="append", metavar="STEM=NAME", help="melody=violin, for the file and the preview"
        )
        made.add_argument(
            "--mix", type=_within(0, 1, float), default=0.3, help="level of the film's own sound in the preview, 0 to 1"
        )
        made.add_argument("--soundfont", type=Path, help="an .sf2 for the preview")
        made.add_argument("--synthesiser", choices=("sampler", "fluidsynth"), default="sampler", help="who plays the preview")

    made = verb("demo", demo, "make a short film, score it, render a preview: the first command")
    made.add_argument("--out", type=Path, default=Path("hitpoint-demo"))
    scoring(made)
    made.set_defaults(cuts=None)

    made = verb("score", score, "the main job: a film to cut-aligned MIDI")
    made.add_argument("film", type=Path)
    made.add_argument("--cuts", type=Path, metavar="FILE", help="the editor's cut list instead of pixels")
    made.add_argument("--out", type=Path, metavar="DIR")
    made.add_argument("--preview", action="store_true", help="render audio and mux it onto the picture")
    scoring(made)

    made = verb("shots", shots, "the cuts of a film, to the frame")
    made.add_argument("film", type=Path)
    for suffix in ("csv", "edl", "otio"):
        made.add_argument(f"--{suffix}", type=Path, metavar="FILE")

    made = verb("spot", spot, "tempo maps for a cut list, priced")
    made.add_argument("cuts", type=Path)
    made.add_argument("--click", type=Path, metavar="FILE", help="write a click track as MIDI")
    spotting(made)

    made = verb("report", report, "the hit report of anybody's MIDI file")
    made.add_argument("midi", type=Path)
    made.add_argument("--cuts", type=Path, required=True)
    made.add_argument("--film", type=Path, help="for its rate and start timecode")
    made.add_argument("--rate", type=_rate)

    made = verb("compose", compose, "sketches without a film")
    made.add_argument("--bars", type=int, default=8)
    made.add_argument("--count", type=int, default=1)
    made.add_argument("--out", type=Path, default=Path("sketches"))
    made.add_argument("--tempo", type=_tempo, metavar="BPM")
    made.add_argument("--metre", type=_metre, action="append", metavar="4/4")
    made.add_argument("--register", type=_within(36, 96, float), help="mean MIDI pitch")
    made.add_argument("--chords", metavar='"C:maj A:min"', help="one a bar, in a round")
    music(made)

    made = verb("train", train, "train an engine (needs the train extra)")
    made.add_argument("engine", choices=("bmt",))
    made.add_argument("--data", type=Path, required=True, help="the folder of POP909")
    made.add_argument("--out", type=Path, default=Path("training"), help="checkpoints and log; goes on from there")
    made.add_argument("--steps", type=_within(1, 10**9, int))
    made.add_argument("--hours", type=_within(0, 10**6, float))
    made.add_argument("--size", choices=("ours", "published"), default="ours")

    made = verb("export", export, "a checkpoint as an ONNX graph with its card (needs the train extra)")
    made.add_argument("engine", choices=("bmt",))
    made.add_argument("--checkpoint", type=Path, required=True)
    made.add_argument("--out", type=Path, required=True)
    made.add_argument("--storage", choices=("fp32", "fp16", "int8"), default="fp16")
    made.add_argument("--dictionary", type=Path, help="the dictionary.pkl of a published checkpoint")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs one command; 0 on success, 2 with one line on bad input, 130 where the person stopped it."""
    parser = _parser()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended by the system as by Ctrl-C: files are cleaned up
    try:
        args = parser.parse_args(argv)
        if args.verb is None:
            parser.print_help()
            return 0
        args.call(args)
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        _say("cancelled: nothing half-written was left")
        return 130
    except HitpointError as error:
        _say(f"hitpoint: {error}")
        return 2
    except MemoryError:
        _say("hitpoint: not enough memory; close other programs, or score the film in parts")
        return 2
    except BrokenPipeError:
        # the reader of our output has gone (`| head`): nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if os.environ.get("HITPOINT_TRACEBACK"):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        _say(
            f"hitpoint: a fault of ours ({type(error).__name__}: {' '.join(str(error).split())[:160]}, {Path(place.filename).name} "
            f"line {place.lineno}); please report it, with what HITPOINT_TRACEBACK=1 shows"
        )
        return 70  # EX_SOFTWARE of sysexits.h
    return 0


if __name__ == "__main__":
    sys.exit(main())
