"""The command line: every verb on real input, and one line with the cure on bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import main
from engines import engine as contract
from engines.engine import Brief
from engines.picture.demo_film import CUTS, make_demo_film
from engines.runtime import repository
from engines.score.notes import Note, Take
from engines.score.smf import read_smf
from engines.session.upgrades import VERSION

ROOT = Path(main.__file__).resolve().parent


class Pulse:
    """An engine that plays every second beat, never on purpose with a cut: what lands is the landing's work."""

    name = "pulse"

    def __init__(self, provider: str | None = None) -> None:
        self.provider = provider

    def compose(self, brief: Brief, seed: int, keep=None, on_progress=None, cancelled=None) -> Take:
        end = brief.bars[-1].start + brief.bars[-1].length
        notes = tuple(Note(Fraction(k), 60 + (seed + k) % 7, Fraction(1), 80) for k in range(0, int(end), 2))
        return Take(notes, {"engine": "pulse", "model": "none", "seed": seed, "provider": "cpu", "key": "C:maj"})


@pytest.fixture(autouse=True)
def _pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(contract.ENGINES, "pulse", f"{__name__}:Pulse")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo_film(tmp_path_factory.mktemp("film") / "demo.mp4")


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        code = main.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def cut_csv(path: Path, frames: tuple[int, ...] = CUTS, rate: int = 24) -> Path:
    path.write_text("frame,time_s,kind\n" + "".join(f"{f},{f / rate:.6f},cut\n" for f in frames))
    return path


def leftovers(folder: Path) -> list[str]:
    """Temporary files that a person should never find."""
    return [p.name for p in folder.rglob("*") if p.name.startswith(".") or p.suffix == ".part"]


