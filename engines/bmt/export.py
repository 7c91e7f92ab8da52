"""One word in, the logits of the next one out: the recurrent step of BM-Transformer as an ONNX graph, with its card.

Inputs: ``word`` (batch, fields) int64, ``position`` (batch,) int64, ``s`` (layers, batch, heads, f, f) and ``z`` (layers, batch, heads,
f) float32; ``recalled`` (batch, backs, fields + 2) int64 where the network was configured so. Outputs: ``type_logits`` (batch, types),
``field_logits`` (batch, types, values of every other field in order), ``s`` and ``z`` after the word. The vocabulary travels in the
graph's metadata, so that a graph explains itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engines.bmt.network import BMTConfig, BMTransformer, load_state
from engines.bmt.recall import LIKENESS, MORE, TRUST
from engines.bmt.vocabulary import Vocabulary
from engines.errors import ModelError
from engines.training.export import Drawing, Exported, Tensors, begun, check_storage, checked, read_weights, ship, trace
from engines.training.start import metadata_of, read_into

INPUTS, OUTPUTS = ("word", "position", "s", "z"), ("type_logits", "field_logits", "s_out", "z_out")
STORAGES = ("fp32", "fp16", "int8")


class Step(nn.Module):
    """The network's recurrent step with every head, as the graph holds it."""

    def __init__(self, network: BMTransformer) -> None:
        super().__init__()
        self.network = network

    def forward(self, word: Tensor, position: Tensor, s: Tensor, z: Tensor, recalled: Tensor | None = None) -> tuple[Tensor, ...]:
        """See the module."""
        heard, s, z = self.network.step(word, position, s, z, recalled)
        return self.network.type_logits(heard, recalled), self.network.all_logits(heard, recalled), s, z


def vocabulary_json(vocabulary: Vocabulary) -> str:
    """The fields of a vocabulary, as the graph's metadata holds them."""
    return json.dumps([[f.name, f.key, f.width, list(f.values)] for f in vocabulary.fields])


def export_graph(network: BMTransformer, path: Path, positions: int = 2048) -> None:
    """Writes the step of ``network`` as one file with its weights; ``positions`` rows of the position table go with it."""
    network.eval()
    whole = network.pos_emb.pe
    rows = min(positions, whole.shape[1])
    s, z = network.empty_state(2)
    word = torch.zeros(2, len(network.vocabulary.fields), dtype=torch.int64)
    batch = {"word": {0: "batch"}, "position": {0: "batch"}, "s": {1: "batch"}, "z": {1: "batch"}}
    batch |= {"type_logits": {0: "batch"}, "field_logits": {0: "batch"}, "s_out": {1: "batch"}, "z_out": {1: "batch"}}
    metadata = {
        "vocabulary": vocabulary_json(network.vocabulary),
        "vocabulary_name": network.vocabulary.name,
        "config": json.dumps(network.config.as_dict() | {"positions": rows}),
    }
    network.pos_emb.pe = whole[:, :rows].contiguous()
    try:
        inputs = dict(zip(INPUTS, (word, torch.zeros(2, dtype=torch.int64), s, z), strict=True))
        if network.config.recalls:
            inputs["recalled"] = torch.zeros(2, len(network.config.recalls), word.shape[1] + MORE, dtype=torch.int64)
            batch["recalled"] = {0: "batch"}
        trace(Step(network), inputs, OUTPUTS, batch, path, metadata)
    finally:
        network.pos_emb.pe = whole


def parity(network: BMTransformer, graph: Path, words: int = 64, seed: int = 0) -> float:
    """Largest difference of a logit between the graph in onnxruntime and torch, batch of 3: over a run of random words, and over as
    many that the network itself expects, since a network that is at home divides by smaller sums than one that is lost."""
    rng = np.random.default_rng(seed)
    network.eval()
    session = checked(graph)
    sizes, at_type = network.vocabulary.sizes, network.vocabulary.column["type"]
    columns, backs = (*sizes, 1 + TRUST, 1 + LIKENESS), len(network.config.recalls)
    ends = np.cumsum([size for k, size in enumerate(sizes) if k != at_type])[:-1]
    worst = 0.0
    for own in (False, True):
        s, z = network.empty_state(3)
        arrays = s.numpy(), z.numpy()
        word = np.stack([rng.integers(0, size, 3) for size in sizes], axis=1)
        for k in range(words):
            position = np.full(3, k)
            recalled = np.stack([rng.integers(0, size, (3, backs)) for size in columns], axis=-1)
            more = {"recalled": recalled} if backs else {}
            kinds, fields, *arrays = session.run(None, dict(zip(INPUTS, (word, position, *arrays), strict=True)) | more)
            with torch.no_grad():
                told, known = (torch.from_numpy(word), torch.from_numpy(position)), torch.from_numpy(recalled)
                heard, s, z = network.step(*told, s, z, known)
                expected = network.type_logits(heard, known).numpy(), network.all_logits(heard, known).numpy()
            worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(expected, (kinds, fields), strict=True)))
            word = np.stack([rng.integers(0, size, 3) for size in sizes], axis=1)
            if own:
                kind = (kinds + rng.gumbel(size=kinds.shape)).argmax(1)
                parts = np.split(fields[np.arange(3), kind], ends, axis=1)
                word = np.insert(np.stack([part.argmax(1) for part in parts], axis=1), at_type, kind, axis=1)
    return worst


