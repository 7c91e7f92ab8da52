"""The engine beyond the contract: what the network is given, what it is asked, and what is made of its chances."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from graphs import Answer, Graph, constant, placed

from engines.diffbgm import compose as composing
from engines.diffbgm.compose import DiffBGMEngine
from engines.diffbgm.conditions import FIELDS, SWITCH, UNTOLD
from engines.diffbgm.config import OURS, PAPER, DiffBGMConfig
from engines.diffbgm.features import by_beat, load_features, window
from engines.diffbgm.plan import Plan
from engines.diffbgm.schedule import alpha_bars
from engines.diffbgm.settle import SPREAD, settle, tonal
from engines.engine import BarBrief, Brief, HitBrief
from engines.errors import ModelError, OptionError
from engines.score.notes import Note

Array = np.ndarray


def engine(
    monkeypatch: pytest.MonkeyPatch, config: DiffBGMConfig, answer: Answer, **fields: object
) -> tuple[DiffBGMEngine, Graph]:
    graph = placed(monkeypatch, config, answer)
    return DiffBGMEngine(**fields), graph  # type: ignore[arg-type]


def quarters(x: Array, t: Array, condition: Array) -> Array:
    """Chords of C major in the piano on every beat, a melody note a bar, quiet."""
    clean = -np.ones(x.shape, np.float32)
    for pitch in (48, 60, 64, 67):
        clean[:, 4, ::4, pitch - 22] = 1
        clean[:, 5, 1::4, pitch - 22] = 1
        clean[:, 6, ::4, pitch - 22] = 2 * 50 / 127 - 1
    clean[:, 0, ::16, 76 - 22] = 1
    clean[:, 1, [s for s in range(128) if s % 16]] = np.where(np.arange(84) == 76 - 22, 1, -1)
    clean[:, 6, ::16, 76 - 22] = 2 * 90 / 127 - 1
    return clean


def bars(count: int, start: int = 0, **fixed: object) -> tuple[BarBrief, ...]:
    return tuple(BarBrief(Fraction(start + 4 * k), Fraction(4), bpm=100.0, **fixed) for k in range(count))  # type: ignore[arg-type]


def test_what_the_network_says_is_what_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    maker, _ = engine(monkeypatch, OURS, quarters, steps=3)
    take = maker.compose(Brief(bars(2), key="C:maj"), 1)
    first = [n for n in take.notes if n.start == 0]
    # a network's velocities are means: they are played as far apart as music is, around the same middle
    middle = (16 * 50 + 90) / 17
    soft, loud = (round(middle + SPREAD * (told - middle)) for told in (50, 90))
    assert {(n.pitch, n.stem, n.length, n.velocity) for n in first} == {
        *((pitch, "piano", Fraction(1, 2), soft) for pitch in (48, 60, 64, 67)),
        (76, "melody", Fraction(4), loud),
    }
    assert len(take.notes) == 2 * (4 * 4 + 1)
    assert take.chords == ((Fraction(0), "C_M"),)
    assert take.recipe["told"] == "the brief"


def test_density_takes_the_likeliest_places_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    rank = [0, 8, 4, 12, 2, 10, 6, 14, 1, 3]

    def ranked(x: Array, t: Array, condition: Array) -> Array:
        clean = np.full(x.shape, -1, np.float32)
        for k, step in enumerate(rank):
            clean[:, 4, step::16, 40] = 0.9 - 0.15 * k
        return clean

    maker, _ = engine(monkeypatch, OURS, ranked, steps=2)
    for density in (1, 3, 9):
        take = maker.compose(Brief(bars(8, density=density), key="D:maj"), 1)
        for bar in range(8):
            places = {int(4 * (n.start - 4 * bar)) for n in take.notes if 4 * bar <= n.start < 4 * bar + 4}
            assert places == set(rank[:density])


def test_windows_hear_the_four_bars_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cue of 20 bars: windows at bars 0, 4, 8 and 12. A network that plays only in the first one still hears that in the second,
    as noisy as everything else, and nothing of it in the third."""
    calls = iter(range(100))

    def once(x: Array, t: Array, condition: Array) -> Array:
        return quarters(x, t, condition) if next(calls) < 4 else -np.ones(x.shape)

    maker, graph = engine(monkeypatch, OURS, once, steps=4, candidates=2)
    take = maker.compose(Brief(bars(20), key="C:maj"), 1)
    assert len(graph.heard) == 4 * 4
    assert {n.start for n in take.notes} == {Fraction(k) for k in range(32)}
    left = alpha_bars("cosine")
    played = quarters(np.zeros((1, *OURS.roll.shape)), np.zeros(1), np.zeros(1))[0]
    for number, there in ((1, played), (2, -np.ones_like(played))):
        first = graph.heard[4 * number]["x"][0, :6, :64]
        for heard in graph.heard[4 * number + 1 : 4 * number + 4]:
            t = int(heard["t"][0])
            assert heard["t"].tolist() == [t] * 4, "two candidates, with and without the brief"
            # all of it has the noise that the first call had, at another strength
            noise = (heard["x"][0, :6, :64] - np.sqrt(left[t]) * there[:6, :64]) / np.sqrt(1 - left[t])
            assert np.abs(noise - first).max() < 0.05


