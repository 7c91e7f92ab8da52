"""Old sessions: one function a version, from its JSON to that of the next. They know no class of ours, because classes change."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from engines.errors import SessionError

FORMAT = "hitpoint session"
VERSION = 5
"""Version 1 (0.1.0) held one take of a whole film; 2 has scenes, takes with recipes, the composer's words, and the history; 3 knows
files of what the film looks like, and over which part of the film a brief lies; 4 knows bars whose tempo is locked; 5 knows themes."""


def _from_1(old: dict[str, Any]) -> dict[str, Any]:
    """One take for the film becomes take 1 of one scene; its recipe did not hold the brief as it was told, so it has no orders."""
    reel, wishes, take = old["reel"], old["wishes"], old["takes"][0]
    rate, frames = Fraction(reel["rate"]), int(reel["frames"])
    start = {"frame": _frame(reel["start"], rate), "rate": reel["rate"], "drop": ";" in reel["start"]}
    edges = [0, *(cut["frame"] for cut in old["cuts"]), frames]
    shot = {"name": "", "reel": "", "speed": "1", "black": False}
    tempo_map = {"origin": old["tempo"]["origin"], "segments": old["tempo"]["segments"], "metres": _runs(old["tempo"]["metres"])}
    bars = len(old["brief"]["bars"])
    told = {name: wishes[name] for name in ("mood", "density", "energy", "key")}
    nothing = {"register": None, "chords": None, "metre": None, "tempo": None, "avoid": None, "sting": None}
    whole_map = tempo_map | {
        "metres": _runs(([m for m, n in tempo_map["metres"] for _ in range(n)] + [old["tempo"]["metres"][-1]] * bars)[:bars])
    }
    session = {
        "cue": "1m1",
        "film": {
            "path": reel["path"],
            "digest": reel["sha256"],
            "size": 0,
            "rate": reel["rate"],
            "frames": frames,
            "duration": str(frames / rate),
        },
        "programme": {
            "rate": reel["rate"],
            "start": start,
            "frames": frames,
            "cuts": old["cuts"],
            "shots": [shot | {"start": a, "end": b, "source_in": str((start["frame"] + a) / rate)} for a, b in pairwise(edges)],
            "markers": old["markers"],
            "title": Path(reel["path"]).name,
        },
        "limits": {
            "tempo": [str(Fraction(str(end))) for end in wishes["tempo"]],
            "max_bend": str(Fraction(str(wishes["max_bend"]))),
            "metres": [f"{m['beats']}/{m['unit']}" for m in wishes["metres"]],
            "subdivision": wishes["subdivision"],
        },
        "overrides": wishes["overrides"],
        "hits": old["hits"],
        "map": {"kind": old["tempo"]["kind"], "tempo_map": tempo_map, "bpm": _bpm(tempo_map), "cost": old["tempo"]["cost"]},
        "engine": wishes["engine"],
        "mode": wishes["mode"],
        "formula": wishes["formula"],
        "seed": wishes["seed"],
        "performance": wishes["performance"],
        "instruments": wishes["instruments"],
        "key": take["recipe"].get("key"),
        "scenes": [{"id": "s1", "bars": bars, "name": "", "chosen": "t1", "keep": [], "bpm": None}],
        "told": {"cue": told | nothing} if any(value is not None for value in told.values()) else {},
        "picture": {"motion": None, "prints": ""},
        "versions": {},
        "takes": {
            "t1": {
                "scene": "s1",
                "number": 1,
                "name": take["name"],
                "made": take["made"],
                "tempo_map": whole_map,
                "orders": [],
                "facts": take["recipe"],
                "notes": [_played(row) for row in take["played"]],
                "chords": take["chords"],
                "answers": [],
                "base": None,
                "rating": None,
                "remark": "",
            }
        },
    }
    return {"format": FORMAT, "version": 2, "session": session, "history": {"done": [], "undone": []}}


_BRIEF = ("after", "bars", "before", "hits", "key", "mood", "stems")
_ORDER = ("brief", "end", "engine", "hits", "instruments", "keep", "mode", "performance", "seed")
_SESSION = (
    *("cue", "engine", "film", "formula", "hits", "instruments", "key", "limits", "map", "mode", "overrides", "performance"),
    *("picture", "programme", "scenes", "seed", "takes", "told", "versions"),
)
_ADDED_IN_3: dict[frozenset[str], dict[str, Any]] = {
    frozenset(_BRIEF): {"part": ["0", "1"]},
    frozenset(_ORDER): {"features": []},
    frozenset(_SESSION): {"features": []},
}
"""What briefs, orders and sessions of version 2, known by their keys, hold since."""


def _from_2(old: dict[str, Any]) -> dict[str, Any]:
    """Briefs, orders and sessions with what is new in them."""
    return {**_grown(old, _ADDED_IN_3), "version": 3}


_SCENE = ("bars", "bpm", "chosen", "id", "keep", "name")
_ADDED_IN_4: dict[frozenset[str], dict[str, Any]] = {frozenset(_SCENE): {"locked": []}}


def _from_3(old: dict[str, Any]) -> dict[str, Any]:
    """No bar of any scene is locked."""
    return {**_grown(old, _ADDED_IN_4), "version": 4}


_TOLD = ("avoid", "chords", "density", "energy", "key", "metre", "mood", "register", "sting", "tempo")
_ADDED_IN_5: dict[frozenset[str], dict[str, Any]] = {
    frozenset(_TOLD): {"theme": None},
    frozenset((*_BRIEF, "part")): {"theme": None},
}


def _from_4(old: dict[str, Any]) -> dict[str, Any]:
    """No scene is told what to take up."""
    return {**_grown(old, _ADDED_IN_5), "version": 5}


def _grown(value: Any, added: dict[frozenset[str], dict[str, Any]]) -> Any:
    """A value with what tables of these keys hold since, wherever they are: in earlier cuts and in the history too."""
    if isinstance(value, list):
        return [_grown(part, added) for part in value]
    if not isinstance(value, dict):
        return value
    return {key: _grown(part, added) for key, part in value.items()} | added.get(frozenset(value), {})


def _played(row: list[Any]) -> list[Any]:
    """Version 1 kept notes as played only beside those of the engine: what is written is taken to be what is played."""
    start, length, pitch, velocity, stem = row
    return [start, pitch, length, velocity, stem, start, length, velocity]


def _runs(metres: list[str]) -> list[list[Any]]:
    out: list[list[Any]] = []
    for metre in metres:
        if out and out[-1][0] == metre:
            out[-1][1] += 1
        else:
            out.append([metre, 1])
    return out


def _bpm(tempo_map: dict[str, Any]) -> str:
    """The tempo of most beats, since version 1 did not keep the nominal."""
    starts = [Fraction(start) for start, _ in tempo_map["segments"]]
    lengths: dict[str, Fraction] = {}
    for k, (_, spb) in enumerate(tempo_map["segments"]):
        until = starts[k + 1] if k + 1 < len(starts) else starts[k] + 1
        lengths[spb] = lengths.get(spb, Fraction(0)) + until - starts[k]
    return str(60 / Fraction(max(lengths, key=lambda spb: lengths[spb])))


def _frame(label: str, rate: Fraction) -> int:
    from engines.picture.timecode import Timecode

    return Timecode.parse(label, rate, ";" in label).frame


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4}
"""From each old version to the one after it."""


def upgraded(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """A session's table as this version writes it. Raises SessionError for one that a newer Hitpoint wrote."""
    version = table.get("version")
    if not isinstance(version, int) or version < 1:
        raise SessionError("is no session, or damaged", where=path, cure="open an earlier copy of it")
    if version > VERSION:
        raise SessionError(f"was written by a newer Hitpoint (version {version})", where=path, cure="update Hitpoint")
    while version < VERSION:
        table = UPGRADES[version](table)
        version = table["version"]
    return table
