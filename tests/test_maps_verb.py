"""The verb that puts a session on another tempo map: listed with their price in words, chosen, locked, undone, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sittings import saved, scored, table_of

import main
from engines.session.desk import Desk

Run = Callable[..., Any]


@pytest.fixture
def cue(trio: str, tmp_path: Path) -> Path:
    return saved(scored(), tmp_path / "cue.hitpoint")


@pytest.fixture
def run(cue: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the verb; the one JSON object that it prints."""

    def call(*words: object) -> Any:
        code = main.main(["maps", str(cue), *map(str, words), "--json", "--quiet"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)

    return call


def test_a_list_changes_nothing_and_puts_the_one_in_use_first(cue: Path, run: Run) -> None:
    before = cue.read_bytes()
    told = run()
    assert cue.read_bytes() == before
    assert [row["map"] for row in told["maps"]] == list(range(len(told["maps"])))
    assert [row["in_use"] for row in told["maps"]] == [True] + [False] * (len(told["maps"]) - 1)
    assert all("missed by" in row["words"] or "every hit" in row["words"] for row in told["maps"])
    assert told["locked"] == []


def test_locked_bars_stay_and_the_chosen_map_is_the_session_s(cue: Path, run: Run) -> None:
    with Desk.open(cue, read_only=True) as desk:
        old = desk.session
    told = run("--lock", "8-10", "--max-bend", "5")
    assert told["locked"] == [[8, 10]]
    line = float(old.tempo_map.seconds(old.bars[7].start))
    assert all(any(abs(bar["start_s"] - line) < 1e-9 for bar in row["bars"]) for row in told["maps"])
    wanted = told["maps"][1]
    chosen = run("--choose", 1, "--max-bend", "5")["maps"][0]
    assert chosen["beats_s"] == wanted["beats_s"]
    with Desk.open(cue, read_only=True) as desk:
        assert desk.session.limits.max_bend == 5
        assert next(step.sentence for step in desk.history.done) == "Lock bars 8-10"
    assert run("--unlock", 9)["locked"][0][0] == 8
    assert main.main(["undo", str(cue), "--count", "3"]) == 0
    with Desk.open(cue, read_only=True) as desk:
        assert desk.session == old


def test_what_cannot_be_chosen_changes_nothing(cue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = table_of(cue)
    assert main.main(["maps", str(cue), "--lock", "3-4", "--choose", "77", "--quiet"]) == 2
    assert main.main(["maps", str(cue), "--lock", "30-40", "--quiet"]) == 2
    err = capsys.readouterr().err
    assert "there is no map 77" in err
    assert "there is no bar 30" in err
    assert table_of(cue) == before, "not even the lock that was asked for at once"
