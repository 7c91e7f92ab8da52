"""The network of BM-Transformer: embedded fields, causal linear attention, a type first and the other fields given the type.

One class for two layouts: `PUBLISHED` loads a published checkpoint key by key (232 entries, ``specs/bmt.md`` section 4), `OURS` is
what Hitpoint trains. Linear attention is Katharopoulos et al. 2020 (phi(u) = elu(u) + 1) in two forms that give the same
numbers: chunks in parallel for training, one step with a state of constant size for playing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.bmt.recall import LIKENESS, TRUST
from engines.bmt.vocabulary import VOCABULARIES, Vocabulary
from engines.errors import ModelError

PUBLISHED_HEAD_ORDER = ("tempo", "chord", "barbeat", "pitch", "duration", "velocity", "strength", "density", "time", "emotion")


@dataclass(frozen=True)
class BMTConfig:
    """Sizes, all in units of features. ``positions`` is the length of the stored position table. ``head_gelu``: without it, as
    published, the type only adds a constant to every logit; with it the type chooses among features. ``carry``: every word is
    heard with all that holds, its chord, place and controls (`engines.bmt.tokens.Carrier`). ``recalls``: with every word it hears the one
    that followed this place so many bars ago (`engines.bmt.recall`)."""

    vocabulary: str = "ours"
    width: int = 256
    layers: int = 6
    heads: int = 4
    feedforward: int = 1024
    positions: int = 2048
    dropout: float = 0.05
    head_gelu: bool = True
    carry: bool = False
    recalls: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "recalls", tuple(self.recalls))  # a card has lists

    def as_dict(self) -> dict[str, object]:
        """Plain values, as the card and the checkpoint store them."""
        return asdict(self) | {"recalls": list(self.recalls)}


COPY = 16.0
"""What the table of trust and likeness counts: its rows are met seldom, and would be learned slowly by steps of one size for all."""
OURS = BMTConfig(carry=True, recalls=(8, 4))
PUBLISHED = BMTConfig("published", 512, 12, 8, 2048, 20000, 0.1, head_gelu=False)


class FieldEmbedding(nn.Module):
    """One field's table, scaled by the root of its width."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.lut = nn.Embedding(size, width)
        nn.init.normal_(self.lut.weight, std=1 / math.sqrt(width))
        self.scale = math.sqrt(width)

    def forward(self, ids: Tensor) -> Tensor:
        """(...) int64 to (..., width); ids beyond the table are clipped, as published."""
        embedded: Tensor = self.lut(ids.clamp(0, self.lut.num_embeddings - 1)) * self.scale
        return embedded


class Positions(nn.Module):
    """Sinusoidal positions, stored in the checkpoint as the published model does."""

    pe: Tensor

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        position = torch.arange(length, dtype=torch.float32)[:, None]
        angle = position * torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
        table = torch.zeros(1, length, width)
        table[0, :, 0::2], table[0, :, 1::2] = torch.sin(angle), torch.cos(angle)
        self.register_buffer("pe", table)


def phi(u: Tensor) -> Tensor:
    """elu(u) + 1, without the difference of two ones that would leave a small value with few digits: attention that has learned to
    overlook most words divides one small sum by another."""
    return functional.relu(u) + u.clamp(max=0).exp()