def test_neighbours_on_both_sides_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tuple(Note(Fraction(k), 60, Fraction(1), 80) for k in range(8, 16))
    after = tuple(Note(Fraction(24 + k), 65, Fraction(1), 80) for k in range(4))
    brief = Brief(bars(2, start=16), before=before, after=after, key="C:maj")
    plan = Plan(brief, (), "C:maj", OURS.roll)
    assert [slot.new for slot in plan.slots] == [False, False, True, True, False]
    assert plan.slots[0].bar.start == 8
    assert [plan.known[4, step, 60 - 22] for step in (0, 4, 8)] == [1, 1, 1]
    assert plan.known[4, 64, 65 - 22] == 1
    assert plan.mask[:, :32].all()
    assert plan.mask[:, 64:].all()
    assert not plan.mask[:, 32:64].any()
    maker, _ = engine(monkeypatch, OURS, quarters, steps=2)
    take = maker.compose(brief, 1)
    assert {n.start for n in take.notes} == {Fraction(16 + k) for k in range(8)}


def test_what_a_brief_says_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = (
        BarBrief(Fraction(0), Fraction(4), bpm=200.0, density=8, energy=0.25, register=63.5, chord="A:min"),
        BarBrief(Fraction(4), Fraction(4), bpm=200.0),
    )
    brief = Brief(told, (HitBrief(Fraction(5, 2), 0.75), HitBrief(Fraction(5), 0.5, hard=False)), mood=3, key="A:min")
    plan = Plan(brief, (), "A:min", OURS.roll)
    tokens = plan.tokens(0)
    assert np.flatnonzero(tokens[0, FIELDS["chord"]]).tolist() == [9, 12, 16, 21]
    assert tokens[3, FIELDS["density"]] == 0.5
    assert tokens[0, FIELDS["energy"]] == 0.25
    assert tokens[0, FIELDS["register"]] == pytest.approx(0.5)
    assert tokens[2, FIELDS["strength"]].tolist() == [UNTOLD, UNTOLD, 0.75, UNTOLD]
    assert tokens[5, FIELDS["strength"]].tolist() == [UNTOLD] * 4, "only hard hits must sound"
    assert tokens[31, FIELDS["mood"]].tolist() == [0, 0, 1, 0]
    assert tokens[31, FIELDS["tempo"]] == 1
    assert np.flatnonzero(tokens[0, FIELDS["key"]]).tolist() == [9, 13]
    for name in ("chord", "density", "energy", "register"):
        assert (tokens[4:, FIELDS[name]] == UNTOLD).all()
    maker, graph = engine(monkeypatch, OURS, quarters, steps=10)
    maker.compose(brief, 1)
    for heard in graph.heard:
        given = heard["condition"][-1]
        assert (given[:, FIELDS["mood"]] == UNTOLD).all() == (heard["t"][0] <= SWITCH)
        assert (heard["condition"][0] == UNTOLD).all()


def test_a_short_bar_leaves_its_slot_silent() -> None:
    told = tuple(BarBrief(Fraction(7 * k, 2), Fraction(7, 2), (7, 8)) for k in range(3))
    plan = Plan(Brief(told), (), None, OURS.roll)
    for k in range(3):
        assert plan.mask[:, 16 * k + 14 : 16 * k + 16].all()
        assert not plan.mask[:, 16 * k : 16 * k + 14].any()
        assert plan.place(16 * k) == Fraction(7 * k, 2)
        assert plan.place(16 * k + 15) == Fraction(7 * k + 7, 2)


