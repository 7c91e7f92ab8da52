"""The command line of Hitpoint: read it, call one function, print."""

import _signal  # type: ignore[import-not-found]  # built in: `signal` would load modules of its own first
import os
import sys
from _signal import SIG_DFL, SIG_IGN, SIGINT, default_int_handler, getsignal, signal

CANCELLED = "cancelled: nothing half-written was left"

ENDING = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
"""The system's request, a terminal that was closed, Ctrl-\\; Ctrl-Break and a console that was closed on Windows."""


def _ended(number: int, frame: object) -> None:
    """What Ctrl-C does while nothing is begun yet: nothing is to be cleaned up, and no import is to be told of."""
    os.write(2, f"{CANCELLED}\n".encode())
    os._exit(130)


def _whole_streams() -> None:
    """Who closed a standard stream (``>&-``) wants nothing said there; the next file that is opened must not be taken for it."""
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(spare)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  for as long as the program runs
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is still shown


if __name__ == "__main__":
    signal(SIGINT, _ended)  # before anything that takes time to import
    _whole_streams()

import argparse
import threading
import traceback
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from engines import __version__
from engines.errors import Cancelled, HitpointError, OptionError
from engines.verbs.terminal import say, to_nowhere


class _Parser(argparse.ArgumentParser):
    """One line for a wrong option, too."""

    def error(self, message: str) -> Any:
        raise OptionError(message, where=self.prog.removeprefix("hitpoint").strip() or None, cure="see --help")


def _stoppable() -> None:
    """Whatever ends the program ends it as Ctrl-C does: files are cleaned up, notes ended. What was ignored before (nohup) stays so."""
    signal(SIGINT, default_int_handler)
    for name in ENDING:
        number = getattr(_signal, name, None)
        if number is not None and getsignal(number) != SIG_IGN:
            signal(number, _hung_up if name == "SIGHUP" else default_int_handler)


def _hung_up(number: int, frame: object) -> None:
    """A terminal that goes says so more than once, and the second word must not break into the cleaning up after the first."""
    signal(number, SIG_IGN)
    raise KeyboardInterrupt


def _writable(is_json: bool) -> None:
    """JSON is UTF-8 whatever the terminal speaks, and a path of old bytes in it is an escape of JSON's (``\\udcff``), from which a program
    has the path again; for a person, what the terminal has no letter for is an escape too."""
    out = sys.stdout
    if isinstance(out, TextIOWrapper) and (is_json or out.errors == "strict"):
        out.reconfigure(encoding="utf-8" if is_json else None, errors="backslashreplace")


def _last_word(line: str) -> None:
    """Says how it ended, if there is a terminal left to say it to."""
    with suppress(OSError):
        say(line)


def _parser() -> argparse.ArgumentParser:
    from bridge import verbs as verbs_of_the_bridge
    from desktop import verbs as verb_of_the_window
    from engines.verbs import delivery, evaluation, film, hits, maps, session, training

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

    for room in (film, session, hits, maps, delivery, evaluation, training, verbs_of_the_bridge, verb_of_the_window):
        room.add(verb)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs one command; 0 on success (or the verb's own code: `doctor` found faults), 2 with one line on bad input, 130 where the person
    stopped it."""
    stoppable = threading.current_thread() is threading.main_thread()
    if stoppable:
        signal(SIGINT, _ended)
    _whole_streams()
    try:
        parser = _parser()
        if stoppable:
            _stoppable()
        args = parser.parse_args(argv)
        if args.verb is None:
            args = parser.parse_args(["app"])  # the window
        _writable(args.json)
        code = args.call(args)
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        _last_word(CANCELLED)
        return 130
    except HitpointError as error:
        say(f"hitpoint: {error}")
        return 2
    except MemoryError:
        say("hitpoint: not enough memory; close other programs, or score the film in parts")
        return 2
    except BrokenPipeError:
        # the reader of our output has gone (`| head`): nobody is left to tell
        to_nowhere(sys.stdout)
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
    return code or 0


if __name__ == "__main__":
    code = main()
    signal(SIGINT, SIG_DFL)  # it is done: whoever cannot wait for its end needs no traceback
    sys.exit(code)