class LinearAttention(nn.Module):
    """Causal linear attention, ``heads`` of width/heads features; no scaling, no decay, 1e-6 in the denominator."""

    CHUNK = 64

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_projection = nn.Linear(width, width)
        self.key_projection = nn.Linear(width, width)
        self.value_projection = nn.Linear(width, width)
        self.out_projection = nn.Linear(width, width)

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shape = (*x.shape[:-1], self.heads, -1)
        # the running sums grow with time: they stay in 32 bits whatever the layers compute in
        q, k, v = (p(x).float().reshape(shape) for p in (self.query_projection, self.key_projection, self.value_projection))
        return phi(q), phi(k), v

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width), time a multiple of CHUNK or shorter than it."""
        batch, time, width = x.shape
        chunk = min(self.CHUNK, time)
        # (batch, heads, chunks, chunk, features)
        q, k, v = (a.transpose(1, 2).reshape(batch, self.heads, time // chunk, chunk, -1) for a in self._split(x))
        ones = torch.ones_like(v[..., :1])
        v = torch.cat([v, ones], dim=-1)  # the last column carries the denominator
        whole = k.transpose(-1, -2) @ v
        before = whole.cumsum(2) - whole
        inside = torch.tril(q @ k.transpose(-1, -2)) @ v
        summed = inside + q @ before
        out = summed[..., :-1] / (summed[..., -1:] + 1e-6)
        joined = out.reshape(batch, self.heads, time, -1).transpose(1, 2).reshape(batch, time, width)
        projected: Tensor = self.out_projection(joined.to(x.dtype))
        return projected

    def step(self, x: Tensor, s: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One word: x (batch, width), s (batch, heads, f, f), z (batch, heads, f); returns the output and the new s and z."""
        q, k, v = self._split(x)
        s = s + k[..., :, None] * v[..., None, :]
        z = z + k
        out = (q[..., None, :] @ s)[..., 0, :] / ((q * z).sum(-1, keepdim=True) + 1e-6)
        return self.out_projection(out.reshape(x.shape)), s, z


class Layer(nn.Module):
    """Post-norm encoder layer."""

    def __init__(self, config: BMTConfig) -> None:
        super().__init__()
        self.attention = LinearAttention(config.width, config.heads)
        self.linear1 = nn.Linear(config.width, config.feedforward)
        self.linear2 = nn.Linear(config.feedforward, config.width)
        self.norm1 = nn.LayerNorm(config.width)
        self.norm2 = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def _rest(self, x: Tensor, attended: Tensor) -> Tensor:
        x = self.norm1(x + self.dropout(attended))
        out: Tensor = self.norm2(x + self.dropout(self.linear2(self.dropout(functional.gelu(self.linear1(x))))))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width)."""
        return self._rest(x, self.attention(x))

    def step(self, x: Tensor, s: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One word through the layer, with its attention's state."""
        attended, s, z = self.attention.step(x, s, z)
        return self._rest(x, attended), s, z


class Encoder(nn.Module):
    """The layers and a last norm."""

    def __init__(self, config: BMTConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)


