"""The scene under the playhead: every panel that works on a scene works on this one."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

if TYPE_CHECKING:
    from desktop.transport import Transport
    from engines.session.model import Session
    from engines.spotting.tempo import TempoMap


_LAST: list[tuple[TempoMap, tuple[int, ...], tuple[Fraction, ...]]] = []


def starts_of(session: Session) -> tuple[Fraction, ...]:
    """Film times at which scenes begin, exact; worked out once for all who follow, and again where an act moved a bar line."""
    bars = tuple(scene.bars for scene in session.scenes)
    if not _LAST or _LAST[0][0] is not session.tempo_map or _LAST[0][1] != bars:
        starts = tuple(session.tempo_map.seconds(span.start) for span in session.spans)
        _LAST[:] = [(session.tempo_map, bars, starts)]
    return _LAST[0][2]


class Follow(QObject):
    """Tells when the playhead comes into another scene, and takes it to one that was chosen."""

    scene_changed = pyqtSignal(int)  # the number of the scene

    def __init__(self, transport: Transport, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._transport = transport
        self._starts: tuple[Fraction, ...] = ()
        self._scene = 0
        transport.moved.connect(self.look)

    @property
    def scene(self) -> int:
        """The scene under the playhead; 0 where there are none."""
        return max(1, bisect_right(self._starts, self._transport.seconds)) if self._starts else 0

    def show_session(self, session: Session | None) -> None:
        """Another session, or the same after an act."""
        self._starts = () if session is None else starts_of(session)
        self.look()

    def look(self, *_: int) -> None:
        """Looks where the playhead is."""
        if (scene := self.scene) != self._scene:
            self._scene = scene
            if scene:
                self.scene_changed.emit(scene)

    def go_to(self, scene: int) -> None:
        """Takes the playhead to the first frame of a scene, unless it is in it."""
        if 0 < scene <= len(self._starts) and scene != self.scene:
            start, timing = max(Fraction(0), self._starts[scene - 1]), self._transport.timing
            frame = timing.at(start)
            self._transport.locate(frame if timing.time(frame) >= start else frame + 1)
