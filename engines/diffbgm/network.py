"""The UNet of Diff-BGM: residual blocks and transformers over a roll, one class for the published sizes and for ours.

Attention is by segment: a place hears only its own share of the other places (``segments``) and of the 32 condition tokens
(``heard``). The published mask is that with two shares of each; written as a reshaped batch it gives the same numbers without a mask.

A roll may come with several conditions (guidance asks with and without): whatever lies before the first attention is the same for
all of them and is worked out once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.diffbgm.config import DiffBGMConfig
from engines.diffbgm.schedule import betas

RARE = -5.0
"""The log odds of a cell to sound before anything is learned: one in 150, as in pop songs."""
SURE = 20.0
"""Log odds beyond which a cell's own value says no more."""
NEAR = (5, 1)
"""Sixteenths and pitches around a cell that the local features hear."""
FAINT = 1e-5
"""The least velocity, of 1, that is told from none."""
USUAL = 0.85
"""The log odds of the usual velocity, 89 of 127, before anything is learned."""


def sinusoids(times: Tensor, width: int) -> Tensor:
    """(batch,) to (batch, width): cosines, then sines, of falling frequency."""
    half = width // 2
    frequency = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32, device=times.device) / half)
    angle = times[:, None].float() * frequency[None]
    return torch.cat([torch.cos(angle), torch.sin(angle)], dim=-1)


