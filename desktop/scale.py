"""Seconds to pixels and back: what of the film a width of screen shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

CLOSEST = 1 / 4000
"""Seconds a pixel: a frame at 24 is 160 pixels wide."""


@dataclass(frozen=True)
class Scale:
    """``left`` is the film's second at pixel 0, ``step`` seconds a pixel, ``width`` pixels in view, ``length`` seconds of film."""

    left: float = 0.0
    step: float = 0.01
    width: int = 800
    length: float = 10.0

    @property
    def right(self) -> float:
        """The second at the right edge."""
        return self.left + self.width * self.step

    @property
    def widest(self) -> float:
        """Seconds a pixel at which the whole film is in view."""
        return max(CLOSEST, self.length / max(1, self.width))

    def x(self, seconds: float) -> float:
        """The pixel of a moment."""
        return (seconds - self.left) / self.step

    def seconds(self, x: float) -> float:
        """The moment of a pixel."""
        return self.left + x * self.step

    def zoomed(self, factor: float, x: float) -> Scale:
        """Closer by ``factor`` (further where below 1), the moment at pixel ``x`` kept where it is."""
        step = min(self.widest, max(CLOSEST, self.step / factor))
        return replace(self, left=self.seconds(x) - x * step, step=step).held()

    def moved(self, left: float) -> Scale:
        """Beginning at another moment."""
        return replace(self, left=left).held()

    def fitted(self) -> Scale:
        """The whole film."""
        return replace(self, left=0.0, step=self.widest)

    def held(self) -> Scale:
        """The same within the film."""
        step = min(self.step, self.widest)
        furthest = max(0.0, self.length - self.width * step)
        return replace(self, left=min(max(0.0, self.left), furthest), step=step)

    def follow(self, seconds: float) -> Scale:
        """Turned over by a page where a moment has left the view."""
        if self.left <= seconds < self.right:
            return self
        return self.moved(seconds - 0.1 * self.width * self.step)
