"""The verbs that make models: train, export."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from engines.verbs.reading import within
from engines.verbs.terminal import Verb, give, say


def train(args: argparse.Namespace) -> None:
    """Train an engine; goes on where it was interrupted."""
    from engines.training.request import train_engine

    best = train_engine(
        args.engine, args.data, args.out, args.steps, args.hours, args.size, lambda row: say(json.dumps(row)), args.start
    )
    give(args, {"checkpoint": str(best)}, str(best))


def export(args: argparse.Namespace) -> None:
    """A checkpoint as a graph with its card."""
    from engines.training.request import export_engine

    made = export_engine(args.engine, args.checkpoint, args.out, args.storage, args.dictionary, args.segments)
    give(args, made, "\n".join(f"{k}: {v}" for k, v in made.items()))


def add(verb: Verb) -> None:
    """Adds these verbs to the command line."""
    made = verb("train", train, "train an engine (needs the train extra)")
    made.add_argument("engine", choices=("bmt", "diffbgm"))
    made.add_argument("--data", type=Path, required=True, help="the folder of POP909")
    made.add_argument("--out", type=Path, default=Path("training"), help="checkpoints and log; goes on from there")
    made.add_argument("--steps", type=within(1, 10**9, int))
    made.add_argument("--hours", type=within(0, 10**6, float))
    made.add_argument("--size", choices=("ours", "published"), default="ours")
    made.add_argument("--start", type=Path, metavar="MODEL", help="a model folder whose weights to begin with, such as onnx/bmt")

    made = verb("export", export, "a checkpoint as an ONNX graph with its card (needs the train extra)")
    made.add_argument("engine", choices=("bmt", "diffbgm"))
    made.add_argument("--checkpoint", type=Path, required=True)
    made.add_argument("--out", type=Path, required=True)
    made.add_argument("--storage", choices=("fp32", "fp16", "int8"), default="fp16")
    made.add_argument("--dictionary", type=Path, help="the dictionary.pkl of a published checkpoint")
    made.add_argument("--segments", type=within(1, 16, int), help="w of a published checkpoint's attention by segment (2)")
