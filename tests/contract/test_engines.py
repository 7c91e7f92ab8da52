"""What every engine owes, whatever its weights: run for each engine of the list, on the weights that ship and on random ones."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from engines.engine import ENGINES, BarBrief, Brief, Engine, HitBrief, load_engine
from engines.errors import Cancelled, OptionError
from engines.runtime import repository
from engines.score.notes import STEMS, Note, Take

CASES = [(name, weights) for name in sorted(ENGINES) for weights in ("shipped", "random")]


# every window of Diff-BGM is drawn whole, however short the brief: its shipped weights are asked for by name (-m slow)
SLOW = {("diffbgm", "shipped")}


@pytest.fixture(params=[pytest.param(case, marks=[pytest.mark.slow] if case in SLOW else []) for case in CASES], ids="-".join)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    name, weights = request.param
    if weights == "random":
        # a network that knows nothing says anything: what is owed is owed by the code
        small = {"bmt": "small_models", "diffbgm": "small_diffbgm_models"}
        monkeypatch.setenv("HITPOINT_MODELS", str(request.getfixturevalue(small[name])))
    elif not (repository() / name / "card.toml").is_file():
        pytest.skip(f"no {name} in the model repository {Path(repository()).name!r}")
    return load_engine(name, "cpu")


def bars(count: int, metre: tuple[int, int] = (4, 4), start: int = 0, **fixed: object) -> tuple[BarBrief, ...]:
    length = Fraction(4 * metre[0], metre[1])
    return tuple(BarBrief(start + k * length, length, metre, 96.0, **fixed) for k in range(count))  # type: ignore[arg-type]


def onsets(take: Take, bar: BarBrief) -> set[Fraction]:
    return {n.start for n in take.notes if bar.start <= n.start < bar.start + bar.length}


def assert_playable(take: Take, brief: Brief) -> None:
    """Inside the bars, in range, on a stem that may be written, and never twice at once on one pitch."""
    begin, end = brief.bars[0].start, brief.bars[-1].start + brief.bars[-1].length
    voices: defaultdict[tuple[str, int], list[Note]] = defaultdict(list)
    for note in take.notes:
        assert begin <= note.start < note.end <= end
        assert 21 <= note.pitch <= 108, "a piano's range"
        assert 1 <= note.velocity <= 127
        assert note.stem in brief.stems
        voices[note.stem, note.pitch].append(note)
    for voice in voices.values():
        for before, after in itertools.pairwise(voice):
            assert before.end <= after.start
    assert list(take.notes) == sorted(take.notes)
    for beat, _ in take.chords:
        assert begin <= beat < end
    assert all(a[0] < b[0] and a[1] != b[1] for a, b in zip(take.chords, take.chords[1:], strict=False))


def test_the_same_seed_gives_the_same_notes(engine: Engine) -> None:
    brief = Brief(bars(3, density=4), mood=1)
    first, again = engine.compose(brief, 7), engine.compose(brief, 7)
    assert first.notes == again.notes
    assert first.chords == again.chords
    assert first.recipe == again.recipe
    assert first.recipe["seed"] == 7
    assert first.recipe["engine"] == engine.name


def test_other_seeds_give_other_notes(engine: Engine) -> None:
    brief = Brief(bars(2, density=4))
    assert len({engine.compose(brief, seed).notes for seed in range(3)}) == 3


def test_notes_are_playable(engine: Engine) -> None:
    brief = Brief(bars(4), mood=3, key="A:min")
    take = engine.compose(brief, 1)
    assert take.notes
    assert_playable(take, brief)


@pytest.mark.parametrize("metre", [(7, 8), (5, 4), (3, 4), (2, 4), (6, 4), (9, 8), (1, 8)], ids=lambda m: f"{m[0]}-{m[1]}")
def test_odd_bars(engine: Engine, metre: tuple[int, int]) -> None:
    length = Fraction(4 * metre[0], metre[1])
    asked = [min(n, int(4 * length)) for n in (3, 1, 5)]
    told = tuple(BarBrief(2 + k * length, length, metre, 90.0, density=n) for k, n in enumerate(asked))
    hits = (HitBrief(2 + length / 2), HitBrief(2 + length), HitBrief(2 + 3 * length - Fraction(1, 4)))
    on_grid = [hit.beat for hit in hits if (4 * (hit.beat - 2)).denominator == 1]
    take = engine.compose(Brief(told, hits), 4)
    assert_playable(take, Brief(told))
    for bar, n in zip(told, asked, strict=True):
        forced = {beat for beat in on_grid if bar.start <= beat < bar.start + bar.length}
        assert len(onsets(take, bar)) == max(n, len(forced))
        assert forced <= onsets(take, bar)


def test_bars_of_many_metres_in_a_row(engine: Engine) -> None:
    at, told = Fraction(0), []
    for metre in ((4, 4), (7, 8), (2, 4), (5, 8), (12, 8)):
        told.append(BarBrief(at, Fraction(4 * metre[0], metre[1]), metre, 120.0, density=2))
        at += told[-1].length
    take = engine.compose(Brief(tuple(told)), 2)
    assert_playable(take, Brief(tuple(told)))
    assert [len(onsets(take, bar)) for bar in told] == [2] * 5


def test_empty_bars_are_empty(engine: Engine) -> None:
    told = tuple(BarBrief(Fraction(4 * k), Fraction(4), density=0 if k in (0, 2) else 3) for k in range(4))
    take = engine.compose(Brief(told), 5)
    assert [len(onsets(take, bar)) for bar in told] == [0, 3, 0, 3]
    assert not engine.compose(Brief(bars(2, density=0)), 1).notes


@pytest.mark.parametrize("density", [1, 2, 7, 16])
def test_the_density_asked_is_the_density_given(engine: Engine, density: int) -> None:
    told = bars(2, density=density)
    take = engine.compose(Brief(told), density)
    assert [len(onsets(take, bar)) for bar in told] == [density] * 2


def test_hard_hits_have_an_onset(engine: Engine) -> None:
    told = bars(4, density=3)
    beats = [Fraction(0), Fraction(5, 4), Fraction(13, 2), Fraction(27, 4), Fraction(8), Fraction(63, 4)]
    hits = tuple(HitBrief(beat, 0.2 * k) for k, beat in enumerate(beats))
    take = engine.compose(Brief(told, hits), 3)
    assert set(beats) <= {n.start for n in take.notes}
    assert [len(onsets(take, bar)) for bar in told] == [3] * 4


def test_a_strong_hit_is_thicker_than_a_single_note(engine: Engine) -> None:
    take = engine.compose(Brief(bars(2, density=2), (HitBrief(Fraction(2), 1.0), HitBrief(Fraction(6), 0.0))), 3)
    sounding = [sum(n.start == beat for n in take.notes) for beat in (2, 6)]
    assert sounding[0] >= 4
    assert sounding[1] >= 2


def test_a_hit_in_a_bar_that_should_be_empty_still_sounds(engine: Engine) -> None:
    take = engine.compose(Brief(bars(2, density=0), (HitBrief(Fraction(4)),)), 3)
    assert {n.start for n in take.notes} == {Fraction(4)}


@pytest.mark.parametrize("stems", [("melody",), ("bridge", "piano"), ("piano",)])
def test_only_the_stems_asked_for(engine: Engine, stems: tuple[str, ...]) -> None:
    brief = Brief(bars(2, density=5), stems=stems)
    take = engine.compose(brief, 2)
    assert_playable(take, brief)
    assert take.notes


KEPT = (
    Note(Fraction(1), 60, Fraction(3), 91, "piano"),
    Note(Fraction(1), 72, Fraction(1, 3), 47, "melody"),
    Note(Fraction(17, 3), 67, Fraction(9, 7), 101, "bridge"),
    Note(Fraction(13, 2) + Fraction(1, 97), 30, Fraction(5), 3, "piano"),
    Note(Fraction(31, 4), 108, Fraction(1, 8), 127, "melody"),
)


def test_kept_notes_come_back_bit_identical(engine: Engine) -> None:
    brief = Brief(bars(3, density=4), (HitBrief(Fraction(9)),))
    take = engine.compose(brief, 6, keep=KEPT)
    assert [n for n in take.notes if n in KEPT] == sorted(KEPT)
    assert len(take.notes) > len(KEPT)
    assert_playable(Take(tuple(n for n in take.notes if n not in KEPT)), brief)
    for kept in KEPT:
        for note in take.notes:
            if note != kept and (note.pitch, note.stem) == (kept.pitch, kept.stem):
                assert note.end <= kept.start or note.start >= kept.end
    assert engine.compose(brief, 6, keep=KEPT) == take
    assert engine.compose(brief, 6, keep=KEPT[::-1]) == take, "the order in which notes are kept is no matter"


def test_a_whole_take_that_is_kept_stays(engine: Engine) -> None:
    brief = Brief(bars(2, density=4))
    take = engine.compose(brief, 1)
    again = engine.compose(brief, 2, keep=take.notes)
    assert set(take.notes) <= set(again.notes)
    assert [onsets(again, bar) for bar in brief.bars] == [onsets(take, bar) for bar in brief.bars], "no onset more was asked for"


def test_a_kept_note_forces_more_than_the_density(engine: Engine) -> None:
    kept = tuple(Note(Fraction(k), 60, Fraction(1), 80) for k in range(4))
    take = engine.compose(Brief(bars(1, density=2)), 1, keep=kept)
    assert {n.start for n in take.notes} == {0, 1, 2, 3}


@pytest.mark.parametrize("after", [0, 1, 20])
def test_cancelled_within_one_step(engine: Engine, after: int) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(Cancelled):
        engine.compose(Brief(bars(8, density=8)), 1, cancelled=cancelled)
    assert asked == after + 1, "nothing is asked again after a yes"


def test_progress_rises_to_its_end(engine: Engine) -> None:
    seen: list[tuple[float, float]] = []
    engine.compose(Brief(bars(14, density=1)), 1, on_progress=lambda done, total: seen.append((done, total)))
    done, totals = zip(*seen, strict=True)
    assert len(set(totals)) == 1
    assert list(done) == sorted(done)
    assert done[-1] == totals[-1] > 0
    assert len(set(done)) > 5


def test_neighbours_are_heard_and_left_alone(engine: Engine) -> None:
    told = bars(3, start=16, density=4)
    before = tuple(Note(Fraction(k, 2), 48 + k % 5, Fraction(1, 2), 80, STEMS[k % 3]) for k in range(40) if k < 32)
    after = (Note(Fraction(28), 60, Fraction(4), 80, "piano"),)
    alone = engine.compose(Brief(told), 3)
    take = engine.compose(Brief(told, before=before, after=after), 3)
    assert_playable(take, Brief(told))
    assert take.notes != alone.notes, "what came before matters"
    assert not set(take.notes) & {*before, *after}


def test_what_still_rings_is_not_struck_again(engine: Engine) -> None:
    told = bars(3, start=16, density=6)
    ringing = tuple(Note(Fraction(31, 2), pitch, Fraction(5), 70, "piano") for pitch in range(28, 97))
    takes = [engine.compose(Brief(told, before=ringing), seed) for seed in (3, 4, 5)]
    played = [note for take in takes for note in take.notes if note.stem == "piano"]
    assert played, "one of them plays the piano later on"
    assert all(note.start >= Fraction(41, 2) for note in played)


def test_a_cue_that_begins_anywhere(engine: Engine) -> None:
    for start in (-8, 3, 400):
        brief = Brief(bars(2, start=start, density=3))
        assert_playable(engine.compose(brief, 1), brief)


@pytest.mark.parametrize("key", ["C:maj", "F#:min", "Bb:maj", None])
def test_keys(engine: Engine, key: str | None) -> None:
    brief = Brief(bars(1, density=3), key=key)
    assert_playable(engine.compose(brief, 1), brief)


@pytest.mark.parametrize(
    "brief",
    [
        Brief(()),
        Brief(bars(1), key="H:maj"),
        Brief(bars(1), stems=()),
        Brief(bars(1), stems=("kazoo",)),
        Brief(bars(1, chord="Z:maj")),
        Brief((BarBrief(Fraction(0), Fraction(1, 16)),)),
        Brief((*bars(2), *bars(1))),
    ],
    ids=["no bars", "no key", "no stems", "no such stem", "no chord", "too short", "overlap"],
)
def test_what_cannot_be_is_refused_in_one_line(engine: Engine, brief: Brief) -> None:
    with pytest.raises(OptionError) as caught:
        engine.compose(brief, 1)
    assert "\n" not in str(caught.value)


@pytest.fixture
def long_cue() -> Iterator[Brief]:
    hits = tuple(HitBrief(Fraction(4 * k) + Fraction(k % 16, 4)) for k in range(0, 60, 7))
    return Brief(bars(60, density=2), hits, mood=4)


@pytest.mark.parametrize(
    "engine",
    [pytest.param(case, id="-".join(case), marks=[pytest.mark.slow] if case[1] == "shipped" else []) for case in CASES],
    indirect=True,
)
def test_a_long_cue(engine: Engine, long_cue: Brief) -> None:
    """Sixty bars: longer than the network ever heard at once."""
    take = engine.compose(long_cue, 1)
    assert_playable(take, long_cue)
    assert [len(onsets(take, bar)) for bar in long_cue.bars] == [2] * 60
    assert {hit.beat for hit in long_cue.hits} <= {n.start for n in take.notes}
