"""The verbs that work on a session: refill, brief, takes, scenes, undo, redo, history, deliver."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.engine import MOODS
from engines.errors import OptionError
from engines.verbs.reading import bar_range, metre, rate, tempo, within
from engines.verbs.terminal import Verb, give, progress, say

if TYPE_CHECKING:
    from engines.session.desk import Act


def refill(args: argparse.Namespace) -> None:
    """Compose a scene again, or some of its bars or stems, and nothing else; or every scene, in order."""
    from engines.commands import Refill, Score
    from engines.session.keep import parse
    from engines.session.refill import Wish
    from engines.session.working import act_on, refill_json, refill_text

    keep = tuple(parse(word) for word in args.keep)
    bars = (args.bars,) if args.bars else None
    features = None if args.features is None else tuple(args.features)
    if args.all:
        _every_scene(args, Score(args.seed, args.provider, features))
        return
    wish = Wish(args.scene, bars, tuple(args.stem) or None, keep, args.seed, args.engine, args.mode, features)
    done = act_on(args.session, [Refill(wish, args.provider)], progress(args))
    give(args, refill_json(done, args.scene), refill_text(done, args.scene))


def _every_scene(args: argparse.Namespace, score: Act) -> None:
    from engines.session.deliver import scenes_json
    from engines.session.listing import scenes_lines
    from engines.session.working import act_on

    given = {"--bars": args.bars, "--stem": args.stem, "--keep": args.keep, "--engine": args.engine, "--mode": args.mode}
    if wrong := [name for name, value in given.items() if value]:
        raise OptionError(f"{wrong[0]} is for one scene", where="refill", cure="give --scene N in place of --all")
    session = act_on(args.session, [score], progress(args)).session
    give(args, {"scenes": scenes_json(session)}, scenes_lines(session))


def brief(args: argparse.Namespace) -> None:
    """What the engines are told: show it, say something of the cue, a scene or a bar, or edit it all as a text sheet."""
    from engines.commands import Tell, TellAll
    from engines.session.editor import edited, sheet_from
    from engines.session.model import Told
    from engines.session.sheet import read_sheet, sheet_text
    from engines.session.working import act_on, brief_json, look_at

    settings = {name: getattr(args, name) for name in vars(Told()) if getattr(args, name, None) is not None}
    if args.read or args.edit:
        if settings or args.forget:
            raise OptionError("a sheet and single settings at once", where="brief", cure="give the one or the other")
        text = sheet_from(args.read) if args.read else edited(sheet_text(look_at(args.session).session))
        told = read_sheet(look_at(args.session).session, text, args.read or "the brief")
        session = act_on(args.session, [TellAll(told)], progress(args)).session
    elif settings or args.forget:
        said = Told(**_words(settings))
        session = act_on(args.session, [Tell(said, args.scene, args.bar, tuple(args.forget))], progress(args)).session
    else:
        session = look_at(args.session).session
    sheet = sheet_text(session)
    if args.write:
        from engines.files import write

        say(f"wrote {write(args.write, sheet)}")
    for number in (span.number for span in session.spans if span.scene.chosen is None):
        say(f"scene {number} is silent: refill --scene {number} composes it")
    give(args, brief_json(session), sheet.rstrip())


def takes(args: argparse.Namespace) -> None:
    """The takes of a session: list, choose, name, rate, annotate, keep, compare, delete, or compose one again from its recipe."""
    from engines.commands import Choose, Delete, Hold, Remark
    from engines.session.listing import again_lines, compared_lines, takes_json, takes_lines
    from engines.session.working import act_on, look_at

    acts: list[Act] = []
    if args.choose is not None:
        acts.append(Choose(args.scene, args.choose))
    if args.silence:
        acts.append(Choose(args.scene, None))
    if args.name is not None or args.rate is not None or args.note is not None:
        acts.append(Remark(args.scene, args.take, args.name, args.rate, args.note))
    if args.keep or args.release:
        acts.append(Hold(args.scene, tuple(args.keep)))
    if args.delete is not None:
        acts.append(Delete(args.scene, args.delete))
    if (acts or args.again or args.compare) and args.scene is None:
        raise OptionError("no scene is named", where="takes", cure="add --scene N")
    session = (act_on(args.session, acts, progress(args)) if acts else look_at(args.session)).session
    if args.compare:
        rows, lines = compared_lines(session, args.scene, args.compare)
        give(args, rows, lines)
    elif args.again:
        told, lines = again_lines(session, args.scene, args.take, args.provider, progress(args), args.features)
        give(args, told, lines)
    else:
        give(args, {"scenes": takes_json(session, args.scene)}, takes_lines(session, args.scene))


def scenes(args: argparse.Namespace) -> None:
    """The scenes of a session: list them, split one at a bar, join one with the next, or name one."""
    from engines.commands import Join, Split, Title
    from engines.session.deliver import scenes_json
    from engines.session.listing import scenes_lines
    from engines.session.working import act_on, look_at

    acts: list[Act] = [Split(bar) for bar in args.split]
    acts += [Join(number) for number in args.join]
    if args.name is not None:
        if args.scene is None:
            raise OptionError("no scene is named", where="scenes", cure="add --scene N")
        acts.append(Title(args.name, args.scene))
    if args.cue is not None:
        acts.append(Title(args.cue))
    session = (act_on(args.session, acts, progress(args)) if acts else look_at(args.session)).session
    give(args, {"cue": session.cue, "scenes": scenes_json(session)}, scenes_lines(session))


def conform(args: argparse.Namespace) -> None:
    """Carry a session to a new cut: what is still there keeps its notes, only what the recut touched is composed again."""
    from engines.session.working import conform_file

    watch = progress(args)
    refused = frozenset(args.refuse)
    found, done = conform_file(args.session, args.cuts, args.film, args.rate, watch, args.provider, args.dry_run, refused)
    told, text = found.json(), found.text()
    if done is not None:
        told |= {"summary": done.report.summary, "files": {kind: str(path) for kind, path in done.files.items()}}
        told["seconds"] = {stage: round(value, 3) for stage, value in done.seconds.items()}
        say(*watch.said)
        text = "\n".join([text, done.report.text().splitlines()[-1], str(done.files["midi"])])
    give(args, told, text)


def relink(args: argparse.Namespace) -> None:
    """Say where the session's film lies now; without a path it is looked for, by its content, near the session."""
    from engines.commands import Relink
    from engines.session.film import find_film
    from engines.session.working import act_on, look_at

    session = look_at(args.session).session
    found = args.film or find_film(session, args.session)
    if args.film or found.resolve() != Path(session.film.path):
        session = act_on(args.session, [Relink(found, args.other)], progress(args)).session
    give(args, {"film": session.film.path}, session.film.path)


