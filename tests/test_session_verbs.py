"""The verbs that work on a session, end to end: one JSON object each, the files beside it brought up to date, one line on bad input."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from test_main import silent_film

import main
from engines.picture.demo_film import CUTS
from engines.score.smf import read_smf
from engines.session.desk import Desk

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def scored(trio: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film, and the cue that ``score`` made of it."""
    folder = tmp_path_factory.mktemp("project")
    film = silent_film(folder / "demo.mp4", 504)
    listed = folder / "cuts.csv"
    listed.write_text("frame,time_s,kind\n" + "".join(f"{frame},{frame / 24:.6f},cut\n" for frame in CUTS))
    assert main.main(["score", str(film), "--cuts", str(listed), "--engine", "trio", "--out", str(folder / "cue")]) == 0
    path = folder / "cue" / "cue.hitpoint"
    assert main.main(["scenes", str(path), "--split", "4"]) == 0  # bars 1-3, 4-6, 7-13
    return folder


@pytest.fixture
def cue(scored: Path, tmp_path: Path) -> Path:
    """A copy of it to work on."""
    return Path(copytree(scored, tmp_path / "project")) / "cue" / "cue.hitpoint"


@pytest.fixture
def run(cue: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a verb on the session; the one JSON object that it prints."""
    capsys.readouterr()

    def call(verb: str, *words: object) -> Any:
        code = main.main([verb, str(cue), *map(str, words), "--json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        assert out.count("\n") == 1
        told = json.loads(out)
        assert isinstance(told, dict)
        return told

    return call


@pytest.fixture
def refused(cue: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a verb that cannot be; its one line. Nothing has changed."""
    capsys.readouterr()

    def call(verb: str, *words: object) -> str:
        before = {path.name: path.read_bytes() for path in cue.parent.iterdir()}
        code = main.main([verb, str(cue), *map(str, words), "--json"])
        out, err = capsys.readouterr()
        assert (code, out) == (2, ""), err
        assert err.count("\n") == 1
        assert {path.name: path.read_bytes() for path in cue.parent.iterdir()} == before
        return err

    return call


def notes(cue: Path) -> list[tuple[float, int, int, int]]:
    return [(float(n.start), n.pitch, n.velocity, n.track) for n in read_smf(cue.with_suffix(".mid")).notes]


def test_refill_prints_where_it_wrote_and_changes_nothing_else(run: Run, cue: Path) -> None:
    old = notes(cue)
    told = run("refill", "--scene", 2, "--seed", 5)
    assert {"scene", "start_s", "end_s", "take", "seed", "summary", "files"} <= told.keys()
    assert (told["scene"], told["take"], told["seed"], told["bars"]) == (2, 2, 5, [4, 6])
    apart = [[n for n in rows if not told["start_s"] <= n[0] < told["end_s"]] for rows in (old, notes(cue))]
    assert apart[0] == apart[1]
    assert old != notes(cue)
    new = notes(cue)
    assert run("undo")["undone"] == ["Refill scene 2"]
    assert notes(cue) == old
    assert run("redo")["redone"] == ["Refill scene 2"]
    assert notes(cue) == new
    again = run("refill", "--scene", 2, "--seed", 5)
    assert (again["take"], notes(cue)) == (3, new)
    report = json.loads((cue.parent / "report.json").read_text())
    assert report["scenes"][1]["take"] == 3
    assert not [p for p in cue.parent.iterdir() if p.name.startswith(".")]


def test_refill_of_bars_and_stems(run: Run, cue: Path) -> None:
    part = run("refill", "--scene", 2, "--bars", "5-6", "--stem", "melody", "--keep", "melody@5.1")
    assert (part["bars"], part["stems"]) == ([5, 6], ["melody"])
    assert 0 < part["composed"] < part["notes"]
    rest = run("refill", "--scene", 2, "--keep", "melody", "--keep", "6")
    assert rest["stems"] == ["bridge", "piano"]
    assert run("takes", "--scene", 2, "--again")["same"] is True
    assert run("takes", "--scene", 1, "--again")["same"] is False  # its recipe answered the scene before it was split


def test_takes_are_rated_named_kept_compared_chosen_and_deleted(run: Run, cue: Path) -> None:
    first = notes(cue)
    run("refill", "--scene", 1)
    told = run("takes", "--scene", 1, "--rate", 4, "--name", "brighter", "--note", "for the second half", "--keep", "melody:2-3")
    take = told["scenes"][0]["takes"][1]
    assert (take["rating"], take["name"], take["note"]) == (4, "brighter", "for the second half")
    assert told["scenes"][0]["keep"] == ["melody:2-3"]
    compared = run("takes", "--scene", 1, "--compare", 1, 2)
    assert compared["takes"] == [1, 2]
    assert {"notes", "hits_landed"} <= compared["measures"].keys()
    assert run("takes", "--scene", 1, "--choose", 1)["scenes"][0]["chosen"] == 1
    assert notes(cue) == first
    assert run("takes", "--scene", 1, "--release", "--delete", 2)["scenes"][0]["takes"][0]["take"] == 1
    silent = run("takes", "--scene", 1, "--silence")["scenes"][0]
    assert silent["chosen"] is None
    assert len(notes(cue)) < len(first)
    run("undo", "--count", 5)
    assert len(run("history")["undone"]) == 5


def test_scenes_are_split_joined_and_named(run: Run, cue: Path) -> None:
    old = notes(cue)
    assert [row["bars"] for row in run("scenes")["scenes"]][:2] == [[1, 3], [4, 6]]
    told = run("scenes", "--split", 6, "--join", 3, "--scene", 2, "--name", "the chase", "--cue", "2m4")
    assert told["cue"] == "2m4"
    assert [(row["bars"], row["name"]) for row in told["scenes"][:3]] == [([1, 3], ""), ([4, 5], "the chase"), ([6, 13], "")]
    assert notes(cue) == old
    assert run("undo", "--count", 4)["undone"][-1] == "Split at bar 6"


def test_the_brief_is_told_and_forgotten(run: Run, cue: Path) -> None:
    told = run("brief", "--scene", 2, "--density", 4, "--avoid", "--mood", "calm", "--chords", "C:maj A:min")
    assert told["scenes"][1]["composer"] == {"density": 4, "mood": 4, "chords": ["C:maj", "A:min"], "avoid": True}
    bar = told["scenes"][1]["bars"][0]
    assert (bar["brief"]["density"], bar["brief"]["chord"], bar["composer"]) == (3, "C:maj", {})
    assert bar["picture"]["density"] != 3 or bar["picture"]["register"] != bar["brief"]["register"]
    told = run("brief", "--bar", 5, "--sting", 0.9)
    assert told["scenes"][1]["bars"][1]["composer"] == {"sting": 0.9}
    told = run("brief", "--scene", 2, "--forget", "avoid", "--no-avoid", "--forget", "density")
    assert "density" not in told["scenes"][1]["composer"]
    told = run("brief", "--scene", 2, "--metre", "3/4", "--key", "Am")
    assert told["scenes"][1]["composer"]["metre"] == "3/4"
    assert run("scenes")["scenes"][1]["take"] is None
    assert run("refill", "--scene", 2)["take"] == 2


def test_the_sheet_is_edited_written_and_read(run: Run, refused: Run, cue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = cue.parent.parent / "edit.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nsheet = Path(sys.argv[1])\n"
        "text = sheet.read_text('utf-8')\nassert '[scene.2]' in text\n"
        "sheet.write_text(text + '[scene.2.bar.5]\\ndensity = 7\\n', 'utf-8')\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    assert run("brief", "--edit")["scenes"][1]["bars"][1]["composer"] == {"density": 7}
    assert "twice" in refused("brief", "--edit")  # it says it again
    sheet = cue.parent.parent / "sheet.toml"
    run("brief", "--write", sheet)
    sheet.write_text(sheet.read_text("utf-8").replace("density = 7", "energy = 0.25"), "utf-8")
    assert run("brief", "--read", sheet)["scenes"][1]["bars"][1]["composer"] == {"energy": 0.25}
    sheet.write_text("[scene.1]\nvolume = 11\n")
    assert "sheet.toml [scene.1]" in refused("brief", "--read", sheet)
    sheet.write_bytes(b"\xff")
    assert "UTF-8" in refused("brief", "--read", sheet)
    assert "cannot be read" in refused("brief", "--read", sheet.with_name("no.toml"))


def test_a_moved_film_is_found(run: Run, refused: Run, cue: Path) -> None:
    film = cue.parent.parent / "demo.mp4"
    assert run("relink")["film"].endswith("demo.mp4")
    moved = film.rename(cue.parent / "reel one.mov")
    known = Desk.open(cue, read_only=True).session.film.path
    if not Path(known).exists():
        assert run("relink")["film"] == str(moved.resolve())
    assert run("relink", moved)["film"] == str(moved.resolve())
    moved.unlink()
    assert "relink SESSION FILM" in refused("relink")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["refill", "--scene", 9], "scenes 1 to"),
        (["refill", "--scene", 0], "--scene"),
        (["refill"], "--scene"),
        (["refill", "--scene", 1, "--bars", "5-6"], "bars 1 to 3"),
        (["refill", "--scene", 1, "--keep", "drums"], "kept"),
        (["refill", "--scene", 1, "--keep", "1-9"], "everything"),
        (["refill", "--scene", 1, "--engine", "nobody"], "nobody"),
        (["takes", "--rate", 5], "--scene"),
        (["takes", "--scene", 1, "--choose", 7], "its takes are: 1"),
        (["takes", "--scene", 1, "--rate", 9], "0 to 5"),
        (["takes", "--scene", 1, "--compare", 1, 7], "no take 7"),
        (["takes", "--scene", 1, "--delete", 7], "no take 7"),
        (["scenes", "--split", 4], "begins at bar 4"),
        (["scenes", "--split", 99], "no bar 99"),
        (["scenes", "--join", 9], "no scene 9"),
        (["scenes", "--name", "x"], "--scene"),
        (["scenes", "--cue", " "], "1m1"),
        (["brief", "--bar", 99, "--density", 3], "no bar 99"),
        (["brief", "--scene", 1, "--bar", 5, "--density", 3], "lies in scene 2"),
        (["brief", "--chords", "X:y"], "chord"),
        (["brief", "--key", "H"], "key"),
        (["brief", "--tempo", "5-6"], "tempo"),
        (["brief", "--forget", "volume"], "volume"),
        (["undo", "--count", 99], "nothing to undo"),
        (["redo"], "nothing to redo"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line_and_changes_nothing(words: list[object], said: str, refused: Run) -> None:
    assert said in refused(*words)


def test_a_session_that_is_open_elsewhere_may_be_looked_at(run: Run, refused: Run, cue: Path) -> None:
    with Desk.open(cue):
        assert len(run("takes")["scenes"]) == 3
        assert run("history")["done"]
        assert "open in another program" in refused("refill", "--scene", 1)
        assert "open in another program" in refused("undo")
    assert run("refill", "--scene", 1)["take"] == 2


def test_a_session_that_is_none_is_one_line(refused: Run, cue: Path) -> None:
    os.truncate(cue, 1000)
    for verb in ("takes", "scenes", "history", "undo", "brief", "relink"):
        assert "damaged" in refused(verb)
    cue.unlink()
    assert "cannot be read" in refused("takes")
