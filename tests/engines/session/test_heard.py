"""Features of a film in a session: every scene hears its own part of them, the recipe knows them again, and what is wrong is one line."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from graphs import Graph, constant, placed
from sittings import saved, unscored
from test_main import silent_film

import main
from engines import commands
from engines.diffbgm.conditions import SWITCH
from engines.diffbgm.config import PAPER
from engines.errors import OptionError
from engines.picture.cutlist import CutList
from engines.session.desk import Desk
from engines.session.heard import feature_files, told_apart
from engines.session.model import Session
from engines.session.plain import plain, session_of
from engines.session.recut import NewCut, conformed
from engines.session.refill import Wish, again, refilled
from engines.watch import Watch

ROWS = 240


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    """A published checkpoint."""
    return placed(monkeypatch, PAPER, constant(0.3))


@pytest.fixture
def visual(tmp_path: Path) -> Path:
    """Rows of features that say their own number."""
    path = tmp_path / "visual.npy"
    np.save(path, np.repeat(np.arange(ROWS, dtype=np.float32)[:, None], 512, axis=1))
    return path


def scored(visual: Path) -> Session:
    session = replace(unscored((5, 4)), engine="diffbgm", features=feature_files([visual]))
    for number in (1, 2):
        session, _ = refilled(session, Wish(number), Watch())
    return session


def test_every_scene_hears_its_own_part_of_the_film(graph: Graph, visual: Path) -> None:
    session = scored(visual)
    orders = [session.takes[scene.chosen or ""].orders[0] for scene in session.scenes]
    parts = [order.brief.part for order in orders]
    assert parts[0][0] == 0
    assert parts[0][1] == parts[1][0]
    assert parts[1][1] == 1
    frames, seconds = session.film.frames, session.spans[0].seconds[1]
    assert parts[0][1] == Fraction(round(seconds * session.film.rate), frames)
    below = [heard["condition"][-1, :, 0] for heard in graph.heard if heard["t"][0] <= SWITCH]
    assert below[0][0] == 0
    assert below[-1][:16].min() >= float(parts[1][0]) * ROWS - 1
    assert all(order.features == session.features for order in orders)
    assert session.features[0].sha256 == sha256(visual.read_bytes()).hexdigest()
    assert session_of(plain(session)) == session


def test_a_take_is_composed_again_and_files_are_known_by_what_they_hold(graph: Graph, visual: Path, tmp_path: Path) -> None:
    take = next(iter(scored(visual).takes.values()))
    assert again(take).same
    moved = visual.rename(tmp_path / "elsewhere.npy")
    with pytest.raises(OptionError, match=r"visual.npy: cannot be read \(No such file or directory\); say where it lies now"):
        again(take)
    found = again(take, features=[moved])
    assert (found.same, found.differs) == (True, ())
    np.save(visual, np.zeros((3, 512), np.float32))
    digests = [sha256(path.read_bytes()).hexdigest()[:12] for path in (moved, visual)]
    assert f"the features were visual.npy ({digests[0]}), here they are visual.npy ({digests[1]})" in again(take).differs
    assert told_apart(take.orders[0].features, ()) == f"the features were visual.npy ({digests[0]}), here they are none"


def test_a_refill_hears_what_was_given_last(graph: Graph, visual: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.npy"
    np.save(other, np.ones((2, 512), np.float32))
    session, take = refilled(scored(visual), Wish(1, features=(other,)), Watch())
    assert take.orders[0].features == session.features == feature_files([other])
    session, take = refilled(session, Wish(2), Watch())
    assert take.orders[0].features == feature_files([other])
    session, take = refilled(session, Wish(2, engine="diffbgm", seed=4), Watch())
    assert take.orders[0].features == (), "another engine, or the same by name, starts with nothing"
    assert session.features == feature_files([other])
    session, take = refilled(session, Wish(1, features=()), Watch())
    assert take.orders[0].features == session.features == ()


def test_a_recut_leaves_the_features_of_the_old_cut(graph: Graph, visual: Path) -> None:
    session, watch = scored(visual), Watch()
    old = session.programme
    cuts = [cut for cut in old.cuts if cut.frame < old.frames - 60]
    found = conformed(session, NewCut(CutList.of_cuts(cuts, old.rate, old.frames - 48)), watch).session
    assert found.features == ()
    assert watch.said == ["the features are of the old cut and are left out; give the new ones with refill --features"]
    assert session_of(next(iter(found.versions.values()))).features == session.features


def test_the_verbs(graph: Graph, visual: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cue = saved(scored(visual), tmp_path / "cue.hitpoint")
    np.save(tmp_path / "odd.npy", np.zeros((4, 9), np.float32))
    before = cue.read_bytes()
    capsys.readouterr()

    def run(*words: object) -> tuple[int, str, str]:
        code = main.main([*map(str, words), "--json"])
        return code, *capsys.readouterr()

    for words, said in (
        (
            ("refill", cue, "--scene", 1, "--features", tmp_path / "odd.npy"),
            "odd.npy: holds numbers of the shape (4, 9); give .npy",
        ),
        (
            ("refill", cue, "--scene", 1, "--features", tmp_path / "none.npy"),
            "none.npy: cannot be read (No such file or directory)",
        ),
        (
            ("refill", cue, "--scene", 1, "--engine", "bmt", "--features", visual),
            "--features: bmt hears no features; leave it out",
        ),
        (
            ("compose", "--engine", "bmt", "--features", visual, "--out", tmp_path / "sketches"),
            "--features: bmt hears no features",
        ),
    ):
        code, out, err = run(*words)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert said in err
    assert cue.read_bytes() == before
    visual.rename(tmp_path / "moved.npy")
    code, out, err = run("refill", cue, "--scene", 1, "--features", tmp_path / "moved.npy")
    assert code == 0, err
    with Desk.open(cue, read_only=True) as desk:
        assert [Path(file.path).name for file in desk.session.features] == ["moved.npy"]
    code, out, err = run("takes", cue, "--scene", 2, "--again", "--features", tmp_path / "moved.npy")
    assert (json.loads(out)["same"], json.loads(out)["differs"]) == (True, [])
    sketches = ("compose", "--engine", "diffbgm", "--bars", 2, "--out", tmp_path / "sketches")
    assert run(*sketches, "--features", tmp_path / "moved.npy")[0] == 0
    heard = graph.heard[-1]["condition"][-1, :8, 0].tolist()
    assert heard == [ROWS * beat // 8 for beat in range(8)], "a sketch is as long as the film"


def test_undo_takes_features_back(graph: Graph, visual: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.npy"
    np.save(other, np.ones((2, 512), np.float32))
    with Desk.new(scored(visual), tmp_path / "cue.hitpoint") as desk:
        before = desk.session
        desk.do(commands.Refill(Wish(1, features=(other,))))
        assert desk.session.features != before.features
        desk.undo()
        assert desk.session == before


def test_score_remembers_what_it_was_given(
    graph: Graph, visual: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = silent_film(tmp_path / "film.mp4", 96)
    (tmp_path / "cuts.csv").write_text("frame,time_s,kind\n48,2.0,cut\n")
    words = ["score", str(film), "--cuts", str(tmp_path / "cuts.csv"), "--features", str(visual), "--out", str(tmp_path / "cue")]
    assert main.main([*words, "--engine", "bmt"]) == 2
    assert "--features: bmt hears no features" in capsys.readouterr().err
    assert not (tmp_path / "cue").exists()
    assert main.main([*words, "--engine", "diffbgm"]) == 0
    with Desk.open(tmp_path / "cue" / "cue.hitpoint", read_only=True) as desk:
        session = desk.session
    assert session.features == feature_files([visual])
    assert all(take.orders[0].features == session.features for take in session.takes.values())
