"""What the OSC server says on its own: answers to whoever asked, and events to whoever subscribed."""

from __future__ import annotations

from bridge.address import Argument, Told

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
        "A film was opened, spotted, or put away.",
        (
            Argument("film", "text", "its file; empty where it was put away"),
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
            Argument("why", "text", "why that one"),
        ),
    ),
    Told(
        "/hitpoint/told/message",
        "A line for the composer.",
        (Argument("text", "text", "the line"), Argument("level", "text", "word or error")),
    ),
)
