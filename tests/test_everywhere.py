"""What the command line can do, the wire and the window can: every verb and option has its address and its act, or a reason why not."""

from __future__ import annotations

import argparse

import pytest

import main
from bridge.addresses import BY_ADDRESS

FILM_FIRST = "said with /hitpoint/open, /hitpoint/spot and /hitpoint/tell, which come first on the wire"
TERMINAL = "of the terminal itself"
MAKERS = "for those who make models, not for those who compose: hours in a process of its own"
FILE = "the wire and the window have the session open"

# by verb: the addresses that do it, what an option is called there (else the same, with _ for -), and options that need none, with why
WIRE: dict[str, tuple[tuple[str, ...], dict[str, str], dict[str, str]]] = {
    "demo": (
        ("demo", "spot", "score", "tell", "preview"),
        {"--out": "folder", "--metre": "metres", "--hit": "hits", "--instrument": "instruments"}
        | dict.fromkeys(("--mood", "--density", "--energy", "--key"), "setting"),
        {"--candidate": "/hitpoint/map chooses it", "--rate": FILM_FIRST},
    ),
    "score": (
        ("open", "spot", "score", "tell", "preview"),
        {"film": "path", "--out": "path", "--metre": "metres", "--hit": "hits", "--instrument": "instruments"}
        | dict.fromkeys(("--mood", "--density", "--energy", "--key"), "setting"),
        {"--candidate": "/hitpoint/map chooses it", "--preview": "/hitpoint/preview is asked"},
    ),
    "shots": (("open", "cuts/write"), {"film": "path", "--csv": "path", "--edl": "path", "--otio": "path"}, {}),
    "spot": (
        ("open", "spot", "click/write"),
        {"--metre": "metres", "--hit": "hits", "--click": "path"},
        {"--candidate": "/hitpoint/map chooses it"},
    ),
    "report": (("report/midi",), {}, {}),
    "compose": (("sketch",), {"--out": "folder", "--register": "pitch"}, {}),
    "refill": (
        ("scene/refill", "score"),
        {"--stem": "stems"},
        {"session": FILE, "--all": "/hitpoint/score is asked", "--no-features": "features none"},
    ),
    "brief": (
        ("tell", "brief/write", "brief/read"),
        {"--write": "path", "--read": "path"}
        | dict.fromkeys(
            (
                "--density",
                "--energy",
                "--mood",
                "--register",
                "--key",
                "--chords",
                "--metre",
                "--tempo",
                "--avoid",
                "--sting",
                "--theme",
            ),
            "setting",
        ),
        {"session": FILE, "--forget": "a setting without a value", "--edit": TERMINAL},
    ),
    "takes": (
        ("takes", "scene/take", "scene/rate", "scene/remark", "scene/keep", "scene/delete", "takes/compare", "scene/again"),
        {"--choose": "take", "--rate": "rating", "--note": "remark", "--delete": "take", "--compare": "one"},
        {"session": FILE, "--silence": "take 0", "--release": "keep left open", "--again": "/hitpoint/scene/again is asked"},
    ),
    "conform": (
        ("conform/look", "conform"),
        {"--refuse": "refused"},
        {"session": FILE, "--dry-run": "/hitpoint/conform/look changes nothing"},
    ),
    "scenes": (
        ("split", "scene/join", "scene/name", "name"),
        {"--split": "bar", "--join": "scene", "--cue": "name"},
        {"session": FILE},
    ),
    "relink": (("relink",), {"film": "path"}, {"session": FILE}),
    "undo": (("undo",), {}, {"session": FILE, "--count": "asked so often"}),
    "redo": (("redo",), {}, {"session": FILE, "--count": "asked so often"}),
    "history": (("history",), {}, {"session": FILE}),
    "hits": (
        ("hits", "hit/add", "hit/move", "hit/weigh", "hit/drop", "scene/follow"),
        {"--add": "frame", "--move": "to", "--drop": "frame", "--weigh": "frame", "--follow": "scene"},
        {"session": FILE},
    ),
    "maps": (
        ("cue/spot", "cue/map", "lock"),
        {"--choose": "map", "--lock": "bars", "--unlock": "locked", "--metre": "metres"},
        {"session": FILE},
    ),
    "cuesheet": (("cuesheet", "cuesheet/write"), {}, {"session": FILE}),
    "deliver": (("deliver",), {"--out": "folder", "--scene": "scenes"}, {"session": FILE}),
    "preview": (("preview", "click/write"), {"--out": "folder", "--click": "path"}, {"session": FILE}),
    "evaluate": ((), {}, dict.fromkeys(("folder", "--reference", "--cuts", "--rate", "--structure", "--retrieval"), MAKERS)),
    "train": ((), {}, dict.fromkeys(("engine", "--data", "--out", "--steps", "--hours", "--size", "--start"), MAKERS)),
    "export": ((), {}, dict.fromkeys(("engine", "--checkpoint", "--out", "--storage", "--dictionary", "--segments"), MAKERS)),
    "play": (
        ("transport/play", "transport/locate", "transport/loop", "transport/speed", "transport/follow", "transport/ports"),
        {"--from": "seconds", "--to": "end", "--follow": "source"},
        {"session": FILE, "--scene": "the other scenes are silenced: take 0"},
    ),
    "calibrate": (
        ("calibrate", "latencies", "latencies/set", "latencies/forget"),
        {"--in": "into", "--dry-run": "dry", "--set": "ms", "--forget": "port"},
        {"--list": "/hitpoint/latencies is asked"},
    ),
    "place": (("place", "daw/project"), {"--scene": "scenes"}, {"session": FILE}),
    "markers": (("markers", "daw/project"), {"--hits": "mark"}, {"session": FILE}),
    "daw": (
        ("daw/project", "daw/play", "daw/stop", "daw/locate"),
        {"place": "seconds"},
        {"session": FILE, "act": "an address each", "--folder": "a folder of files has no transport"},
    ),
    "serve": (
        (),
        {},
        dict.fromkeys(
            ("--session", "--port", "--osc-port", "--osc-read-only", "--follow", "--sync", "--at", "--addresses"), TERMINAL
        ),
    ),
    "ports": (("ports",), {}, {}),
    "doctor": (("doctor",), {"--daw": "daws"}, {"session": FILE}),
    "watch": (
        ("conform/watch", "open"),
        {},
        {"session": FILE, "--accept": "/hitpoint/conform is asked"} | dict.fromkeys(("--once", "--now", "--every"), TERMINAL),
    ),
    "app": ((), {}, {"files": TERMINAL}),
}

