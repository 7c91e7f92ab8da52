"""MIDI timecode, read and written: quarter frames and full frames (MMA/AMEI RP-004/RP-008, in the MIDI 1.0 specification).

Eight quarter frames tell one label, piece by piece, over two frames: piece 0 is sent when the labelled frame begins, so the label
is two frames old when the next one starts. Piece k lies k quarters of a frame after its label, whichever way the tape runs;
backwards the pieces come from 7 to 0.

MIDI timecode knows four rates. 23.976 rides as 24, non-drop 29.97 as 30: only the picture tells which is meant.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from bridge.transport import Report
from engines.errors import OptionError
from engines.picture.timecode import Timecode, nominal

RATES = (Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30))
"""What the codes 0 to 3 stand for; 2 is drop-frame."""

DROP = 2
"""The code of drop-frame."""

_DAY = 24 * 3600
_LONGEST_GAP = 8  # quarter frames: after more, the number of a piece no longer tells how many were lost


def code_of(rate: Fraction, drop: bool = False) -> int:
    """The rate code that timecode of ``rate`` travels under; OptionError for a rate that MIDI timecode has no code for."""
    if drop and rate == RATES[DROP]:
        return DROP
    base = nominal(rate)
    if drop or base not in (24, 25, 30) or rate not in (base, Fraction(1000 * base, 1001)):
        raise OptionError(f"MIDI timecode knows no {rate} fps{' drop' if drop else ''}", cure="send 24, 25, 29.97 or 30")
    return {24: 0, 25: 1, 30: 3}[base]


def riding(rate: Fraction) -> Fraction:
    """The rate of the timecode that goes with a film: its own, or the nearest of which its frames are multiples or whole parts (25 for 50,
    24 for 12); 25 for a film that no such rate divides."""
    known = (pulled for base in (24, 25, 30) for pulled in (Fraction(base), Fraction(1000 * base, 1001)))
    times = {known: max(rate / known, known / rate) for known in known}
    return min((known for known in times if times[known].denominator == 1), key=times.__getitem__, default=RATES[1])


def rate_of(code: int, picture: Fraction | None = None) -> Fraction:
    """The exact rate behind a rate code, the picture's own where it rides under this code: 0 is 24000/1001 for such a picture."""
    if picture is not None and code != DROP and picture == Fraction(1000 * nominal(RATES[code]), 1001):
        return picture
    return RATES[code]


@cache
def day_of(rate: Fraction, drop: bool) -> Fraction:
    """Real seconds from the label 00:00:00:00 until it comes again: 86400 at 25, a tenth of a percent more at 24000/1001."""
    return Timecode.parse("24:00:00;00" if drop else "24:00:00:00", rate, drop).seconds


def timecode_of(label: bytes, picture: Fraction | None = None) -> Timecode | None:
    """The frame that four bytes label as `label_bytes` writes them; None if there is no such label."""
    hours, minutes, seconds, frames = label
    code = hours >> 5 & 3
    if hours & 0x80 or hours & 0x1F > 23:
        return None
    try:
        shown = f"{hours & 0x1F}:{minutes}:{seconds}:{frames}"
        return Timecode.parse(shown, rate_of(code, picture), drop=code == DROP)
    except OptionError:
        return None


def label_bytes(timecode: Timecode) -> bytes:
    """Hours with the rate code, minutes, seconds and frames, as a full frame and a locate carry them."""
    hours, minutes, seconds, frames = timecode.wrapped.fields
    return bytes((code_of(timecode.rate, timecode.drop) << 5 | hours, minutes, seconds, frames))


def nibbles(timecode: Timecode) -> tuple[int, ...]:
    """The data of the eight pieces of a label: frames, seconds, minutes, hours, each low nibble first, rate code in the last."""
    return tuple(part >> shift & 0xF for part in reversed(label_bytes(timecode)) for shift in (0, 4))


def quarter_frame(timecode: Timecode, piece: int) -> bytes:
    """Piece 0 to 7 of a label, to be sent ``piece`` quarters of a frame after the frame that it labels begins."""
    return bytes((0xF1, piece << 4 | nibbles(timecode)[piece]))


def full_frame(timecode: Timecode, device: int = 0x7F) -> bytes:
    """The whole label in one message: where a transport that does not roll now stands."""
    return bytes((0xF0, 0x7F, device, 0x01, 0x01, *label_bytes(timecode), 0xF7))


