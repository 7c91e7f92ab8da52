"""The programs next door: a DAW whose transport the player follows over its own OSC, and an editor's cut list that is watched."""

from __future__ import annotations

from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from bridge.daw import Address, Daw, open_daw
from bridge.editors import CUTS, HANDED
from bridge.editors.watched import EVERY_S, WatchedFile
from bridge.events import Message
from engines.errors import HitpointError

if TYPE_CHECKING:
    from bridge.studio import Studio

_PATIENCE_S = 600.0  # of a look at a new cut: it waits for the film to be read


class Neighbours:
    """What a studio keeps in touch with; both may be changed at any time, from any thread.

    A cut list that changed is looked at by the studio (`Studio.look_at_cut`), and its offer is told as a `Message`: `Studio.conform`
    accepts it. What goes wrong is told in the same way and ends nothing.
    """

    def __init__(self, studio: Studio, every_s: float = EVERY_S) -> None:
        self.studio, self._every_s = studio, every_s
        self._lock = RLock()
        self._watched: WatchedFile | None = None
        self._daw: Daw | None = None

    @property
    def cuts(self) -> Path | None:
        """The cut list that is watched."""
        return None if self._watched is None else self._watched.path

    @property
    def daw(self) -> str | None:
        """The DAW whose transport is followed over OSC."""
        return None if self._daw is None else self._daw.name

    def json(self) -> dict[str, Any]:
        """Both, as other programs read it."""
        return {"cuts": None if self.cuts is None else str(self.cuts), "daw": self.daw}

    def watch(self, cuts: Path | None = None) -> Path:
        """Watches a cut list from now on, by default the one that the script in Blender or Resolve hands over."""
        path = cuts or HANDED.expanduser() / CUTS
        with self._lock:
            self.leave_cuts()
            self._watched = WatchedFile(path, self._changed, self._every_s).start()
        return path

    def leave_cuts(self) -> None:
        """Watches no cut list any more."""
        with self._lock:
            watched, self._watched = self._watched, None
        if watched is not None:
            watched.close()

    def follow(self, daw: str, where: Address | None = None) -> None:
        """Has the player follow a DAW over its own OSC or web interface. Raises OptionError, PortError, DawError."""
        with self._lock:
            self.leave_daw()
            made = open_daw(daw, where)
            try:
                self.studio.playback.follow()
                made.follow(self.studio.playback.hear)
            except HitpointError:
                made.close()
                raise
            self._daw = made

    def leave_daw(self) -> None:
        """Follows no DAW over OSC any more; what comes over MIDI is followed all the same."""
        with self._lock:
            daw, self._daw = self._daw, None
        if daw is not None:
            daw.close()

    def close(self) -> None:
        """Leaves both; a second time does nothing."""
        self.leave_cuts()
        self.leave_daw()

    def _changed(self, path: Path) -> None:
        """In the watcher's thread: looks at the new cut, and offers it."""
        try:
            offer = self.studio.look_at_cut(path).result(_PATIENCE_S)
        except (HitpointError, TimeoutError) as error:
            self.studio.events.publish(Message(f"the new cut was not read: {error}", "error"))
            return
        told = offer.recut.text().splitlines()
        self.studio.events.publish(Message(f"the editor has a new cut ({path.name}): {told[-1]}; conform to accept it"))
