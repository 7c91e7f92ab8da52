"""What the picture suggests for a cue or a scene, and what the composer says of it, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from engines.engine import ENGINES, hears_features
from engines.errors import HitpointError, ModelError
from engines.runtime import choose, read_card
from engines.session.model import Session, Told
from engines.session.told import seen, suggested_mood
from engines.spotting.brief import Briefing

NUMBERS = {"density": (0.0, 16.0, 1.0), "energy": (0.0, 1.0, 0.05), "register": (36.0, 96.0, 1.0)}
"""Lowest, highest and step of what is set with a slider: `engines.session.told.RANGES`, in steps that can be heard."""
KEYS = tuple(
    f"{tonic}:{mode}" for mode in ("maj", "min") for tonic in ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
)
MOOD_NAMES = {1: "happy", 2: "angry", 3: "sad", 4: "calm"}
"""`engines.engine.MOODS` by number."""


class Spread(NamedTuple):
    """Of what the picture asks of the bars: the least, the mean, the most."""

    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Suggested:
    """What the picture says of a cue or a scene; None where it says nothing. ``density`` is of a bar of 4/4."""

    density: Spread | None = None
    energy: Spread | None = None
    register: Spread | None = None
    mood: int | None = None
    key: str | None = None


@lru_cache(maxsize=2)
def _briefing(session: _ById) -> Briefing:
    return seen(session.session)


class _ById:
    """A session as the picture sees it: equal where nothing is different that its suggestions come from."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._parts = session.picture, session.map, session.hits, session.film, session.formula

    def __hash__(self) -> int:
        return hash((self.session.film, self.session.formula))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and all(a is b or a == b for a, b in zip(self._parts, other._parts, strict=True))


def suggested(session: Session, scene: int | None) -> Suggested:
    """What the picture suggests; ``scene`` None is the cue. It takes long for a long film: not for the thread of a window."""
    briefing = _briefing(_ById(session))
    span = None if scene is None else session.span(scene)
    bars = briefing.brief.bars if span is None else briefing.brief.bars[span.first : span.first + len(span.bars)]
    density = [bar.density * 4 / float(bar.length) for bar in bars if bar.density is not None]
    energy = [bar.energy for bar in bars if bar.energy is not None]
    register = [bar.register for bar in bars if bar.register is not None]
    mood = briefing.brief.mood if span is None else suggested_mood(session, span)
    return Suggested(_spread(density), _spread(energy), _spread(register), mood, session.key)


def _spread(values: list[float]) -> Spread | None:
    return Spread(min(values), sum(values) / len(values), max(values)) if values else None


def own(session: Session, scene: int | None) -> Told:
    """What the composer says of just this: the cue, or one scene."""
    return session.told.get("cue" if scene is None else session.span(scene).scene.id, Told())


def wider(session: Session, scene: int | None) -> Told:
    """What holds for a scene because it is said of the cue."""
    return Told() if scene is None else session.told.get("cue", Told())


@dataclass(frozen=True)
class Maker:
    """Who would compose: the ``model`` in a line, the ``provider`` that it runs on by its short name with what was ``said`` of it,
    what stands in the way (None: nothing), and whether it ``hears`` features of the film."""

    engine: str
    model: str = ""
    provider: str = ""
    said: str = ""
    trouble: str | None = None
    hears: bool = False


def maker(engine: str) -> Maker:
    """The model of an engine and the provider that really loads here. It may load onnxruntime: not for the thread of a window."""
    hears = engine in ENGINES and hears_features(engine)
    try:
        card = read_card(engine)
    except ModelError as error:
        trouble = str(error) if engine in ENGINES and ENGINES[engine].startswith("engines.") else None
        return Maker(engine, trouble=trouble, hears=hears)
    size = card.facts.get("parameters")
    words = [str(card.facts.get("architecture", card.name)).split(":")[0], f"v{card.facts.get('version', '1')}"]
    words += [f"{size / 1e6:.1f} M"] if isinstance(size, int) else []
    try:
        provider = choose()
    except HitpointError as error:
        return Maker(engine, "  ".join(words), trouble=str(error), hears=hears)
    return Maker(engine, "  ".join([*words, card.sha256[:8]]), provider.name, provider.said, hears=hears)