def undo(args: argparse.Namespace) -> None:
    """Take back what was done last, every note of it."""
    from engines.session.working import step_back

    done = step_back(args.session, args.count)
    give(args, {"undone": done}, "\n".join(f"undone: {sentence}" for sentence in done))


def redo(args: argparse.Namespace) -> None:
    """Do again what was undone last, without composing anew."""
    from engines.session.working import step_forth

    done = step_forth(args.session, args.count)
    give(args, {"redone": done}, "\n".join(f"redone: {sentence}" for sentence in done))


def history(args: argparse.Namespace) -> None:
    """What was done to a session, and what can be redone."""
    from engines.session.listing import history_json, history_lines
    from engines.session.working import look_at

    desk = look_at(args.session)
    give(args, history_json(desk.history), history_lines(desk.history))


def _words(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as the composer's word holds them."""
    from engines.score.harmony import chord_names
    from engines.spotting.brief import key_name

    read: dict[str, Any] = {"mood": lambda v: MOODS[v], "key": key_name, "chords": chord_names}
    return {name: read[name](value) if name in read else value for name, value in settings.items()}


def _session(verb: Verb, names: Iterable[tuple[str, Any, str]]) -> list[argparse.ArgumentParser]:
    made = [verb(name, call, help) for name, call, help in names]
    for parser in made:
        parser.add_argument("session", type=Path, metavar="SESSION", help="the .hitpoint file")
    return made


def add(verb: Verb) -> None:
    """Adds these verbs to the command line."""
    from engines.score.notes import STEMS

    number = within(1, 10**6, int)
    made = _session(
        verb,
        (
            ("refill", refill, "compose one scene again, everything else kept bit-identical"),
            ("brief", brief, "what the engines are told of a cue, a scene or a bar"),
            ("takes", takes, "the takes of a session: list, choose, rate, keep, compare"),
            ("conform", conform, "carry a session to a new cut"),
            ("scenes", scenes, "the scenes of a session: list, split, join, name"),
            ("relink", relink, "find the film of a session where it lies now"),
            ("undo", undo, "take back what was done last to a session"),
            ("redo", redo, "do again what was undone last"),
            ("history", history, "what was done to a session"),
        ),
    )
    one, two, three, five, four, six, *steps = made
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("--scene", type=number, help="scenes count from 1")
    which.add_argument("--all", action="store_true", help="every scene, in order, each hearing the one before it")
    one.add_argument("--bars", type=bar_range, metavar="A-B", help="only these bars of the cue")
    one.add_argument("--stem", action="append", default=[], choices=STEMS, help="only this stem; may be repeated")
    one.add_argument(
        "--keep", action="append", default=[], metavar="WHAT", help="melody, 5-6, melody:5-6, melody@5.3; may be repeated"
    )
    one.add_argument("--seed", type=within(0, 2**63 - 1, int), help="same seed, same notes; without it one not used before")
    one.add_argument("--engine", help="another engine than the session's")
    one.add_argument("--mode", choices=("strict", "official"), help="official: the published inference")
    one.add_argument(
        "--features",
        type=Path,
        action="append",
        metavar="FILE",
        help="what a published diffbgm checkpoint hears of the film, from now on; may be repeated",
    )
    one.add_argument("--no-features", dest="features", action="store_const", const=[], help="compose without any from now on")
    one.add_argument("--provider", help="cuda, tensorrt, coreml, directml or cpu; an error if it does not load")

    two.add_argument("--scene", type=number, help="of this scene; without it, of the whole cue")
    two.add_argument("--bar", type=number, help="of this bar of the cue alone")
    two.add_argument("--density", type=within(0, 16, int), help="onset positions in a bar of 4/4, 0 to 16")
    two.add_argument("--energy", type=within(0, 1, float), help="0 to 1")
    two.add_argument("--mood", choices=tuple(MOODS), help="the quadrant of valence and arousal")
    two.add_argument("--register", type=within(36, 96, float), help="the mean MIDI pitch")
    two.add_argument("--key", help="C:maj, F#:min and so on")
    two.add_argument("--chords", metavar='"C Am F/A G7"', help="one a bar, in a round")
    two.add_argument("--metre", type=metre, metavar="3/4", help="solves the tempo map of the scene again")
    two.add_argument("--tempo", type=tempo, metavar="LO-HI", help="likewise, beats a minute")
    two.add_argument("--avoid", action=argparse.BooleanOptionalAction, help="thin and low, under dialogue")
    two.add_argument("--sting", type=within(0, 1, float), help="an accent on the first beat, 0 to 1")
    two.add_argument("--theme", metavar="SCENE", help="take up the theme of this scene; none: nothing returns")
    two.add_argument(
        "--forget",
        action="append",
        default=[],
        metavar="SETTING",
        help="take a setting back: the picture decides, or of a theme chance",
    )
    two.add_argument("--edit", action="store_true", help="edit all of it as a text sheet in your editor ($VISUAL or $EDITOR)")
    two.add_argument("--write", type=Path, metavar="FILE", help="write the text sheet")
    two.add_argument("--read", type=Path, metavar="FILE", help="read a text sheet back: what it says replaces what was said")

    three.add_argument("--scene", type=number)
    three.add_argument("--take", type=number, help="the take that is meant; without it the chosen one")
    three.add_argument("--choose", type=number, metavar="TAKE", help="let this take be heard")
    three.add_argument("--silence", action="store_true", help="let no take of the scene be heard")
    three.add_argument("--name", help="name the take")
    three.add_argument("--rate", type=within(0, 5, int), metavar="1..5", help="rate the take; 0 takes the rating back")
    three.add_argument("--note", help="a remark on the take")
    three.add_argument("--keep", action="append", default=[], metavar="WHAT", help="what refills may not touch from now on")
    three.add_argument("--release", action="store_true", help="refills may touch everything again")
    three.add_argument("--delete", type=number, metavar="TAKE", help="throw a take away")
    three.add_argument("--compare", type=number, nargs=2, metavar="TAKE", help="two takes beside each other")
    three.add_argument("--again", action="store_true", help="compose the take again from its recipe, and say what differs")
    three.add_argument("--provider", help="for --again")
    three.add_argument(
        "--features", type=Path, action="append", default=[], metavar="FILE", help="for --again: where they lie now"
    )

    four.add_argument("--split", type=number, action="append", default=[], metavar="BAR", help="begin a scene at this bar")
    four.add_argument("--join", type=number, action="append", default=[], metavar="SCENE", help="join a scene with the next")
    four.add_argument("--scene", type=number)
    four.add_argument("--name", help="name the scene")
    four.add_argument("--cue", help="name the cue: 1m1")
    five.add_argument("--cuts", type=Path, metavar="FILE", help="the cut list of the new cut")
    five.add_argument("--film", type=Path, help="the film of the new cut")
    five.add_argument("--rate", type=rate, help="frames a second of a cut list that does not say")
    five.add_argument("--dry-run", action="store_true", help="only say what would change")
    five.add_argument(
        "--refuse",
        type=number,
        action="append",
        default=[],
        metavar="CHANGE",
        help="compose nothing for this change, the old notes stay for you to put right; may be repeated",
    )
    five.add_argument("--provider", help="cuda, tensorrt, coreml, directml or cpu; an error if it does not load")
    six.add_argument("film", type=Path, nargs="?", metavar="FILM", help="where it lies; without it, it is looked for")
    six.add_argument("--other", action="store_true", help="another encoding of the same cut will do")
    for parser in steps[:2]:
        parser.add_argument("--count", type=number, default=1, help="so many acts")
