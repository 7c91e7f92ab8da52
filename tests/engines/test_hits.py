"""Hit points from cuts: what weighs more, what is soft, and the composer's last word."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import OptionError
from engines.picture.cut import Cut
from engines.spotting.hits import SYNC, TOGETHER, Hit, Override, hits_from_cuts, overridden, override_from_text

RATE = Fraction(24000, 1001)


def cut(frame: int, kind: str = "cut", **more: float) -> Cut:
    return Cut(frame, frame / RATE, kind, **more)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(frames=st.sets(st.integers(1, 5000), max_size=40), rate=st.sampled_from([RATE, Fraction(25), Fraction(60), Fraction(10)]))
def test_every_cut_is_one_hit_at_its_exact_time(frames: set[int], rate: Fraction) -> None:
    cuts = [Cut(frame, frame / rate) for frame in frames]
    hits = hits_from_cuts([*cuts, *cuts], rate, 5100 / rate)
    assert [hit.frame for hit in hits] == sorted(frames)
    assert all(hit.time == hit.frame / rate for hit in hits)
    assert all(0 < hit.weight <= 1 for hit in hits)
    assert all(hit.early == hit.late == min(SYNC, 1 / (2 * rate)) for hit in hits)
    hard = [hit.time for hit in hits if hit.hard]
    assert all(b - a >= TOGETHER for a, b in pairwise(hard))


def test_a_cut_out_of_a_long_take_weighs_more() -> None:
    frames = [48, 96, 144, 600, 648, 696]
    hits = {hit.frame: hit.weight for hit in hits_from_cuts([cut(f) for f in frames], RATE, 744 / RATE)}
    assert hits[144] > hits[96]
    assert hits[600] > hits[648]


def test_the_change_of_picture_weighs_too() -> None:
    strong, weak, doubtful = hits_from_cuts([cut(100), cut(200, strength=0.2), cut(300, confidence=0.3)], RATE, 400 / RATE)
    assert strong.weight > weak.weight
    assert strong.weight > doubtful.weight
    assert weak.hard
    assert not doubtful.hard


def test_mixes_are_soft_and_lighter() -> None:
    hard, dissolve, fade = hits_from_cuts([cut(100), cut(200, "dissolve"), cut(300, "fade")], RATE, 400 / RATE)
    assert (hard.hard, dissolve.hard, fade.hard) == (True, False, False)
    assert hard.weight > fade.weight > dissolve.weight


def test_of_two_cuts_close_together_the_heavier_stays_hard() -> None:
    first, second = hits_from_cuts([cut(100, strength=0.4), cut(106)], RATE, 300 / RATE)
    assert (first.hard, second.hard) == (False, True)
    alone = hits_from_cuts([cut(100, strength=0.4)], RATE, 300 / RATE)[0]
    assert first.weight < alone.weight


def test_no_cuts_no_hits() -> None:
    assert hits_from_cuts([], RATE, Fraction(10)) == ()
    assert len(hits_from_cuts([cut(100)], RATE)) == 1


def test_the_composer_has_the_last_word() -> None:
    words = [
        Override(100, weight=0.1, hard=False),
        Override(200, drop=True),
        Override(250, label="door", late=Fraction(2)),
        Override(300, early=Fraction(0), late=Fraction(3)),
    ]
    hits = {hit.frame: hit for hit in hits_from_cuts([cut(100), cut(200), cut(300)], RATE, 400 / RATE, words)}
    assert sorted(hits) == [100, 250, 300]
    assert (hits[100].weight, hits[100].hard) == (0.1, False)
    assert (hits[250].weight, hits[250].hard, hits[250].label, hits[250].time) == (1.0, True, "door", 250 / RATE)
    assert (hits[300].early, hits[300].late) == (0, 3 / RATE)
    assert hits[250].late == 2 / RATE


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("285", Override(285)),
        ("285=0.9", Override(285, weight=0.9)),
        ("285=1,hard", Override(285, weight=1.0, hard=True)),
        ("285,soft,early=0,late=3", Override(285, hard=False, early=Fraction(0), late=Fraction(3))),
        ("285,off", Override(285, drop=True)),
        ("285=0.5,late=1.5,label=the kiss", Override(285, weight=0.5, late=Fraction(3, 2), label="the kiss")),
    ],
)
def test_a_word_as_it_is_typed(text: str, word: Override) -> None:
    assert override_from_text(text) == word


@pytest.mark.parametrize(
    "text",
    ["", "now", "285=heavy", "285,loud", "285,late=soon", "285,late=1/0", "285,hard=yes", "285,late=1e99999999", "285,early=nan"],
)
def test_a_word_that_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(OptionError, match="--hit") as error:
        override_from_text(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("word", [Override(-1), Override(9, weight=2.0), Override(9, late=Fraction(-1))])
def test_an_override_out_of_range_is_refused(word: Override) -> None:
    with pytest.raises(OptionError):
        overridden([Hit(9, 9 / RATE)], [word], RATE)