def test_score_hits_every_caught_cut_in_the_written_file(run: Run, film: Path, tmp_path: Path) -> None:
    code, out, err = run("score", film, "--engine", "pulse", "--out", tmp_path / "cue", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert [hit["frame"] for hit in told["hits"]] == list(CUTS)
    onsets = np.array([float(note.start) for note in read_smf(tmp_path / "cue" / "cue.mid").notes])
    for hit in told["hits"]:
        nearest = onsets[np.abs(onsets - hit["time_s"]).argmin()]
        assert hit["onset_s"] == pytest.approx(nearest, abs=1e-5)
        if hit["landed_by"] != "none":
            assert abs(nearest - hit["time_s"]) < 0.5 / 24  # a soft hit may lean inside its window of half a frame
    assert sum(abs(hit["error_ms"]) < 1 for hit in told["hits"]) >= 5
    assert set(told["seconds"]) >= {"decode", "shots", "solve", "compose", "total"}
    assert {"engine", "model", "provider", "seed", "summary", "files"} <= told.keys()
    assert json.loads((tmp_path / "cue" / "report.json").read_text())["hits"] == told["hits"]
    assert json.loads((tmp_path / "cue" / "cue.hitpoint").read_text())["version"] == VERSION
    assert not leftovers(tmp_path)


def test_score_takes_the_editors_list_instead_of_pixels(run: Run, film: Path, tmp_path: Path) -> None:
    listed = cut_csv(tmp_path / "cuts.csv", (100, 200, 300))
    code, out, err = run("score", film, "--cuts", listed, "--engine", "pulse", "--out", tmp_path / "cue", "--json")
    assert code == 0, err
    assert [hit["frame"] for hit in json.loads(out)["hits"]] == [100, 200, 300]


def test_same_seed_same_file(run: Run, film: Path, tmp_path: Path) -> None:
    listed = cut_csv(tmp_path / "cuts.csv")
    files = []
    for name in ("a", "b"):
        assert run("score", film, "--cuts", listed, "--engine", "pulse", "--seed", 7, "--out", tmp_path / name)[0] == 0
        files.append((tmp_path / name / "cue.mid").read_bytes())
    assert files[0] == files[1]


def test_shots_prints_and_writes_the_same_cuts(run: Run, film: Path, tmp_path: Path) -> None:
    code, out, err = run(
        "shots", film, "--json", "--csv", tmp_path / "c.csv", "--edl", tmp_path / "c.edl", "--otio", tmp_path / "c.otio"
    )
    assert code == 0, err
    told = json.loads(out)
    assert [cut["frame"] for cut in told["cuts"]] == list(CUTS)
    assert told["rate"] == "24/1"
    assert told["frames"] == 504
    for name in ("c.csv", "c.edl", "c.otio"):
        code, out, err = run("spot", tmp_path / name, "--rate", "24", "--json")
        assert code == 0, err
        assert json.loads(out)["candidates"][0]["hits_total"] == len(CUTS)


def test_spot_offers_four_kinds_and_writes_a_click(run: Run, tmp_path: Path) -> None:
    listed = cut_csv(tmp_path / "cuts.csv")
    code, out, err = run("spot", listed, "--rate", 24, "--json", "--click", tmp_path / "click.mid")
    assert code == 0, err
    candidates = json.loads(out)["candidates"]
    assert {c["name"] for c in candidates} == {"steady", "bend", "ramp", "odd bar"}
    assert [c["cost"] for c in candidates] == sorted(c["cost"] for c in candidates)
    beats = np.array(candidates[0]["beats_s"])
    clicks = np.array([float(n.start) for n in read_smf(tmp_path / "click.mid").notes])
    assert np.abs(clicks[:, None] - beats).min(axis=1).max() < 1e-3


def test_report_reads_anybodys_midi(run: Run, film: Path, tmp_path: Path) -> None:
    listed = cut_csv(tmp_path / "cuts.csv")
    assert run("score", film, "--cuts", listed, "--engine", "pulse", "--out", tmp_path / "cue")[0] == 0
    code, out, err = run("report", tmp_path / "cue" / "cue.mid", "--cuts", listed, "--film", film, "--json")
    assert code == 0, err
    scored = json.loads((tmp_path / "cue" / "report.json").read_text())
    assert [h["onset_s"] for h in json.loads(out)["hits"]] == [h["onset_s"] for h in scored["hits"]]


@pytest.mark.skipif(not (repository() / "bmt").is_dir(), reason="the repository holds no onnx/bmt yet")
def test_compose_sketches_with_the_shipped_engine(run: Run, tmp_path: Path) -> None:
    code, out, err = run("compose", "--bars", 4, "--count", 2, "--density", 6, "--key", "A:min", "--out", tmp_path, "--json")
    assert code == 0, err
    files = json.loads(out)["files"]
    assert len(files) == 2
    assert len({Path(f).read_bytes() for f in files}) == 2
    assert all(read_smf(f).notes for f in files)


def one_line(err: str) -> str:
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


def silent_film(path: Path, frames: int, rate: int = 24, size: int = 64) -> Path:
    import av

    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        picture = np.full((size, size, 3), 90, np.uint8)
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


BAD_FILMS: dict[str, Callable[[Path], Path]] = {
    "missing": lambda folder: folder / "no.mp4",
    "a folder": lambda folder: folder,
    "empty": lambda folder: _written(folder / "empty.mp4", b""),
    "text": lambda folder: _written(folder / "text.mp4", b"not a film at all\n" * 50),
    "one frame": lambda folder: silent_film(folder / "one.mp4", 1),
}


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", BAD_FILMS)
def test_a_bad_film_is_one_line_and_writes_nothing(kind: str, run: Run, tmp_path: Path) -> None:
    film = BAD_FILMS[kind](tmp_path)
    code, out, err = run("score", film, "--engine", "pulse", "--out", tmp_path / "cue")
    assert code == 2
    assert out == ""
    assert "; " in one_line(err)
    assert not (tmp_path / "cue").exists()
    assert not leftovers(tmp_path)


def test_a_film_cut_short_is_one_line(run: Run, film: Path, tmp_path: Path) -> None:
    half = _written(tmp_path / "half.mp4", film.read_bytes()[: film.stat().st_size // 2])
    code, _, err = run("score", half, "--engine", "pulse", "--out", tmp_path / "cue")
    assert code == 2
    one_line(err)


def test_a_film_without_cuts_is_scored_at_one_tempo(run: Run, tmp_path: Path) -> None:
    code, out, err = run(
        "score", silent_film(tmp_path / "still.mp4", 96), "--engine", "pulse", "--out", tmp_path / "cue", "--json"
    )
    assert code == 0, err
    told = json.loads(out)
    assert told["hits"] == []
    assert told["notes"] > 0


@pytest.mark.slow
def test_a_film_of_four_hours_is_spotted_in_little_memory(run: Run, tmp_path: Path) -> None:
    film = silent_film(tmp_path / "long.mp4", 4 * 3600, rate=1)
    code, out, err = run("shots", film, "--json")
    assert code == 0, err
    assert json.loads(out)["duration_s"] == 4 * 3600


def test_a_marker_outside_the_film_is_one_line(run: Run, film: Path, tmp_path: Path) -> None:
    listed = cut_csv(tmp_path / "cuts.csv", (100, 5000))
    code, _, err = run("score", film, "--cuts", listed, "--engine", "pulse", "--out", tmp_path / "cue")
    assert code == 2
    assert "504" in one_line(err)
    code, _, err = run("score", film, "--hit", "5000", "--engine", "pulse", "--out", tmp_path / "cue")
    assert code == 2
    assert "504" in one_line(err)


def test_a_cut_list_of_another_rate_is_one_line(run: Run, film: Path, tmp_path: Path) -> None:
    listed = tmp_path / "cuts.json"
    listed.write_text(json.dumps({"rate": "25/1", "frames": 500, "cuts": [{"frame": 100, "time_s": 4.0, "kind": "cut"}]}))
    code, _, err = run("score", film, "--cuts", listed, "--engine", "pulse", "--out", tmp_path / "cue")
    assert code == 2
    assert "--rate" in one_line(err)
    code, out, err = run("score", film, "--cuts", listed, "--rate", 24, "--engine", "pulse", "--out", tmp_path / "cue", "--json")
    assert code == 0, err
    assert json.loads(out)["hits"][0]["frame"] == 96


@pytest.mark.parametrize("name", ["test-corrupt-file-missing-byte.mid", "test-not-a-midi-file.mid"])
def test_a_broken_midi_file_is_one_line(name: str, run: Run, shared: Path, tmp_path: Path) -> None:
    code, _, err = run("report", shared / "midi" / name, "--cuts", cut_csv(tmp_path / "cuts.csv"), "--rate", 24)
    assert code == 2
    assert name in one_line(err)


def test_a_midi_file_without_a_note_is_reported_as_that(run: Run, shared: Path, tmp_path: Path) -> None:
    listed = cut_csv(tmp_path / "cuts.csv")
    code, out, err = run("report", shared / "midi" / "test-empty.mid", "--cuts", listed, "--rate", 24, "--json")
    assert code == 0, err
    assert {hit["landed_by"] for hit in json.loads(out)["hits"]} == {"none"}
    assert json.loads(out)["summary"]["median_error_ms"] is None


def test_a_model_that_is_missing_or_tampered_with_is_one_line(
    run: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITPOINT_MODELS", str(tmp_path / "models"))
    code, _, err = run("compose", "--out", tmp_path / "out")
    assert code == 2
    assert "no such model" in one_line(err)
    home = tmp_path / "models" / "bmt" / "1"
    home.mkdir(parents=True)
    (home / "model.onnx").write_bytes(b"changed")
    (home.parent / "card.toml").write_text(f'version = "1"\nsha256 = "{"0" * 64}"\n')
    code, _, err = run("compose", "--out", tmp_path / "out")
    assert code == 2
    assert "sha256" in one_line(err)


def test_a_full_disk_is_one_line_and_the_old_cue_survives(
    run: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, out = cut_csv(tmp_path / "cuts.csv"), tmp_path / "cue"
    assert run("score", film, "--cuts", listed, "--engine", "pulse", "--out", out)[0] == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    code, _, err = run("score", film, "--cuts", listed, "--engine", "pulse", "--seed", 9, "--out", out)
    assert code == 2
    assert "disk is full" in one_line(err)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_an_output_folder_that_cannot_be_made_is_one_line(run: Run, film: Path, tmp_path: Path) -> None:
    taken = _written(tmp_path / "taken", b"")
    code, _, err = run("score", film, "--cuts", cut_csv(tmp_path / "cuts.csv"), "--engine", "pulse", "--out", taken)
    assert code == 2
    assert "not a folder" in one_line(err)


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["score"],
        ["spot", "x.csv", "--tempo", "fast"],
        ["spot", "x.csv", "--tempo", "1e99999999"],
        ["spot", "x.csv", "--metre", "4-4"],
        ["spot", "x.csv", "--max-bend", "900"],
        ["compose", "--bars", "0"],
        ["compose", "--key", "H"],
        ["compose", "--engine", "nobody"],
        ["compose", "--mood", "hungry"],
        ["compose", "--provider", "abacus"],
        ["compose", "--density", "99"],
        ["spot", "no-such-file.csv"],
    ],
)
def test_a_wrong_option_is_one_line(words: list[str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    one_line(err)
    assert not list(tmp_path.iterdir())


def test_json_is_the_only_thing_on_standard_output(film: Path, tmp_path: Path) -> None:
    listed = cut_csv(tmp_path / "cuts.csv")
    done = subprocess.run(
        [sys.executable, ROOT / "main.py", "spot", listed, "--rate", "24", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["candidates"]


@pytest.mark.parametrize("after_s", [0.4, 1.2, 2.5])
def test_ctrl_c_leaves_nothing_half_written(after_s: float, tmp_path: Path) -> None:
    """Stopped while it makes, decodes or scores its film: no temporary file stays, and nothing but a word is printed."""
    started = subprocess.Popen(
        [sys.executable, ROOT / "main.py", "demo", "--out", tmp_path / "demo"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    with pytest.raises(subprocess.TimeoutExpired):  # it takes seconds: it is still at work
        started.wait(after_s)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert "Traceback" not in err
    assert started.returncode == 130
    assert not leftovers(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="only the console of a process itself can press Ctrl-C there")
@pytest.mark.parametrize("imports", [1, 2, 12, 40, 80])
def test_ctrl_c_while_it_still_imports_is_one_line(imports: int) -> None:
    """Stopped as soon as Python has told of so many imports of ours since its own start, the first of which is over in milliseconds."""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", ROOT / "main.py", "spot", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stderr is not None
        while not (line := started.stderr.readline()).endswith(" | site\n"):  # Python itself has begun
            assert line, "it ended by itself"
        for _ in range(imports):
            assert started.stderr.readline(), "it ended by itself"
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    said = [line for line in err.splitlines() if not line.startswith("import time:")]
    assert (started.returncode, out, said) == (130, "", ["cancelled: nothing half-written was left"])


def test_a_marker_outside_the_film_is_said_and_left_out(run: Run, film: Path, tmp_path: Path) -> None:
    listed = tmp_path / "cuts.edl"
    listed.write_text(
        "TITLE: T\nFCM: NON-DROP FRAME\n\n"
        "001  AX       V     C        00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00\n"
        "002  AX       V     C        00:00:04:00 00:00:21:00 01:00:04:00 01:00:21:00\n"
        "* LOC: 01:05:00:00 RED     OUTSIDE\n"
    )
    code, out, err = run("score", film, "--cuts", listed, "--rate", 24, "--engine", "pulse", "--out", tmp_path / "cue", "--json")
    assert code == 0, err
    assert len(json.loads(out)["hits"]) == 1
    assert "outside the film" in err


def test_a_folder_that_cannot_be_written_is_said_before_the_work(run: Run, film: Path, tmp_path: Path) -> None:
    taken = _written(tmp_path / "taken", b"")
    code, _, err = run("score", film, "--engine", "nobody", "--out", taken / "below")
    assert code == 2
    assert "no engine" in one_line(err)
    code, _, err = run("score", tmp_path / "no film", "--engine", "pulse", "--out", taken / "below")
    assert code == 2
    assert "is a file" in one_line(err)
