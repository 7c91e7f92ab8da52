"""What other programs are asked for: to take a cue, and how their links do. Each is work for a job, which may be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.checkup import checkup
from bridge.daw import Address, Cue
from bridge.doctor import Diagnosis
from bridge.events import Message
from bridge.placing import Placement, place_in
from engines.watch import Watch

if TYPE_CHECKING:
    from bridge.neighbours import Said
    from bridge.player import Status
    from bridge.studio import Studio


def placing(
    studio: Studio, daw: str, scenes: Sequence[int], at: Fraction, where: Address | None, said: Said | None
) -> tuple[str, Callable[[Watch], Placement]]:
    """A sentence for it, and the work of placing the open session, see `bridge.placing.place_in`: what the DAW said is told, and what
    was ``said`` of its project is kept."""
    now = studio.now
    cue = Cue.of(now.session, scenes)
    found = where or Address(now.path.parent / f"{now.path.stem}-midi")

    def work(watch: Watch) -> Placement:
        placement = place_in(daw, found, cue, at, watch)
        if said is not None:
            studio.neighbours.keep(said, now.path)
        studio.events.publish(Message(placement.placed.said))
        return placement

    return f"Place {cue.number} in {daw}", work


def examining(
    path: Path | None, daws: Sequence[str], listen_s: float, where: Address | None, status: Status | None
) -> Callable[[Watch], Diagnosis]:
    """The work of looking at every link, beside a player that does as its ``status`` says; see `bridge.checkup.checkup`."""
    # what a player listens to, some systems let nobody open a second time
    heard = status.standings if status is not None and status.inlets else None
    late = 0 if status is None else status.slips
    return lambda watch: checkup(path, tuple(daws), listen_s, where or Address(), heard, watch=watch, late=late)
