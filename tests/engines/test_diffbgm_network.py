"""The network: the published keys and shapes, attention by segment without a mask, checkpoints loaded strictly or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.diffbgm.config import OURS, PAPER, DiffBGMConfig  # noqa: E402
from engines.diffbgm.export import load_state  # noqa: E402
from engines.diffbgm.network import Attention, Convolution, DiffBGM, UNet, Up, sinusoids  # noqa: E402
from engines.diffbgm.schedule import TIMES, alpha_bars, betas  # noqa: E402
from engines.errors import ModelError  # noqa: E402

SMALL = replace(OURS, width=16, groups=4, heads=2)
SMALL_PAPER = replace(PAPER, width=8, groups=4, heads=2, condition=24, caption=12)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_the_published_configuration_has_the_published_562_keys_and_shapes(shared: Path) -> None:
    lines = (shared / "specs" / "diffbgm_state_dict.txt").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    published = {row[0]: tuple(int(n) for n in row[1].strip("() ").split(",") if n.strip()) for row in rows}
    with torch.device("meta"):
        network = DiffBGM(PAPER)
    assert len(published) == 562
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == published
    assert sum(p.numel() for p in network.parameters()) == 41_476_098
    assert sum(p.numel() for p in network.ldm.eps_model.parameters()) == 41_082_370


def test_ours_is_of_a_cost_that_a_processor_can_train() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    network = DiffBGM(OURS)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, *OURS.roll.shape), torch.zeros(1, dtype=torch.int64), torch.zeros(1, 32, OURS.condition))
    assert 0.05e9 < counter.get_total_flops() < 0.7e9


def masked(attention: Attention, x: torch.Tensor, heard: torch.Tensor, w: int) -> torch.Tensor:
    """Attention as published: all logits, those of other segments at minus infinity."""
    batch, places, width = x.shape
    tokens, head = heard.shape[1], width // attention.heads

    def heads(a: torch.Tensor) -> torch.Tensor:
        return a.reshape(batch, a.shape[1], attention.heads, head).transpose(1, 2)

    q, k, v = heads(attention.to_q(x)), heads(attention.to_k(heard)), heads(attention.to_v(heard))
    logits = q @ k.transpose(-1, -2) / head**0.5
    for n in range(places):
        segment = n * w // places
        allowed = [segment == m * w // tokens for m in range(tokens)]
        logits[:, :, n, ~torch.tensor(allowed)] = -torch.inf
    out: torch.Tensor = attention.to_out((torch.softmax(logits, -1) @ v).transpose(1, 2).reshape(batch, places, width))
    return out


@pytest.mark.parametrize("w", [1, 2, 4, 32])
@pytest.mark.parametrize("own", [True, False], ids=["self", "cross"])
@torch.no_grad()
def test_attention_in_blocks_is_attention_under_the_mask(w: int, own: bool) -> None:
    torch.manual_seed(w)
    attention = Attention(32, 32 if own else 20, 4, w)
    x = torch.randn(3, 64, 32)
    heard = x if own else torch.randn(3, 32, 20)
    assert (attention(x, heard) - masked(attention, x, heard, w)).abs().max() < 1e-5


@torch.no_grad()
def test_halves_hear_one_another_only_through_convolutions() -> None:
    """The published w = 2: bars 1 to 4 hear the first 16 tokens."""
    attention = Attention(8, 8, 1, 2)
    x, heard = torch.randn(1, 32, 8), torch.randn(1, 32, 8)
    other = heard.clone()
    other[:, 16:] += 1
    change = (attention(x, heard) - attention(x, other)).abs().amax((0, 2))
    assert change[:16].max() == 0
    assert change[16:].min() > 0


def test_a_beat_of_ours_hears_its_own_token_first() -> None:
    torch.manual_seed(1)
    network = UNet(replace(SMALL, blocks=1, kernel=(1, 1), segments=32, multipliers=(1,), attention=(0,)))
    x, t = torch.randn(1, *SMALL.roll.shape), torch.tensor([500])
    condition = torch.randn(1, 32, SMALL.condition)
    other = condition.clone()
    other[:, 9] += 1
    with torch.no_grad():
        attention = network.output_blocks[-1][1].transformer_blocks[0].attn2  # type: ignore[union-attr,index]
        places = torch.randn(1, 32, 16)
        change = (attention(places, condition) - attention(places, other)).abs().amax((0, 2))  # type: ignore[operator]
        assert torch.nonzero(change)[:, 0].tolist() == [9]
        assert network(x, t, condition).shape == x.shape


def test_folding_comes_back() -> None:
    network = UNet(SMALL)
    roll = torch.randn(2, *SMALL.roll.shape)
    folded = network.folded(roll)
    assert folded.shape == (2, 7 * 4 * 84, 32, 1)
    assert torch.equal(network.unfolded(folded), roll)
    # one place is one beat
    roll[:, :, 8:12] += 1
    assert torch.nonzero((network.folded(roll) != folded).any(1)[0, :, 0])[:, 0].tolist() == [2]


@pytest.mark.parametrize("stride", [(1, 1), (2, 1)])
def test_one_column_is_convolved_along_time_to_the_same_numbers(stride: tuple[int, int]) -> None:
    torch.manual_seed(0)
    one = Convolution(6, 5, (3, 1), stride)
    x = torch.randn(2, 6, 16, 1)
    beside = torch.cat([x, torch.randn(2, 6, 16, 1)], dim=3)
    assert (one(x)[..., 0] - one(beside)[..., 0]).abs().max() < 1e-6


@torch.no_grad()
@pytest.mark.parametrize("config", [SMALL, SMALL_PAPER], ids=["ours", "paper"])
def test_going_up_is_a_convolution_of_what_was_doubled(config: DiffBGMConfig) -> None:
    torch.manual_seed(0)
    up = Up(8, config)
    x = torch.randn(2, 8, 6, 5 if config is SMALL_PAPER else 1)
    doubled = torch.nn.functional.interpolate(x, scale_factor=[float(n) for n in config.stride], mode="nearest")
    assert doubled.shape[2] == 12
    assert (up(x) - up.conv(doubled)).abs().max() < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("config", [SMALL, SMALL_PAPER], ids=["ours", "paper"])
def test_one_roll_with_two_conditions_is_two_rolls(config: DiffBGMConfig) -> None:
    torch.manual_seed(1)
    network = DiffBGM(config).eval()
    x, t, conditions = torch.randn(2, *config.roll.shape), torch.tensor([3, 700]), torch.randn(4, 32, config.condition)
    apart = network(torch.cat([x, x]), torch.cat([t, t]), conditions)
    assert (network(x, t, conditions) - apart).abs().max() < 1e-5
    assert (apart[:2] - apart[2:]).abs().max() > 1e-3, "the conditions are heard"


@torch.no_grad()
def test_time_is_cosines_then_sines() -> None:
    found = sinusoids(torch.tensor([0, 7]), 64)
    assert found[0].tolist() == [1.0] * 32 + [0.0] * 32
    assert found[1, 0] == pytest.approx(float(torch.cos(torch.tensor(7.0))))
    assert found[1, 63] == pytest.approx(float(torch.sin(torch.tensor(7.0 * 10000 ** (-31 / 32)))), abs=1e-6)


@torch.no_grad()
def test_both_configurations_answer_in_their_rolls_shape() -> None:
    for config in (SMALL, SMALL_PAPER):
        network = DiffBGM(config).eval()
        x = torch.randn(2, *config.roll.shape)
        answer = network(x, torch.tensor([10, 900]), torch.randn(2, 32, config.condition))
        assert answer.shape == x.shape
        if config.predicts == "roll":
            assert answer.abs().max() <= 1


@torch.no_grad()
def test_a_cells_own_value_tells_by_bayes_rule() -> None:
    """With a network that says nothing, the answer is the mean of a cell that is -1 or 1 with equal chances, given its noisy value."""
    network = DiffBGM(SMALL).eval()
    last = network.ldm.eps_model.out[2]
    last.weight.zero_()  # type: ignore[union-attr]
    last.bias.zero_()  # type: ignore[union-attr]
    network.local.out.bias.zero_()  # type: ignore[union-attr]
    t = torch.tensor([600])
    x = torch.linspace(-2, 2, 7 * 128 * 84).reshape(1, 7, 128, 84)
    left = network.ldm.alpha_bar[600].double()
    wide = x.double()
    up, down = (torch.exp(-((wide - sign * left.sqrt()) ** 2) / (2 * (1 - left))) for sign in (1, -1))
    answer = network(x, t, torch.zeros(1, 32, SMALL.condition))
    assert (answer - ((up - down) / (up + down)))[:, :-1].abs().max() < 1e-5
    begins = 1 - ((1 - answer[:, 0:6:2]) / 2).prod(dim=1)
    assert ((answer[:, 6] + 1) / 2 - begins / 2).abs().max() < 1e-4, "a velocity is heard where a note begins"


def state(config: DiffBGMConfig = SMALL_PAPER) -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return DiffBGM(config).state_dict()


def test_a_checkpoint_is_loaded_key_by_key_and_known_extras_are_reported() -> None:
    network, given = DiffBGM(SMALL_PAPER), state()
    extras = {"ldm.eps_model.mmfc.weight": torch.zeros(2), "chord_enc.gru.bias": torch.zeros(1), "pnotree_enc.x": torch.zeros(1)}
    assert load_state(network, given | extras, "w.pt") == sorted(extras)
    assert all(torch.equal(value, given[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ldm.eps_model.out.2.bias": None}, "lacks 1 keys, the first ldm.eps_model.out.2.bias"),
        ({"ldm.eps_model.news": torch.zeros(1)}, "holds unknown 1 keys, the first ldm.eps_model.news"),
        ({"ldm.eps_model.out.2.bias": torch.zeros(3)}, r"has the shape \(3,\), not \(2,\)"),
        ({"ldm.beta": torch.linspace(1e-4, 0.02, TIMES)}, "another noise schedule than scaled-linear"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(change: dict[str, torch.Tensor | None], said: str) -> None:
    given = {name: value for name, value in (state() | change).items() if value is not None}
    with pytest.raises(ModelError, match=said) as caught:
        load_state(DiffBGM(SMALL_PAPER), given, "w.pt")
    assert "\n" not in str(caught.value)


def test_schedules() -> None:
    beta = betas("scaled-linear")
    assert (beta[0], beta[-1]) == (pytest.approx(0.00085), pytest.approx(0.012))
    assert beta[500] == pytest.approx((0.00085**0.5 + 500 / 999 * (0.012**0.5 - 0.00085**0.5)) ** 2)
    for name in ("scaled-linear", "cosine"):
        left = alpha_bars(name)
        assert (left[1:] < left[:-1]).all()
        assert left[0] > 0.99
        assert 0 < left[-1] < 0.01
    assert alpha_bars("cosine")[499] == pytest.approx(0.5, abs=0.02)
    with pytest.raises(ModelError, match="no noise schedule is named 'steps'"):
        betas("steps")
    given = state()
    assert float(given["ldm.beta"][0]) == pytest.approx(0.00085)
    assert torch.equal(given["ldm.sigma2"], given["ldm.beta"])


def test_sizes_travel_as_plain_values() -> None:
    for config in (OURS, PAPER):
        assert DiffBGMConfig.from_dict(config.as_dict()) == config
    with pytest.raises(ModelError, match="is of another layout"):
        DiffBGMConfig.from_dict(PAPER.as_dict() | {"colour": 3})