def test_the_candidate_that_is_bent_least_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    def different(x: Array, t: Array, condition: Array) -> Array:
        clean = quarters(x, t, condition)
        for row in range(len(clean)):
            if row % 3 != 2:
                clean[row, 4, 1::4, 30] = 0.8  # full of onsets that are not wanted
        return clean

    maker, _ = engine(monkeypatch, OURS, different, steps=2, candidates=3)
    take = maker.compose(Brief(bars(8, density=4), key="C:maj"), 1)
    assert {n.pitch for n in take.notes} == {48, 60, 64, 67, 76}


def test_tones_outside_chord_and_key_need_more_certainty() -> None:
    brief = Brief((BarBrief(Fraction(0), Fraction(4), chord="C:maj"), BarBrief(Fraction(4), Fraction(4))))
    plan = Plan(brief, (), "C:maj", OURS.roll)
    weight = tonal(plan, 0)[0]
    assert weight[60 - 22] == 1 > weight[62 - 22] > weight[61 - 22] > 0
    assert tonal(plan, 1)[0, 62 - 22] == 1 > tonal(plan, 1)[0, 61 - 22]
    chances = np.zeros((7, 16, 84), np.float32)
    chances[4, 0, [60 - 22, 61 - 22]] = 0.7
    chances[4, 4, 61 - 22] = 0.95
    chances[6, 0, 60 - 22] = 0.7 * 100 / 127
    settled = settle(chances, plan, range(1))
    assert np.argwhere(settled.roll[4]).tolist() == [[0, 60 - 22], [4, 61 - 22]]
    # as loud as it is expected where it sounds, 100 and the least of 24, as far from their mean as music is
    assert round(float(settled.roll[6, 0, 60 - 22]) * 127) == round(62 + SPREAD * (100 - 62))


def test_a_melody_is_one_line_and_hands_have_five_fingers() -> None:
    plan = Plan(Brief(bars(1), (HitBrief(Fraction(3), 1.0),), stems=("melody", "piano")), (), None, OURS.roll)
    chances = np.zeros((7, 16, 84), np.float32)
    chances[0, 0, 50:53] = 0.7, 0.9, 0.8
    chances[1, 1:12] = 1.0
    chances[0, 8, 45] = 0.9
    chances[4, 0, 20:28] = 0.8
    chances[2, 4, 40] = 0.9
    chances[0, 12, 40:60] = 0.3
    settled = settle(chances, plan, range(1)).roll
    assert np.argwhere(settled[0])[:2].tolist() == [[0, 51], [8, 45]]
    assert not settled[1, 8].any(), "the next note ends it"
    assert settled[1, 9, 45] == 1
    assert settled[4, 0].sum() == 5
    assert not settled[2].any(), "no bridge was asked for"
    assert len({int(pitch) for layer in (0, 4) for pitch in np.flatnonzero(settled[layer, 12])}) == 6, "a hit wants more"


def test_a_published_checkpoint_without_features_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    maker, graph = engine(monkeypatch, PAPER, constant(0.3), steps=2, candidates=1)
    take = maker.compose(Brief(bars(1, density=2)), 1)
    assert take.recipe["told"] == "nothing: a published checkpoint hears a film only through --features"
    assert take.recipe["key"] is None, "what cannot hear a key is not bent to one that nobody asked for"
    assert [heard["x"].shape for heard in graph.heard] == [(1, 2, 128, 128)] * 2, "asked once, without guidance"
    assert (graph.heard[0]["condition"] == UNTOLD).all()
    assert {n.stem for n in take.notes} == {"piano"}
    assert len({n.start for n in take.notes}) == 2


def test_features_are_heard_captions_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    visual = np.repeat(np.arange(4, dtype=np.float32)[:, None], 512, axis=1)
    np.save(tmp_path / "visual.npy", visual)
    np.save(tmp_path / "captions.npy", np.repeat(np.arange(2, dtype=np.float32)[:, None], 768, axis=1))
    files = (tmp_path / "visual.npy", tmp_path / "captions.npy")
    maker, graph = engine(monkeypatch, PAPER, constant(0.3), steps=10, candidates=1, features=files, guidance=5.0)
    take = maker.compose(Brief(bars(4)), 1)
    assert take.recipe["told"] == "captions and picture"
    for heard in graph.heard[1:]:  # the first call projects the captions
        given = heard["condition"][1, :, 0]
        if heard["t"][0] > SWITCH:
            assert given.tolist() == [5.0] * 8 + [6.0] * 8 + [0.0] * 16, "stretched over the cue, projected, then zeros"
        else:
            assert given.tolist() == [*np.repeat(np.arange(4.0), 4), *[0.0] * 16]