def spread(x: Tensor, over: Tensor) -> Tensor:
    """``x`` over and over again, until it has as many rows as ``over``."""
    rows = over.shape[0]
    return x if x.shape[0] == rows else x.repeat(rows // x.shape[0], *[1] * (x.dim() - 1))


class Convolution(nn.Conv2d):
    """A convolution that keeps the size (or divides it by ``stride``). A single column is convolved along time alone: the same
    numbers, twice as fast on a processor."""

    def __init__(self, inside: int, outside: int, kernel: tuple[int, int] = (1, 1), stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__(inside, outside, kernel, stride, padding=(kernel[0] // 2, kernel[1] // 2))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, steps, pitches)."""
        if self.kernel_size[1] > 1 or x.shape[3] > 1:
            return super().forward(x)
        step, pad = self.stride[0], int(self.padding[0])
        return functional.conv1d(x[..., 0], self.weight[..., 0], self.bias, step, pad)[..., None]


class Residual(nn.Module):
    """Two convolutions that hear the time, and what came in."""

    def __init__(self, inside: int, outside: int, time: int, config: DiffBGMConfig) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.GroupNorm(config.groups, inside), nn.SiLU(), Convolution(inside, outside, config.kernel)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time, outside))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(config.groups, outside), nn.SiLU(), nn.Dropout(0.0), Convolution(outside, outside, config.kernel)
        )
        self.skip_connection = nn.Identity() if inside == outside else Convolution(inside, outside)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """(batch, features, steps, pitches)."""
        heard = self.in_layers(x)
        heard = heard + spread(self.emb_layers(time), heard)[:, :, None, None]
        out: Tensor = self.skip_connection(x) + self.out_layers(heard)
        return out


class Attention(nn.Module):
    """Attention by segment: query share i of ``segments`` hears key share i alone."""

    def __init__(self, width: int, heard: int, heads: int, segments: int) -> None:
        super().__init__()
        self.heads, self.segments = heads, segments
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(heard, width, bias=False)
        self.to_v = nn.Linear(heard, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        """``x`` (batch, places, width), ``heard`` (batch, tokens, features)."""
        places, width = x.shape[1:]
        segments = min(self.segments, places)  # deep down, one place holds several shares
        head = width // self.heads

        def split(a: Tensor) -> Tensor:
            """(batch x segments, heads, places of a segment, features of a head)."""
            return a.reshape(-1, a.shape[1] // segments, self.heads, head).transpose(1, 2)

        # scaled in the weights, of which there are fewer than logits
        q = split(functional.linear(x, self.to_q.weight * head**-0.5))
        k, v = split(self.to_k(heard)), split(self.to_v(heard))
        weights = torch.softmax(q @ k.transpose(-1, -2), dim=-1)
        out: Tensor = self.to_out((weights @ v).transpose(1, 2).reshape(-1, width))
        return out.reshape(-1, places, width)


class Gated(nn.Module):
    """Twice as many features, one half gating the other (GEGLU)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * inner)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to (..., inner)."""
        halves = zip(self.proj.weight.chunk(2), self.proj.bias.chunk(2), strict=True)
        value, gate = (functional.linear(x, weight, bias) for weight, bias in halves)
        out: Tensor = value * functional.gelu(gate)
        return out


class FeedForward(nn.Module):
    """Gated features and back."""

    def __init__(self, width: int, factor: int) -> None:
        super().__init__()
        self.net = nn.Sequential(Gated(width, factor * width), nn.Dropout(0.0), nn.Linear(factor * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width)."""
        out: Tensor = self.net(x.reshape(-1, x.shape[-1]))
        return out.reshape(x.shape)


class TransformerBlock(nn.Module):
    """Places hear one another, then the conditions."""

    def __init__(self, width: int, config: DiffBGMConfig) -> None:
        super().__init__()
        self.attn1 = Attention(width, width, config.heads, config.segments)
        self.ff = FeedForward(width, config.feedforward)
        self.attn2 = Attention(width, config.condition, config.heads, config.heard)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(batch, places, width), one for every condition."""
        own = self.norm1(x)
        x = spread(x + self.attn1(own, own), condition)
        x = x + self.attn2(self.norm2(x), condition)
        out: Tensor = x + self.ff(self.norm3(x))
        return out


class SpatialTransformer(nn.Module):
    """A transformer block over the places of a feature map; time is the slow axis."""

    def __init__(self, width: int, config: DiffBGMConfig) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(config.groups, width, eps=1e-6)
        self.proj_in = Convolution(width, width)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width, config)])
        self.proj_out = Convolution(width, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """``x`` (batch, features, steps, pitches), ``condition`` as many rows or a multiple: the answer has those."""
        features, steps, pitches = x.shape[1:]
        places = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            places = block(places, condition)
        moved: Tensor = self.proj_out(places.transpose(1, 2).reshape(-1, features, steps, pitches))
        return spread(x, moved) + moved


class Down(nn.Module):
    """To the next level."""

    def __init__(self, width: int, config: DiffBGMConfig) -> None:
        super().__init__()
        self.op = Convolution(width, width, config.kernel, config.stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, steps, pitches), each axis with neighbours halved."""
        out: Tensor = self.op(x)
        return out


def _met(kernel: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """What a kernel of three meets along an axis where every cell stands twice: (one before, its own) and (its own, one after)."""
    first, middle, last = kernel.unbind(axis)
    return torch.stack([first, middle + last], axis), torch.stack([first + middle, last], axis)


class Up(nn.Module):
    """To the level above."""

    def __init__(self, width: int, config: DiffBGMConfig) -> None:
        super().__init__()
        self.conv = Convolution(width, width, config.kernel)
        self.factor = config.stride

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, steps, pitches), each axis with neighbours doubled."""
        if self.factor != (2, 2):
            doubled: Tensor = self.conv(functional.interpolate(x, scale_factor=[float(n) for n in self.factor], mode="nearest"))
            return doubled
        # a cell of four is heard by three rows at two places: convolved before it is doubled, by kernels of four for nine
        found = [
            functional.conv2d(functional.pad(x, (1 - right, right, 1 - below, below)), kernel, self.conv.bias)
            for below, rows in enumerate(_met(self.conv.weight, 2))
            for right, kernel in enumerate(_met(rows, 3))
        ]
        return functional.pixel_shuffle(torch.stack(found, 2).flatten(1, 2), 2)


class Stage(nn.Sequential):
    """Modules in a row, each given what it hears."""

    def forward(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:  # type: ignore[override]
        """(batch, features, steps, pitches)."""
        for module in self:
            if isinstance(module, Residual):
                x = module(x, time)
            elif isinstance(module, SpatialTransformer):
                x = module(x, condition)
            else:
                x = module(x)
        return x


class UNet(nn.Module):
    """(roll, time, condition) to noise or roll; keys as published."""

    def __init__(self, config: DiffBGMConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        time = 4 * width
        features = config.roll.layers * config.fold[0] * config.fold[1]
        edge = (1, 1) if config.fold != (1, 1) else config.kernel  # a folded place holds its neighbours already
        self.time_embed = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))
        self.input_blocks = nn.ModuleList([Stage(Convolution(features, width, edge))])
        skips, now = [width], width
        last = len(config.multipliers) - 1
        for level, multiplier in enumerate(config.multipliers):
            for _ in range(config.blocks):
                self.input_blocks.append(self._stage(now, multiplier * width, time, level))
                now = multiplier * width
                skips.append(now)
            if level < last:
                self.input_blocks.append(Stage(Down(now, config)))
                skips.append(now)
        self.middle_block = Stage(
            Residual(now, now, time, config), SpatialTransformer(now, config), Residual(now, now, time, config)
        )
        self.output_blocks = nn.ModuleList()
        for level, multiplier in reversed(list(enumerate(config.multipliers))):
            for k in range(config.blocks + 1):
                stage = self._stage(now + skips.pop(), multiplier * width, time, level)
                now = multiplier * width
                if level and k == config.blocks:
                    stage.append(Up(now, config))
                self.output_blocks.append(stage)
        last_layer = Convolution(now, features, edge)
        if config.predicts == "roll" and last_layer.bias is not None:
            nn.init.constant_(last_layer.bias, RARE)
            if config.roll.velocity:
                nn.init.constant_(last_layer.bias[-config.fold[0] * config.fold[1] :], USUAL)
        self.out = nn.Sequential(nn.GroupNorm(config.groups, now), nn.SiLU(), last_layer)

    def _stage(self, inside: int, outside: int, time: int, level: int) -> Stage:
        stage = Stage(Residual(inside, outside, time, self.config))
        if level in self.config.attention:
            stage.append(SpatialTransformer(outside, self.config))
        return stage

    def folded(self, roll: Tensor) -> Tensor:
        """(batch, layers, steps, pitches) to (batch, features, places in time, places in pitch)."""
        a, b = self.config.fold
        if (a, b) == (1, 1):
            return roll
        layers, steps, pitches = roll.shape[1:]
        parts = roll.reshape(-1, layers, steps // a, a, pitches // b, b).permute(0, 1, 3, 5, 2, 4)
        return parts.reshape(-1, layers * a * b, steps // a, pitches // b)

    def unfolded(self, features: Tensor) -> Tensor:
        """The inverse of `folded`."""
        a, b = self.config.fold
        if (a, b) == (1, 1):
            return features
        layers, steps, pitches = self.config.roll.shape
        parts = features.reshape(-1, layers, a, b, steps // a, pitches // b).permute(0, 1, 4, 2, 5, 3)
        return parts.reshape(-1, layers, steps, pitches)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """``x`` (batch, layers, 128, pitches), ``t`` (batch,) 0..999, ``condition`` (batch or a multiple, 32, width): the last layer as
        it is, with as many rows as there are conditions."""
        time = self.time_embed(sinusoids(t, self.config.width))
        now, skips = self.folded(x), []
        for stage in self.input_blocks:
            now = stage(now, time, condition)
            skips.append(now)
        now = self.middle_block(now, time, condition)
        for stage in self.output_blocks:
            now = stage(torch.cat([now, spread(skips.pop(), now)], dim=1), time, condition)
        return self.unfolded(self.out(now))


class Local(nn.Module):
    """What the sixteenths around a cell say of it on the same pitch, alike for every pitch: a note goes on where it began."""

    def __init__(self, layers: int, width: int) -> None:
        super().__init__()
        self.into, self.out = Convolution(2 * layers, width, NEAR), Convolution(width, layers, NEAR)
        nn.init.zeros_(self.out.weight)

    def forward(self, own: Tensor) -> Tensor:
        """Log odds (batch, layers, steps, pitches) that every cell tells of itself to those that its neighbours add."""
        heard = torch.cat([torch.tanh((own + RARE) / 2), own / SURE], dim=1)
        out: Tensor = self.out(functional.silu(self.into(heard)))
        return out


class Diffusion(nn.Module):
    """The UNet and the constants of its schedule, under the published names."""

    alpha: Tensor
    beta: Tensor
    alpha_bar: Tensor
    sigma2: Tensor

    def __init__(self, config: DiffBGMConfig) -> None:
        super().__init__()
        self.eps_model = UNet(config)
        beta = betas(config.schedule)
        constants = {"alpha": 1 - beta, "beta": beta, "alpha_bar": (1 - beta).cumprod(), "sigma2": beta}
        for name, values in constants.items():
            self.register_buffer(name, torch.from_numpy(values).float())


class DiffBGM(nn.Module):
    """All that a checkpoint holds: the UNet with its schedule (``ldm``), and the projection of the first source."""

    def __init__(self, config: DiffBGMConfig) -> None:
        super().__init__()
        self.config = config
        self.ldm = Diffusion(config)
        if config.caption:
            self.caption_enc = nn.Linear(config.caption, config.condition)
        if config.local:
            self.local = Local(2 * len(config.roll.voices), config.local)

    def raw(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """What is learned: the noise in ``x``, or the log odds of every cell to sound.

        Of a cell that is -1 or 1 before noise, Bayes' rule gives the log odds that its own noisy value adds exactly; the network adds
        what the rest of the roll says of it, and need not carry every cell through its narrow middle.
        """
        raw: Tensor = self.ldm.eps_model(x, t, condition)
        if self.config.predicts == "noise":
            return raw
        x, t = spread(x, raw), spread(t, raw)
        left = self.ldm.alpha_bar[t][:, None, None, None]
        own = (2 * left.sqrt() / (1 - left) * x).clamp(-SURE, SURE)
        voices = 2 * len(self.config.roll.voices)
        sounds = raw[:, :voices] + own[:, :voices]
        if self.config.local:
            sounds = sounds + self.local(own[:, :voices])
        if not self.config.roll.velocity:
            return sounds
        # where a note begins in any voice, as loud as the network has it; elsewhere nothing
        begins = 1 - torch.sigmoid(-sounds[:, 0:voices:2]).prod(dim=1, keepdim=True)
        loud = (begins * torch.sigmoid(raw[:, voices:])).clamp(FAINT, 1 - FAINT)
        return torch.cat([sounds, torch.log(loud / (1 - loud))], dim=1)

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """What the sampler asks for: the noise in ``x``, or the clean roll (-1..1) where the network predicts rolls."""
        raw = self.raw(x, t, condition)
        # a cell's chance p to sound, as the mean 2p - 1 of its two values
        return raw if self.config.predicts == "noise" else torch.tanh(raw / 2)

    def noised(self, clean: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """``clean`` as it is at times ``t`` (batch,)."""
        left = self.ldm.alpha_bar[t][:, None, None, None]
        return left.sqrt() * clean + (1 - left).sqrt() * noise
