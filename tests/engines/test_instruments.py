"""Notes that can be played: in range, one at a time on a pitch, and around those that are kept."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import OptionError
from engines.score.instruments import INSTRUMENTS, instrument, playable
from engines.score.notes import Note

F = Fraction


def note(start: str, pitch: int = 60, length: str = "1", velocity: int = 80, stem: str = "piano") -> Note:
    return Note(F(start), pitch, F(length), velocity, stem)


def test_a_pitch_that_is_struck_again_is_released_first() -> None:
    assert playable([note("0", length="3"), note("1"), note("5/2")]) == (note("0"), note("1"), note("5/2"))


def test_notes_that_start_together_become_one() -> None:
    made = playable([note("0", length="1/2", velocity=90), note("1/64", length="2", velocity=40)])
    assert made == (note("0", length="129/64", velocity=90),)


def test_other_stems_and_pitches_do_not_matter() -> None:
    notes = (note("0"), note("0", 61), note("1/2", stem="melody"))
    assert playable(notes) == notes


@pytest.mark.parametrize(("pitch", "played"), [(59, 71), (40, 64), (98, 98), (99, 87), (127, 91), (0, 60)])
def test_out_of_range_moves_by_octaves(pitch: int, played: int) -> None:
    assert [n.pitch for n in playable([note("0", pitch)], {"piano": INSTRUMENTS["flute"]})] == [played]


def test_kept_notes_stay_and_others_give_way() -> None:
    kept = note("1", 2, "1")  # below any piano: the composer's own
    assert playable([kept], keep=[kept]) == (kept,)
    kept = note("1")
    assert playable([note("0", length="3"), kept, note("3/2"), note("2")], keep=[kept]) == (note("0"), kept, note("2"))
    assert playable([note("0", length="3")], keep=[kept]) == (note("0", length="3"),)  # what is not there keeps nothing away


def test_instruments_by_name() -> None:
    assert instrument("cello").program == 42
    with pytest.raises(OptionError, match="no instrument is named 'kazoo'; choose one of: bass guitar"):
        instrument("kazoo")
    assert all(0 <= i.program <= 127 and 0 <= i.low < i.high - 12 for i in INSTRUMENTS.values())


drawn = st.builds(
    Note,
    st.fractions(0, 8, max_denominator=64),
    st.integers(56, 64),
    st.fractions(0, 4, max_denominator=64),
    st.integers(0, 127),
    st.sampled_from(["melody", "piano"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(drawn, max_size=30), st.lists(drawn.filter(lambda n: n.length > 0), max_size=6))
def test_nothing_overlaps_and_doing_it_again_changes_nothing(notes: list[Note], wanted: list[Note]) -> None:
    keep: list[Note] = []
    for n in sorted(wanted):
        if not any((k.stem, k.pitch) == (n.stem, n.pitch) and k.end > n.start for k in keep):
            keep.append(n)
    made = playable(notes + keep, keep=keep)
    assert set(keep) <= set(made)
    assert playable(made, keep=keep) == made
    assert list(made) == sorted(made)
    for line in {(n.stem, n.pitch) for n in made}:
        assert all(a.end <= b.start for a, b in pairwise(n for n in made if (n.stem, n.pitch) == line))
    assert all(n.length >= F(1, 32) for n in made if n not in keep)
