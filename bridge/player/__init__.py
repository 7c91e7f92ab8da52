"""Plays takes in time, in a process of its own, so that neither the interpreter's lock nor a window can make it late.

The rest of the program holds a `Player`::

    player = Player([Route(Outlet("auto", "Hitpoint"))], inlets=[Inlet("virtual", "Hitpoint sync")], on_status=show)
    player.load(programme_of(session))      # what is to be played; anything that sounds is ended
    player.play(at=12.5)                    # by itself from 12.5 s of the film; stop(), locate(s), loop(a, b), vary(speed)
    player.swap(programme_of(session))      # after a refill: from the next bar line on, while it rolls; at="now" at once
    player.follow()                         # with the DAW: timecode, clock, machine control, JACK, Link; follow("MTC ...") chooses
    player.hear(report)                     # what an OSC socket heard of a DAW's transport
    player.patch([Route(outlet, "melody", latency_ms=-40.0), Route(other)])
    player.panic()
    player.close()                          # always; a `with` block does it

Every method returns at once with the number of its order; `settle` waits until it was obeyed, `wait` for any status. `status` is
the newest `Status` (place in the film, speed, who leads and why, what sounds, how late notes go out, each port and its fault),
``on_status`` and `subscribe` get every one, about fifteen a second and at once when something changes, in a thread of the player's.

`programme_of` is in `bridge.player.writing`. Times are seconds of the film from its first frame. No note is left sounding: not at a
stop, a jump, a loop, a swap, at the end of either process, however it ends. A process that dies is replaced; the fresh one ends the
notes of the old one and stands where that was, or follows as that did.
"""

from bridge.player.handle import Player
from bridge.player.messages import EVERY, Inlet, Outlet, Route, Socket, Status
from bridge.player.programme import Part, Programme, TimedNote

__all__ = ["EVERY", "Inlet", "Outlet", "Part", "Player", "Programme", "Route", "Socket", "Status", "TimedNote"]