# addresses that no verb names above, and how the command line does the same
TERMINAL_WAY = {
    "ping": "whoever has a terminal is there",
    "session": "takes, scenes and brief print it",
    "film": "shots and spot print it",
    "brief": "brief prints it",
    "brief/sheet": "brief prints it",
    "report": "score and report print it",
    "map": "score --candidate",
    "new": "score makes it",
    "daw": "daw prints it",
    "transport": "play shows it",
    "transport/daw": "play --follow and serve --follow hear it",
    "transport/stop": "Ctrl-C ends play",
    "transport/panic": "Ctrl-C ends play, and every note",
    "jobs": "a verb is one job",
    "job": "a verb is one job",
    "job/cancel": "Ctrl-C",
    "jobs/cancel": "Ctrl-C",
    "save": "every verb saves",
    "close": "every verb closes",
    "subscribe": "of the wire itself",
    "unsubscribe": "of the wire itself",
}

# by verb: rows of the menus that do it, or show the dock in which it is done; or a reason
WINDOW: dict[str, tuple[str, ...] | str] = {
    "demo": ("demo",),
    "score": ("open", "score", "preview"),
    "shots": ("open", "cuts_out"),
    "spot": ("spot_again", "click_out"),
    "report": ("open",),
    "compose": "music without a film is made on the command line and over the wire: the window begins with a picture",
    "refill": ("refill", "refill_all"),
    "brief": ("brief_in", "brief_out"),
    "takes": ("take_on", "take_back", "take_swap", "take_keep", "take_name"),
    "conform": ("new_cut", "accept_cut"),
    "scenes": ("split", "join", "take_name"),
    "relink": ("relink",),
    "undo": ("undo",),
    "redo": ("redo",),
    "history": ("undo", "redo"),
    "hits": ("hit_add", "hit_drop", "hit_heavier", "hit_lighter", "hit_hard", "respot"),
    "maps": ("spot_again", "lock_bar", "listen"),
    "cuesheet": ("cue_sheet",),
    "deliver": ("deliver",),
    "preview": ("preview", "click_out"),
    "evaluate": MAKERS,
    "train": MAKERS,
    "export": MAKERS,
    "play": ("music", "play", "follow"),
    "calibrate": "the DAW's recording is at hand in the terminal and over the wire; the window plays by what is kept when it next plays",
    "place": ("place",),
    "markers": ("follow",),  # the page of links has a button and a list for them
    "daw": ("follow",),  # its other acts are on the page of links
    "serve": TERMINAL,
    "ports": ("look_around",),
    "doctor": ("look_around",),
    "watch": ("new_cut",),  # and the button of the conform panel
    "app": TERMINAL,
}


# rows of the menus that no verb and no address does, with why
OF_THE_WINDOW = dict.fromkeys(
    ("built_in_auto", "built_in_on", "built_in_off", "music_led", "music_louder", "music_softer"),
    "only the window has a loudspeaker: preview renders the same sound to a file, play sends it to any synthesiser",
)


def verbs() -> dict[str, list[str]]:
    """Every verb with what it takes."""
    parser = main._parser()
    rows = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    common = {"help", "json", "quiet"}
    return {
        name: [
            next((word for word in action.option_strings if word.startswith("--")), action.dest)
            for action in verb._actions
            if action.dest not in common
        ]
        for name, verb in rows.choices.items()
    }


def test_every_verb_stands_in_both_tables() -> None:
    assert set(verbs()) == set(WIRE) == set(WINDOW)


@pytest.mark.parametrize("verb", WIRE)
def test_every_option_has_its_argument_on_the_wire_or_a_reason(verb: str) -> None:
    addresses, called, reasons = WIRE[verb]
    taken = {argument.name for address in addresses for argument in BY_ADDRESS[f"/hitpoint/{address}"].arguments}
    options = verbs()[verb]
    assert not set(called) - set(options), "renamed or gone"
    assert not set(reasons) - set(options), "renamed or gone"
    for option in options:
        if option not in reasons:
            name = called.get(option, option.removeprefix("--").replace("-", "_"))
            assert name in taken, f"{verb} {option} is not on the wire"


def test_every_verb_has_an_act_in_the_window_or_a_reason() -> None:
    pytest.importorskip("PyQt6.QtWidgets", exc_type=ImportError)
    from desktop.actions import items

    rows = {item.name for item in items()}
    for verb, acts in WINDOW.items():
        if not isinstance(acts, str):
            assert set(acts) <= rows, verb
            assert not set(acts) & set(OF_THE_WINDOW), verb
    assert set(OF_THE_WINDOW) <= rows


def test_every_address_has_its_verb_or_its_way_in_the_terminal() -> None:
    named = {address for addresses, _, _ in WIRE.values() for address in addresses}
    known = {address.removeprefix("/hitpoint/") for address in BY_ADDRESS}
    assert named <= known
    assert known - named == set(TERMINAL_WAY)
