"""The table: engines beside real music, with intervals, the spread of real music within itself, and the floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engines.score.metrics import measure
from engines.yardstick.alike import overlaps
from engines.yardstick.pieces import Window
from engines.yardstick.spread import Interval, halves, interval


@dataclass(frozen=True)
class Lot:
    """Some music under one name: what was measured of every window, and the overlaps of its histograms with the real music."""

    name: str
    measures: Mapping[str, Sequence[float]]
    alike: Mapping[str, float | None]
    windows: int

    def mean(self, name: str) -> Interval | None:
        """The mean of a measure with its interval."""
        return interval(self.measures.get(name, ()))


@dataclass(frozen=True)
class Table:
    """Lots of music, real music among them (``real`` None where no reference was given)."""

    lots: tuple[Lot, ...]
    real: Lot | None

    @property
    def names(self) -> list[str]:
        """The measures, in order."""
        everyone = [*self.lots, *([self.real] if self.real else [])]
        return list(dict.fromkeys(name for lot in everyone for name in lot.measures))

    def json(self) -> dict[str, Any]:
        """Plain values; ``distance`` is from the real mean, ``halves`` how far two halves of the real music lie apart."""
        out: dict[str, Any] = {"sets": {}, "real": None}
        if self.real:
            real: dict[str, Any] = {}
            for name in self.names:
                mean = self.real.mean(name)
                real[name] = None if mean is None else asdict(mean) | {"halves": halves(self.real.measures.get(name, ()))}
            out["real"] = real
        for lot in self.lots:
            rows: dict[str, Any] = {"windows": lot.windows, **lot.alike}
            for name in self.names:
                mean = lot.mean(name)
                if mean is None:
                    rows[name] = None
                    continue
                row: dict[str, Any] = asdict(mean)
                if self.real and (truth := self.real.mean(name)):
                    apart = halves(self.real.measures.get(name, ()))
                    row["distance"] = mean.mean - truth.mean
                    row["within_halves"] = None if apart is None else abs(row["distance"]) <= apart
                rows[name] = row
            out["sets"][lot.name] = rows
        return out

    def text(self) -> str:
        """A line a measure; a star where a mean lies as near to the real one as two halves of the real music do to each other."""
        told = self.json()
        head = f"{'':18}" + (f"{'real':>24}{'halves':>9}" if self.real else "")
        lines = [head + "".join(f"{lot.name[:22]:>26}" for lot in self.lots)]
        for name in self.names:
            row = f"{name:18}"
            if self.real:
                truth = told["real"][name]
                row += f"{_interval(truth):>24}" + (
                    f"{truth['halves']:9.3f}" if truth and truth["halves"] is not None else " " * 9
                )
            for lot in self.lots:
                cell = told["sets"][lot.name][name]
                row += f"{_interval(cell):>25}" + ("*" if cell and cell.get("within_halves") else " ")
            lines.append(row.rstrip())
        for name in self.lots[0].alike if self.real and self.lots else ():
            values = (lot.alike.get(name) for lot in self.lots)
            lines.append(f"{name:18}{'':33}" + "".join(f"{'-' if v is None else format(v, '.3f'):>25} " for v in values).rstrip())
        return "\n".join(lines)


def _interval(cell: Mapping[str, Any] | None) -> str:
    return "-" if cell is None else f"{cell['mean']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"


def lot(name: str, windows: Sequence[Window], real: Sequence[Window] = ()) -> Lot:
    """Some windows measured one by one."""
    measures: dict[str, list[float]] = {}
    for window in windows:
        for key, value in measure(window.notes, window.lines, window.key).items():
            if value is not None:
                measures.setdefault(key, []).append(value)
    alike = overlaps([w.notes for w in windows], [w.notes for w in real]) if real else {}
    return Lot(name, measures, alike, len(windows))
