"""The network: the published keys and shapes, one result in two forms, checkpoints loaded strictly or refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")

from engines.bmt.network import (  # noqa: E402
    OURS,
    PUBLISHED,
    BMTConfig,
    BMTransformer,
    load_state,
    load_weights,
)
from engines.errors import ModelError  # noqa: E402

SMALL = {
    "ours": BMTConfig("ours", 32, 2, 2, 64, 300, 0.1),
    "published": BMTConfig("published", 32, 3, 2, 48, 300, 0.1, head_gelu=False),
}


def small(vocabulary: str = "published", seed: int = 0) -> BMTransformer:
    torch.manual_seed(seed)
    return BMTransformer(SMALL[vocabulary]).eval()


def words_of(network: BMTransformer, time: int, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.stack([torch.randint(0, n, (batch, time), generator=generator) for n in network.vocabulary.sizes], dim=-1)


@pytest.fixture(scope="module")
def published_shapes(shared: Path) -> dict[str, tuple[int, ...]]:
    lines = (shared / "specs" / "bmt_state_dict.txt").read_text().splitlines()
    rows = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return {name: tuple(int(n) for n in shape.strip("() \t").replace(",", " ").split()) for name, shape in rows}


def test_the_published_configuration_has_the_published_232_keys_and_shapes(published_shapes: dict[str, tuple[int, ...]]) -> None:
    with torch.device("meta"):
        network = BMTransformer(PUBLISHED)
    found = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert len(published_shapes) == 232
    assert found == published_shapes
    assert sum(p.numel() for p in network.parameters()) == 39_606_797


def test_ours_is_of_a_size_that_a_processor_trains() -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in BMTransformer(OURS).parameters())
    assert 5e6 <= count <= 10e6


@pytest.mark.parametrize("vocabulary", ["ours", "published"])
@pytest.mark.parametrize("time", [1, 63, 64, 65, 200])
@torch.no_grad()
def test_both_forms_give_the_same(vocabulary: str, time: int) -> None:
    network = small(vocabulary)
    assert _difference(network, words_of(network, time)) <= 1e-5


@pytest.mark.slow
@torch.no_grad()
def test_both_forms_give_the_same_at_the_shipped_size() -> None:
    torch.manual_seed(0)
    network = BMTransformer(OURS).eval()
    assert _difference(network, words_of(network, 300, batch=1)) <= 1e-5


def _difference(network: BMTransformer, words: torch.Tensor) -> float:
    together = network.hear(words)
    s, z = network.empty_state(len(words))
    worst = 0.0
    for k in range(words.shape[1]):
        heard, s, z = network.step(words[:, k], torch.full((len(words),), k), s, z)
        worst = max(worst, float((heard - together[:, k]).abs().max()))
    return worst


@torch.no_grad()
def test_attention_is_the_formula() -> None:
    """phi(q) . sum phi(k) v / (phi(q) . sum phi(k) + 1e-6), word by word, in 64 bits."""
    from engines.bmt.network import LinearAttention

    torch.manual_seed(1)
    layer = LinearAttention(8, 2)
    x = torch.randn(1, 5, 8)
    q, k, v = (p(x).double()[0] for p in (layer.query_projection, layer.key_projection, layer.value_projection))
    q, k = (torch.where(a > 0, a + 1, a.exp()) for a in (q, k))
    out = torch.zeros(5, 8, dtype=torch.float64)
    for t in range(5):
        for head in (slice(0, 4), slice(4, 8)):
            weights = [float(q[t, head] @ k[i, head]) for i in range(t + 1)]
            out[t, head] = sum(w * v[i, head] for i, w in enumerate(weights)) / (sum(weights) + 1e-6)
    expected = layer.out_projection(out.float())
    assert (layer(x)[0] - expected).abs().max() < 1e-5


@torch.no_grad()
def test_attention_that_overlooks_nearly_everything_keeps_its_digits() -> None:
    """A network that has learned divides sums of 1e-6; elu + 1 as it stands would leave them two digits of seven."""
    from engines.bmt.network import phi

    u = torch.tensor([-30.0, -16.0, -12.0, -1.0, 0.0, 2.0])
    assert torch.allclose(phi(u), torch.nn.functional.elu(u.double()).float() + 1, atol=1e-6)
    assert (phi(u[:4]) / u[:4].double().exp() - 1).abs().max() < 1e-6
    torch.manual_seed(0)
    network = small("ours")
    for layer in network.transformer_encoder.layers:
        layer.attention.key_projection.bias.fill_(-7.0)
        layer.attention.query_projection.bias.fill_(-5.0)
    words = words_of(network, 80, batch=1)
    assert _difference(network, words) <= 1e-5
    exact = network.double()
    monkey = pytest.MonkeyPatch()
    monkey.setattr(torch.Tensor, "float", lambda self: self.double())
    heard = exact.hear(words)
    monkey.undo()
    assert (small_like(network).hear(words).double() - heard).abs().max() <= 1e-5


def small_like(network: BMTransformer) -> BMTransformer:
    copy = small("ours")
    copy.load_state_dict({k: v.float() for k, v in network.state_dict().items()})
    return copy


@torch.no_grad()
def test_nothing_is_heard_before_it_sounds() -> None:
    network = small()
    words = words_of(network, 100)
    changed = words.clone()
    changed[:, 70] = 1
    a, b = network.hear(words), network.hear(changed)
    assert (a[:, :70] - b[:, :70]).abs().max() < 1e-5
    assert (a[:, 70:] - b[:, 70:]).abs().max() > 1e-2


@torch.no_grad()
def test_positions_official_and_by_index() -> None:
    network = small()
    words = words_of(network, 2, batch=1)
    s, z = network.empty_state(1)
    zero = torch.zeros(1, dtype=torch.int64)
    _, s, z = network.step(words[:, 0], zero, s, z)
    official, _, _ = network.step(words[:, 1], zero, s, z)
    by_index, _, _ = network.step(words[:, 1], zero + 1, s, z)
    assert (official - by_index).abs().max() > 1e-3
    assert (by_index - network.hear(words)[:, 1]).abs().max() < 1e-5


@torch.no_grad()
def test_ids_beyond_a_table_are_clipped() -> None:
    network = small()
    words = words_of(network, 3)
    column = network.vocabulary.column["density"]
    words[:, :, column] = 20
    beyond = words.clone()
    beyond[:, :, column] = 33
    assert (network.hear(words) == network.hear(beyond)).all()


@torch.no_grad()
def test_every_type_has_its_own_row_of_logits() -> None:
    network = small("ours")
    heard = network.hear(words_of(network, 4))[:, -1]
    every = network.all_logits(heard)
    types = len(network.vocabulary.field("type").values)
    assert every.shape == (2, types, sum(network.vocabulary.sizes) - types)
    for kind in range(types):
        given = network.given_type(heard, torch.tensor([kind, kind]))
        separate = torch.cat([network.field_logits(given, name) for name in network.head_order], dim=-1)
        assert (every[:, kind] - separate).abs().max() < 1e-5


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_checkpoint_of_that_layout_loads_key_by_key(tmp_path: Path, prefix: str) -> None:
    source, target = small(seed=1), small(seed=2)
    torch.save({prefix + name: value for name, value in source.state_dict().items()}, tmp_path / "loss_8_params.pt")
    load_weights(target, tmp_path / "loss_8_params.pt")
    assert all((a == b).all() for a, b in zip(source.state_dict().values(), target.state_dict().values(), strict=True))


def test_differences_are_named_in_one_line() -> None:
    network = small()
    state = network.state_dict()
    missing = {k: v for k, v in state.items() if k != "in_linear.bias"}
    unknown = state | {"in_linear.scale": torch.zeros(1)}
    shape = state | {"in_linear.bias": torch.zeros(7)}
    for wrong, said in (
        (missing, "in_linear.bias is missing"),
        (unknown, "in_linear.scale is unknown"),
        (shape, r"in_linear.bias is \(7,\), not \(32,\)"),
        ({}, "are missing|is missing"),
        ([1], "no table of weights"),
        ({"a": 3}, "no table of weights"),
    ):
        with pytest.raises(ModelError, match=said) as caught:
            load_state(network, wrong, "x.pt")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


def test_a_refused_checkpoint_changes_nothing() -> None:
    network = small()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    other = small(seed=5).state_dict()
    del other["in_linear.bias"]
    with pytest.raises(ModelError):
        load_state(network, other, "x.pt")
    assert all((before[k] == v).all() for k, v in network.state_dict().items())


class _Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> object:
        return Path.touch, (self.marker,)


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    torch.save({"in_linear.bias": _Evil(tmp_path / "ran")}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="without running code"):
        load_weights(small(), tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


def test_noise_and_nothing_are_no_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "noise.pt").write_bytes(b"not weights")
    for name in ("noise.pt", "none.pt"):
        with pytest.raises(ModelError) as caught:
            load_weights(small(), tmp_path / name)
        assert "\n" not in str(caught.value)
