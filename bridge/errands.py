"""What other programs are asked for: to take a cue, and how their links do. Each is work for a job, which may be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from bridge.chase import Standing
from bridge.checkup import checkup
from bridge.daw import Address, Cue
from bridge.doctor import Diagnosis
from bridge.events import OpenSession
from bridge.placing import Placement, place_in
from engines.watch import Watch


def placing(
    now: OpenSession, daw: str, scenes: Sequence[int], at: Fraction, where: Address | None
) -> tuple[str, Callable[[Watch], Placement]]:
    """A sentence for it, and the work of placing the session; see `bridge.placing.place_in`."""
    cue = Cue.of(now.session, scenes)
    found = where or Address(now.path.parent / f"{now.path.stem}-midi")
    return f"Place {cue.number} in {daw}", lambda watch: place_in(daw, found, cue, at, watch)


def examining(
    path: Path | None, daws: Sequence[str], listen_s: float, where: Address | None, heard: Sequence[Standing] | None
) -> Callable[[Watch], Diagnosis]:
    """The work of looking at every link; see `bridge.checkup.checkup`."""
    return lambda watch: checkup(path, tuple(daws), listen_s, where or Address(), heard, watch=watch)
