"""What `play` plays: a session's file or a MIDI file, read again each time that it is another one, heard from the next bar on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from bridge.editors.watched import WatchedFile
from engines.errors import HitpointError, OptionError
from engines.picture.timecode import Timecode, drops

if TYPE_CHECKING:
    from bridge.player import Player, Programme

EVERY_S = 0.4
"""Between two looks at the file; one that is the same in two of them is whole."""

MIDI = frozenset({".mid", ".midi", ".smf"})
_USUAL_RATE = Fraction(25)  # of a MIDI file that names none


class Played:
    """A file that is played, as it was read last: its ``programme``, a timecode that counts as its own does (``start``), and its
    ``length`` in seconds. Raises the errors of whatever the file is."""

    def __init__(self, path: Path, scenes: list[int]) -> None:
        self.path, self._scenes = path, scenes
        self._reading = Lock()
        self._watched = WatchedFile(
            path, lambda _: self._changed(), EVERY_S
        )  # before it is read, or a change between were missed
        self._changed: Callable[[], None] = lambda: None
        self.swaps = 0
        self.programme, self.start, self.length = self._read()

    @contextmanager
    def followed(self, player: Player, say: Callable[[str], None]) -> Iterator[None]:
        """Meanwhile what the file becomes is handed to the player, and told in a line; so is why it cannot be read."""

        def changed() -> None:
            try:
                if self._renewed():
                    say(f"{self.path.name} changed: {self._swapped(player)}")
            except HitpointError as error:
                say(f"hitpoint: {error}; what was read before is played on")

        self._changed = changed
        self._watched.start()
        try:
            yield
        finally:
            self._watched.close()

    def _renewed(self) -> bool:
        """Reads it again; whether other notes are to be heard."""
        with self._reading:
            before = self.programme
            self.programme, self.start, self.length = self._read()
            return self.programme != before

    def _swapped(self, player: Player) -> str:
        """Hands it over, and says when it is heard."""
        self.swaps += 1
        status = player.settle(player.swap(self.programme))
        if status.seam is not None:
            return f"heard from the bar at {float(status.seam):.1f} s on"
        return "heard from now on" if status.rolling else "heard when it rolls"

    def _read(self) -> tuple[Programme, Timecode, Fraction]:
        if self.path.suffix.lower() in MIDI:
            if self._scenes:
                raise OptionError("a MIDI file has no scenes", where=self.path, cure="leave --scene away, or give the session")
            from bridge.player.from_midi import programme_of_midi
            from engines.score.smf_reader import read_smf

            file = read_smf(self.path)
            rate = file.offset.rate if file.offset else _USUAL_RATE
            return programme_of_midi(file, self.path.stem), Timecode(0, rate, drops(rate) > 0), file.length
        from bridge.player.writing import programme_of
        from engines.session.working import look_at

        with look_at(self.path) as desk:
            session = desk.session
        return programme_of(session, self._scenes), session.start, session.film.duration
