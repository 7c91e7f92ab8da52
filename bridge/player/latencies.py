"""Latencies: what is kept of how late ports are and how slow stems sound, in a file of the person's own, and what routes make of it.

A value is in milliseconds that are added to the moment of every message: less than 0 plays it earlier. Its key says whose it is:

- ``jack:strings``, ``virtual:Hitpoint``, ``system:IAC Bus 1``: of a port, by the kind it is opened as, for each is late in its own way;
- ``any:Hitpoint``: of a port by its name alone, as it was kept before kinds were told apart. It holds where its kind has none;
- ``melody=virtual:Hitpoint``: of one stem at that port, in place of the port's;
- ``stem:melody``: of a stem at whatever port. It is added to the port's: a library of slow strings is late by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bridge.player.messages import EVERY, Route
from engines import files
from engines.errors import OptionError

LARGEST_MS = 2000
"""No latency is larger, earlier or later."""

ANY, STEM = "any", "stem"
KINDS = ("jack", "virtual", "system")
"""What a port may be opened as."""

_MOST_BYTES = 1 << 20
_MOST_RECORDINGS = 20  # remembered for each key
_OPEN = {"auto": ("virtual", "jack")}  # what a port of that kind may turn out to be, JACK's last


@dataclass(frozen=True)
class Latencies:
    """What is kept: milliseconds by key, and by key the recordings that were counted into them. ``fault`` says in one line what is
    wrong with the file, empty if nothing."""

    values: Mapping[str, float] = field(default_factory=dict)
    recordings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fault: str = ""

    def port(self, kind: str, name: str, stem: str = EVERY) -> float | None:
        """Milliseconds for a port opened as ``kind``, and for one stem at it; None where nothing is kept."""
        keys = (key_of(kind, name, stem), key_of(kind, name), key_of(ANY, name))
        return next((self.values[key] for key in keys if key in self.values), None)

    def routed(self, routes: Sequence[Route]) -> tuple[Route, ...]:
        """The routes, with what is kept where they leave their latency open; a stem that has a latency of its own and shares the route
        of every stem gets one of its own to the same port."""
        applied = [self._applied(route) for route in routes]
        rest = next((k for k in reversed(range(len(routes))) if routes[k].stem == EVERY and routes[k].latency_ms is None), None)
        if rest is None:
            return tuple(applied)
        taken = {route.stem for route in routes}
        own = [self._applied(replace(routes[rest], stem=stem)) for stem in self._stems if stem not in taken]
        plain = applied[rest]
        return *applied, *(route for route in own if replace(route, stem=EVERY) != plain)

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {"latency_ms": dict(self.values), "fault": self.fault}

    def text(self) -> str:
        """As a person reads it."""
        return "\n".join(f"{called(key)}: {signed(ms)}" for key, ms in self.values.items()) or "nothing is kept"

    @property
    def _stems(self) -> list[str]:
        """Stems of which something is kept."""
        alone = [key.removeprefix(f"{STEM}:") for key in self.values if key.startswith(f"{STEM}:")]
        return sorted({*alone, *(key.partition("=")[0] for key in self.values if "=" in key)})

    def _applied(self, route: Route) -> Route:
        if route.latency_ms is not None:
            return route
        kind, slow = route.outlet.kind, self.values.get(f"{STEM}:{route.stem}", 0.0)
        by_kind = [(self.port(one, route.outlet.name, route.stem) or 0.0) + slow for one in _OPEN.get(kind, (kind,))]
        return replace(route, latency_ms=by_kind[0], jack_ms=by_kind[1] if len(by_kind) > 1 else None)


@dataclass(frozen=True)
class Written:
    """The file in which something was kept, and in ``said`` one line of what became of a damaged one."""

    path: Path
    said: str = ""


def signed(ms: float) -> str:
    """Milliseconds with their sign, to the hundredth; what is next to nothing has none of its own."""
    return f"{round(ms, 2) + 0.0:+.2f} ms"


def key_of(kind: str, name: str, stem: str = EVERY) -> str:
    """The key of a port, or of one stem at it."""
    return f"{kind}:{name}" if stem == EVERY else f"{stem}={kind}:{name}"


def called(key: str) -> str:
    """Whose a key is, as a person says it: ports are named as `play` names them."""
    kind, _, name = key.partition(":")
    return f"the stem {name}" if kind == STEM else f"any port called {name}" if kind == ANY else key


def stem_key(stem: str) -> str:
    """The key of a stem at whatever port. Raises OptionError where no stem is named."""
    if not stem.strip() or stem.strip() == EVERY:
        raise OptionError(
            "no stem is named", where="calibrate", cure="name one: melody, bridge, piano, or a track of a MIDI file"
        )
    return f"{STEM}:{stem.strip()}"


def store() -> Path:
    """The file that keeps the latencies."""
    from platformdirs import user_config_path

    return user_config_path("hitpoint") / "latencies.json"


def latencies(path: Path | None = None) -> Latencies:
    """What is kept. Of a file that is damaged, whatever can be read, with its fault."""
    place = path or store()
    try:
        table = json.loads(files.read(place, _MOST_BYTES).decode("utf-8"))
    except FileNotFoundError:
        return Latencies()
    except OSError as error:
        return Latencies(fault=_damaged(place, error.strerror or str(error)))
    except (ValueError, RecursionError):
        return Latencies(fault=_damaged(place, "it is no JSON"))
    return _read(table, place)


def keep(key: str, ms: float, recording: str = "", path: Path | None = None) -> Written:
    """Keeps a latency in milliseconds, and the ``recording`` (its hash) that was counted into it. Raises OptionError for one that is
    too large, OutputError."""
    if not abs(ms) <= LARGEST_MS:
        where = f"{called(key)}: {signed(ms)}"
        raise OptionError("no latency is so large", where=where, cure=f"give one between {-LARGEST_MS} and {LARGEST_MS} ms")
    known = latencies(path)
    counted = dict(known.recordings)
    if recording:
        counted[key] = (*counted.get(key, ()), recording)[-_MOST_RECORDINGS:]
    return _write(replace(known, values={**known.values, key: round(ms, 3)}, recordings=counted), path)


def forget(name: str, path: Path | None = None) -> Written:
    """Forgets what is kept under a key, or for a port or a stem of that name where only one is meant. Raises OptionError where none is
    or more are, OutputError."""
    known = latencies(path)
    same = [name] if name in known.values else [key for key in known.values if key.partition(":")[2] == name]
    if len(same) != 1:
        what = f"{name[:80]!r} may be {' or '.join(same)}" if same else f"nothing is kept for {name[:80]!r}"
        cure = (
            "name one of them" if same else f"choose from {', '.join(known.values)}" if known.values else "nothing is kept at all"
        )
        raise OptionError(what, where="calibrate", cure=cure)
    rest = {key: ms for key, ms in known.values.items() if key not in same}
    counted = {key: row for key, row in known.recordings.items() if key not in same}
    return _write(replace(known, values=rest, recordings=counted), path)


def _read(table: Any, place: Path) -> Latencies:
    """What a file holds. Before kinds were told apart it was nothing but values by name."""
    if not isinstance(table, dict):
        return Latencies(fault=_damaged(place, "it holds no table"))
    old = not any(isinstance(row, dict) for row in table.values())
    rows = {key_of(ANY, name): ms for name, ms in table.items()} if old else table.get("latency_ms")
    counted = {} if old else table.get("recordings", {})
    if not isinstance(rows, dict) or not isinstance(counted, dict):
        return Latencies(fault=_damaged(place, "it holds no latencies"))
    values = {key: float(ms) for key, ms in rows.items() if _is_latency(ms)}
    lists = {key: tuple(map(str, row)) for key, row in counted.items() if isinstance(row, list)}
    bad = [key.removeprefix(f"{ANY}:") for key in rows if key not in values]
    fault = _damaged(place, f"no latency stands at {', '.join(bad)[:80]}") if bad else ""
    return Latencies(dict(sorted(values.items())), lists, fault)


def _is_latency(ms: Any) -> bool:
    return isinstance(ms, int | float) and not isinstance(ms, bool) and abs(ms) <= LARGEST_MS


def _damaged(place: Path, why: str) -> str:
    cure = f"calibrate again, which leaves this file as {place.name}.damaged"
    return f"{place}: is damaged ({why}), and what cannot be read of it is not made up for; {cure}"


def _write(kept: Latencies, path: Path | None) -> Written:
    """Writes it; a file that was damaged is kept beside it under another name first."""
    target = path or store()
    files.folder(target.parent)
    aside = None
    if kept.fault:
        there = target.resolve()
        names = (there.with_name(f"{there.name}.damaged{number}") for number in ("", *(f"-{k}" for k in range(2, 1000))))
        aside = next(name for name in names if not name.exists())
        try:
            there.rename(aside)
        except OSError as error:
            raise files.refusal(there, error) from error
    table = {
        "latency_ms": dict(sorted(kept.values.items())),
        "recordings": {key: list(row) for key, row in kept.recordings.items()},
    }
    files.write(target, json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    return Written(target, "" if aside is None else f"{target.name} was damaged: the file as it was is kept as {aside}")
