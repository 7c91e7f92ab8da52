"""The contract between a brief and the engines that answer it, and the list of engines by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from engines.errors import OptionError
from engines.score.notes import STEMS, Note, Take

MOODS = {"happy": 1, "angry": 2, "sad": 3, "calm": 4}
"""The four quadrants of valence and arousal, numbered as Russell's circumplex is in EMOPIA: Q1 high/high, Q2 low valence and
high arousal, Q3 low/low, Q4 high valence and low arousal."""


@dataclass(frozen=True)
class BarBrief:
    """What one bar should be. Every field but the place may be None: then the engine decides.

    ``start`` and ``length`` are beats (quarter notes); ``metre`` is (beats, unit), for example (7, 8). ``bpm`` is the mean tempo
    of the bar. ``density`` counts distinct onset positions on the sixteenth grid, 0 to 16 for a 4/4 bar (0 asks for an empty bar).
    ``energy`` is 0..1, ``register`` the mean MIDI pitch, ``chord`` a symbol such as ``C:maj`` that holds for the bar.
    """

    start: Fraction
    length: Fraction
    metre: tuple[int, int] = (4, 4)
    bpm: float = 100.0
    density: int | None = None
    energy: float | None = None
    register: float | None = None
    chord: str | None = None


@dataclass(frozen=True)
class HitBrief:
    """A moment that the music should mark: its beat, its ``strength`` 0..1, and whether it must have an onset."""

    beat: Fraction
    strength: float = 1.0
    hard: bool = True


@dataclass(frozen=True)
class Theme:
    """Music that a cue is to take up: ``notes`` in beats from its first bar, and the ``lengths`` of its bars in beats. Without bars it says
    that nothing is to return."""

    notes: tuple[Note, ...] = ()
    lengths: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class Brief:
    """What an engine is told: bars in order without gaps, hits, and what holds for the whole cue.

    ``mood`` is 1..4 (see `MOODS`), ``key`` a name such as ``C:maj`` or ``F#:min``; None leaves the choice to the engine.
    ``stems`` are those that the engine may write. ``before`` and ``after`` are neighbouring notes (beats on the same axis, outside
    the bars) that the engine hears as context and never changes. ``part`` is the stretch of the film, 0 to 1, over which the bars lie,
    for an engine that is given features of the film. ``theme`` is what the bars take up from their first on; None leaves it to the
    engine whether something returns.
    """

    bars: tuple[BarBrief, ...]
    hits: tuple[HitBrief, ...] = ()
    mood: int | None = None
    key: str | None = None
    stems: tuple[str, ...] = STEMS
    before: tuple[Note, ...] = field(default=(), repr=False)
    after: tuple[Note, ...] = field(default=(), repr=False)
    part: tuple[Fraction, Fraction] = (Fraction(0), Fraction(1))
    theme: Theme | None = None


Progress = Callable[[float, float], None]
"""Called with (done, total) at least once a second."""


class Engine(Protocol):
    """What a composing engine owes."""

    name: str

    def compose(
        self,
        brief: Brief,
        seed: int,
        keep: Collection[Note] | None = None,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Take:
        """Notes for the bars of ``brief``.

        The same arguments and the same weights give the same notes. Notes in ``keep`` come back bit-identical. Raises
        `engines.errors.Cancelled` within one step after ``cancelled()`` turns true.
        """
        ...


def check(brief: Brief, mode: str, modes: Collection[str], stems: Collection[str] = STEMS) -> None:
    """Raises OptionError for a mode that an engine does not have, and for a brief without bars or that asks for none of the ``stems``
    that it writes."""
    if mode not in modes:
        raise OptionError(f"no mode is named {mode!r}", where="--mode", cure=f"choose one of: {', '.join(modes)}")
    if not brief.bars:
        raise OptionError("has no bars", where="brief", cure="give at least one")
    if not set(brief.stems) & set(stems) or not set(brief.stems) <= set(STEMS):
        raise OptionError(
            f"none of the stems {', '.join(brief.stems) or '(none)'} can be written",
            where="--stems",
            cure=f"choose from {', '.join(stems)}",
        )


ENGINES = {"bmt": "engines.bmt.compose:BMTEngine", "diffbgm": "engines.diffbgm.compose:DiffBGMEngine"}
"""Engines by name, as ``module:class``; loaded when asked for, so that listing them costs nothing."""


def load_engine(name: str, provider: str | None = None, mode: str | None = None, features: Sequence[Path] = ()) -> Engine:
    """The engine of that name, ready to compose on ``provider`` (None: the best one that really loads).

    ``mode`` is for engines that have several, such as bmt's ``official``; ``features`` are files of what a film looks like, for one
    that hears them. Raises OptionError for an unknown name, and for features that it does not hear or that cannot be; ModelError if
    its model is missing or was tampered with.
    """
    if name not in ENGINES:
        raise OptionError(f"no engine is named {name!r}", where="--engine", cure=f"choose one of: {', '.join(sorted(ENGINES))}")
    made = _named(name)
    options: dict[str, Any] = {"mode": mode} if mode else {}
    if features:
        if not hears_features(name):
            raise OptionError(f"{name} hears no features", where="--features", cure="leave it out, or use --engine diffbgm")
        options["features"] = tuple(features)
    engine: Engine = made(provider=provider, **options)
    return engine


def hears_features(name: str) -> bool:
    """Whether an engine hears what a film looks like from files."""
    return hasattr(_named(name), "features")


def _named(name: str) -> Any:
    module, _, attribute = ENGINES[name].partition(":")
    return getattr(import_module(module), attribute)
