"""The verb ``play``: what another program composes or writes meanwhile is heard from the next bar on, and told in a line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import pytest
from test_player_process import DEADLINE_S, sounding, until, written

from bridge.clock import SECOND
from bridge.mtc import full_frame
from bridge.player import Programme
from bridge.player.from_midi import programme_of_midi, tempo_map_of
from bridge.player.writing import programme_of
from engines.score.smf_reader import read_smf
from engines.session.deliver import write_cue
from engines.session.working import look_at
from engines.spotting.tempo import Metre

ROOT = Path(__file__).resolve().parents[2]

REFILL = """import sys
sys.path[:0] = [{root!r}, {tests!r}]
from engines.engine import ENGINES
ENGINES["trio"] = "sittings:Trio"
from main import main
sys.exit(any(main(["refill", {file!r}, "--scene", str(scene), "--seed", "99"]) for scene in (1, 2, 3)))
"""


@contextmanager
def playing(tmp_path: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The program as it plays into a file, and what it says goes into another."""
    said = tmp_path / "said"
    with said.open("w") as err:
        program = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "play", *words, "--out", f"file:{tmp_path / 'out'}", "--json"],
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )
        try:
            yield program, said
        finally:
            program.kill()
            program.communicate()


def refill(file: Path) -> None:
    """Every scene, in a process of its own, as from another terminal."""
    code = REFILL.format(root=str(ROOT), tests=str(ROOT / "tests"), file=str(file))
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=DEADLINE_S)


def onsets(programme: Programme, begin: Fraction, end: Fraction) -> Counter[tuple[int, int]]:
    return Counter(
        (part.channel, note.pitch) for part in programme.parts for note in part.notes if begin * SECOND <= note.on < end * SECOND
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_refill_of_another_process_is_heard_from_the_next_bar_on(file: Path, tmp_path: Path) -> None:
    """And a file that becomes none in between is told, and changes nothing."""
    before = programme_of(look_at(file).session)
    with playing(tmp_path, str(file)) as (program, said):
        until(lambda: sounding(tmp_path / "out")[0] > 2, "it never played")
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        until(lambda: "played on" in said.read_text(), "nothing was said of a file that is no session")
        file.write_bytes(whole)
        refill(file)
        after = programme_of(look_at(file).session)
        assert after != before

        def seams() -> list[Fraction]:
            return [
                Fraction(at) for at in re.findall(rf"{file.name} changed: heard from the bar at ([\d.]+) s on", said.read_text())
            ]

        until(lambda: bool(seams()), f"nothing was said: {said.read_text()}")
        until(lambda: heard_now(tmp_path / "out", after), "the newest was never heard")
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=DEADLINE_S)
    bars = [round(bar / SECOND, 1) for bar in after.bars]
    assert all(float(seam) in bars for seam in seams())
    assert seams() == sorted(seams())
    assert sounding(tmp_path / "out")[1] == set()
    assert "Traceback" not in said.read_text()
    first = onsets(before, Fraction(0), seams()[0] - Fraction(1, 10))
    played = Counter((message[0] & 0x0F, message[1]) for _, message in written(tmp_path / "out") if message[0] & 0xF0 == 0x90)
    assert not first - played, "all of the old takes until there"


def heard_now(tape: Path, programme: Programme) -> bool:
    """Whether the last strokes are a row of the programme's, and more than one bar of them."""
    struck = [(message[0] & 0x0F, message[1]) for _, message in written(tape) if message[0] & 0xF0 == 0x90][-12:]
    rows = sorted((note.on, part.channel, note.pitch) for part in programme.parts for note in part.notes)
    wanted = Counter(struck)
    return any(Counter((channel, pitch) for _, channel, pitch in rows[k : k + 12]) == wanted for k in range(len(rows) - 11))


def test_a_midi_file_is_played_as_it_is_and_read_again(file: Path, tmp_path: Path) -> None:
    session = look_at(file).session
    path = tmp_path / "cue.mid"
    write_cue(session, path)
    own = read_smf(path)
    programme = programme_of_midi(own, "cue")
    assert sum(len(part.notes) for part in programme.parts) == len(own.notes)
    with playing(tmp_path, str(path), "--to", "3") as (program, said):
        until(lambda: sounding(tmp_path / "out")[0] > 2, "it never played")
        os.utime(path, ns=(1, 1))  # the same notes: no news
        copied = path.read_bytes()
        os.replace(_other(copied, tmp_path / "other.mid"), path)
        out, _ = program.communicate(timeout=DEADLINE_S)
    told = json.loads(out)
    assert program.returncode == 0
    assert told["swaps"] == 1
    assert len(re.findall("changed: heard", said.read_text())) == 1
    assert told["seconds"] >= 3
    assert sounding(tmp_path / "out")[1] == set()


def _other(smf: bytes, path: Path) -> Path:
    """The same, an octave higher."""
    import mido

    file = mido.MidiFile(file=BytesIO(smf))
    for track in file.tracks:
        for message in track:
            if message.type in ("note_on", "note_off"):
                message.note = min(127, message.note + 12)
    file.save(path)
    return path


