"""The command line of Hitpoint: read it, call one function, print."""

import os
import sys
from _signal import (  # type: ignore[import-not-found]  # built in: `signal` would load modules of its own first
    SIG_DFL,
    SIGINT,
    SIGTERM,
    default_int_handler,
    signal,
)

CANCELLED = "cancelled: nothing half-written was left"


def _ended(number: int, frame: object) -> None:
    """What Ctrl-C does while nothing is begun yet: nothing is to be cleaned up, and no import is to be told of."""
    os.write(2, f"{CANCELLED}\n".encode())
    os._exit(130)


if __name__ == "__main__":
    signal(SIGINT, _ended)  # before anything that takes time to import

import argparse
import threading
import traceback
from pathlib import Path
from typing import Any

from engines import __version__
from engines.errors import Cancelled, HitpointError, OptionError
from engines.verbs.terminal import say


class _Parser(argparse.ArgumentParser):
    """One line for a wrong option, too."""

    def error(self, message: str) -> Any:
        raise OptionError(message, where=self.prog.removeprefix("hitpoint").strip() or None, cure="see --help")


def _parser() -> argparse.ArgumentParser:
    from bridge import verbs as verbs_of_the_bridge
    from desktop import verbs as verb_of_the_window
    from engines.verbs import delivery, evaluation, film, maps, session, training

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

    for room in (film, session, maps, delivery, evaluation, training, verbs_of_the_bridge, verb_of_the_window):
        room.add(verb)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs one command; 0 on success, 2 with one line on bad input, 130 where the person stopped it."""
    stoppable = threading.current_thread() is threading.main_thread()
    if stoppable:
        signal(SIGINT, _ended)
    try:
        parser = _parser()
        if stoppable:
            signal(SIGINT, default_int_handler)
            signal(SIGTERM, default_int_handler)  # ended by the system as by Ctrl-C: files are cleaned up
        args = parser.parse_args(argv)
        if args.verb is None:
            args = parser.parse_args(["app"])  # the window
        args.call(args)
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        say(CANCELLED)
        return 130
    except HitpointError as error:
        say(f"hitpoint: {error}")
        return 2
    except MemoryError:
        say("hitpoint: not enough memory; close other programs, or score the film in parts")
        return 2
    except BrokenPipeError:
        # the reader of our output has gone (`| head`): nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as a shell says of one that SIGPIPE ended
    except Exception as error:
        if os.environ.get("HITPOINT_TRACEBACK"):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        say(
            f"hitpoint: a fault of ours ({type(error).__name__}: {' '.join(str(error).split())[:160]}, {Path(place.filename).name} "
            f"line {place.lineno}); please report it, with what HITPOINT_TRACEBACK=1 shows"
        )
        return 70  # EX_SOFTWARE of sysexits.h
    return 0


if __name__ == "__main__":
    code = main()
    signal(SIGINT, SIG_DFL)  # it is done: whoever cannot wait for its end needs no traceback
    sys.exit(code)