def network_of(checkpoint: Path, dictionary: Vocabulary | None = None) -> tuple[BMTransformer, dict[str, Any]]:
    """The averaged network of our trainer's checkpoint, or that of a published one with its dictionary; and what the file says.

    A published checkpoint's layout is read from its shapes. Raises ModelError.
    """
    state = read_weights(checkpoint)
    try:
        if "average" in state:
            network = BMTransformer(BMTConfig(**state["config"]), dictionary)
            facts = {"steps": state["step"], "hours": state["hours"], "validation": state["best"]} | begun(state)
            weights = state["average"]
        else:
            weights = {str(k).removeprefix("module."): v for k, v in state.items()}
            network, facts = BMTransformer(_published_config(weights), dictionary), {}
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            "is not a checkpoint of BM-Transformer", where=checkpoint, cure="give one of `train bmt`, or a published one"
        ) from error
    load_state(network, weights, checkpoint)
    return network, facts


def network_from(graph: Path) -> BMTransformer:
    """The network of a model of ours, to be gone on with. Raises ModelError."""
    try:
        network = BMTransformer(BMTConfig(**metadata_of(graph)))
    except (KeyError, TypeError) as error:
        raise ModelError(
            "is no graph of BM-Transformer in our words", where=graph, cure="give a model of `export bmt`"
        ) from error
    return read_into(network, graph, export_graph, parity)


def _published_config(table: Mapping[str, Tensor]) -> BMTConfig:
    """The layout of a published checkpoint by its shapes. KeyError or ValueError where it is none."""
    layers = 1 + max(int(k.split(".")[2]) for k in table if k.startswith("transformer_encoder.layers."))
    width = int(table["in_linear.weight"].shape[0])
    feedforward = int(table["transformer_encoder.layers.0.linear1.weight"].shape[0])
    positions = table["pos_emb.pe"].shape[1]
    return BMTConfig("published", width, layers, max(1, width // 64), feedforward, positions, 0.1, head_gelu=False)


def export(
    checkpoint: Path, out: Path, storage: str = "fp16", dictionary: Vocabulary | None = None, facts: dict[str, Any] | None = None
) -> Exported:
    """Writes a model to ``out``; see `engines.training.export.ship`. ``storage`` is one of `STORAGES`; the dictionary is that of a
    published checkpoint. Raises ModelError and OptionError."""
    check_storage(storage, STORAGES)
    network, trained = network_of(checkpoint, dictionary)
    drawing = Drawing(
        "BM-Transformer: compound words, causal linear attention, one recurrent step",
        network,
        network.config.as_dict(),
        _tensors(network),
        lambda path: export_graph(network, path),
        lambda path: parity(network, path),
        trained,
    )
    return ship(drawing, checkpoint, out, storage, facts)


def _tensors(network: BMTransformer) -> Tensors:
    c = network.config
    f = c.width // c.heads
    types, rest = network.vocabulary.sizes[network.vocabulary.column["type"]], sum(network.vocabulary.sizes)
    width = len(network.vocabulary.fields)
    recalled: Tensors = [("input", "recalled", "TYPE_INT64", [-1, len(c.recalls), width + MORE])] if c.recalls else []
    return [
        ("input", "word", "TYPE_INT64", [-1, width]),
        ("input", "position", "TYPE_INT64", [-1]),
        ("input", "s", "TYPE_FP32", [c.layers, -1, c.heads, f, f]),
        ("input", "z", "TYPE_FP32", [c.layers, -1, c.heads, f]),
        *recalled,
        ("output", "type_logits", "TYPE_FP32", [-1, types]),
        ("output", "field_logits", "TYPE_FP32", [-1, types, rest - types]),
        ("output", "s_out", "TYPE_FP32", [c.layers, -1, c.heads, f, f]),
        ("output", "z_out", "TYPE_FP32", [c.layers, -1, c.heads, f]),
    ]
