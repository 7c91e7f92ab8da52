"""Two sizes of the one network, as plain values that the card, the graph and the checkpoint store.

`PAPER` has the 562 keys and shapes of a published checkpoint (``specs/diffbgm.md`` section 3). `OURS` folds four sixteenths and all
pitches of a roll into the features of one beat, so that the same blocks run over 32 places instead of 16,384: what a processor can
train.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from engines.diffbgm.conditions import TOKEN
from engines.diffbgm.pianoroll import BEATS, LAYOUTS, Layout
from engines.errors import ModelError


@dataclass(frozen=True)
class DiffBGMConfig:
    """Sizes in features. ``layout`` names the roll; ``fold`` is how many (steps, pitches) become one place; ``multipliers`` of
    ``width`` by level, ``attention`` the levels that have it; ``condition`` a token's width and ``caption`` that of the first
    source before it is projected (0: not projected). ``local`` features look along each pitch of the unfolded roll (0: none).
    ``predicts`` is ``noise`` (published) or ``roll``."""

    layout: str = "paper"
    fold: tuple[int, int] = (1, 1)
    kernel: tuple[int, int] = (3, 3)
    width: int = 64
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    blocks: int = 2
    attention: tuple[int, ...] = (2, 3)
    heads: int = 4
    groups: int = 32
    feedforward: int = 4
    condition: int = 512
    caption: int = 768
    segments: int = 2
    heard: int = 2
    local: int = 0
    predicts: str = "noise"
    schedule: str = "scaled-linear"

    def as_dict(self) -> dict[str, object]:
        """Plain values, as the card, the graph and the checkpoint store them."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> DiffBGMConfig:
        """From plain values. Raises ModelError for what this version does not know."""
        known = {f.name for f in fields(cls)}
        if not set(values) <= known or values.get("layout", "paper") not in LAYOUTS:
            raise ModelError(f"is of another layout ({', '.join(sorted(set(values) - known)) or values.get('layout')})")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})  # type: ignore[arg-type]

    @property
    def roll(self) -> Layout:
        """The layers of the roll."""
        return LAYOUTS[self.layout]

    @property
    def stride(self) -> tuple[int, int]:
        """By how much a level down is smaller; along an axis without neighbours not at all."""
        return 2 if self.kernel[0] > 1 else 1, 2 if self.kernel[1] > 1 else 1


PAPER = DiffBGMConfig()
OURS = DiffBGMConfig(
    layout="ours",
    fold=(4, 84),
    kernel=(3, 1),
    width=256,
    multipliers=(1, 1),
    blocks=1,
    attention=(0, 1),
    heads=4,
    feedforward=2,
    condition=TOKEN,
    caption=0,
    segments=1,
    heard=BEATS,
    local=12,
    predicts="roll",
    schedule="cosine",
)
CONFIGS = {"paper": PAPER, "ours": OURS}
