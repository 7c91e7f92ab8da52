"""The delivery: MIDI that three other libraries read alike, cut lists that read back, rights, and a folder that is never half new."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PureWindowsPath

import mido
import pytest
from cue_sessions import pulse, session_on, steady_session, with_notes  # noqa: F401 - a fixture
from hypothesis import given, settings
from hypothesis import strategies as st

import main
from engines.commands import Refill
from engines.errors import OptionError, OutputError
from engines.picture import cutlist
from engines.picture.timecode import Timecode
from engines.runtime import repository
from engines.score.notes import Note
from engines.session.cue_sheet import cue_sheet
from engines.session.delivery import deliver
from engines.session.delivery_names import Names, safe
from engines.session.desk import Desk
from engines.session.divide import join
from engines.session.model import Session
from engines.session.refill import Wish
from engines.session.rights import rights
from engines.session.rights_text import rights_text
from engines.spotting.tempo import TempoMap
from engines.watch import Watch

BMT = repository() / "bmt"
needs_bmt = pytest.mark.skipif(not BMT.is_dir(), reason="the repository holds no onnx/bmt")
Heard = Counter[tuple[int, int, int]]
"""Pitch, onset and release in milliseconds."""


@pytest.fixture(scope="module")
def session(shared: Path, pulse: None) -> Session:  # noqa: F811 - the fixture
    """A real list with markers from 00:59:53:11, scored, with a second take of scene 2 that is not chosen."""
    first = session_on(
        cutlist.read(shared / "timelines" / "cmx3600" / "screening_example.edl", 24), "/films of mine/The: Night?.mov"
    )
    second = Refill(Wish(2, seed=77)).do(first, Watch())
    return second.with_scene(first.scenes[1])


def mido_heard(path: Path) -> Heard:
    found: Heard = Counter()
    sounding: dict[tuple[int, int], float] = {}
    now = 0.0
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.channel, message.note] = now
        elif message.type in ("note_off", "note_on"):
            start = sounding.pop((message.channel, message.note))
            found[message.note, round(1000 * start), round(1000 * now)] += 1
    assert not sounding
    return found


def pretty_midi_heard(path: Path) -> Heard:
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(str(path))
    return Counter((n.pitch, round(1000 * n.start), round(1000 * n.end)) for part in midi.instruments for n in part.notes)


def symusic_heard(path: Path) -> Heard:
    import symusic

    score = symusic.Score(path).to("second")  # read as seconds at once, 0.5.8 has no note shorter than one
    return Counter((n.pitch, round(1000 * n.start), round(1000 * n.end)) for track in score.tracks for n in track.notes)


def near(one: Heard, other: Heard) -> bool:
    """Whether the same notes sound, to a millisecond on either side of a rounding."""
    pairs = zip(sorted(one.elements()), sorted(other.elements()), strict=True)
    return all(a[0] == b[0] and abs(a[1] - b[1]) <= 1 and abs(a[2] - b[2]) <= 1 for a, b in pairs)


def tracks(path: Path) -> list[list[object]]:
    """The tracks of a file as their messages, without the channel, which a file of one stem chooses anew."""
    return [[m.copy(channel=0) if hasattr(m, "channel") else m for m in track] for track in mido.MidiFile(path).tracks]


def test_delivered_midi_is_the_same_to_three_readers(session: Session, tmp_path: Path) -> None:
    done = deliver(session, tmp_path, stems=True, takes=True)
    files = [path for path in done.files.values() if path.suffix == ".mid"]
    assert len(files) == 1 + 2 + len(session.takes)
    for path in files:
        heard = mido_heard(path)
        assert heard, path.name
        assert near(heard, pretty_midi_heard(path))
        assert near(heard, symusic_heard(path))


def test_stems_together_are_the_whole(session: Session, tmp_path: Path) -> None:
    done = deliver(session, tmp_path, stems=True)
    conductor, *parts = tracks(done.files["midi"])
    stems = [tracks(path) for kind, path in done.files.items() if kind.startswith("stem ")]
    assert [kind for kind in done.files if kind.startswith("stem ")] == ["stem melody", "stem piano"]
    assert all(stem[0] == conductor for stem in stems)
    assert [stem[1] for stem in stems] == parts
    assert sum(map(mido_heard, [done.files["stem melody"], done.files["stem piano"]]), Counter()) == mido_heard(
        done.files["midi"]
    )


def test_every_take_lies_at_its_scenes_time(session: Session, tmp_path: Path) -> None:
    done = deliver(session, tmp_path, takes=True)
    whole = mido_heard(done.files["midi"])
    chosen: Heard = Counter()
    for span in session.spans:
        start, end = (1000 * float(time) for time in span.seconds)
        for name, take in session.takes_of(span.scene).items():
            heard = mido_heard(done.files[f"scene {span.number} take {take.number}"])
            assert len(take.notes) == heard.total()
            assert all(start - 10 <= onset < end for _, onset, _ in heard)
            if name == span.scene.chosen:
                chosen += heard
            else:
                assert not heard <= whole
    assert near(chosen, whole)


def test_a_take_for_other_bars_begins_with_its_scene_in_its_own_tempo(tmp_path: Path) -> None:
    session = steady_session(Timecode(0, Fraction(24)), 24 * 20)
    bars = session.scenes[0].bars
    session = replace(session, scenes=(replace(session.scenes[0], bars=3), replace(session.scenes[0], id="s2", bars=bars - 3)))
    session = with_notes(session, [Note(Fraction(k), 60 + k, Fraction(1, 2), 70) for k in range(4)], scene=2)
    name, take = session.take(session.scenes[1])
    other = replace(session, takes={name: replace(take, tempo_map=TempoMap.steady(100))})
    for cue, spb in ((session, 500), (other, 600)):
        heard = mido_heard(deliver(cue, tmp_path / str(spb), takes=True).files["scene 2 take 1"])
        assert sorted(onset for _, onset, _ in heard) == [6000 + k * spb for k in range(4)]


def test_scenes_choose_the_takes_and_nothing_else(session: Session, tmp_path: Path) -> None:
    done = deliver(session, tmp_path, takes=True, scenes=[2])
    assert [kind for kind in done.files if kind.startswith("scene ")] == ["scene 2 take 1", "scene 2 take 2"]
    assert mido_heard(done.files["midi"]).total() == cue_sheet(session).notes
    with pytest.raises(OptionError, match="no scene 99"):
        deliver(session, tmp_path / "none", takes=True, scenes=[99])
    assert not (tmp_path / "none").exists()


def test_the_cut_list_reads_back_with_its_markers(session: Session, tmp_path: Path) -> None:
    done = deliver(session, tmp_path)
    programme = session.programme
    edl = cutlist.read(done.files["cut list"])
    assert [(cut.frame, cut.kind) for cut in edl.cuts] == [(cut.frame, cut.kind) for cut in programme.cuts]
    assert edl.start == programme.start
    assert len(programme.markers) == 3
    assert [(m.frame, m.name) for m in edl.markers] == [(m.frame, m.name) for m in programme.markers]
    assert [cut.frame for cut in cutlist.read(done.files["cut list table"]).cuts] == [cut.frame for cut in programme.cuts]
    with done.files["markers"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    hits = [int(row["frame"]) for row in rows if row["kind"] != "scene"]
    assert set(hits) >= {hit.frame for hit in session.hits}


def test_papers_agree_and_nothing_tells_of_the_machine(session: Session, tmp_path: Path) -> None:
    done = deliver(session, tmp_path, stems=True, takes=True)
    report = json.loads(done.files["hit report"].read_text("utf-8"))
    assert report["summary"]["hits"] == len(session.hits)
    with done.files["spotting notes"].open(newline="", encoding="utf-8") as file:
        assert [row["timecode"] for row in csv.DictReader(file)] == [hit["timecode"] for hit in report["hits"]]
    for path in done.files.values():
        content = path.read_bytes()
        assert b"films of mine" not in content, path.name
        assert str(tmp_path).encode() not in content, path.name


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@needs_bmt
def test_rights_name_the_model_at_hand_by_its_hash_with_data_and_licences(tmp_path: Path) -> None:
    graph = digest(BMT / "1" / "model.onnx")
    bare = steady_session(Timecode(0, Fraction(24)), 24 * 20)
    session = with_notes(bare, [Note(Fraction(0), 60, Fraction(1), 70)], engine="bmt", model=graph)
    done = deliver(session, tmp_path)
    (model,) = json.loads(done.files["rights and files"].read_text("utf-8"))["cues"]["reel-one-1m1"]["models"]
    assert (model["sha256"], model["name"], model["here"]) == (graph, "bmt", True)
    assert model["licence"]["weights"]
    assert model["data"]["licence"]
    text = done.files["rights"].read_text("utf-8")
    for said in (graph, model["licence"]["weights"], model["data"]["name"]):
        assert said in text


def test_rights_say_what_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = [Note(Fraction(0), 60, Fraction(1), 70)]
    bare = steady_session(Timecode(0, Fraction(24)), 24 * 20)
    absent = with_notes(bare, note, engine="bmt", model="ab" * 32)
    for folder in (None, tmp_path / "no models"):
        if folder:
            monkeypatch.setenv("HITPOINT_MODELS", str(folder))
        card = rights(absent)
        assert [(m["sha256"], m["here"]) for m in card["models"]] == [("ab" * 32, False)]
        assert "is not here" in rights_text("cue", card)
    assert "name no model" in rights_text("cue", rights(with_notes(bare, note, engine="pulse", model="none")))
    assert "Nothing in this cue was composed" in rights_text("cue", rights(bare))


def test_rights_follow_kept_notes_to_the_takes_that_they_came_from(session: Session) -> None:
    span = session.span(1)
    name, take = session.take(span.scene)
    strange = replace(
        session, takes={**session.takes, name: replace(take, facts={**take.facts, "engine": "bmt", "model": "cd" * 32})}
    )
    refilled = Refill(Wish(1, stems=("piano",), seed=5)).do(strange, Watch())
    melody = sum(row.note.stem == "melody" for row in take.notes)
    rows = [row for row in rights(refilled)["takes"] if row["scene"] == 1]
    assert [(row["take"], row["engine"], row["model"]) for row in rows] == [(2, "pulse", None), (1, "bmt", "cd" * 32)]
    assert rows[1]["notes"] == melody
    assert sum(row["notes"] for row in rows) == len(refilled.take(span.scene)[1].notes)
    assert {model["sha256"] for model in rights(refilled)["models"]} == {None, "cd" * 32}
    gone = replace(refilled, takes={key: value for key, value in refilled.takes.items() if key != name})
    last = [row for row in rights(gone)["takes"] if row["scene"] == 1][-1]
    assert (last["take"], last["notes"]) == (None, melody)
    assert "no longer in the session" in rights_text("cue", rights(gone))


def test_takes_delivered_on_their_own_have_rights_too(session: Session, tmp_path: Path) -> None:
    name = next(key for key, take in session.takes_of(session.scenes[1]).items() if take.number == 2)
    strange = replace(
        session, takes={**session.takes, name: replace(session.takes[name], facts={"engine": "x", "model": "ef" * 32})}
    )
    assert "ef" * 32 not in {model["sha256"] for model in deliver(strange, tmp_path / "a").rights["models"]}
    card = deliver(strange, tmp_path / "b", takes=True).rights
    assert "ef" * 32 in {model["sha256"] for model in card["models"]}
    assert [row["take"] for row in card["takes"] if not row["heard"]] == [2]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_delivery_replaces_the_one_before_and_nothing_else(session: Session, tmp_path: Path) -> None:
    deliver(session, tmp_path, stems=True)
    (tmp_path / "mine.txt").write_text("mine")
    before = contents(tmp_path)
    assert deliver(session, tmp_path, stems=True).older == ()
    after = contents(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"rights.json"}  # which knows the files before, too
    other = Refill(Wish(1, seed=99)).do(session, Watch())
    done = deliver(other, tmp_path)
    assert done.older == ("The-Night-1m1-melody.mid", "The-Night-1m1-piano.mid")
    changed = contents(tmp_path)
    assert changed["The-Night-1m1.mid"] != before["The-Night-1m1.mid"]
    assert changed["mine.txt"] == b"mine"
    assert changed["The-Night-1m1-piano.mid"] == before["The-Night-1m1-piano.mid"]


@pytest.mark.parametrize("name", ["The-Night-1m1.mid", "The-Night-1m1-cue-sheet.csv", "rights.txt", "rights.json"])
@pytest.mark.parametrize("delivered", [True, False])
def test_a_file_that_is_not_as_we_left_it_is_never_touched(name: str, delivered: bool, session: Session, tmp_path: Path) -> None:
    if delivered:
        deliver(session, tmp_path)
    (tmp_path / name).write_text("composer: Anna")
    before = contents(tmp_path)
    with pytest.raises(OutputError) as error:
        deliver(replace(session, cue="1m1 Night"), tmp_path)
    assert name in str(error.value)
    assert contents(tmp_path) == before


def test_two_cues_share_a_folder_and_not_a_file(session: Session, tmp_path: Path) -> None:
    first = deliver(session, tmp_path)
    second = deliver(replace(session, cue="1m2 The <door>"), tmp_path)
    shared_files = set(first.files.values()) & set(second.files.values())
    assert {path.name for path in shared_files} == {"rights.txt", "rights.json"}
    text = (tmp_path / "rights.txt").read_text("utf-8")
    assert "The-Night-1m1\n" in text
    assert "The-Night-1m2\n" in text
    deliver(session, tmp_path)
    table = json.loads((tmp_path / "rights.json").read_text("utf-8"))
    for cue in table["cues"].values():
        assert {file: digest(tmp_path / file) for file in cue["files"]} == {f: row["sha256"] for f, row in cue["files"].items()}


@pytest.mark.parametrize("at", [1, 4, 9])
def test_a_full_disk_leaves_the_delivery_before_as_it_was(
    at: int, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(session, tmp_path)
    before, written, real = contents(tmp_path), [0], Path.write_bytes

    def full(self: Path, content: bytes) -> int:
        written[0] += 1
        if written[0] < at:
            return real(self, content)
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="disk is full"):
        deliver(Refill(Wish(1, seed=99)).do(session, Watch()), tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("at", [1, 2, 5])
def test_a_delivery_stopped_between_two_files_can_be_done_again(
    at: int, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    deliver(session, out)
    other, moved, real = Refill(Wish(1, seed=99)).do(session, Watch()), [0], Path.replace

    def stopped(self: Path, target: Path) -> Path:
        moved[0] += 1
        if moved[0] > at:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            deliver(other, out)
    assert not [name for name in contents(out) if name.startswith(".")]
    assert deliver(other, out).older == ()
    deliver(other, tmp_path / "fresh")
    left, fresh = contents(out), contents(tmp_path / "fresh")
    assert left.keys() == fresh.keys()
    assert {name for name in left if left[name] != fresh[name]} == {"rights.json"}


@given(st.text(max_size=300))
@settings(deadline=None, max_examples=150)
def test_a_name_is_one_that_windows_takes(text: str) -> None:
    name = safe(text)
    assert name
    assert not set(name) & set('<>:"/\\|?*')
    assert all(c.isprintable() and not c.isspace() for c in name)
    assert name == name.strip(". ")
    assert not PureWindowsPath(f"{name}.mid").is_reserved()
    assert len(name.encode("utf-8")) <= 100
    assert safe(name) == name or len(name) > 20


@pytest.mark.parametrize("text", ["CON", "nul.txt", "com1", "LPT9.x", "aux", "...", "", " ", "a/../b", "prn .mov", "\ud800x"])
def test_names_that_would_hurt_are_made_others(text: str) -> None:
    name = safe(text)
    assert name.encode("utf-8")
    assert not PureWindowsPath(name).is_reserved()
    assert PureWindowsPath(name).name == name
    assert name not in ("", ".", "..")


def test_no_two_stems_share_a_file() -> None:
    names = Names("reel-1m1")
    made = [names.of(ending) for ending in ("-Lead.mid", "-lead.mid", "-lead.mid", "-le/ad.mid", "-le:ad.mid", ".mid", ".csv")]
    assert len({name.casefold() for name in made}) == len(made)
    assert made[5:] == ["reel-1m1.mid", "reel-1m1.csv"]


def test_the_verbs_write_what_they_say(session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cue.hitpoint"
    with Desk.new(session, path) as desk:
        desk.save()
        # as another program sees it that has it open for reading alone
        assert main.main(["deliver", str(path), "--out", str(tmp_path / "out"), "--stems", "--scene", "1", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"midi", "stem piano", "scene 2 take 2", "cue sheet", "rights"} <= told["files"].keys()
    assert all(Path(file).is_file() for file in told["files"].values())
    pages = [f"--{name}={tmp_path / name}" for name in ("csv", "spotting", "html")]
    assert main.main(["cuesheet", str(path), "--json", *pages]) == 0
    sheet = json.loads(capsys.readouterr().out)
    assert sheet["cue"] == "1m1"
    assert (tmp_path / "csv").read_bytes() == Path(told["files"]["cue sheet table"]).read_bytes()
    assert (tmp_path / "spotting").read_bytes() == Path(told["files"]["spotting notes"]).read_bytes()
    assert (tmp_path / "html").read_bytes() == Path(told["files"]["cue sheet"]).read_bytes()
    assert main.main(["deliver", str(path), "--out", str(tmp_path / "no"), "--scene", "99"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "no").exists()
    assert main.main(["deliver", str(path), "--out", str(path)]) == 2
    assert "not a folder" in capsys.readouterr().err


def test_joined_scenes_of_two_models_name_both(session: Session) -> None:
    two = session.spans[1].scene.chosen or ""
    other = replace(session.takes[two], facts={**session.takes[two].facts, "engine": "another", "model": "f" * 64})
    joined = join(replace(session, takes={**session.takes, two: other}), 1)
    assert {model["engine"] for model in rights(joined)["models"]} >= {
        "another",
        str(session.take(session.scenes[0])[1].facts["engine"]),
    }
