"""The brief: tempo map, hits, what the picture suggests and what the composer sets, as an engine is told it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from engines.engine import MOODS, BarBrief, Brief, HitBrief
from engines.errors import OptionError
from engines.spotting.hits import Hit
from engines.spotting.suggestion import Suggested, suggest
from engines.spotting.tempo import Bar, TempoMap

if TYPE_CHECKING:
    from engines.picture.motion import Motion

GRID = 4
"""Places for an onset in a beat: sixteenths."""
FORMULAS = ("ours", "cmt", "bmt")
"""Who maps the picture to density: `engines.spotting.suggestion`, or a published system as it is in `engines.picture.published`."""
SEEN_WITHIN = 0.15
"""Seconds around a hit within which what stops in the picture makes it stronger."""
VISUAL_SHARE = 0.3
"""Of a hit's strength, what the picture can take away from its weight."""

_KEY = re.compile(r"([A-Ga-g])([#b]?):?(maj|min|major|minor|m)?")
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

T = TypeVar("T")
N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Briefing:
    """A ``brief``, and where it comes from: ``suggested`` is what the picture says (None without a picture), whether or not it was
    taken; ``composer`` names the fields that the composer set."""

    brief: Brief
    suggested: Suggested | None
    composer: frozenset[str]

    def json(self) -> dict[str, object]:
        """Plain values: each field as it is in the brief and as the picture suggested it, and flow and strength by bar."""
        heard, seen = self.brief, self.suggested
        bars: list[dict[str, object]] = []
        for k, bar in enumerate(heard.bars):
            row: dict[str, object] = {
                "beat": float(bar.start),
                "metre": f"{bar.metre[0]}/{bar.metre[1]}",
                "bpm": bar.bpm,
                "density": bar.density,
                "energy": bar.energy,
                "register": bar.register,
                "chord": bar.chord,
                "strength": max(
                    (hit.strength for hit in heard.hits if bar.start <= hit.beat < bar.start + bar.length), default=0.0
                ),
            }
            bars.append(row | ({"picture": asdict(seen.bars[k])} if seen else {}))
        picture: dict[str, object] | None = None
        if seen:
            picture = {"tempo_bpm": seen.tempo, "mood": seen.mood.mood if seen.mood else None}
            picture |= asdict(seen.mood) if seen.mood else {}
        return {
            "mood": heard.mood,
            "key": heard.key,
            "set_by_composer": sorted(self.composer),
            "picture": picture,
            "bars": bars,
            "hits": [{"beat": float(hit.beat), "strength": hit.strength, "hard": hit.hard} for hit in heard.hits],
        }


def brief_for(
    tempo_map: TempoMap,
    hits: Sequence[Hit],
    duration: Fraction,
    motion: Motion | None = None,
    *,
    mood: int | str | None = None,
    density: float | Sequence[int | None] | None = None,
    energy: float | Sequence[float | None] | None = None,
    register: float | Sequence[float | None] | None = None,
    chords: Sequence[str | None] | None = None,
    key: str | None = None,
    formula: str = "ours",
) -> Briefing:
    """The brief of a cue from beat 0 of ``tempo_map`` to ``duration`` (exact seconds of the film), in whole bars.

    ``motion`` fills what the composer leaves open; without either, a field stays None and the engine decides. ``mood`` is 1..4 or
    a name of `engines.engine.MOODS`. ``density`` is onset positions in a bar of 4/4 (other metres get their share), ``energy``
    0..1, ``register`` a mean MIDI pitch, each one value for the cue, or one for each bar (None leaves that bar open); ``chords`` one a bar.
    ``key`` is ``C:maj``, ``F#:min``, ``Am``. ``formula`` is one of `FORMULAS`. Raises OptionError for a value out of range.
    """
    bars = tempo_map.bars_until(tempo_map.beat(duration))
    edges = [float(tempo_map.seconds(bar.start)) for bar in bars] + [float(tempo_map.seconds(bars[-1].end))]
    places = [int(bar.metre.length * GRID) for bar in bars]
    if formula not in FORMULAS:
        raise OptionError(f"no formula is named {formula!r}", where="density", cure=f"choose one of: {', '.join(FORMULAS)}")
    seen = suggest(motion, edges, places) if motion is not None and len(motion.times) else None
    densities = _told(
        "density",
        density if isinstance(density, Sequence) else None,
        _densities(motion, seen, edges, places, formula),
        len(bars),
        0,
        20,
    )
    if density is not None and not isinstance(density, Sequence):
        densities = [round(_within("density", density, 0, 16) * n / 16) for n in places]
    energies = _told("energy", energy, [bar.energy for bar in seen.bars] if seen else None, len(bars), 0, 1)
    registers = _told("register", register, [bar.register for bar in seen.bars] if seen else None, len(bars), 21, 108)
    symbols = [None] * len(bars) if chords is None else _one_a_bar("chords", chords, len(bars))
    told = tuple(
        BarBrief(bar.start, bar.metre.length, (bar.metre.beats, bar.metre.unit), _bpm(tempo_map, bar), many, loud, high, symbol)
        for bar, many, loud, high, symbol in zip(bars, densities, energies, registers, symbols, strict=True)
    )
    guess = seen.mood.mood if seen and seen.mood else None
    named = {"mood": mood, "density": density, "energy": energy, "register": register, "chord": chords, "key": key}
    return Briefing(
        Brief(
            told,
            hit_briefs(tempo_map, hits, duration, motion),
            guess if mood is None else mood_number(mood),
            None if key is None else key_name(key),
        ),
        seen,
        frozenset(name for name, value in named.items() if value is not None),
    )