class MtcReader:
    """Reads MIDI timecode: a report for every quarter frame once a label is known, and for every full frame.

    A label is known after eight pieces in a row, forwards or backwards; after a full frame, from its first piece on. From then
    every piece must be what its label says; one that is not, or that comes after a gap of over two frames, starts the search again.
    Repeated pieces are passed over. Nothing that is not timecode changes anything.
    """

    def __init__(self, source: str, picture: Fraction | None = None) -> None:
        self.source, self.picture = source, picture
        self._run: list[tuple[int, int]] = []  # the newest pieces in a row
        self._label: Timecode | None = None  # of the set that the last piece belongs to
        self._gone_to: Timecode | None = None
        self._last, self._last_ns, self._way = 0, 0, 1
        self._nibbles: tuple[int, ...] = ()

    def feed(self, message: bytes, received_ns: int) -> Report | None:
        """Reads one MIDI message; None if it is no timecode or does not yet tell a place."""
        if len(message) == 2 and message[0] == 0xF1 and message[1] < 0x80:
            return self._piece(message[1] >> 4, message[1] & 0xF, received_ns)
        if len(message) == 10 and message[:2] == b"\xf0\x7f" and message[3:5] == b"\x01\x01" and message[9] == 0xF7:
            return self._full(message, received_ns)
        return None

    def _full(self, message: bytes, received_ns: int) -> Report | None:
        timecode = timecode_of(message[5:9], self.picture)
        if timecode is None:
            return None
        self._forget()
        self._gone_to = timecode
        return self._report(timecode, Fraction(0), received_ns, located=True)

    def _piece(self, piece: int, nibble: int, received_ns: int) -> Report | None:
        self._keep(piece, nibble)
        if self._label is not None and not self._goes_on(piece, nibble, received_ns):
            self._label = None
        elif self._label is not None and piece == self._last:
            return None
        if self._gone_to is not None:
            self._set_off(piece, nibble)
        if self._label is None and len(self._run) == 8:
            values = [value for _, value in sorted(self._run)]
            label = bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))
            self._know(timecode_of(label[::-1], self.picture), self._run[-1][0] - self._run[-2][0])
        self._last, self._last_ns = piece, received_ns
        if self._label is None:
            return None
        return self._report(self._label, Fraction(piece, 4), received_ns)

    def _keep(self, piece: int, nibble: int) -> None:
        """Adds a piece to those in a row, which begin again where the row breaks; eight of them tell a label."""
        if self._run and self._run[-1] == (piece, nibble):
            return
        way = piece - self._run[-1][0] if self._run else 0
        before = self._run[-1][0] - self._run[-2][0] if len(self._run) > 1 else way
        if abs(way) != 1 or way != before:
            # a turn keeps the piece that it turned on
            self._run = self._run[-1:] if abs(way) == 1 else []
        self._run.append((piece, nibble))

    def _goes_on(self, piece: int, nibble: int, received_ns: int) -> bool:
        """Whether the piece is where and what the label known so far promises; moves the label on if it is of the next set."""
        assert self._label is not None
        quarters = (received_ns - self._last_ns) * 4 * self._label.rate / 1_000_000_000
        steps = self._way * (piece - self._last) % 8
        if steps in (0, 7):  # a piece repeated and the tape turned, or nearly a whole set lost: time tells
            steps += (0 if steps else 8) if quarters > _LONGEST_GAP / 2 else (0 if not steps else -8)
        if quarters > _LONGEST_GAP or steps > quarters + _LONGEST_GAP / 2:
            return False
        step = self._way * steps
        sets = (self._last + step) // 8
        label = self._label + 2 * sets if sets else self._label
        data = nibbles(label) if sets else self._nibbles
        if data[piece] != nibble:
            return False
        if steps < 0:
            self._way = -self._way
        self._label, self._nibbles = label.wrapped, data
        return True

    def _set_off(self, piece: int, nibble: int) -> None:
        """A transport that starts where it was sent to starts with the first piece of that frame, or of the one after it."""
        frame, self._gone_to = self._gone_to, None
        assert frame is not None
        for label in (frame, (frame + 1).wrapped):
            if piece == 0 and nibbles(label)[0] == nibble:
                self._know(label, 1)
                return

    def _know(self, label: Timecode | None, way: int) -> None:
        self._label, self._way = label, way
        self._nibbles = nibbles(label) if label is not None else ()

    def _forget(self) -> None:
        self._run, self._label, self._gone_to = [], None, None

    def _report(self, label: Timecode, after: Fraction, received_ns: int, located: bool = False) -> Report:
        day = day_of(label.rate, label.drop)
        return Report(
            source=self.source,
            kind="mtc",
            received_ns=received_ns,
            seconds=(label.frame + after) / label.rate % day,
            rolling=not located,
            speed=None if located else float(self._way),
            located=located,
            rate=label.rate,
            drop=label.drop,
            day=day,
        )