def test_features_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "odd.npy", np.zeros((4, 9), np.float32))
    np.save(tmp_path / "visual.npy", np.zeros((4, 512), np.float32))
    (tmp_path / "noise.npy").write_bytes(b"noise")
    for paths, said in (
        (["odd"], "holds numbers of the shape"),
        (["visual", "visual"], "is a second file of 512"),
        (["noise"], "cannot be read as features"),
        (["none"], r"cannot be read \(No such file or directory\); give .npy or .pt files"),
    ):
        with pytest.raises(OptionError, match=said) as caught:
            load_features([tmp_path / f"{name}.npy" for name in paths])
        assert "\n" not in str(caught.value)
    with pytest.raises(OptionError, match="--features: is for a published checkpoint"):
        engine(monkeypatch, OURS, quarters, features=(tmp_path / "visual.npy",))
    with pytest.raises(OptionError, match=r"odd.npy: holds numbers of the shape \(4, 9\)"):
        engine(monkeypatch, PAPER, quarters, features=(tmp_path / "odd.npy",))


def test_features_of_torch_are_read_without_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")
    rows = torch.randn(7, 512)
    torch.save(rows, tmp_path / "visual.pth")
    torch.save(rows.half().repeat(2, 1)[2:9], tmp_path / "half.pt")
    found = load_features([tmp_path / "visual.pth"]).visual
    assert found is not None
    assert np.array_equal(found, rows.numpy())
    half = load_features([tmp_path / "half.pt"]).visual
    assert half is not None
    assert np.array_equal(half, rows.half().repeat(2, 1)[2:9].float().numpy())
    torch.save({"rows": Path("x")}, tmp_path / "other.pt")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    for name in ("other", "noise"):
        with pytest.raises(OptionError, match="cannot be read as features"):
            load_features([tmp_path / f"{name}.pt"])


def test_rows_are_stretched_over_beats_as_published() -> None:
    rows = np.arange(10, dtype=np.float32)[:, None]
    assert by_beat(rows, 25)[:, 0].tolist() == [i * 10 // 25 for i in range(25)]
    assert window(by_beat(rows, 25), 20)[:, 0].tolist() == [8, 8, 8, 9, 9] + [0] * 27


def test_a_scene_hears_its_own_part_of_the_film() -> None:
    rows = np.arange(90, dtype=np.float32)[:, None]
    third = [by_beat(rows, 24, (Fraction(k, 3), Fraction(k + 1, 3)))[:, 0] for k in range(3)]
    assert np.concatenate(third).tolist() == by_beat(rows, 72)[:, 0].tolist()
    assert by_beat(rows, 4, (Fraction(1), Fraction(1)))[:, 0].tolist() == [89] * 4, "beyond the film, what was seen last"


def test_the_official_mode_is_for_published_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    maker, _ = engine(monkeypatch, OURS, quarters, mode="official")
    with pytest.raises(ModelError, match="is not a published checkpoint"):
        maker.compose(Brief(bars(1)), 1)
    small = replace(PAPER, condition=16)
    maker, graph = engine(monkeypatch, small, constant(0.2), mode="official", candidates=1)
    monkeypatch.setattr(composing, "TIMES", 6)
    monkeypatch.setattr(composing, "published", lambda *args: composing_published(*args))
    take = maker.compose(Brief(bars(1, density=3)), 1)
    assert [int(heard["t"][0]) for heard in graph.heard] == [4, 3, 2, 1, 0]
    assert take.recipe["steps"] == 5
    with pytest.raises(OptionError, match="no mode is named 'wild'"):
        engine(monkeypatch, OURS, quarters, mode="wild")[0].compose(Brief(bars(1)), 1)


def composing_published(*args: object) -> object:
    from engines.diffbgm.sampler import published

    return published(*args, times=5)  # type: ignore[arg-type]


def test_a_graph_that_gives_no_numbers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    maker, _ = engine(monkeypatch, OURS, lambda x, t, c: np.full(x.shape, np.nan))
    with pytest.raises(ModelError, match="gives no music"):
        maker.compose(Brief(bars(1)), 1)


def test_a_graph_of_another_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    maker, _ = engine(monkeypatch, OURS, quarters)
    model = replace(maker.model, metadata={"vocabulary": "[]"})
    monkeypatch.setattr(composing, "open_model", lambda *args, **kwargs: model)
    with pytest.raises(ModelError, match="is no graph of Diff-BGM"):
        maker.compose(Brief(bars(1)), 1)
