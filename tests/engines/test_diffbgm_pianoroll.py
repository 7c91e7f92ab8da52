"""Rolls: notes come back as they were, and the published rules of what is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.bmt.tokens import GridNote
from engines.diffbgm.data import Notes, paint_arrays
from engines.diffbgm.pianoroll import OURS, PAPER, PUBLISHED_VELOCITY, STEPS, Layout, paint, read
from engines.score.notes import STEMS


def test_the_published_roll_has_two_layers_of_128_by_128() -> None:
    assert PAPER.shape == (2, 128, 128)
    roll = paint([GridNote(3, 60, 4, 90, "melody"), GridNote(3, 64, 1, 90, "piano")], PAPER)
    assert roll.dtype == np.float32
    assert np.argwhere(roll[0]).tolist() == [[3, 60], [3, 64]]
    assert np.argwhere(roll[1]).tolist() == [[4, 60], [5, 60], [6, 60]]
    assert set(np.unique(roll)) == {0.0, 1.0}


def test_what_the_published_roll_loses() -> None:
    notes = [GridNote(-2, 50, 8, 90), GridNote(128, 51, 4, 90), GridNote(126, 52, 9, 90, "bridge")]
    assert read(paint(notes, PAPER), PAPER) == [GridNote(126, 52, 2, PUBLISHED_VELOCITY, "piano")]


def test_sustain_alone_is_no_note_and_half_is_silence() -> None:
    roll = np.zeros(PAPER.shape, np.float32)
    roll[1, 4:9, 60] = 1
    assert read(roll, PAPER) == []
    roll[0, 0, 30] = 0.5
    assert read(roll, PAPER) == []
    roll[0, 0, 30] = 0.51
    assert [n.pitch for n in read(roll, PAPER)] == [30]


def test_a_new_onset_ends_a_note_only_where_asked() -> None:
    roll = paint([GridNote(0, 60, 8, 80), GridNote(4, 60, 2, 80)], PAPER)
    assert [(n.step, n.length) for n in read(roll, PAPER)] == [(0, 8), (4, 4)]
    assert [(n.step, n.length) for n in read(roll, PAPER, held_by_onset=True)] == [(0, 4), (4, 4)]


def test_ours_keeps_stems_and_velocities() -> None:
    assert OURS.shape == (7, 128, 84)
    notes = [GridNote(8 * k, 60 + k, 3, 40 + 20 * k, stem) for k, stem in enumerate(STEMS)]
    assert read(paint(notes, OURS), OURS) == notes


@pytest.mark.parametrize(("pitch", "heard"), [(21, 33), (106, 94), (22, 22), (105, 105), (0, 24), (127, 103)])
def test_pitches_outside_move_by_octaves(pitch: int, heard: int) -> None:
    assert read(paint([GridNote(0, pitch, 1, 80)], OURS), OURS)[0].pitch == heard


grid_notes = st.builds(
    GridNote,
    st.integers(0, STEPS - 1),
    st.integers(22, 105),
    st.integers(1, 16),
    st.integers(1, 127),
    st.sampled_from(STEMS),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(grid_notes, max_size=30))
def test_notes_that_do_not_meet_come_back(found: list[GridNote]) -> None:
    free: dict[tuple[str, int], int] = {}
    cells: set[tuple[int, int]] = set()
    notes = []
    for n in sorted(found):
        # one velocity a cell, whatever the stem
        if free.get((n.stem, n.pitch), -1) < n.step and (n.step, n.pitch) not in cells:
            free[n.stem, n.pitch] = n.step + n.length
            cells.add((n.step, n.pitch))
            notes.append(n)
    back = read(paint(notes, OURS), OURS)
    assert [(n.step, n.pitch, n.velocity, n.stem) for n in back] == [(n.step, n.pitch, n.velocity, n.stem) for n in notes]
    assert [n.length for n in back] == [min(n.length, STEPS - n.step) for n in notes]


@settings(max_examples=30, deadline=None)
@given(st.lists(grid_notes, max_size=30), st.sampled_from([OURS, PAPER]), st.integers(-6, 5))
def test_arrays_paint_what_notes_paint(found: list[GridNote], layout: Layout, semitones: int) -> None:
    moved = [GridNote(n.step, n.pitch + semitones, n.length, n.velocity, n.stem) for n in found]
    columns = [[n.step, n.pitch, n.length, n.velocity, STEMS.index(n.stem)] for n in moved]
    arrays = Notes(*np.array(columns, np.int64).reshape(-1, 5).T)
    assert np.array_equal(paint_arrays(arrays, layout), paint(moved, layout))
