"""The samplers: right where the answer is known, exact about what is given, few calls, one call for guidance."""

from __future__ import annotations

import numpy as np
import pytest

from engines.diffbgm.conditions import SWITCH, UNTOLD
from engines.diffbgm.sampler import Array, Known, Sampler, Told, guided, published
from engines.diffbgm.schedule import TIMES, alpha_bars
from engines.errors import OptionError

SHAPE = (2, 1, 8, 6)
ALONE = Told(None, None, 4)
MEAN, SPREAD = 0.4, 0.3


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def noise(seed: int = 0) -> Array:
    return rng(seed).standard_normal(SHAPE, np.float32)


class Gaussian:
    """The exact denoiser of music that is normally distributed: mean `MEAN`, deviation `SPREAD`."""

    def __init__(self, schedule: str, predicts: str) -> None:
        self.left, self.predicts, self.calls = alpha_bars(schedule), predicts, 0

    def __call__(self, x: Array, t: np.ndarray, condition: Array) -> Array:
        self.calls += 1
        left = self.left[t][:, None, None, None]
        gain = np.sqrt(left) * SPREAD**2 / (left * SPREAD**2 + 1 - left)
        clean = MEAN + gain * (x - np.sqrt(left) * MEAN)
        answer: Array = (clean if self.predicts == "roll" else (x - np.sqrt(left) * clean) / np.sqrt(1 - left)).astype(np.float32)
        return answer


def last(drawn: object) -> Array:
    *_, end = drawn  # type: ignore[misc]
    return end  # type: ignore[no-any-return]


@pytest.mark.parametrize(("schedule", "predicts", "share"), [("cosine", "roll", 0.4), ("scaled-linear", "noise", 0.5)])
def test_more_steps_come_closer_to_the_known_way(schedule: str, predicts: str, share: float) -> None:
    """The way without noise from x, nearly all noise, ends at mean + spread x; twice the steps leave less than half the error."""
    x = noise()

    def end(steps: int) -> Array:
        return last(Sampler(Gaussian(schedule, predicts), predicts, schedule, steps, None).draw(x, ALONE, None, rng()))

    fine = end(400)
    errors = [float(np.abs(end(steps) - fine).max()) for steps in (10, 20, 40)]
    assert errors[2] < share * errors[1] < share * errors[0] < 0.1
    start = alpha_bars(schedule)[-1]
    exact = MEAN + SPREAD * (x - np.sqrt(start) * MEAN) / np.sqrt(start * SPREAD**2 + 1 - start)
    assert np.abs(fine - exact).max() < 0.05


def test_as_many_calls_as_steps() -> None:
    for steps in (1, 5, 20):
        denoiser = Gaussian("cosine", "roll")
        assert len(list(Sampler(denoiser, steps=steps).draw(noise(), ALONE, None, rng()))) == steps
        assert denoiser.calls == steps
    with pytest.raises(OptionError, match="0 steps are not in 1"):
        Sampler(Gaussian("cosine", "roll"), steps=0).times()


def test_added_noise_keeps_the_distribution() -> None:
    x = rng(3).standard_normal((4, 1, 60, 60), np.float32)
    drawn = last(Sampler(Gaussian("cosine", "roll"), steps=60, bounds=None, warmth=1.0).draw(x, ALONE, None, rng(4)))
    assert drawn.mean() == pytest.approx(MEAN, abs=0.02)
    # the last evaluation gives the mean that is left, all but the noise of time 0
    assert drawn.std() == pytest.approx(SPREAD, rel=0.1)
    again = last(Sampler(Gaussian("cosine", "roll"), steps=60, bounds=None, warmth=1.0).draw(x, ALONE, None, rng(4)))
    assert np.array_equal(drawn, again)
    assert not np.array_equal(
        drawn, last(Sampler(Gaussian("cosine", "roll"), steps=60, bounds=None).draw(x, ALONE, None, rng(4)))
    )