def test_the_notes_of_a_cues_midi_file_lie_where_those_of_its_session_do(file: Path, tmp_path: Path) -> None:
    """To the nearest tick, with its timecode, its channels and its instruments; bar lines too."""
    session = look_at(file).session
    write_cue(session, tmp_path / "cue.mid")
    mine, its = programme_of(session), programme_of_midi(read_smf(tmp_path / "cue.mid"), session.film.path)
    assert its.beats is not None
    assert mine.beats is not None
    early = round(-mine.beats.origin * SECOND)  # tick 0 may be the frame before beat 0
    assert [part.channel for part in its.parts] == [part.channel for part in mine.parts]
    assert [part.setup for part in its.parts] == [part.setup for part in mine.parts]
    for a, b in zip(mine.parts, its.parts, strict=True):
        assert [note.pitch for note in a.notes] == [note.pitch for note in b.notes]
        assert max(abs(x.on + early - y.on) for x, y in zip(a.notes, b.notes, strict=True)) < 3 * SECOND // 1000
    assert its.rate == mine.rate


def test_a_metre_that_changes_within_a_bar_holds_from_the_next_one_on(tmp_path: Path) -> None:
    import mido

    path = tmp_path / "odd.mid"
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=600_000, time=0))
    track.append(mido.MetaMessage("time_signature", numerator=3, denominator=4, time=960))
    track.append(mido.Message("note_on", note=60, velocity=90, time=0))
    track.append(mido.Message("note_off", note=60, velocity=0, time=10 * 480))
    file.save(path)
    beats = tempo_map_of(read_smf(path))
    assert beats is not None
    assert beats.metres == (Metre(), Metre(3, 4))
    assert [bar.start for bar in beats.bars_until(Fraction(10))][:3] == [0, 4, 7]
    assert programme_of_midi(read_smf(path), "odd").bars[:3] == tuple(
        round(Fraction(6, 10) * beat * SECOND) for beat in (0, 4, 7)
    )


def child_of(pid: int) -> int | None:
    """The process that plays for a program: the one it began that is no tracker of resources."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next((int(one) for one in listed if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()), None)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_player_that_is_killed_amid_is_told_and_the_next_one_plays_on_to_the_end(file: Path, tmp_path: Path) -> None:
    with playing(tmp_path, str(file), "--to", "4") as (program, said):
        until(lambda: sounding(tmp_path / "out")[0] > 2, "it never played")
        first = child_of(program.pid)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        out, _ = program.communicate(timeout=DEADLINE_S)
    assert program.returncode == 0
    assert "the player's process ended (-9" in said.read_text()
    assert "another one takes over" in said.read_text()
    assert json.loads(out)["seconds"] >= 4
    assert sounding(tmp_path / "out")[1] == set()


def test_ctrl_c_ends_it_and_tells_how_it_went(file: Path, tmp_path: Path) -> None:
    with playing(tmp_path, str(file)) as (program, said):
        until(lambda: sounding(tmp_path / "out")[0] > 2, "it never played")
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=DEADLINE_S)
    assert program.returncode == 130
    assert re.search(r"^played to [\d.]+ s: [1-9]\d* messages, ", said.read_text(), re.MULTILINE)
    assert "Traceback" not in said.read_text()
    assert sounding(tmp_path / "out")[1] == set()


def test_timecode_and_clock_go_out_beside_the_notes_and_end_with_them(file: Path, tmp_path: Path) -> None:
    session = look_at(file).session
    sends = [f"--send-{what}=file:{tmp_path / what}" for what in ("timecode", "clock")]
    with playing(tmp_path, str(file), "--from", "1", "--to", "2.5", *sends) as (program, said):
        out = program.communicate(timeout=DEADLINE_S)[0]
    assert program.returncode == 0
    assert f"{tmp_path / 'timecode'}: open (FilePort), timecode, {float(session.film.rate):.5g} fps\n" in said.read_text()
    assert json.loads(out)["sends"]["clock"] == {"name": str(tmp_path / "clock"), "counts": "24 a beat"}
    timecode = [message for _, message in written(tmp_path / "timecode")]
    assert full_frame(session.start + int(session.film.rate)) in timecode
    assert timecode[-1][0] == 0xF0
    assert sum(message[0] == 0xF1 for message in timecode) >= 1.4 * 4 * session.film.rate
    clock = [message for _, message in written(tmp_path / "clock")]
    assert clock[-1] == b"\xfc"
    assert clock.count(b"\xf8") > 24


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--out", "bass=file:x"), "--out: no stem is named 'bass'; choose from melody, bridge, piano, or name no stem"),
        (
            ("--follow", "--send-clock", "auto"),
            "play: who follows a DAW sends it no timecode or clock: its own would come back to it; "
            "leave --follow away, or --send-timecode and --send-clock",
        ),
        (
            ("--send-timecode", "speaker"),
            "send timecode: no kind of port is named 'speaker'; choose from auto, jack, virtual, system",
        ),
        (("--follow", "--sync", "link:3"), "sync: there is one link, without a name; say link alone"),
    ],
)
def test_what_cannot_be_played_is_one_line(words: tuple[str, ...], line: str, file: Path, tmp_path: Path) -> None:
    with playing(tmp_path, str(file), *words) as (program, said):
        program.communicate(timeout=DEADLINE_S)
    assert program.returncode == 2
    assert said.read_text() == f"hitpoint: {line}\n"


def test_stems_that_go_nowhere_are_told(file: Path, tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("w") as err:
        words = ["play", str(file), "--to", "0.2", "--out", f"piano=file:{tmp_path / 'out'}"]
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), *words], stdout=subprocess.PIPE, stderr=err, timeout=60, check=False
        )
    assert done.returncode == 0
    assert "goes nowhere: melody, bridge;" in said.read_text()
