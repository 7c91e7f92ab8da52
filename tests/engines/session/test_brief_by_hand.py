"""What the composer says of a scene or a bar: told apart from the picture's word, and heard."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from sittings import scored

from engines import commands
from engines.errors import OptionError
from engines.score.smf import read_smf
from engines.session.deliver import score_of, write_cue
from engines.session.editor import edited, sheet_from
from engines.session.model import Session, Told
from engines.session.refill import Wish, refilled
from engines.session.told import THIN, said
from engines.spotting.tempo import Metre
from engines.watch import Watch


@cache
def start() -> Session:
    return scored()


def tell(session: Session, told: Told, scene: int | None = None, bar: int | None = None, forget: tuple[str, ...] = ()) -> Session:
    return commands.Tell(told, scene, bar, forget).do(session, Watch())


def test_the_narrowest_word_holds(trio: str) -> None:
    session = tell(tell(tell(start(), Told(density=2, energy=0.1)), Told(density=8), 2), Told(density=12), 2, 10)
    bars = [row.brief for span in session.spans for row in said(session, span)]
    assert [bar.density for bar in bars[5:16]] == [2 * 3 // 4 + 1, 2, 8, 8, 12, 8, 8, 8, 2, 2, 2]
    assert {bar.energy for bar in bars} == {0.1}
    again = tell(session, Told(), 2, 10, ("density",))
    assert again.told == {key: word for key, word in session.told.items() if key != "s2/3"}
    assert all(row.picture.density is None for span in session.spans for row in said(session, span))


def test_avoid_thins_and_lowers_what_is_heard(trio: str) -> None:
    loud = tell(start(), Told(density=10, energy=0.9, register=72.0), 2)
    quiet = tell(loud, Told(avoid=True), 2)
    for session, many, high in ((loud, 10, 72), (quiet, THIN["density"], THIN["register"])):
        _, take = refilled(session, Wish(2, seed=4), Watch())
        (order,) = take.orders
        assert max(bar.density or 0 for bar in order.brief.bars) == many
        bars = [[row.note for row in take.notes if bar.start <= row.note.start < bar.start + 4] for bar in order.brief.bars]
        part = "melody" if session is loud else "bridge"
        assert ("melody" in {row.note.stem for row in take.notes}) == (session is loud), "no melody under dialogue"
        places = [len({note.start for note in bar if note.stem == part}) for bar in bars]
        assert max(places) <= many + 1  # and the accent of a hit
        pitches = [row.note.pitch for row in take.notes if row.note.stem == part]
        assert sum(pitches) / len(pitches) == pytest.approx(high, abs=2)
    briefs = [[row.brief for row in said(session, session.span(2))] for session in (loud, quiet)]
    assert all(q.energy <= THIN["energy"] < loud_bar.energy for loud_bar, q in zip(*briefs, strict=True))


def test_avoid_never_makes_more_of_what_is_less_already(trio: str) -> None:
    session = tell(tell(start(), Told(density=1, energy=0.1, register=40.0), 2), Told(avoid=True))
    assert {(r.brief.density, r.brief.energy, r.brief.register) for r in said(session, session.span(2))} == {(1, 0.1, 40.0)}


def test_a_chord_round_begins_where_it_was_said(trio: str) -> None:
    session = tell(tell(start(), Told(chords=("C:maj", "G:maj"))), Told(chords=("A:min", "F:maj", "E:7")), 2)
    session = tell(session, Told(chords=("D:dim",)), 2, 9)
    chords = [row.brief.chord for span in session.spans for row in said(session, span)]
    assert chords[:8] == ["C:maj", "G:maj"] * 3 + ["C:maj", "A:min"]
    assert chords[7:14] == ["A:min", "D:dim", "E:7", "A:min", "F:maj", "E:7", "G:maj"]


@pytest.mark.parametrize("bar", [9, 8, 15])
def test_a_sting_is_heard_on_its_bar_line(bar: int, trio: str, tmp_path: Path) -> None:
    span = start().span_of_bar(bar)
    session = tell(start(), Told(sting=1.0), span.number, bar)
    session, take = refilled(session, Wish(span.number, seed=2), Watch())
    line = session.tempo_map.seconds(session.bars[bar - 1].start)
    written, _ = write_cue(session, tmp_path / "cue.mid")
    zero = score_of(session).zero
    assert min(abs(note.start + zero - line) for note in read_smf(written).notes) < Fraction(1, 1000)
    beat = session.bars[bar - 1].start - span.start
    assert any(row.played.start == beat for row in take.notes)


def test_a_sting_of_a_scene_is_on_its_first_beat(trio: str) -> None:
    session = tell(tell(start(), Told(sting=0.8), 2), Told(sting=0.6))
    for number in (1, 2, 3):
        _, take = refilled(session, Wish(number, seed=2), Watch())
        beats = [hit.beat for hit in take.orders[0].brief.hits]
        assert (0 in beats) == (number == 2)  # beat 0 of the cue is before the film


@pytest.mark.parametrize(
    "told",
    [Told(metre=Metre(3, 4)), Told(tempo=(Fraction(120), Fraction(130))), Told(metre=Metre(7, 8), tempo=(Fraction(100),) * 2)],
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_metre_or_tempo_solves_its_scene_and_no_other(told: Told, number: int, trio: str) -> None:
    session = tell(start(), told, number)
    before, after = start().spans, session.spans
    for old, new in zip(before, after, strict=True):
        if old.number == number:
            assert new.scene.chosen is None
            assert session.takes_of(new.scene) == start().takes_of(old.scene)
            continue
        times = [[span.tempo_map.seconds(bar.start) for bar in span.bars] for span in (old, new)]
        assert times[0] == times[1]
        assert old.scene == new.scene
        assert session.fits(new, session.takes[new.scene.chosen or ""])
    here = after[number - 1]
    assert here.seconds[0] == before[number - 1].seconds[0]
    assert number == 3 or here.seconds[1] == before[number - 1].seconds[1]
    low, high = before[number - 1].start, before[number - 1].end
    stays = [note for note in start().notes if not low <= note.start < high]
    heard = [
        [(s.tempo_map.seconds(n.start), n.pitch, n.velocity, n.stem) for n in notes]
        for s, notes in ((start(), stays), (session, session.notes))
    ]
    assert heard[0] == heard[1]
    if told.metre is not None:
        metres = [bar.metre for bar in here.bars]
        assert metres.count(told.metre) >= len(metres) - 2
    if told.tempo is not None:
        assert told.tempo[0] <= (here.scene.bpm or 0) <= told.tempo[1]
    again, take = refilled(session, Wish(number, seed=3), Watch())
    assert take.notes
    assert again.fits(again.span(number), take)


def test_a_word_that_cannot_be_is_one_line(trio: str) -> None:
    for told, scene, bar, forget in (
        (Told(metre=Metre(3, 4)), 2, 9, ()),
        (Told(chords=("X:foo",)), 2, None, ()),
        (Told(chords=()), 2, None, ()),
        (Told(density=99), None, None, ()),
        (Told(tempo=(Fraction(5), Fraction(6))), 2, None, ()),
        (Told(density=4), 9, None, ()),
        (Told(density=4), 2, 99, ()),
        (Told(density=4), 2, 3, ()),
        (Told(), 2, None, ("volume",)),
    ):
        with pytest.raises(OptionError) as caught:
            tell(start(), told, scene, bar, forget)
        assert "; " in str(caught.value)
        assert "\n" not in str(caught.value)


def editor(folder: Path, body: str) -> str:
    script = folder / "my editor.py"
    script.write_text(f"import sys\nfrom pathlib import Path\nsheet = Path(sys.argv[-1])\n{body}\n")
    return f'{sys.executable} "{script}" --wait'


def test_the_editor_gets_the_sheet_and_gives_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor(tmp_path, "sheet.write_text(sheet.read_text('utf-8').upper(), 'utf-8-sig')"))
    assert edited("häuser = 4\n") == "HÄUSER = 4\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit(3)", "ended with 3"),
        ("sheet.write_bytes(b'\\xff\\xfe')", "no text in UTF-8"),
        ("sheet.unlink()", "cannot be read"),
    ],
)
def test_an_editor_that_fails_changes_nothing(body: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, body))
    with pytest.raises(OptionError, match=said) as caught:
        edited("density = 4\n")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "said"), [("", "no editor"), ("  ", "no editor"), ("nobody-edits", "start"), ('"', "command")]
)
def test_no_editor_is_one_line(command: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", command)
    with pytest.raises(OptionError, match=said):
        edited("")


def test_a_sheet_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "no.toml", tmp_path):
        with pytest.raises(OptionError, match="cannot be read"):
            sheet_from(path)


def test_replacing_all_words_forgets_the_others(trio: str) -> None:
    session = tell(tell(start(), Told(density=2)), Told(avoid=True), 2)
    session = commands.TellAll({"s3": Told(energy=0.5), "cue": Told()}).do(session, Watch())
    assert session.told == {"s3": Told(energy=0.5)}
    assert replace(session, told={}) == start()
