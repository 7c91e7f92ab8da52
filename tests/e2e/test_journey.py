"""A composer's day on the command line, with the shipped engine: score, change one thing, recut, hand over. Nothing is a stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

import main
from engines.picture.demo_film import make_demo_film
from engines.score.smf_reader import read_smf

pytestmark = pytest.mark.slow
Run = Callable[..., dict[str, object]]

GONE = {*range(224, 238), *range(290, 319)}
"""Frames of the film that the new cut has no longer: the tail of the fourth shot, and the sixth."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> dict[str, object]:
        code = main.main([str(word) for word in words] + ["--json", "--quiet"])
        out, err = capsys.readouterr()
        assert code == 0, err
        told: dict[str, object] = json.loads(out)
        return told

    return call


def recut(film: Path, out: Path) -> Path:
    """The film without some frames, smaller and coarser: as an editor sends it."""
    with av.open(str(film)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        stream.options = {"crf": "30"}
        count = 0
        for number, frame in enumerate(source.decode(video=0)):
            if number not in GONE:
                small = frame.reformat(480, 270, "yuv420p")
                small.pts, small.time_base = count, Fraction(1, 24)
                target.mux(stream.encode(small))
                count += 1
        target.mux(stream.encode())
    return out


def heard(midi: Path, start: float = 0.0, end: float = 1e9) -> list[tuple[float, float, int, int]]:
    """Onset, release, pitch and velocity of what begins in a span of seconds, to the microsecond."""
    notes = read_smf(midi).notes
    return [
        (round(float(n.start), 6), round(float(n.end), 6), n.pitch, n.velocity) for n in notes if start <= float(n.start) < end
    ]


def test_score_refill_brief_undo_conform_deliver(run: Run, tmp_path: Path) -> None:
    film = make_demo_film(tmp_path / "film.mp4")
    told = run("score", film, "--out", tmp_path / "cue")
    session, midi = tmp_path / "cue" / "cue.hitpoint", tmp_path / "cue" / "cue.mid"
    first = heard(midi)
    assert len(first) > 40
    assert told["summary"]["within_1_frame"] >= 5  # type: ignore[index]

    done = run("refill", session, "--scene", 2)
    start, end = float(done["start_s"]), float(done["end_s"])  # type: ignore[arg-type]
    assert [n for n in heard(midi) if not start <= n[0] < end] == [n for n in first if not start <= n[0] < end]
    assert heard(midi, start, end) != [n for n in first if start <= n[0] < end]

    run("brief", session, "--scene", 2, "--avoid")
    run("refill", session, "--scene", 2)
    thin, full = heard(midi, start, end), [n for n in first if start <= n[0] < end]
    assert len(thin) < len(full)
    assert sum(n[2] for n in thin) / len(thin) < sum(n[2] for n in full) / len(full) - 3, "lower"
    assert run("takes", session, "--scene", 2, "--again")["same"] is True

    run("undo", session, "--count", 3)
    assert heard(midi) == first

    before = midi.read_bytes()
    found = run("conform", session, "--film", recut(film, tmp_path / "recut.mp4"))
    assert {change["kind"] for change in found["changes"]} == {"unmoved", "moved", "trimmed", "gone"}  # type: ignore[attr-defined, index]
    bars = found["bars"]
    assert bars["kept"] >= bars["total"] // 2  # type: ignore[index]
    assert bars["refilled"] <= 5  # type: ignore[index]
    untouched = 200 / 24  # up to the trimmed shot nothing moved; the bars across its edge may be new
    assert heard(midi, 0, untouched - 2.5) == [n for n in first if n[0] < untouched - 2.5]
    run("undo", session)
    assert midi.read_bytes() == before
    run("redo", session)

    run("deliver", session, "--out", tmp_path / "handover", "--stems")
    names = {path.suffix for path in (tmp_path / "handover").iterdir()}
    assert {".mid", ".csv", ".html", ".edl", ".json"} <= names