@pytest.mark.parametrize("warmth", [0.0, 1.0])
def test_what_is_known_comes_back_bit_by_bit(warmth: float) -> None:
    mask = rng(5).random((1, *SHAPE[1:])) < 0.5
    roll = np.where(rng(6).random((1, *SHAPE[1:])) < 0.3, 1.0, -1.0).astype(np.float32)
    seen: list[Array] = []
    model = Gaussian("cosine", "roll")

    def watched(x: Array, t: np.ndarray, condition: Array) -> Array:
        seen.append(x.copy())
        return model(x, t, condition)

    sampler = Sampler(watched, steps=12, warmth=warmth)
    x = noise()
    for clean in sampler.draw(x, ALONE, Known(roll, mask), rng()):
        assert np.array_equal(np.where(mask, clean, 0), np.broadcast_to(np.where(mask, roll, 0), SHAPE))
    left = alpha_bars("cosine")
    for t, heard in zip(sampler.times(), seen, strict=True):
        meant = np.sqrt(left[t]) * roll + np.sqrt(1 - left[t]) * x
        assert np.abs(np.where(mask, heard - meant, 0)).max() < 1e-5, "as noisy as music that the network knows"


def test_guidance_asks_once_for_both() -> None:
    asked: list[tuple[int, ...]] = []

    def denoiser(x: Array, t: np.ndarray, condition: Array) -> Array:
        asked.append((len(x), *condition[:, 0, 0].astype(int)))
        return np.broadcast_to(condition[:, :1, :1, None], (len(condition), *x.shape[1:])).astype(np.float32)

    given = np.full((2, 32, 4), 3, np.float32)
    out, as_told = guided(denoiser, noise(), 500, Told(given, given, 4, 2.0))
    assert asked == [(2, int(UNTOLD), int(UNTOLD), 3, 3)], "every window once, with two conditions"
    assert (out == -1 + 2 * (3 + 1)).all()
    assert (as_told == 3).all()
    asked.clear()
    guided(denoiser, noise(), 500, Told(given, given, 4, 1.0))
    guided(denoiser, noise(), 500, Told(given, given, 4, 0.0))
    guided(denoiser, noise(), 500, Told(None, None, 4, 5.0))
    assert asked == [(2, 3, 3), (2, -1, -1), (2, -1, -1)]


def test_the_sources_change_over_at_the_published_time() -> None:
    first, second = np.zeros((1, 32, 4), np.float32), np.ones((1, 32, 4), np.float32)
    told = Told(first, second, 4)
    assert SWITCH == 200
    assert told.at(201) is first
    assert told.at(200) is second
    assert told.at(0) is second


def test_the_published_sampler_takes_999_steps_from_998_to_0() -> None:
    asked: list[int] = []
    model = Gaussian("scaled-linear", "noise")

    def denoiser(x: Array, t: np.ndarray, condition: Array) -> Array:
        asked.append(int(t[0]))
        return model(x, t, condition)

    x = rng(1).standard_normal((1, 1, 40, 40), np.float32)
    end = last(published(denoiser, x, ALONE, None, rng(2)))
    assert asked == list(range(TIMES - 2, -1, -1))
    assert end.mean() == pytest.approx(MEAN, abs=0.03)
    assert end.std() == pytest.approx(SPREAD, rel=0.1)


def test_a_published_step_is_the_published_arithmetic() -> None:
    x = noise()
    eps = 0.1
    steps = list(published(lambda x, t, c: np.full_like(x, eps), x, ALONE, None, rng(3), times=2, temperature=0.0))
    root = np.linspace(0.00085**0.5, 0.012**0.5, 1000)
    beta = root**2
    left = np.cumprod(1 - beta)
    at = np.sqrt(1 - left[2]) * x
    for t, found in zip((1, 0), steps, strict=True):
        before = left[t - 1] if t else 1.0
        clean = at / np.sqrt(left[t]) - np.sqrt(1 / left[t] - 1) * eps
        at = beta[t] * np.sqrt(before) / (1 - left[t]) * clean + (1 - before) * np.sqrt(1 - beta[t]) / (1 - left[t]) * at
        assert np.abs(found - at).max() < 1e-5


def test_the_published_known_region_is_all_but_clean() -> None:
    mask = np.zeros((1, *SHAPE[1:]), np.bool_)
    mask[..., :4, :] = True
    roll = np.ones((1, *SHAPE[1:]), np.float32)
    end = last(published(Gaussian("scaled-linear", "noise"), noise(), ALONE, Known(roll, mask), rng(), times=30))
    assert 0 < np.abs(end[..., :4, :] - 1).max() < 0.15
