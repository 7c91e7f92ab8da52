"""What a network recalls: the words of other bars at the same place, the same whether counted at once or word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_bmt_tokens import pieces
from test_form import played, steady

from engines.bmt.data import Windows, build_corpus
from engines.bmt.plan import CONTEXT_BARS, HELD, LATER, RETURNS, SOON, Planner, alike
from engines.bmt.recall import CLEAR, FIRM, LATELY, LIKENESS, MORE, TRUST, Recall, likeness, recalled
from engines.bmt.tokens import GridNote, Piece, Words, encode, our_events
from engines.bmt.vocabulary import ours
from engines.engine import Brief, Theme
from engines.form import THEME, Form, form
from engines.score.notes import Note

VOCABULARY = ours()
COLUMN = VOCABULARY.column
FIGURE = (GridNote(0, 72, 4, 80, "melody"), GridNote(0, 48, 8, 70), GridNote(6, 74, 2, 80, "melody"), GridNote(8, 43, 8, 70))


def bars_of(*figures: Sequence[GridNote]) -> Words:
    """Bars of sixteen sixteenths as words, from their prefix to EOS."""
    notes = [replace(note, step=16 * k + note.step) for k, figure in enumerate(figures) for note in figure]
    return encode(our_events(Piece(tuple(sorted(notes)), (16,) * len(figures), ((0, "C_M"),))), VOCABULARY)


def stepwise(words: Words, backs: Sequence[int], before: Words | None = None) -> npt.NDArray[np.int64]:
    recall = Recall(VOCABULARY, backs, () if before is None else list(before.astype(np.int64)))
    return np.stack([recall.hear(word) for word in words.astype(np.int64)])


def untold(words: Words) -> Words:
    """Without the likeness, which only who knows the whole bar can tell."""
    out = words.copy()
    out[..., -1] = 0
    return out


@given(pieces("ours"), st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True), st.integers(0, 3))
def test_word_by_word_as_at_once(piece: Piece, backs: list[int], cut: int) -> None:
    words = encode(our_events(piece), VOCABULARY)
    bars = np.flatnonzero(words[:, COLUMN["type"]] == VOCABULARY.id("type", "Bar"))
    cut = min(cut, len(bars) - 1)
    before, heard = words[1 : bars[cut]], np.concatenate([words[:1], words[bars[cut] :]])
    whole = recalled(words, VOCABULARY, backs)
    assert np.array_equal(untold(whole)[:-1], stepwise(words[:-1], backs))
    assert np.array_equal(untold(recalled(heard, VOCABULARY, backs, before))[:-1], stepwise(heard[:-1], backs, before))
    assert np.array_equal(recalled(heard, VOCABULARY, backs, before)[1:], whole[bars[cut] :])


@given(pieces("ours"), st.data())
def test_nothing_is_recalled_that_is_yet_to_come(piece: Piece, data: st.DataObject) -> None:
    words = encode(our_events(piece), VOCABULARY)
    heard = data.draw(st.integers(1, len(words)))
    other = words.copy()
    other[heard:, COLUMN["pitch"]] = 0
    other[heard:, COLUMN["barbeat"]] = 0
    assert np.array_equal(
        untold(recalled(other, VOCABULARY, (1, 2)))[:heard], untold(recalled(words, VOCABULARY, (1, 2)))[:heard]
    )


def test_a_bar_that_comes_back_is_told_word_for_word() -> None:
    words = bars_of(FIGURE, (), FIGURE, (GridNote(0, 60, 16, 70),))
    known = recalled(words, VOCABULARY, (2,))
    bars = np.cumsum(words[:, COLUMN["type"]] == VOCABULARY.id("type", "Bar"))
    third = np.flatnonzero(bars == 3)
    fields = [COLUMN[name] for name in ("type", "barbeat", "pitch", "duration", "velocity", "strength", "density")]
    said = untold(known)[third[:-1], 0][:, fields]
    meant = words[third[1:]][:, fields]
    assert np.array_equal(said[meant > 0], meant[meant > 0]), "what was recalled is what came"
    assert set(known[third, 0, -1]) == {LIKENESS}
    assert list(known[third, 0, -2]) == [min(TRUST, hits * TRUST // LATELY) for hits in range(len(third))]
    assert set(known[bars < 3, 0].ravel()) == {0}, "two bars ago there was nothing"
    fourth = known[bars == 4, 0]
    assert not fourth[0, COLUMN["pitch"]], "an empty bar tells of no note"


def test_the_place_is_what_counts_not_how_many_notes_came_before_it() -> None:
    words = bars_of(FIGURE, (GridNote(0, 76, 4, 80, "melody"), GridNote(2, 60, 1, 70), GridNote(8, 45, 8, 70)))
    known = recalled(words, VOCABULARY, (1,))[:, 0]
    rows = {
        (str(VOCABULARY.value("type", int(word[COLUMN["type"]]))), int(word[COLUMN["pitch"]])): known[k]
        for k, word in enumerate(words)
        if np.sum(words[: k + 1, COLUMN["type"]] == VOCABULARY.id("type", "Bar")) == 2
    }

    def pitch(kind: str, after: int) -> str | int:
        return VOCABULARY.value("pitch", int(rows[kind, VOCABULARY.id("pitch", f"Note_Pitch_{after}")][COLUMN["pitch"]]))

    assert pitch("Melody", 76) == "Note_Pitch_72", "a note lower than the one that was heard comes next there"
    after = rows["Piano", VOCABULARY.id("pitch", "Note_Pitch_60")]
    assert VOCABULARY.value("barbeat", int(after[COLUMN["barbeat"]])) == "Beat_6", "nothing began there: the next place"
    assert {int(row[-1]) for row in rows.values()} == {1}


def test_likeness_is_counted_in_quarters() -> None:
    assert [likeness(hits, 8) for hits in range(9)] == [1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert likeness(0, 0) == 0


def test_sources_take_the_place_of_the_bars_own() -> None:
    other = (GridNote(0, 65, 4, 80, "melody"),)
    words = bars_of(FIGURE, other, ()).astype(np.int64)[:-2]
    pitches = {}
    for source in (0, 1, None):
        recall = Recall(VOCABULARY, (1,), sources={2: (source,)}, likenesses={2: (2,)})
        last = [recall.hear(word)[0] for word in [*words, *bars_of(FIGURE)[2:5].astype(np.int64)]][-1]
        pitches[source] = VOCABULARY.value("pitch", int(last[COLUMN["pitch"]]))
        assert last[-1] == (0 if source is None else 2)
        assert last[-2] < FIRM
    for level in range(CLEAR, LIKENESS + 1):
        sure = Recall(VOCABULARY, (1,), sources={2: (0,)}, likenesses={2: (level,)})
        rows = [sure.hear(word)[0] for word in [*words, *bars_of(FIGURE)[2:5].astype(np.int64)]]
        assert rows[-1][-2] == FIRM, "told to be clearly as that was, it trusts from the first word on"
    assert pitches == {0: "Note_Pitch_72", 1: "Note_Pitch_65", None: 0}


@given(st.lists(st.sampled_from([None, -8, -3, 0, 5, THEME, THEME + 7]), max_size=60).map(tuple), st.integers(0, 99))
def test_what_returns_returns_varied_but_for_a_theme_that_was_asked_for(sources: Form, seed: int) -> None:
    levels = alike(sources, np.random.default_rng(seed))
    assert len(levels) == len(sources)
    for source, level in zip(sources, levels, strict=True):
        assert level == 0 if source is None else LIKENESS >= level >= (LIKENESS if source <= THEME + 7 else CLEAR)
    assert levels == alike(sources, np.random.default_rng(seed))


@pytest.mark.parametrize(("back", "share"), [(4, SOON), (8, LATER), (20, LATER)])
def test_returns_are_as_like_as_in_songs_and_their_bars_go_together(back: int, share: float) -> None:
    first = (None,) * back
    levels = [alike((*first, *range(4)), np.random.default_rng(seed))[back:] for seed in range(4000)]
    assert abs(np.mean([row == LIKENESS for bars in levels for row in bars]) - share) < 0.02
    after = {level: [b == LIKENESS for bars in levels for a, b in pairwise(bars) if a == level] for level in (CLEAR, LIKENESS)}
    assert abs(np.mean(after[LIKENESS]) - np.mean(after[CLEAR]) - HELD) < 0.04


def planned(
    brief: Brief, form: Form, first: int, notes: Sequence[Note] = (), likenesses: Sequence[int] = ()
) -> tuple[Recall, int]:
    """What is recalled in a window, and how many bars of it were heard before."""
    planner = Planner(brief, "C:maj", VOCABULARY, (), form, likenesses)
    recall = planner.recall((8, 4), first, notes, ())
    heard = 0
    for word in planner.primer(first, notes, ()):
        recall.hear(word)
        heard += int(word[COLUMN["type"]] == VOCABULARY.id("type", "Bar"))
    return recall, heard


def following(recall: Recall) -> list[str | int]:
    """The highest pitch that each slot recalls at the start of the next bar; how alike it is told to be comes after it."""
    out: list[str | int] = []
    start = list(bars_of(FIGURE).astype(np.int64)[1:5])  # bar, controls, place, how many notes
    rows = [recall.hear(word) for word in start][-1]
    for row in rows:
        out += [VOCABULARY.value("pitch", int(row[COLUMN["pitch"]])), int(row[-1])]
    return out


def theme(bar: int, pitch: int) -> tuple[Note, ...]:
    return (Note(Fraction(4 * bar), pitch, Fraction(1), 90, "melody"),)


def test_a_form_says_what_is_recalled_and_how_alike() -> None:
    notes = tuple(note for bar in range(12) for note in theme(bar, 60 + bar))
    new = (None,) * 12
    recall, heard = planned(steady(16), (*new, 4, None, None, None), 12, notes)
    assert heard == CONTEXT_BARS
    assert following(recall) == ["Note_Pitch_64", LIKENESS, "Note_Pitch_68", 0], "eight bars back, and the other is left open"
    recall, _ = planned(steady(16), (*new, 4, None, None, None), 12, notes, (*(0,) * 12, CLEAR, 0, 0, 0))
    assert following(recall) == ["Note_Pitch_64", CLEAR, "Note_Pitch_68", 0], "as much as it is told"
    recall, _ = planned(steady(16), (*new, 8, None, None, None), 12, notes)
    assert following(recall) == ["Note_Pitch_64", 0, "Note_Pitch_68", LIKENESS], "four bars back"
    recall, _ = planned(steady(16), (*new, 0, None, None, None), 12, notes)
    assert following(recall) == ["Note_Pitch_60", LIKENESS, "Note_Pitch_68", 0], "twelve bars back, in the first slot"
    recall, _ = planned(steady(16), (*new, None, None, None, None), 12, notes)
    assert following(recall) == ["Note_Pitch_64", 0, "Note_Pitch_68", 0], "new: whether something of them returns is open"
    recall, _ = planned(replace(steady(16), theme=Theme()), (None,) * 16, 12, notes)
    assert following(recall) == ["Note_Pitch_64", 1, "Note_Pitch_68", 1], "nothing returns: told that it is not as those were"
    recall, _ = planned(steady(16), (), 12, notes)
    assert following(recall) == ["Note_Pitch_64", 0, "Note_Pitch_68", 0], "no form: nothing is told"


def test_a_long_cue_recalls_no_more_than_it_needs() -> None:
    notes = tuple(note for bar in range(240) for note in theme(bar, 50 + bar % 40))
    sources = (*(None,) * 240, 3, None, None, None)
    recall, _ = planned(steady(244), sources, 240, notes)
    assert recall._before < 20
    assert following(recall) == ["Note_Pitch_53", LIKENESS, f"Note_Pitch_{50 + 236 % 40}", 0]


def test_a_theme_is_recalled_where_the_form_says_so() -> None:
    told = Theme(tuple(replace(note, pitch=40 + k) for k in range(8) for note in theme(k, 0)), (Fraction(4),) * 8)
    brief = replace(steady(8), theme=told, before=tuple(note for bar in range(-8, 0) for note in theme(bar, 72 + bar)))
    recall, _ = planned(brief, form(brief, np.random.default_rng(0), RETURNS), 0)
    assert following(recall) == ["Note_Pitch_40", LIKENESS, "Note_Pitch_68", 0]


def test_what_was_played_before_the_cue_is_recalled() -> None:
    brief = replace(steady(4), before=tuple(note for bar in range(-8, 0) for note in theme(bar, 72 + bar)))
    recall, heard = planned(brief, (-8, -7, -6, -5), 0)
    assert heard == CONTEXT_BARS
    assert following(recall) == ["Note_Pitch_64", LIKENESS, "Note_Pitch_68", 0]
    recall, _ = planned(replace(brief, before=played(3)), (None,) * 4, 0)
    assert following(recall) == [0, 0, 0, 0], "so far back nothing was played"


def test_windows_recall_their_own_song(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "001").symlink_to(shared / "data" / "pop909" / "001")
    windows = Windows(build_corpus(tmp_path, False), carry=True, recalls=(8, 4))
    rng, told, reached = np.random.default_rng(0), set(), 0
    for _ in range(40):
        heard, meant, known = windows.draw(rng, 400)
        assert known.shape == (len(meant), 2, meant.shape[1] + MORE)
        assert heard.shape == meant.shape
        told |= set(known[..., -1].ravel())
        first = int(np.flatnonzero(meant[:, COLUMN["density"]])[0])
        reached += int(known[first, 0].any())
    assert told == set(range(LIKENESS + 1))
    assert 3 < reached < 30, "bars before a window are recalled about half the time"
    words, _ = windows.window(20, 4, 3)
    earlier = np.delete(windows.window(12, 8, 3)[0][1:-2], COLUMN["time"], 1)
    assert np.array_equal(np.delete(windows.before(20, 8, 3), COLUMN["time"], 1), earlier)
    assert len(windows.before(0, 8)) == 0
    assert windows.recalled(words, windows.before(20, 8, 3))[3, 0].any()


def test_a_network_hears_what_is_recalled() -> None:
    torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")
    from engines.bmt.network import BMTConfig, BMTransformer

    torch.manual_seed(0)
    config = BMTConfig(width=32, layers=2, heads=2, feedforward=48, positions=128, dropout=0.0, carry=True, recalls=(2,))
    network, plain = BMTransformer(config).eval(), BMTransformer(replace(config, recalls=())).eval()
    plain.load_state_dict({name: value for name, value in network.state_dict().items() if name in plain.state_dict()})
    words = bars_of(FIGURE, (), FIGURE)
    heard, known = (torch.from_numpy(a.astype(np.int64))[None] for a in (words, recalled(words, VOCABULARY, (2,))))
    with torch.no_grad():
        assert torch.equal(network.hear(heard, known), plain.hear(heard)), "before it has learned to, it hears nothing of it"
        torch.nn.init.normal_(network.recall_linear.weight)
        at_once = network.hear(heard, known)[0]
        assert float((at_once - plain.hear(heard)[0]).abs().max()) > 0.1
        s, z = network.empty_state(1)
        for k in range(heard.shape[1]):
            out, s, z = network.step(heard[:, k], torch.tensor([k]), s, z, known[:, k])
            assert torch.allclose(out[0], at_once[k], atol=1e-4)


def test_what_is_recalled_can_be_copied_by_a_word_of_its_type() -> None:
    torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")
    from engines.bmt.network import BMTConfig, BMTransformer

    torch.manual_seed(1)
    config = BMTConfig(width=32, layers=1, heads=2, feedforward=48, positions=128, dropout=0.0, carry=True, recalls=(2, 1))
    network = BMTransformer(config).eval()
    words = bars_of(FIGURE, (GridNote(4, 60, 2, 70),), FIGURE)
    heard, known = (torch.from_numpy(a.astype(np.int64))[None] for a in (words, recalled(words, VOCABULARY, (2, 1))))
    with torch.no_grad():
        features = network.hear(heard, known)[0]
        before = network.type_logits(features, known[0]), network.all_logits(features, known[0])
        assert torch.equal(before[0], network.type_logits(features))
        assert torch.equal(before[1], network.all_logits(features)), "nothing is copied before it has learned to"
        for part in (network.copy_table.weight, *network.copy_fields.parameters(), *network.copy_type.parameters()):
            torch.nn.init.normal_(part)
        after = network.type_logits(features, known[0]), network.all_logits(features, known[0])
        change = after[0] - before[0]
        for row, recall in zip(change, known[0], strict=True):
            told = {int(slot[COLUMN["type"]]) for slot in recall} - {0}
            assert set(row.nonzero().flatten().tolist()) == told
        start = 0
        for name in network.head_order:
            size = len(VOCABULARY.field(name).values)
            for kind in range(before[1].shape[1]):
                kinds = torch.full((len(features),), kind)
                given = network.given_type(features, kinds)
                alone = network.field_logits(given, name, known[0], kinds)
                assert torch.allclose(after[1][:, kind, start : start + size], alone, atol=1e-5)
                change = after[1][:, kind, start : start + size] - before[1][:, kind, start : start + size]
                for row, recall in zip(change, known[0], strict=True):
                    told = {int(slot[COLUMN[name]]) for slot in recall if int(slot[COLUMN["type"]]) == kind} - {0}
                    assert set((row.abs() > 1e-6).nonzero().flatten().tolist()) == told
            start += size
