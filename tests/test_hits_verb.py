"""What else the command line does to a session at work: hits, every scene again, features left out, a preview."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sittings import saved, scored

import main
from engines.score.smf import read_smf
from engines.session.desk import Desk
from engines.session.heard import feature_files
from engines.session.model import Session

Run = Callable[..., Any]


@pytest.fixture
def cue(trio: str, tmp_path: Path) -> Path:
    return saved(scored(), tmp_path / "cue.hitpoint")


@pytest.fixture
def run(cue: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(verb: str, *words: object) -> Any:
        code = main.main([verb, str(cue), *map(str, words), "--json", "--quiet"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def refused(cue: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(verb: str, *words: object) -> str:
        before = cue.read_bytes()
        assert main.main([verb, str(cue), *map(str, words), "--quiet"]) == 2
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1
        assert cue.read_bytes() == before
        return str(err)

    return call


def now(cue: Path) -> Session:
    with Desk.open(cue, read_only=True) as desk:
        return desk.session


def test_hits_are_marked_moved_weighed_and_dropped_as_the_wire_does_it(cue: Path, run: Run) -> None:
    before = run("hits")["hits"]
    first = before[0]["frame"]
    free = first - 7
    told = run("hits", "--add", free, "--label", "door")["hits"]
    assert [row for row in told if row["frame"] == free] == [
        {**told[0], "frame": free, "label": "door", "weight": 1.0, "hard": True}
    ]
    told = run("hits", "--move", free, free + 2, "--weigh", free + 2, "--weight", 0.4, "--no-hard", "--late", 2)["hits"]
    assert [(row["weight"], row["hard"], row["label"]) for row in told if row["frame"] == free + 2] == [(0.4, False, "door")]
    hit = next(hit for hit in now(cue).hits if hit.frame == free + 2)
    assert hit.late == 2 / now(cue).film.rate
    timecode = str(now(cue).start + (free + 2))
    assert run("hits", "--drop", timecode)["hits"] == before
    with Desk.open(cue, read_only=True) as desk:
        assert [step.sentence for step in desk.history.done] == [
            f"Mark a hit at frame {free}",
            f"Move the hit at frame {free} to {free + 2}",
            f"Weigh the hit at frame {free + 2}",
            f"Delete the hit at frame {free + 2}",
        ]


def test_a_list_of_hits_changes_nothing_and_is_readable(cue: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = cue.read_bytes()
    rows = run("hits")["hits"]
    assert main.main(["hits", str(cue)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(rows)
    assert all(row["timecode"] in line for row, line in zip(rows, lines[1:], strict=True))
    assert cue.read_bytes() == before


def test_the_tempo_of_a_scene_follows_its_hits(cue: Path, run: Run) -> None:
    span = now(cue).spans[1]
    frame = round((span.seconds[0] + 1) * now(cue).film.rate)
    run("hits", "--add", frame, "--follow", 2)
    after = now(cue)
    assert after.spans[1].seconds[0] == span.seconds[0]
    assert any(hit.frame == frame for hit in after.hits)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--add", "x"), "is no frame"),
        (("--add", "-3"), ""),
        (("--add", "99999999"), "cannot be a hit"),
        (("--weight", "0.5"), "no hit is named"),
        (("--label", "x"), "no one hit is named"),
        (("--drop", "1"), "there is no hit"),
        (("--follow", "9"), "there is no scene 9"),
        (("--add", "00:61:00:00"), ""),
    ],
)
def test_what_cannot_be_is_one_line(words: tuple[str, ...], said: str, refused: Run) -> None:
    assert said in refused("hits", *words)


def test_every_scene_is_composed_again_in_order(cue: Path, run: Run, refused: Run) -> None:
    before = now(cue)
    told = run("refill", "--all", "--seed", 40)["scenes"]
    after = now(cue)
    assert len(told) == len(before.scenes)
    assert [after.take(scene)[1].seed for scene in after.scenes] == [40, 41, 42]
    assert {name: after.takes[name] for name in before.takes} == before.takes
    assert "is for one scene" in refused("refill", "--all", "--bars", "2")
    assert "not allowed with" in refused("refill", "--all", "--scene", "1")


def test_features_are_left_out_from_now_on(trio: str, run: Run, refused: Run, cue: Path, tmp_path: Path) -> None:
    file = tmp_path / "visual.npy"
    file.write_bytes(b"visual")
    cue.unlink()
    saved(replace(scored(), features=feature_files([file])), cue)
    assert "hears no features" in refused("refill", "--scene", 1)  # this engine has no ear for them
    run("refill", "--scene", 1, "--no-features")
    assert not now(cue).features
    run("refill", "--scene", 1)


def test_a_preview_of_a_session_and_its_click(
    shared: Path, trio: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = shared / "media" / "counter.mp4"
    assert main.main(["score", str(film), "--engine", "trio", "--out", str(tmp_path / "cue"), "--quiet"]) == 0
    capsys.readouterr()
    out, click = tmp_path / "seen", tmp_path / "click.mid"
    words = ["preview", str(tmp_path / "cue" / "cue.hitpoint"), "--out", str(out), "--click", str(click), "--json", "--quiet"]
    assert main.main(words) == 0
    files = {name: Path(path) for name, path in json.loads(capsys.readouterr().out)["files"].items()}
    assert {path.name for path in files.values()} == {"preview.mid", "preview.wav", "preview.mp4"}
    assert all(path.stat().st_size for path in files.values())
    assert read_smf(click).notes
