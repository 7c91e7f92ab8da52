"""The verb of the window: app, which the program does when it is given no verb as well."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engines.errors import MissingLibraryError
from engines.verbs.terminal import Verb


def app(args: argparse.Namespace) -> None:
    """Open the window."""
    try:
        from desktop.app import run
    except ImportError as error:
        cure = "on Linux: apt-get install libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libxcb-cursor0; or use score, serve"
        raise MissingLibraryError(f"no window can be opened here ({error})", cure=cure) from None
    code = run(list(args.files))
    if code:
        sys.exit(code)


def add(verb: Verb) -> None:
    """Adds the verb to the command line."""
    one = verb("app", app, "the window (also without any verb)")
    one.add_argument("files", type=Path, nargs="*", metavar="FILE", help="a film, a session or a cut list to open")
