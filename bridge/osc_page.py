"""The page of OSC addresses (``bridge/OSC.md``), written from the table."""

from __future__ import annotations

from bridge.address import Address, Argument, Told
from bridge.addresses import ASKED
from bridge.told import TOLD

_HEAD = """# Hitpoint over OSC and HTTP

This page is written from the table in `bridge/addresses.py` (`python main.py serve --addresses`); do not edit it.

`python main.py serve --osc-port 4748` listens for OSC on 127.0.0.1, UDP. Every address answers to the port from which it was asked,
with `/hitpoint/answer` or `/hitpoint/error`. The same addresses are HTTP paths of `python main.py serve`: GET for those that change
nothing, with arguments in the query; POST for the others, with a JSON object and the header `Authorization: Bearer TOKEN`; events come
over the WebSocket `/hitpoint/events`. `/openapi.json` describes them for programs.

- **Buttons.** Numbers may stand in the address for the first arguments, for buttons that cannot send any: `/hitpoint/scene/3/refill`.
  The 1 and 0 that a button sends when it is pressed and let go are no arguments, and 0 does nothing; nor is a float 1 or 0, true or
  false after the scene: `/hitpoint/scene/refill 3 0.0`. Any other number is an argument. True and false are no numbers.
- **Arguments** in brackets may be left out at the end. In between, nil, an empty text or -1 leaves one open. A whole number may come as
  a float, and a number where text is wanted. Lists are texts with spaces.
- **Turns.** Calls are done one after the other. Only a ping, looks at the transport and at jobs, cancels, stop and panic overtake those
  that wait; beyond 512 waiting ones a call is refused.
- **Paths** are absolute, of the composer's own files: whoever may speak here reads and writes as the composer does.
- **Who may speak.** OSC knows no token: any program of this machine can speak to the port, and no other machine can. That is why there
  is no OSC unless `--osc-port` is given; `--osc-read-only` lets it look and change nothing; a DAW's own transport that comes to this
  port is not followed then, either. HTTP wants the token for all that changes anything, tells any program of this machine what changes
  nothing, and turns away what a web page sends.
- **Bounds.** Datagrams of at most 8192 bytes, 64 messages in one, bundles 4 deep; time tags are not waited for. What is no OSC, or
  beyond that, is dropped. An answer too long for a datagram is an error that says so: ask over HTTP.
"""


def osc_page() -> str:
    """The page, as Markdown."""
    parts = [
        _HEAD,
        "## What changes nothing\n",
        *(_asked(row) for row in ASKED if not row.changes),
        "## What changes something\n",
        *(_asked(row) for row in ASKED if row.changes),
        "## What is told\n",
        "After `/hitpoint/subscribe`, for an hour since the last word of the subscriber; 32 at most.\n",
        *(_told(row) for row in TOLD),
    ]
    return "\n".join(parts)


def _asked(row: Address) -> str:
    http = "OSC only" if row.wire == "osc" else f"{'POST' if row.changes else 'GET'} {row.address}"
    head = f"### `{row.address}{f' {row.signature}' if row.arguments else ''}`\n\n{row.what} *{http}.*\n"
    return "\n".join([head, *([_table(row.arguments)] if row.arguments else []), f"Answers: {row.answer}.\n"])


def _told(row: Told) -> str:
    return f"### `{row.address}`\n\n{row.what}\n\n{_table(row.arguments)}"


def _table(arguments: tuple[Argument, ...]) -> str:
    rows = [f"| `{a.name}` | {a.kind} | {a.what}{_limits(a)} |" for a in arguments]
    return "\n".join(["| argument | kind | |", "| --- | --- | --- |", *rows, ""])


def _limits(argument: Argument) -> str:
    if argument.low is None or argument.high is None or argument.high >= 10**6:
        return ""
    return f" ({argument.low:g} to {argument.high:g})"
