"""Graphs of Diff-BGM for tests that run no network: each answers as it is told, and remembers what it heard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engines.diffbgm import compose as composing
from engines.diffbgm.config import DiffBGMConfig
from engines.diffbgm.schedule import alpha_bars
from engines.runtime import Card, Model, Provider

Array = np.ndarray
Answer = Callable[[Array, Array, Array], Array]


class Graph:
    """A session in place of onnxruntime: answers with one roll whatever it hears, and remembers what that was."""

    def __init__(self, config: DiffBGMConfig, answer: Answer) -> None:
        self.answer, self.heard, self.config = answer, [], config  # type: ignore[var-annotated]

    def run(self, names: None, inputs: dict[str, Array]) -> list[Array]:
        self.heard.append({name: value.copy() for name, value in inputs.items()})
        out = [self.answer(inputs["x"], inputs["t"], inputs["condition"]).astype(np.float32)]
        if self.config.caption:
            out.append(inputs["caption"][..., : self.config.condition] + 5)
        return out


def placed(monkeypatch: pytest.MonkeyPatch, config: DiffBGMConfig, answer: Answer) -> Graph:
    """The graph that every engine ``diffbgm`` runs from now on."""
    graph = Graph(config, answer)
    card = Card("diffbgm", Path("model.onnx"), "0" * 64, {})
    model = Model(card, Provider("cpu", ""), graph, {"config": json.dumps(config.as_dict())})
    monkeypatch.setattr(composing, "open_model", lambda *args, **kwargs: model)
    return graph


def constant(clean: float) -> Answer:
    """A published network that sees one value everywhere."""
    left = alpha_bars("scaled-linear")

    def answer(x: Array, t: Array, condition: Array) -> Array:
        share = left[t][:, None, None, None]
        noise: Array = (x - np.sqrt(share) * clean) / np.sqrt(1 - share)
        return noise

    return answer
