"""Addresses that write files, read other people's, and measure: over the table, as HTTP and OSC ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sittings import Trio, saved, scored

from bridge.addresses import ASKED
from bridge.calls import answer, calls, job_json
from bridge.player.latencies import keep
from bridge.studio import Studio
from engines.engine import ENGINES
from engines.errors import OptionError, SessionError
from engines.picture import cutlist
from engines.score.smf import read_smf
from engines.session.deliver import score_of, write_cue
from engines.session.sheet import sheet_text

LONG = 120.0


class Hearing(Trio):
    """An engine that hears features of the film, and takes any file for them."""

    features: tuple[Path, ...] = ()

    def __init__(self, provider: str | None = None, mode: str | None = None, features: tuple[Path, ...] = ()) -> None:
        super().__init__(provider, mode)
        self.features = features


@pytest.fixture
def hearing(trio: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(ENGINES, "hearing", f"{__name__}:Hearing")
    return "hearing"


@pytest.fixture
def studio(hearing: str, tmp_path: Path) -> Iterator[Studio]:
    made = Studio()
    made.open_session(saved(replace(scored(engine="hearing")), tmp_path / "cue.hitpoint"))
    yield made
    made.close(LONG)


def ask(studio: Studio, address: str, **given: Any) -> Any:
    """What an address answers; of a job, what came of it. All of it goes through JSON, as over the wire."""
    told = answer(studio, address, given)
    if "job" in told:
        job = studio.jobs.job(told["job"])
        job.result(LONG)
        told = job_json(job)["result"]
    return json.loads(json.dumps(told))


def test_every_row_has_a_call_and_every_call_a_row() -> None:
    assert {row.address for row in ASKED if row.wire == "both"} == set(calls())


def test_features_are_heard_from_then_on_and_left_out_again(studio: Studio, tmp_path: Path) -> None:
    files = [tmp_path / "visual.npy", tmp_path / "captions.npy"]
    for file in files:
        file.write_bytes(file.name.encode())
    words = "; ".join(map(str, files))
    ask(studio, "/hitpoint/scene/refill", scene=2, features=words)
    session = studio.now.session
    assert [Path(f.path) for f in session.features] == files
    assert [Path(f.path) for f in session.take(session.scenes[1])[1].orders[0].features] == files
    ask(studio, "/hitpoint/score", features=str(files[0]), seed=70)
    session = studio.now.session
    assert [Path(f.path) for f in session.features] == files[:1]
    assert [session.take(scene)[1].seed for scene in session.scenes] == [70, 71, 72]
    told = ask(studio, "/hitpoint/scene/again", scene=2)
    assert told == {"scene": 2, "take": 3, "same": True, "differs": []}
    files[0].rename(tmp_path / "moved.npy")
    told = ask(studio, "/hitpoint/scene/again", scene=2, features=str(tmp_path / "moved.npy"))
    assert told["same"]
    ask(studio, "/hitpoint/scene/refill", scene=1, features="none")
    assert not studio.now.session.features
    with pytest.raises(OptionError, match="is no absolute path"):
        ask(studio, "/hitpoint/scene/refill", scene=1, features="visual.npy")


def test_a_session_that_is_open_keeps_its_engine(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="keeps its engine"):
        ask(studio, "/hitpoint/score", engine="bmt")


def test_two_takes_are_held_against_each_other(studio: Studio) -> None:
    ask(studio, "/hitpoint/scene/refill", scene=2, seed=9)
    told = ask(studio, "/hitpoint/takes/compare", scene=2, one=1, other=2)
    assert told["takes"] == [1, 2]
    assert len(told["measures"]["notes"]) == 2
    with pytest.raises(OptionError, match="has no take 9"):
        ask(studio, "/hitpoint/takes/compare", scene=2, one=1, other=9)


def test_the_cue_goes_into_files(studio: Studio, tmp_path: Path) -> None:
    session = studio.now.session
    cuts = ask(studio, "/hitpoint/cuts/write", path=str(tmp_path / "cuts.csv"))["file"]
    assert [cut.frame for cut in cutlist.read(Path(cuts), session.film.rate).cuts] == [c.frame for c in session.programme.cuts]
    click = read_smf(Path(ask(studio, "/hitpoint/click/write", path=str(tmp_path / "click.mid"))["file"]))
    beats = {session.tempo_map.seconds(beat) for beat in range(int(session.end))}
    assert len(click.notes) >= len([beat for beat in beats if beat >= 0]) - 1
    sheet = ask(studio, "/hitpoint/brief/write", path=str(tmp_path / "brief.txt"))["file"]
    assert Path(sheet).read_text("utf-8") == sheet_text(session)
    names = {"csv": "cue.csv", "spotting": "hits.csv", "html": "cue.html"}
    files = ask(studio, "/hitpoint/cuesheet/write", **{kind: str(tmp_path / name) for kind, name in names.items()})["files"]
    assert [Path(file).name for file in files] == list(names.values())
    assert all(Path(file).stat().st_size for file in files)
    with pytest.raises(OptionError, match="no file is named"):
        ask(studio, "/hitpoint/cuesheet/write")


def test_anybodys_midi_is_held_against_the_hits(studio: Studio, tmp_path: Path) -> None:
    mine = tmp_path / "mine.mid"
    write_cue(studio.now.session, mine)
    told = ask(studio, "/hitpoint/report/midi", midi=str(mine))
    assert len(told["hits"]) == len(studio.now.session.hits)
    table = tmp_path / "cuts.csv"
    ask(studio, "/hitpoint/cuts/write", path=str(table))
    other = ask(studio, "/hitpoint/report/midi", midi=str(mine), cuts=str(table), rate=str(studio.now.session.film.rate))
    assert len(other["hits"]) == len(told["hits"])


def test_sketches_without_a_film(studio: Studio, tmp_path: Path) -> None:
    given = {"folder": str(tmp_path / "out"), "bars": 4, "count": 2, "seed": 5, "engine": "trio", "mood": "calm", "tempo": "90"}
    files = ask(studio, "/hitpoint/sketch", **given)["files"]
    assert sorted(files) == ["sketch-5", "sketch-6"]
    assert all(read_smf(Path(file)).notes for file in files.values())
    for wrong, said in (({"mood": "wild"}, "is no mood"), ({"metre": "4/5"}, "is not a metre")):
        with pytest.raises(OptionError, match=said):
            ask(studio, "/hitpoint/sketch", **{**given, **wrong})


def test_a_film_a_preview_and_limits_of_another_spotting(hearing: str, shared: Path, tmp_path: Path) -> None:
    studio = Studio()
    try:
        with pytest.raises(SessionError, match="no session is open"):
            ask(studio, "/hitpoint/preview")
        ask(studio, "/hitpoint/open", path=str(shared / "media" / "counter.mp4"))
        ask(studio, "/hitpoint/spot")
        file = tmp_path / "visual.npy"
        file.write_bytes(b"visual")
        music = {"engine": "hearing", "performance": 0.2, "formula": "cmt", "instruments": "melody=violin", "features": str(file)}
        ask(studio, "/hitpoint/score", path=str(tmp_path / "cue.hitpoint"), **music)
        session = studio.now.session
        assert (session.engine, session.performance, session.formula, len(session.features)) == ("hearing", 0.2, "cmt", 1)
        assert list(session.instruments) == ["melody"]
        files = ask(studio, "/hitpoint/preview", folder=str(tmp_path / "seen"), mix=0.1)["files"]
        assert {Path(path).suffix for path in files.values()} == {".mid", ".wav", ".mp4"}
        with pytest.raises(OptionError, match="no synthesiser"):
            ask(studio, "/hitpoint/preview", synthesiser="harp")
        ask(studio, "/hitpoint/cue/spot", tempo="100-110", max_bend=8, metres="4/4 3/4", subdivision=2)
        assert studio.maps is not None
        assert studio.maps.limits.tempo == (100, 110)
        assert [str(metre) for metre in studio.maps.limits.metres] == ["4/4", "3/4"]
        with pytest.raises(OptionError, match="is not understood"):
            ask(studio, "/hitpoint/cue/spot", metres="4/5")
    finally:
        studio.close(LONG)


def test_the_demo_film_is_made_and_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    import engines.picture.demo_film

    def copied(path: Path, told: object = None) -> Path:
        path.write_bytes((shared / "media" / "counter.mp4").read_bytes())
        return path

    monkeypatch.setattr(engines.picture.demo_film, "make_demo_film", copied)
    studio = Studio()
    try:
        told = ask(studio, "/hitpoint/demo", folder=str(tmp_path / "demo"))
        assert told["frames"] == 30
        assert studio.film is not None
        assert studio.film.reel.path == tmp_path / "demo" / "demo.mp4"
    finally:
        studio.close(LONG)


def test_a_port_is_calibrated_by_a_recording_and_forgotten(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "latencies.json"
    monkeypatch.setattr("bridge.player.latencies.store", lambda: store)
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "there is none")
    played, late = tmp_path / "cue.mid", tmp_path / "late.mid"
    write_cue(studio.now.session, played)
    write_cue(studio.now.session, late)
    given = {"out": "virtual:Studio test", "midi": str(late), "expected": str(played)}
    told = ask(studio, "/hitpoint/calibrate", **given, at="0.02", dry=True)
    assert told["late_ms"] == pytest.approx(20, abs=0.01)
    assert told["found"] == told["sent"]
    assert told["kept"] is None
    with pytest.raises(OptionError, match="one of two is missing"):
        ask(studio, "/hitpoint/calibrate", midi=str(late))
    told = ask(studio, "/hitpoint/calibrate", **given, at="0.02")
    assert told["kept"] == str(store)
    key = "virtual:Studio test"
    assert ask(studio, "/hitpoint/latencies")["latency_ms"] == {key: pytest.approx(-20, abs=0.01)}
    with pytest.raises(OptionError, match="nothing is kept for 'elsewhere'"):
        ask(studio, "/hitpoint/latencies/forget", port="elsewhere")
    assert ask(studio, "/hitpoint/latencies/forget", port=key)["latency_ms"] == {}
    assert isinstance(ask(studio, "/hitpoint/ports")["systems"], dict)


def test_over_the_wire_ports_are_those_of_play_and_timecode_is_the_sessions(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.player.latencies.store", lambda: tmp_path / "latencies.json")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "there is none")
    late = tmp_path / "late.mid"
    write_cue(studio.now.session, late)
    session = studio.now.session
    assert session.film.rate == 24
    keep("virtual:Hitpoint", -7.0)
    zero = score_of(session).zero
    cue = saved(session, tmp_path / "copy.hitpoint")
    given = {"midi": str(late), "expected": str(cue)}
    for out in ("rubbish", "garbage:foo", "jack:a;jack:b"):
        with pytest.raises(OptionError, match="port"):
            ask(studio, "/hitpoint/calibrate", **given, out=out)
    seconds, timecode = (ask(studio, "/hitpoint/calibrate", **given, at=at, dry=True)["late_ms"] for at in ("1.5", "00:00:01:12"))
    assert seconds == timecode == pytest.approx(float(1500 - 1000 * zero), abs=1)
    with pytest.raises(OptionError, match="nothing says how many frames a second"):
        ask(studio, "/hitpoint/calibrate", midi=str(late), expected=str(late), at="00:00:01:12")
    assert ask(studio, "/hitpoint/latencies")["latency_ms"] == {"virtual:Hitpoint": -7.0}
