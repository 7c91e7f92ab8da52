"""The theme that a scene takes up: another scene's first bars, in its own key, from the brief to the recipe."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import scored, unscored

from engines import commands
from engines.bmt.vocabulary import KEYS
from engines.engine import Theme
from engines.errors import OptionError
from engines.score.harmony import pitch_in_key, scale_tones
from engines.score.notes import Note
from engines.session.model import Session, Told
from engines.session.plain import plain, session_of
from engines.session.refill import Wish, refilled
from engines.session.sheet import read_sheet, sheet_text
from engines.session.theme import BARS, NOTHING, from_bar, theme_of
from engines.session.working import brief_json
from engines.watch import Watch


@cache
def start() -> Session:
    return scored()


def told(session: Session, scene: int | None, theme: str) -> Session:
    return commands.Tell(Told(theme=theme), scene).do(session, Watch())


def themes(session: Session, scene: int, **more: object) -> list[Theme | None]:
    """The themes in the orders of one more take of a scene."""
    after, take = refilled(session, Wish(scene, **more), Watch())  # type: ignore[arg-type]
    assert session_of(plain(after)) == after
    return [order.brief.theme for order in take.orders]


def test_a_scene_takes_up_the_first_bars_of_another(trio: str) -> None:
    session = told(start(), 3, "1")
    assert session.told["s3"] == Told(theme="s1")
    (theme,) = themes(session, 3)
    first = session.take(session.scenes[0])[1]
    assert theme is not None
    assert theme.lengths == tuple(bar.metre.length for bar in session.spans[0].bars)[:BARS]
    assert theme.notes == tuple(row.note for row in first.notes if row.note.start < sum(theme.lengths))
    assert themes(start(), 3) == [None], "nothing was said"
    assert themes(told(start(), 3, "None"), 3) == [Theme()]


def test_a_part_of_a_scene_takes_up_the_same_part_of_the_theme(trio: str) -> None:
    session = told(start(), 3, "1")
    (whole,) = themes(session, 3)
    parts = themes(session, 3, bars=((14, 14), (16, 17)))
    assert parts == [from_bar(whole, 0), from_bar(whole, 2)]
    assert whole is not None
    assert parts[1] is not None
    line = sum(whole.lengths[:2])
    assert parts[1].lengths == whole.lengths[2:]
    assert {replace(n, start=n.start + line) for n in parts[1].notes} == {n for n in whole.notes if n.start >= line}
    assert from_bar(whole, len(whole.lengths)) is None, "behind its last bar there is none"
    assert from_bar(Theme(), 5) == Theme()


def test_it_comes_in_the_key_of_its_scene(trio: str) -> None:
    session = commands.Tell(Told(theme="1", key="A:min"), 3).do(start(), Watch())
    (moved,), (plain_theme,) = themes(session, 3), themes(told(start(), 3, "1"), 3)
    assert moved is not None
    assert plain_theme is not None
    assert [n.pitch for n in moved.notes] == [pitch_in_key(n.pitch, "C:maj", "A:min") for n in plain_theme.notes]
    assert moved != plain_theme
    assert [(n.start, n.length) for n in moved.notes] == [(n.start, n.length) for n in plain_theme.notes]


@given(st.integers(0, 127), st.sampled_from(KEYS), st.sampled_from(KEYS))
def test_degrees_stay_degrees(pitch: int, old: str, new: str) -> None:
    moved = pitch_in_key(pitch, old, new)
    assert 0 <= moved <= 127
    assert abs(moved - pitch) <= 12
    scales = scale_tones(old), scale_tones(new)
    assert scales[0] is not None
    assert scales[1] is not None
    if pitch % 12 in scales[0]:
        assert moved % 12 in scales[1]
        if 12 <= pitch <= 115:
            assert pitch_in_key(moved, new, old) % 12 == pitch % 12
    assert pitch_in_key(pitch, old, old) == pitch


def test_said_of_the_cue_it_holds_for_every_scene_but_its_own_before_it_is_there(trio: str) -> None:
    session = told(unscored(), None, "1")
    assert theme_of(session, session.spans[0]) is None, "it has nothing yet to take up"
    session, _ = refilled(session, Wish(1), Watch())
    own = theme_of(session, session.spans[0])
    assert own is not None, "another take varies the one that is heard"
    assert own.notes
    assert theme_of(session, session.spans[1]) == own
    assert theme_of(told(session, 2, NOTHING), session.spans[1]) == Theme()


def test_what_cannot_be_is_said_in_one_line(trio: str) -> None:
    for text in ("9", "0", "chorus", ""):
        with pytest.raises(OptionError, match="is no scene") as caught:
            told(start(), 3, text)
        assert "1 to 3" in str(caught.value)
    with pytest.raises(OptionError, match="no theme of its own"):
        commands.Tell(Told(theme="1"), 3, 15).do(start(), Watch())
    empty = told(replace(unscored(), engine="trio"), 3, "1")
    with pytest.raises(OptionError, match="scene 1 has no take") as caught:
        refilled(empty, Wish(3), Watch())
    assert "refill --scene 1" in str(caught.value)
    gone = replace(start(), told={"s3": Told(theme="s77")})
    with pytest.raises(OptionError, match="is gone") as caught:
        refilled(gone, Wish(3), Watch())
    assert "name another theme" in str(caught.value)


def test_a_silent_scene_still_has_its_theme(trio: str) -> None:
    session = told(commands.Choose(1, None).do(start(), Watch()), 3, "1")
    assert themes(session, 3) == themes(told(start(), 3, "1"), 3)


def test_scenes_that_are_split_and_joined_keep_their_themes(trio: str) -> None:
    session = told(told(start(), 3, "2"), 1, NOTHING)
    joined = commands.Join(1).do(session, Watch())
    assert joined.told["s3"].theme == "s1", "the scene that was the theme's is a part of that one now"
    split = commands.Split(10).do(session, Watch())
    assert split.told["s3"].theme == "s2"
    assert brief_json(split)["scenes"][3]["composer"] == {"theme": "2"}
    early = commands.Split(4).do(session, Watch())
    assert brief_json(early)["scenes"][3]["composer"] == {"theme": "3"}, "its number now"


def test_the_sheet_names_scenes_by_their_numbers(trio: str) -> None:
    session = told(told(start(), 3, "1"), None, NOTHING)
    text = sheet_text(session)
    assert 'theme = "none"' in text
    assert "\ntheme = 1\n" in text
    assert read_sheet(session, text) == session.told
    with pytest.raises(OptionError, match=r"my\.toml \[scene\.2\] theme"):
        read_sheet(session, "[scene.2]\ntheme = 12\n", "my.toml")
    with pytest.raises(OptionError, match="is not a value for it"):
        read_sheet(session, "[scene.2]\ntheme = 1.5\n")


def test_a_theme_is_a_part_of_the_recipe(trio: str) -> None:
    session = told(start(), 3, "1")
    after, take = refilled(session, Wish(3), Watch())
    other = replace(after, told={})
    assert other.takes[after.scenes[2].chosen or ""].orders[0].brief.theme == take.orders[0].brief.theme
    assert isinstance(take.orders[0].brief.theme, Theme)
    assert all(isinstance(note, Note) and isinstance(note.start, Fraction) for note in take.orders[0].brief.theme.notes)