class BMTransformer(nn.Module):
    """Words in, logits of the next word out: the type from what was heard, every other field from that and the type."""

    def __init__(self, config: BMTConfig = OURS, vocabulary: Vocabulary | None = None) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary or VOCABULARIES[config.vocabulary]()
        self.head_order = tuple(f.name for f in self.vocabulary.fields if f.name != "type")
        for field in self.vocabulary.fields:
            self.add_module(f"word_emb_{field.name}", FieldEmbedding(len(field.values), field.width))
        self.pos_emb = Positions(config.width, config.positions)
        self.in_linear = nn.Linear(sum(self.vocabulary.widths), config.width)
        backs, fields = len(config.recalls), self.vocabulary.fields
        if backs:
            # at first nothing is made of what is recalled: a network that recalled nothing goes on from where it was
            self.trust_emb, self.likeness_emb = FieldEmbedding(1 + TRUST, 32), FieldEmbedding(1 + LIKENESS, 32)
            self.recall_linear = nn.Linear(backs * (sum(self.vocabulary.widths) + 64), config.width, bias=False)
            nn.init.zeros_(self.recall_linear.weight)
            self.copy_table = nn.Embedding(backs * (1 + TRUST) * (1 + LIKENESS), len(fields))
            self.copy_type = nn.Linear(config.width, backs)
            self.copy_fields = nn.Linear(config.width, backs * len(self.head_order))
            for nothing in (self.copy_table.weight, *self.copy_type.parameters(), *self.copy_fields.parameters()):
                nn.init.zeros_(nothing)
        self.dropout = nn.Dropout(config.dropout)
        self.transformer_encoder = Encoder(config)
        type_width = self.vocabulary.field("type").width
        self.project_concat_type = nn.Linear(config.width + type_width, config.width)
        for field in self.vocabulary.fields:
            self.add_module(f"proj_{field.name}", nn.Linear(config.width, len(field.values)))

    def positions(self) -> Tensor:
        """The position table, (1, positions, width)."""
        return self.pos_emb.pe

    def _fields(self, words: Tensor) -> list[Tensor]:
        return [getattr(self, f"word_emb_{f.name}")(words[..., k]) for k, f in enumerate(self.vocabulary.fields)]

    def embed(self, words: Tensor, recalled: Tensor | None = None) -> Tensor:
        """(..., fields) int64, and what is recalled with them, (..., backs, fields + 2) int64 where the network was configured so, to
        (..., width), positions not yet added."""
        embedded: Tensor = self.in_linear(torch.cat(self._fields(words), dim=-1))
        if recalled is None or not self.config.recalls:
            return embedded
        parts = [*self._fields(recalled), self.trust_emb(recalled[..., -2]), self.likeness_emb(recalled[..., -1])]
        known: Tensor = self.recall_linear(torch.cat(parts, dim=-1).flatten(-2))
        return embedded + known

    def hear(self, words: Tensor, recalled: Tensor | None = None) -> Tensor:
        """(batch, time, fields), with (batch, time, backs, fields + 2) as in `embed`, to (batch, time, width), all positions at once;
        time is padded to whole chunks inside."""
        time = words.shape[1]
        pad = -time % LinearAttention.CHUNK if time > LinearAttention.CHUNK else 0
        if recalled is not None:
            recalled = functional.pad(recalled, (0, 0, 0, 0, 0, pad))
        x = self.embed(functional.pad(words, (0, 0, 0, pad)), recalled)
        x = self.dropout(x + self.positions()[:, : x.shape[1]])
        for layer in self.transformer_encoder.layers:
            x = layer(x)
        heard: Tensor = self.transformer_encoder.norm(x)[:, :time]
        return heard

    def step(
        self, word: Tensor, position: Tensor, s: Tensor, z: Tensor, recalled: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One word: (batch, fields) at ``position`` (batch,), s (layers, batch, heads, f, f), z (layers, batch, heads, f); and what is
        recalled with it, as in `embed`.

        Returns what was heard (batch, width) and the new states. Published inference adds position 0 at every step, whatever
        the place (``specs/bmt.md`` section 4.1): pass zeros for that.
        """
        x = self.embed(word, recalled) + self.positions()[0, position]
        states = []
        layers: list[Layer] = [layer for layer in self.transformer_encoder.layers if isinstance(layer, Layer)]
        for k, layer in enumerate(layers):
            x, sk, zk = layer.step(x, s[k], z[k])
            states.append((sk, zk))
        heard: Tensor = self.transformer_encoder.norm(x)
        return heard, torch.stack([a for a, _ in states]), torch.stack([b for _, b in states])

    def type_logits(self, heard: Tensor, recalled: Tensor | None = None) -> Tensor:
        """(..., width), with what is recalled as in `embed`, to (..., types)."""
        logits: Tensor = self.get_submodule("proj_type")(heard)
        if recalled is None or not self.config.recalls:
            return logits
        column = self.vocabulary.column["type"]
        much = self.copy_type(heard) + self._trusted(recalled)[..., column]
        types = torch.arange(len(self.vocabulary.field("type").values), device=recalled.device)
        known = recalled[..., column, None]
        copied: Tensor = (much[..., None] * (known == types) * (known > 0)).sum(-2)
        return logits + copied

    def _trusted(self, recalled: Tensor) -> Tensor:
        """How much each field of what is recalled (..., backs, fields + 2) weighs by its trust and likeness: (..., backs, fields)."""
        slots = torch.arange(len(self.config.recalls), device=recalled.device)
        levels = (slots * (1 + TRUST) + recalled[..., -2]) * (1 + LIKENESS) + recalled[..., -1]
        table: Tensor = COPY * self.copy_table(levels)
        return table

    def given_type(self, heard: Tensor, kind: Tensor) -> Tensor:
        """Features from which the fields are read, for types ``kind`` (...) int64."""
        joined: Tensor = self.project_concat_type(torch.cat([heard, self.get_submodule("word_emb_type")(kind)], dim=-1))
        return functional.gelu(joined) if self.config.head_gelu else joined

    def field_logits(self, given: Tensor, name: str, recalled: Tensor | None = None, kind: Tensor | None = None) -> Tensor:
        """(..., width), with what is recalled as in `embed` and the type (...) of the word, to (..., values of the field)."""
        logits: Tensor = getattr(self, f"proj_{name}")(given)
        return logits if recalled is None or kind is None else logits + self._copied(given, recalled, kind, (name,))

    def _copied(self, given: Tensor, recalled: Tensor, kind: Tensor, names: Sequence[str]) -> Tensor | float:
        """What is added to the logits of some fields, one after the other: to each value that is recalled, by a word of the same
        ``kind``, as much as the features and its trust and likeness say."""
        backs = len(self.config.recalls)
        if not backs:
            return 0.0
        column, sizes = self.vocabulary.column, [len(self.vocabulary.field(name).values) for name in names]
        places, columns = [self.head_order.index(name) for name in names], [column[name] for name in names]
        weight = self.copy_fields.weight.reshape(backs, len(self.head_order), -1)
        bias = self.copy_fields.bias.reshape(backs, len(self.head_order))
        if len(names) < len(self.head_order):
            weight, bias = weight[:, places], bias[:, places]
        own = functional.linear(given, weight.flatten(0, 1), bias.flatten())
        own = own.reshape(*own.shape[:-1], backs, len(names))
        same = (recalled[..., column["type"]] == kind[..., None])[..., None]
        much = (own + self._trusted(recalled)[..., columns]) * same  # (..., backs, names)
        values = torch.cat([torch.arange(size) for size in sizes]).to(recalled.device)
        field = torch.cat([torch.full((size,), k) for k, size in enumerate(sizes)]).to(recalled.device)
        known = (recalled[..., columns][..., field] == values) & (values > 0)  # 0 is "not carried"
        copied: Tensor = (much[..., field] * known).sum(-2)
        return copied

    def all_logits(self, heard: Tensor, recalled: Tensor | None = None) -> Tensor:
        """(batch, width) to (batch, types, values of every other field in order): the host picks the row after the type."""
        types = len(self.vocabulary.field("type").values)
        kinds = torch.arange(types, device=heard.device).expand(heard.shape[0], types)
        given = self.given_type(heard[:, None].expand(-1, types, -1), kinds)
        logits = torch.cat([self.field_logits(given, name) for name in self.head_order], dim=-1)
        return logits if recalled is None else logits + self._copied(given, recalled[:, None], kinds, self.head_order)

    def empty_state(self, batch: int) -> tuple[Tensor, Tensor]:
        """States before the first word."""
        c, f = self.config, self.config.width // self.config.heads
        return torch.zeros(c.layers, batch, c.heads, f, f), torch.zeros(c.layers, batch, c.heads, f)


def load_weights(network: BMTransformer, path: str | Path) -> None:
    """Loads a checkpoint of tensors strictly, key by key; a ``module.`` prefix is stripped.

    No code in the file can run. Raises ModelError where it is no such file, or a key or a shape differs.
    """
    cure = "give a checkpoint of this layout, and the dictionary that came with it"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror})", where=path, cure=cure) from error
    except Exception as error:
        raise ModelError("is not a file of weights that can be loaded without running code", where=path, cure=cure) from error
    load_state(network, state, path)


def load_state(network: BMTransformer, state: object, where: object) -> None:
    """Strict load of a mapping of names to tensors; ModelError names the first differences."""
    cure = "give a checkpoint of this layout, and the dictionary that came with it"
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ModelError("holds no table of weights", where=where, cure=cure)
    found = {str(k).removeprefix("module."): v for k, v in state.items()}
    wanted = network.state_dict()
    wrong = [f"{k} is missing" for k in wanted if k not in found]
    wrong += [f"{k} is unknown" for k in found if k not in wanted]
    wrong += [
        f"{k} is {tuple(found[k].shape)}, not {tuple(v.shape)}"
        for k, v in wanted.items()
        if k in found and found[k].shape != v.shape
    ]
    if wrong:
        raise ModelError(f"{len(wrong)} of {len(wanted)} entries differ: {', '.join(wrong[:3])}", where=where, cure=cure)
    network.load_state_dict(found)
