"""Groups of pictures learnt while decoding: whether going on gives a frame sooner than a search."""

from __future__ import annotations

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st
from sittings import few

from desktop.groups import NEAR, Groups


def test_within_a_known_group_it_goes_on_and_over_a_key_frame_it_searches() -> None:
    groups = Groups()
    for k in range(100, 301):
        groups.met(k, k == 100, k == 100)
    groups.met(301, True, False)
    assert groups.worth(150, 290)
    assert not groups.worth(150, 330)
    assert groups.worth(290, 290 + NEAR)
    assert not groups.worth(150, 140)
    assert not groups.worth(-1, 5)


def test_where_nothing_is_known_it_goes_on_for_half_a_group() -> None:
    groups = Groups()
    for k in range(101):
        groups.met(k, k == 0, k == 0)
    assert groups.worth(100, 150)
    assert not groups.worth(100, 151)


@few(60)
@given(keys=st.sets(st.integers(1, 300), max_size=8), runs=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 80)), max_size=6),
       at=st.integers(0, 300), goal=st.integers(0, 300))  # fmt: skip
def test_it_never_goes_on_over_a_key_frame_that_it_has_met(
    keys: set[int], runs: list[tuple[int, int]], at: int, goal: int
) -> None:
    groups, real, met = Groups(), sorted(keys | {0}), set()
    for start, length in runs:
        first = real[bisect_right(real, start) - 1]
        for k in range(first, first + length + 1):
            groups.met(k, k in real, k == first)
            met |= {k} & set(real)
    if groups.worth(at, goal) and goal - at > NEAR:
        assert not any(at < key <= goal for key in met)