def hit_briefs(
    tempo_map: TempoMap, hits: Sequence[Hit], duration: Fraction, motion: Motion | None = None
) -> tuple[HitBrief, ...]:
    """The hits of a cue that the map catches: a sixteenth lies in their window. One a beat, the strongest.

    Strength is the hit's weight, less up to `VISUAL_SHARE` of it where nothing stops in the picture.
    """
    end = tempo_map.bars_until(tempo_map.beat(duration))[-1].end
    found: dict[Fraction, HitBrief] = {}
    for hit in hits:
        beat = Fraction(round(tempo_map.beat(hit.time) * GRID), GRID)
        late = tempo_map.seconds(beat) - hit.time
        if not (-hit.early <= late <= hit.late and 0 <= beat < end and hit.time < duration):
            continue
        strength = round(hit.weight * (1 - VISUAL_SHARE * (1 - _seen(motion, hit))), 3)
        other = found.get(beat)
        if other is None:
            found[beat] = HitBrief(beat, strength, hit.hard)
        else:
            found[beat] = HitBrief(beat, max(strength, other.strength), hit.hard or other.hard)
    return tuple(found[beat] for beat in sorted(found))


def _seen(motion: Motion | None, hit: Hit) -> float:
    """0..1, the strongest stop in the picture around a hit; 1 where there is no picture to ask."""
    if motion is None or not len(motion.times):
        return 1.0
    near = motion.impact[motion.samples(float(hit.time) - SEEN_WITHIN, float(hit.time) + SEEN_WITHIN)]
    return min(1.0, float(near.max()))


def _densities(
    motion: Motion | None, seen: Suggested | None, edges: Sequence[float], places: Sequence[int], formula: str
) -> list[int] | None:
    if motion is None or seen is None:
        return None
    if formula == "ours":
        return [bar.density for bar in seen.bars]
    from engines.picture import published

    return [min(n, bar.density) for n, bar in zip(places, published.bars(motion, edges, formula), strict=True)]


def _bpm(tempo_map: TempoMap, bar: Bar) -> float:
    return float(60 * bar.metre.length / (tempo_map.seconds(bar.end) - tempo_map.seconds(bar.start)))


def _told(
    name: str, given: N | Sequence[N | None] | None, suggested: Sequence[N] | None, bars: int, low: int, high: int
) -> list[N | None]:
    """One value a bar: the composer's where there is one, else the picture's."""
    values = _one_a_bar(name, given, bars) if isinstance(given, Sequence) else [given] * bars
    ours: Sequence[N | None] = suggested if suggested is not None else [None] * bars
    return [other if value is None else _within(name, value, low, high) for value, other in zip(values, ours, strict=True)]


def _within(name: str, value: N, low: int, high: int) -> N:
    if not low <= value <= high:
        raise OptionError(f"{value:g} is not in {low}..{high}", where=f"--{name}", cure="leave it out to let the picture decide")
    return value


def _one_a_bar(name: str, given: Sequence[T], bars: int) -> list[T]:
    if len(given) != bars:
        raise OptionError(
            f"{len(given)} values for {bars} bars", where=f"--{name}", cure="give one value for the cue, or one a bar"
        )
    return list(given)


def mood_number(mood: int | str) -> int:
    """1..4 from a number or a name of `engines.engine.MOODS`. Raises OptionError."""
    number = MOODS.get(mood.lower(), int(mood) if mood.isdecimal() else 0) if isinstance(mood, str) else mood
    if number not in MOODS.values():
        names = ", ".join(f"{name} ({value})" for name, value in MOODS.items())
        raise OptionError(f"no mood is named {str(mood)!r}", where="--mood", cure=f"choose one of: {names}")
    return number


def key_name(key: str) -> str:
    """``C:maj`` to ``B:min``, spelt with sharps, from what a person types: ``F#:min``, ``Db``, ``am``. Raises OptionError."""
    match = _KEY.fullmatch(key.strip())
    if match is None:
        raise OptionError(f"{key!r} is no key", where="--key", cure="write C:maj, F#:min, Bb, Am")
    letter, sign, mode = match.groups()
    step = _STEPS[letter.upper()] + {"": 0, "#": 1, "b": -1}[sign]
    return f"{_SHARPS[step % 12]}:{'min' if mode in ('min', 'minor', 'm') else 'maj'}"
