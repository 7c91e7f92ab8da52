"""Sessions of old versions, kept as they were written, open as what they became."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import GOLDEN, few, table_of
from test_plain import WRONG, leaves, with_value

from engines import commands
from engines.errors import SessionError
from engines.score.land import caught_at
from engines.score.smf import read_smf
from engines.session.deliver import write_cue
from engines.session.desk import Desk, text_of
from engines.session.plain import plain, session_of
from engines.session.upgrades import UPGRADES, VERSION, upgraded

OLD = sorted(GOLDEN.glob("?.hitpoint"))


def test_every_version_has_a_golden_file_and_a_way_up() -> None:
    assert [int(path.stem) for path in OLD] == list(range(1, VERSION)) == sorted(UPGRADES)


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_an_old_session_becomes_what_it_became(path: Path) -> None:
    made = upgraded(table_of(path), path)
    assert json.loads(text_of(made)) == table_of(GOLDEN / f"{path.stem}-as-{VERSION}.json")
    assert plain(session_of(made["session"])) == made["session"]  # as this version itself writes it


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_an_old_session_is_worked_on_and_saved_as_a_new_one(path: Path, tmp_path: Path) -> None:
    mine = Path(copy(path, tmp_path / "cue.hitpoint"))
    with Desk.open(mine) as desk:
        first = text_of(desk.content)
        desk.do(commands.Title("the opening", 1))
        desk.do(commands.Split(5))
        desk.undo()
        desk.undo()
        assert text_of(desk.content) == first
        desk.save()
    assert table_of(mine)["version"] == VERSION
    again = Desk.open(mine, read_only=True)
    assert text_of(again.content) == first


def test_version_1_keeps_its_notes_its_map_and_its_words(tmp_path: Path) -> None:
    old: Any = table_of(GOLDEN / "1.hitpoint")
    session = Desk.open(GOLDEN / "1.hitpoint", read_only=True).session
    assert [(str(n.start), str(n.length), n.pitch, n.velocity, n.stem) for n in session.notes] == sorted(
        map(tuple, old["takes"][0]["played"]), key=lambda row: (Fraction(row[0]), row[2], Fraction(row[1]), row[3], row[4])
    )
    assert len(session.bars) == len(old["brief"]["bars"]) == session.scenes[0].bars
    assert [hit.frame for hit in session.hits] == [hit["frame"] for hit in old["hits"]]
    assert session.programme.frames == old["reel"]["frames"]
    assert session.limits.tempo == (70, 140)
    written, report = write_cue(session, tmp_path / "cue.mid")
    assert len(read_smf(written).notes) == len(session.notes)
    caught = [hit for hit in session.hits if caught_at(hit, session.tempo_map) is not None]
    assert report.summary["hits"] == 7
    assert report.summary["within_1_frame"] == len(caught) >= 6


@few(30)
@given(st.data())
def test_a_wrong_value_in_an_old_session_is_one_line(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    table = table_of(GOLDEN / "1.hitpoint")
    at = data.draw(st.sampled_from(leaves(table)[1:]))
    wrong = [value for value in WRONG if value != "1e999999999"]
    path = tmp_path_factory.mktemp("old") / "cue.hitpoint"
    path.write_text(json.dumps(with_value(table, at, data.draw(st.sampled_from(wrong)))))
    try:
        desk = Desk.open(path, read_only=True)
    except SessionError as error:
        fault: SessionError | None = error
    else:
        fault = None
        assert desk.session.notes or not desk.session.takes["t1"].notes
    assert fault is None or "\n" not in str(fault)
