"""The theme that a scene takes up: another scene's first bars, in its own key, from the brief to the recipe."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import scored, unscored

from engines import commands
from engines.bmt.vocabulary import KEYS
from engines.engine import BarBrief, Brief, Theme
from engines.errors import OptionError
from engines.score.harmony import pitch_in_key, scale_tones
from engines.score.metrics import best_key
from engines.score.notes import Note
from engines.session import compose
from engines.session.compose import Made
from engines.session.model import Session, Told
from engines.session.plain import plain, session_of
from engines.session.refill import Wish, refilled
from engines.session.rights import rights
from engines.session.sheet import read_sheet, sheet_text
from engines.session.theme import BARS, NOTHING, fitting, from_bar, in_turn, theme_of, without_lost
from engines.session.working import brief_json
from engines.spotting.tempo import Metre
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


def test_the_key_of_a_take_in_parts_is_the_one_that_is_heard(trio: str) -> None:
    session = start()
    first = session.take(session.scenes[0])[1]
    whole = theme_of(told(session, 3, "1"), session.spans[2])
    name = session.scenes[0].chosen or ""
    lied = replace(session, takes={**session.takes, name: replace(first, facts={**first.facts, "key": "C:min"})}, key="C:min")
    one_piece = theme_of(told(lied, 3, "1"), lied.spans[2])
    assert one_piece == whole, "its recipe says that it is in this key already"
    parted = replace(lied, takes={**lied.takes, name: replace(lied.takes[name], orders=())})
    heard = best_key([row.note for row in first.notes if row.note.start < sum(whole.lengths if whole else ())])
    moved = theme_of(told(parted, 3, "1"), parted.spans[2])
    assert heard not in (None, "C:min")
    assert moved is not None
    assert whole is not None
    assert [n.pitch for n in moved.notes] == [pitch_in_key(n.pitch, str(heard), "C:min") for n in whole.notes]


def test_a_theme_that_fits_no_bar_is_said_and_left(trio: str) -> None:
    waltz = commands.Tell(Told(metre=Metre(5, 4), theme="1"), 3).do(start(), Watch())
    watch = Watch()
    _, take = refilled(waltz, Wish(3), watch)
    assert [order.brief.theme for order in take.orders] == [None]
    assert watch.said == ["scene 3 cannot take up its theme: no bar is as long as those of the theme"]
    silent = replace(start(), takes={n: replace(t, notes=() if t.scene == "s1" else t.notes) for n, t in start().takes.items()})
    watch = Watch()
    _, take = refilled(told(silent, 3, "1"), Wish(3), watch)
    assert watch.said == ["scene 3 cannot take up its theme: nothing is played there"]
    assert [order.brief.theme for order in take.orders] == [None]


@given(st.integers(36, 96), st.integers(30, 90))
def test_a_theme_comes_in_the_octave_that_the_brief_asks_for(asked: int, middle: int) -> None:
    theme = Theme(tuple(Note(Fraction(k), middle + k - 2, Fraction(1), 80) for k in range(4)), (Fraction(4),))
    found, why = fitting(theme, Brief((BarBrief(Fraction(0), Fraction(4), register=asked),)))
    assert why is None
    assert found is not None
    assert {(new.pitch - old.pitch) % 12 for new, old in zip(found.notes, theme.notes, strict=True)} == {0}
    assert abs(fmean(n.pitch for n in found.notes) - asked) <= 6.01
    assert fitting(theme, Brief((BarBrief(Fraction(0), Fraction(4)),))) == (theme, None)


def test_all_scenes_are_composed_behind_those_whose_themes_they_take_up(trio: str) -> None:
    session = told(replace(unscored(), engine="trio"), 1, "3")
    assert [span.number for span in in_turn(session)] == [3, 1, 2]
    scored_one = commands.Score(seed=5).do(session, Watch())
    assert all(scene.chosen for scene in scored_one.scenes)
    (order,) = scored_one.take(scored_one.scenes[0])[1].orders
    assert order.brief.theme is not None
    assert order.brief.theme.notes
    ring = told(told(told(unscored(), 1, "2"), 2, "3"), 3, "1")
    assert sorted(span.number for span in in_turn(ring)) == [1, 2, 3], "a ring has an end"
    assert [span.number for span in in_turn(told(unscored(), None, "2"))] == [2, 1, 3]


def test_a_scene_that_varies_itself_does_so_in_both_halves(trio: str) -> None:
    halves = commands.Split(4).do(told(start(), 1, "1"), Watch())
    assert halves.told[halves.scenes[0].id].theme == halves.scenes[0].id
    assert halves.told[halves.scenes[1].id].theme == halves.scenes[1].id


def test_what_was_said_before_does_not_stand_in_the_way(trio: str) -> None:
    gone = replace(start(), told={"s3": Told(theme="s77")})
    after = commands.Tell(Told(density=4), 1).do(gone, Watch())
    assert after.told == {"s3": Told(theme="s77"), "s1": Told(density=4)}
    cleaned, lost = without_lost(after)
    assert cleaned.told == {"s1": Told(density=4)}
    assert lost == [3]


def test_what_is_handed_over_names_the_theme_by_its_number(trio: str) -> None:
    session = told(commands.Split(4).do(start(), Watch()), 4, "2")
    assert session.told["s3"].theme == "s4"
    assert rights(session)["composer"] == {"scene 4": {"theme": "2"}}


def test_the_rights_name_who_composed_a_theme_that_is_no_longer_heard(trio: str) -> None:
    session = told(start(), 3, "1")
    source = session.scenes[0].chosen or ""
    models = {"pulse": "ab" * 32, "older": "cd" * 32}
    facts = {"engine": "pulse", "model": models["pulse"], "themes": [{"engine": "older", "model": models["older"]}]}
    session = replace(session, takes={**session.takes, source: replace(session.takes[source], facts=facts)})
    after, take = refilled(session, Wish(3), Watch())
    assert take.facts["themes"] == [{"engine": name, "model": digest} for name, digest in models.items()]
    silent = commands.Choose(1, None).do(after, Watch())
    named = {model["sha256"] for model in rights(silent)["models"]}
    assert named >= set(models.values())
    without, _ = refilled(told(silent, 3, NOTHING), Wish(3), Watch())
    assert not {model["sha256"] for model in rights(without)["models"]} & set(models.values()), "nothing of it is left"


def by(session: Session, scene: int, engine: str) -> Session:
    """The chosen take of a scene as if that engine had composed it, from a model of its own."""
    name = session.scenes[scene - 1].chosen or ""
    facts = {"engine": engine, "model": f"{sum(engine.encode()):064x}"}
    return replace(session, takes={**session.takes, name: replace(session.takes[name], facts=facts)})


def engines_of(session: Session) -> set[str]:
    return {model["engine"] for model in rights(session)["models"]}


def test_what_a_theme_was_built_upon_is_in_the_rights_too(trio: str) -> None:
    session, _ = refilled(by(start(), 1, "first"), Wish(1, stems=("melody",)), Watch())
    after, take = refilled(told(by(session, 1, "second"), 3, "1"), Wish(3), Watch())
    assert [row["engine"] for row in take.facts["themes"]] == ["second", "first"]
    assert engines_of(commands.Choose(1, None).do(after, Watch())) >= {"first", "second"}


@pytest.mark.parametrize(("form", "named"), [("XA", True), ("AA", False), ("Y", True), ("", False)])
def test_what_was_played_before_a_scene_is_named_where_its_form_says_so(
    trio: str, form: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def saying(*args: object, **more: object) -> Made:
        made = compose.make(*args, **more)  # type: ignore[arg-type]
        return replace(made, facts={**made.facts, "form": form})

    monkeypatch.setattr("engines.session.refill.make", saying)
    session = by(by(start(), 1, "far"), 2, "near")
    _, take = refilled(session, Wish(3), Watch())
    assert ("near" in [row["engine"] for row in take.facts.get("themes", [])]) == named


def test_scenes_that_are_split_and_joined_still_name_all(trio: str) -> None:
    session, _ = refilled(by(start(), 2, "first"), Wish(2, stems=("melody",)), Watch())
    session = by(session, 2, "second")
    split = commands.Split(session.spans[1].first + 3).do(session, Watch())
    assert engines_of(split) >= {"first", "second"}
    assert engines_of(commands.Join(1).do(session, Watch())) >= {"first", "second"}
