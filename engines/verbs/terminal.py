"""What every verb of the command line shares: progress, words to the person, and the answer."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from engines.errors import OutputError
from engines.watch import Watch

Verb = Callable[[str, Any, str], argparse.ArgumentParser]
"""Adds a verb: its name, what it calls, and what it does in a few words."""


def progress(args: argparse.Namespace) -> Watch:
    """Progress as one line on standard error, where that is a terminal."""
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


def say(*lines: str) -> None:
    """A word to the person, on standard error, so that standard output stays for what was asked. Where nobody can be told, nobody is."""
    try:
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
        for line in lines:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:  # a full disk behind ``2>``, a terminal that was closed: what was asked for is done all the same
        to_nowhere(sys.stderr)


def give(args: argparse.Namespace, value: object, text: str) -> None:
    """The answer on standard output: one JSON object with ``--json``, else for a person to read. Raises OutputError where it cannot be
    written, and BrokenPipeError where nobody reads it any more."""
    try:
        sys.stdout.write((json.dumps(value, ensure_ascii=False) if args.json else text) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno == errno.EIO:  # the terminal was closed
            raise BrokenPipeError from error
        to_nowhere(sys.stdout)
        why = error.strerror or type(error).__name__
        raise OutputError(
            f"the answer cannot be written ({why})", where="standard output", cure="what was asked for is done; read it elsewhere"
        ) from error


def to_nowhere(stream: TextIO) -> None:
    """Nobody can be told any more: what is left would be tried once more at the end, and another exit code come of it."""
    with suppress(OSError):  # a stream that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
