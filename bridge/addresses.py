"""Every address under which the studio can be asked, in one table: its arguments, what it does, what it answers.

The OSC server, the HTTP routes, the client and the page ``bridge/OSC.md`` are all made from `ASKED`; `TOLD` is what subscribers hear.
A row's arguments are in the order in which OSC takes them; in HTTP they go by name. What each call does stands in `bridge.calls`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any, Literal

from engines.errors import OptionError

Kind = Literal["int", "float", "text", "path", "flag"]
"""What an argument is. A path is an absolute one, of the composer's own files."""

TYPES: Mapping[Kind, type] = {"int": int, "float": float, "text": str, "path": str, "flag": bool}
TAGS: Mapping[Kind, str] = {"int": "i", "float": "f", "text": "s", "path": "s", "flag": "T or F"}

LONGEST_TEXT = 4096
"""Characters of a text or a path."""


@dataclass(frozen=True)
class Argument:
    """One argument: its name, kind and meaning; whether it must be given; the least and the greatest number it may be."""

    name: str
    kind: Kind
    what: str
    needed: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Address:
    """One row: ``answer`` says what comes back; ``changes`` whether anything is another afterwards; ``wire`` where it is known."""

    address: str
    what: str
    answer: str
    arguments: tuple[Argument, ...] = ()
    changes: bool = True
    wire: Literal["both", "osc"] = "both"

    @cached_property
    def model(self) -> Any:
        """Its arguments as a pydantic model: one check for OSC and HTTP alike, and the schema of the latter."""
        from pydantic import ConfigDict, Field, create_model

        fields: dict[str, Any] = {}
        for given in self.arguments:
            limits: dict[str, Any] = {"ge": given.low, "le": given.high}
            if given.kind in ("text", "path"):
                limits = {"max_length": LONGEST_TEXT, "min_length": 1 if given.needed else 0}
            elif given.kind == "float":
                limits["allow_inf_nan"] = False
            kind: Any = TYPES[given.kind]
            if given.needed:
                fields[given.name] = (kind, Field(description=given.what, **limits))
            else:
                fields[given.name] = (kind | None, Field(None, description=given.what, **limits))
        name = "".join(part.title() for part in self.address.split("/")[2:]) or "Nothing"
        return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by name, checked and as the call takes them. Raises OptionError, in one line, for what cannot be."""
        from pydantic import ValidationError

        try:
            made: dict[str, Any] = self.model.model_validate(dict(given)).model_dump()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise OptionError(
                " ".join([place, first["msg"]]).strip(), where=self.address, cure=f"give {self.signature or 'no arguments'}"
            ) from None
        return {name: None if value == "" else value for name, value in made.items()}

    def named(self, args: Sequence[Any]) -> dict[str, Any]:
        """Arguments in their order by name. Nil, an empty text, and -1 where a number cannot be negative leave one open."""
        if len(args) > len(self.arguments):
            raise OptionError(f"{len(args)} arguments", where=self.address, cure=f"give {self.signature or 'none'}")
        out: dict[str, Any] = {}
        for row, value in zip(self.arguments, args, strict=False):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and not isfinite(value):
                raise OptionError(f"{row.name} is no number", where=self.address, cure=f"give {self.signature}")
            if value is None or value == "" or (number and value == -1 and not row.needed and (row.low or 0) >= 0):
                continue
            out[row.name] = bool(value) if number and row.kind == "flag" else value
        return out

    def json(self) -> dict[str, Any]:
        """The row as other programs read it."""
        arguments = [{"name": a.name, "kind": a.kind, "needed": a.needed, "what": a.what} for a in self.arguments]
        http = None if self.wire == "osc" else "POST" if self.changes else "GET"
        return {"address": self.address, "what": self.what, "arguments": arguments, "answers": self.answer, "http": http}

    @property
    def signature(self) -> str:
        """Its arguments in one line; those in brackets may be left out."""
        words = [f"{a.name}:{TAGS[a.kind]}" if a.needed else f"[{a.name}:{TAGS[a.kind]}]" for a in self.arguments]
        return " ".join(words)


@dataclass(frozen=True)
class Told:
    """What a subscriber hears over OSC: its address, and its arguments with their meaning."""

    address: str
    what: str
    arguments: tuple[Argument, ...] = field(default=())


def _whole(name: str, what: str, needed: bool = False, low: int = 1, high: int = 10**6) -> Argument:
    return Argument(name, "int", what, needed, low, high)


SCENE = _whole("scene", "scenes count from 1", needed=True)
SEED = _whole("seed", "same seed, same notes; left open, one not used before", low=0, high=2**63 - 1)
PATH = "an absolute path"
ENGINE = Argument("engine", "text", "bmt or diffbgm")
MODE = Argument("mode", "text", "strict or official")
JOB = "the job's number, state and progress; its end is told to who asked and to subscribers"

ASKED: tuple[Address, ...] = (
    Address("/hitpoint/ping", "Whether anybody is there.", "version, and what is open", changes=False),
    Address("/hitpoint/session", "The open session.", "its file, cue, film, tempo map and scenes", changes=False),
    Address(
        "/hitpoint/takes",
        "The takes of a scene, or of all.",
        "takes by scene, the chosen one of each",
        (_whole("scene", "only of this one"),),
        changes=False,
    ),
    Address("/hitpoint/brief", "What the engines are told.", "every bar: picture, composer, brief", changes=False),
    Address("/hitpoint/history", "What was done.", "sentences of what can be undone and redone", changes=False),
    Address("/hitpoint/report", "The hit report of the cue's MIDI file.", "every hit with its error", changes=False),
    Address("/hitpoint/film", "The open film.", "its cuts, and its tempo maps if it was spotted", changes=False),
    Address("/hitpoint/jobs", "All jobs.", "number, state and progress of each", changes=False),
    Address("/hitpoint/job", "One job.", "its state and progress", (_whole("job", "its number", needed=True),), changes=False),
    Address(
        "/hitpoint/open",
        "Open a session (.hitpoint) or a film.",
        f"a session: as /hitpoint/session; a film: {JOB}",
        (
            Argument("path", "path", f"{PATH} of the film or session", needed=True),
            Argument("cuts", "path", f"{PATH} of the editor's cut list, for a film"),
            Argument("rate", "text", "frames a second of a cut list that does not say: 25, 24000/1001"),
        ),
    ),
    Address(
        "/hitpoint/spot",
        "Tempo maps for the open film.",
        JOB,
        (
            Argument("tempo", "text", "a range in beats a minute: 70-140"),
            Argument("max_bend", "float", "how far a beat may leave it, in percent", low=0, high=50),
            Argument("metres", "text", "that the cue may be in: 4/4 7/8"),
            _whole("subdivision", "1: hits on beats; 2: on eighths too", high=2),
            Argument("hits", "text", "your word on hits, by spaces: 412=1.0,hard 980=off"),
        ),
    ),
    Address(
        "/hitpoint/map",
        "Choose a tempo map of the open film.",
        "the candidates, the chosen one first",
        (_whole("map", "its place in the list, from 0", needed=True, low=0),),
    ),
    Address(
        "/hitpoint/new",
        "A session of the open film, nothing composed.",
        "as /hitpoint/session",
        (Argument("path", "path", f"{PATH} for the session; left open, FILM-score/cue.hitpoint beside the film"), ENGINE, MODE),
    ),
    Address(
        "/hitpoint/score",
        "Compose every scene; a film that has no session yet gets one.",
        JOB,
        (Argument("path", "path", f"{PATH} for a new session of the open film"), SEED),
    ),
    Address(
        "/hitpoint/scene/refill",
        "Compose a scene again, or some of its bars or stems, and nothing else.",
        JOB,
        (
            SCENE,
            SEED,
            Argument("bars", "text", "of the cue, by spaces: 5-8 11"),
            Argument("stems", "text", "by spaces: melody bass"),
            Argument("keep", "text", "what stays, by spaces: melody 5-6 melody:5-6 melody@5.3"),
            ENGINE,
            MODE,
        ),
    ),
    Address(
        "/hitpoint/scene/take",
        "Let another take of a scene be heard.",
        "the scene's takes",
        (SCENE, _whole("take", "its number; 0 silences the scene", needed=True, low=0)),
    ),
    Address(
        "/hitpoint/scene/rate",
        "Rate a take.",
        "the scene's takes",
        (SCENE, _whole("rating", "1 to 5; 0 takes it back", needed=True, low=0, high=5), _whole("take", "the chosen one")),
    ),
    Address("/hitpoint/scene/name", "Name a scene.", "the scenes", (SCENE, Argument("name", "text", "left open, it has none"))),
    Address(
        "/hitpoint/scene/keep",
        "What refills of a scene may not touch from now on.",
        "the scene's takes",
        (SCENE, Argument("keep", "text", "by spaces: melody 5-6 melody:5-6; left open, everything is free again")),
    ),
    Address(
        "/hitpoint/scene/delete",
        "Throw a take away.",
        "the scene's takes",
        (SCENE, _whole("take", "its number", needed=True)),
    ),
    Address("/hitpoint/scene/join", "Make one scene of a scene and the next.", "the scenes", (SCENE,)),
    Address(
        "/hitpoint/split", "Begin a scene at a bar of the cue.", "the scenes", (_whole("bar", "counted from 1", needed=True),)
    ),
    Address(
        "/hitpoint/tell",
        "Say something of the cue, a scene or a bar of it.",
        "the brief's words there",
        (
            Argument("setting", "text", "density energy mood register key chords metre tempo avoid sting", needed=True),
            Argument("value", "text", "as in the brief sheet: 4, calm, D:min, 80-96, true; left open, the picture decides"),
            _whole("scene", "left open, the whole cue"),
            _whole("bar", "of the cue"),
        ),
    ),
    Address("/hitpoint/undo", "Take back what was done last, every note of it.", "its sentence"),
    Address("/hitpoint/redo", "Do again what was undone last, without composing anew.", "its sentence"),
    Address(
        "/hitpoint/save",
        "Save now; it is saved after every act anyway.",
        "the file",
        (Argument("path", "path", f"{PATH} that becomes the session's"),),
    ),
    Address("/hitpoint/close", "Save and close the session.", "nothing"),
    Address(
        "/hitpoint/conform/look",
        "What a new cut would do to the session; nothing is changed.",
        JOB,
        (
            Argument("cuts", "path", f"{PATH} of the new cut list"),
            Argument("film", "path", f"{PATH} of the new film"),
            Argument("rate", "text", "frames a second of a cut list that does not say"),
        ),
    ),
    Address("/hitpoint/conform", "Carry the session to the cut that was looked at last.", JOB),
    Address("/hitpoint/job/cancel", "Stop a job within a step.", "its state", (_whole("job", "its number", needed=True),)),
    Address("/hitpoint/jobs/cancel", "Stop every job.", "all jobs"),
    Address("/hitpoint/subscribe", "Be told of everything that changes.", "for how long", wire="osc", changes=False),
    Address("/hitpoint/unsubscribe", "No longer.", "nothing", wire="osc", changes=False),
)

BY_ADDRESS: Mapping[str, Address] = {row.address: row for row in ASKED}

TOLD: tuple[Told, ...] = (
    Told(
        "/hitpoint/answer",
        "Whoever asked hears it, at the port it asked from.",
        (Argument("address", "text", "what was asked"), Argument("answer", "text", "JSON")),
    ),
    Told(
        "/hitpoint/error",
        "Likewise, where it could not be done: then nothing has changed.",
        (
            Argument("address", "text", "what was asked"),
            Argument("error", "text", "what went wrong"),
            Argument("where", "text", "or nothing"),
            Argument("cure", "text", "what to try, or nothing"),
        ),
    ),
    Told(
        "/hitpoint/told/session",
        "The session is another now.",
        (
            Argument("change", "text", "opened acted undone redone saved closed"),
            Argument("sentence", "text", "what was done"),
            Argument("scenes", "text", "that sound otherwise, by spaces"),
        ),
    ),
    Told(
        "/hitpoint/told/job",
        "A job waits, goes on (at most ten times a second) or has ended; whoever began it hears its end in any case.",
        (
            Argument("job", "int", "its number"),
            Argument("state", "text", "waiting working done cancelled failed"),
            Argument("share", "float", "0 to 1 of the stage it is in"),
            Argument("words", "text", "the same in one line"),
        ),
    ),
    Told(
        "/hitpoint/told/film",
        "A film was opened or spotted.",
        (
            Argument("film", "text", "its file"),
            Argument("frames", "int", "its length"),
            Argument("cuts", "int", "that it has"),
            Argument("candidates", "int", "tempo maps that were found"),
        ),
    ),
    Told(
        "/hitpoint/told/transport",
        "Where the transport is.",
        (
            Argument("seconds", "float", "of the film; nil: nowhere yet"),
            Argument("rolling", "int", "1 or 0"),
            Argument("speed", "float", "1: normal"),
            Argument("leader", "text", "who leads"),
        ),
    ),
    Told(
        "/hitpoint/told/message",
        "A line for the composer.",
        (Argument("text", "text", "the line"), Argument("level", "text", "word or error")),
    ),
)
