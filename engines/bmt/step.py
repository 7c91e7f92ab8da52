"""The exported graph with its recurrent state: a word in, what is expected next out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engines.bmt.grammar import Answer
from engines.bmt.recall import Recall
from engines.bmt.tokens import Carrier
from engines.bmt.vocabulary import Field, Vocabulary
from engines.errors import ModelError
from engines.runtime import Model


def vocabulary_of(model: Model) -> Vocabulary:
    """The vocabulary that a graph carries in its metadata; ModelError where it has none."""
    try:
        rows = json.loads(model.metadata["vocabulary"])
        return Vocabulary(
            model.metadata.get("vocabulary_name", "external"), tuple(Field(n, k, w, tuple(v)) for n, k, w, v in rows)
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            "carries no vocabulary", where=model.card.graph, cure="export it again: python main.py export bmt --checkpoint FILE"
        ) from error


def backs_of(model: Model) -> tuple[int, ...]:
    """How many bars ago what a graph recalls was played; empty where it recalls nothing."""
    return tuple(json.loads(model.metadata["config"]).get("recalls", ()))


class Stepper:
    """The graph with its state, for a batch of pieces.

    ``official_position`` adds position 0 at every step, whatever the place, as the published inference does. ``recalls`` are what
    the pieces recall, where the graph does; by default what was played in them.
    """

    def __init__(
        self, model: Model, batch: int, official_position: bool = False, recalls: Sequence[Recall] | None = None
    ) -> None:
        config, vocabulary, backs = json.loads(model.metadata["config"]), vocabulary_of(model), backs_of(model)
        f = config["width"] // config["heads"]
        self._model, self._official, self._at = model, official_position, 0
        self._limit = int(config["positions"])
        self._carriers = [Carrier(vocabulary) for _ in range(batch)] if config.get("carry") else []
        self._recalls = (recalls or [Recall(vocabulary, backs) for _ in range(batch)]) if backs else []
        self._s = np.zeros((config["layers"], batch, config["heads"], f, f), np.float32)
        self._z = np.zeros((config["layers"], batch, config["heads"], f), np.float32)

    def hear(self, words: npt.NDArray[np.int64]) -> list[Answer]:
        """(batch, fields) in, what is expected next out, a piece each."""
        position = np.full(len(words), 0 if self._official else min(self._at, self._limit - 1), np.int64)
        inputs = {"position": position, "s": self._s, "z": self._z}
        if self._recalls:
            inputs["recalled"] = np.stack([recall.hear(word) for recall, word in zip(self._recalls, words, strict=True)])
        if self._carriers:
            words = np.stack([carrier.hear(word) for carrier, word in zip(self._carriers, words, strict=True)])
        kinds, fields, self._s, self._z = self._model.run(inputs | {"word": words})
        self._at += 1
        return [Answer(k, f) for k, f in zip(kinds, fields, strict=True)]


def warm(model: Model) -> None:
    """One step, so that the first bar is not the slow one."""
    width = len(vocabulary_of(model).fields)
    Stepper(model, 1).hear(np.zeros((1, width), np.int64))
