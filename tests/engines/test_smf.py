"""MIDI files: exact out, in other programs too, and every file of the shared folder read or refused."""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import mido
import pretty_midi
import pytest
import symusic
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engines.errors import MidiError, OptionError, OutputError
from engines.picture.cut import Cut
from engines.picture.timecode import Timecode
from engines.score.instruments import INSTRUMENTS
from engines.score.notes import Note
from engines.score.smf import Marker, Score, channels, cut_markers, read_smf, smf_bytes, write_smf, write_stems
from engines.score.smf_reader import parse_smf
from engines.spotting.click import STEM as CLICK
from engines.spotting.tempo import Metre, Segment, TempoMap

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
F = Fraction

NOTES_OF_FILE = {  # notes that a person hears, or the words of the refusal
    "test-2-tracks-type-0.mid": 16,  # two tracks in type 0 mean only one thing: both sound
    "test-2-tracks-type-1.mid": 16,
    "test-all-gm-percussion.mid": 183,
    "test-all-gm-sounds.mid": 512,
    "test-all-gs-sounds.mid": 5044,
    "test-all-microsoft-gs-wavetable-synth-sounds.mid": 904,
    "test-c-major-scale.mid": 8,
    "test-control-00-20-bank-select.mid": 8,
    "test-control-41-portamento.mid": 8,
    "test-control-54-portamento-control.mid": 1,
    "test-control-7d-omni-mode-on.mid": 0,
    "test-control-7e-mono-mode-on.mid": 0,
    "test-corrupt-file-extra-byte.mid": 8,  # after the last track: no music is lost
    "test-corrupt-file-missing-byte.mid": "the file ends at byte 267, inside track 1 of 1",
    "test-empty.mid": 0,
    "test-gm2-doggy-78-00-38-4c.mid": 3,
    "test-gs-doggy-01-00-7b.mid": 3,
    "test-illegal-message-all.mid": "message F1, which no file may hold, at byte 187",
    "test-illegal-message-f2-xx-xx.mid": "message F2, which no file may hold, at byte 221",
    "test-illegal-message-f3-xx.mid": "message F3",
    "test-illegal-message-f5.mid": "message F5",
    "test-illegal-message-f6.mid": "message F6",
    "test-illegal-message-f9.mid": "message F9",
    "test-illegal-message-fa.mid": "message FA",
    "test-illegal-message-fc.mid": "message FC",
    "test-illegal-message-fd.mid": "message FD",
    "test-karaoke-kar.mid": 29,
    "test-multichannel-chords-0.mid": 24,
    "test-multichannel-chords-2.mid": 24,
    "test-multichannel-chords-3.mid": 24,
    "test-not-a-midi-file.mid": "not a MIDI file: it does not begin with MThd",
    "test-note-on-velocity.mid": 9,
    "test-rpn-00-01-fine-tuning.mid": 25,
    "test-rpn-00-02-coarse-tuning.mid": 8,
    "test-running-status-metaevent.mid": 8,
    "test-running-status-sysex.mid": 8,
    "test-silence-end-of-track.mid": 0,
    "test-silence-text-metaevent.mid": 0,
    "test-sysex-7e-06-01-id-request.mid": 0,
    "test-sysex-7e-09-01-gm1-enable.mid": 0,
    "test-sysex-7e-09-03-gm2-enable.mid": 0,
    "test-sysex-7f-04-03-master-fine-tuning.mid": 5,
    "test-sysex-7x-08-0x-scale-tuning.mid": 65,
    "test-sysex-gs-40-1x-15-drum-part-change.mid": 8,
    "test-track-length.mid": 1,
    "test-vlq-2-byte.mid": 8,
    "test-vlq-4-byte.mid": 8,
    "test-xg-doggy-40-00-30.mid": 3,
}


def read_bytes(data: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(data), charset="utf-8")


def file_clock(data: bytes) -> tuple[list[tuple[int, int]], int]:
    """(tick, microseconds a beat) by mido alone, and the division: the independent reader of the drift property."""
    file, tick, tempi = read_bytes(data), 0, []
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            tempi.append((tick, message.tempo))
    return tempi, file.ticks_per_beat


def ticks_of(track: mido.MidiTrack, kind: str) -> list[int]:
    tick, out = 0, []
    for message in track:
        tick += message.time
        if message.type == kind:
            out.append(tick)
    return out


def seconds_at(ticks: list[int], tempi: list[tuple[int, int]], division: int) -> list[Fraction]:
    """File seconds of rising ticks."""
    out, k, spent = [], 0, 0
    for tick in ticks:
        while k + 1 < len(tempi) and tempi[k + 1][0] <= tick:
            spent += (tempi[k + 1][0] - tempi[k][0]) * tempi[k][1]
            k += 1
        out.append(F(spent + (tick - tempi[k][0]) * tempi[k][1], division * 1_000_000))
    return out


def test_every_shared_file_has_a_verdict(shared: Path) -> None:
    assert sorted(p.name for p in (shared / "midi").glob("*.mid")) == sorted(NOTES_OF_FILE)


@pytest.mark.parametrize(("name", "verdict"), NOTES_OF_FILE.items())
def test_shared_files_are_read_or_refused_in_one_line(shared: Path, name: str, verdict: int | str) -> None:
    path = shared / "midi" / name
    if isinstance(verdict, int):
        assert len(read_smf(path).notes) == verdict
        return
    with pytest.raises(MidiError) as refused:
        read_smf(path)
    assert verdict in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_times_agree_with_symusic_on_real_songs_and_odd_files(shared: Path) -> None:
    paths = [shared / "data/pop909" / song / f"{song}.mid" for song in ("001", "205", "734")]
    paths += [shared / "midi" / name for name in ("test-karaoke-kar.mid", "test-all-gs-sounds.mid", "test-vlq-4-byte.mid")]
    for path in paths:
        ours = sorted((float(n.start), n.pitch, n.velocity, float(n.end)) for n in read_smf(path).notes)
        other = symusic.Score(path).to("second")
        theirs = sorted((n.time, n.pitch, n.velocity, n.end) for track in other.tracks for n in track.notes)
        assert len(ours) == len(theirs) > 0
        for mine, its in zip(ours, theirs, strict=True):
            assert mine[:3] == pytest.approx(its[:3], abs=2e-4)  # symusic keeps 32-bit seconds


def a_file(*tracks: bytes, kind: int = 1, division: int = 480) -> bytes:
    chunks = b"".join(b"MTrk" + len(t).to_bytes(4, "big") + t for t in tracks)
    return b"MThd" + (6).to_bytes(4, "big") + b"".join(v.to_bytes(2, "big") for v in (kind, len(tracks), division)) + chunks


END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x40"  # 480 ticks of middle C


def test_smpte_division_is_time_without_tempo() -> None:
    tempo = b"\x00\xff\x51\x03\x01\x00\x00"
    for code, rate in ((24, F(24)), (25, F(25)), (29, F(30000, 1001)), (30, F(30))):
        smf = parse_smf(a_file(tempo + NOTE + END, kind=0, division=(256 - code) << 8 | 80))
        assert smf.notes[0].end == 480 / (rate * 80)
        assert (smf.division, smf.tempi) == (0, ())


def test_tracks_of_type_2_have_their_own_time() -> None:
    slow = b"\x00\xff\x51\x03\x0f\x42\x40"
    smf = parse_smf(a_file(slow + NOTE + END, NOTE + END, kind=2))
    assert [(n.track, n.end) for n in sorted(smf.notes, key=lambda n: n.track)] == [(0, F(1)), (1, F(1, 2))]


def test_what_still_sounds_ends_with_its_track_and_restrikes_end_in_order() -> None:
    smf = parse_smf(a_file(b"\x00\x90\x3c\x40\x60\x3c\x30\x60\x80\x3c\x40\x60\xff\x2f\x00", kind=0))
    assert [(n.tick, n.end_tick, n.velocity) for n in smf.notes] == [(0, 192, 64), (96, 288, 48)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"MThd\x00\x00\x00\x06\x00\x01", "the header is cut short"),
        (a_file(END, kind=3), "type 3, at byte 8"),
        (a_file(), "no track"),
        (a_file(END, division=0), "division 0000 at byte 12"),
        (a_file(END, division=(256 - 23) << 8 | 4), "division E904 at byte 12"),
        (a_file(NOTE + END)[:-1], "inside track 1 of 1"),
        (a_file(NOTE, NOTE)[:-17], "before track 2 of 2"),
        (a_file(END).replace(b"MTrk", b"\x00\x01\x02\x03"), "no track at byte 14"),
        (a_file(b"\x81\x82\x83\x84\x05" + END), "a number without end at byte 22"),
        (a_file(b"\x00\x3c\x40" + END), "data without a message at byte 23"),
        (a_file(b"\x00\x90\x90\x40" + END), "the byte 90 inside a message at byte 23"),
        (a_file(b"\x00\x90\x3c"), "an event that reaches beyond its track"),
        (a_file(b"\x00\xff\x51\x02\x01\x00" + END), "a meta event 51 of 2 bytes"),
        (a_file(b"\x00\xff\x51\x03\x00\x00\x00" + END), "a tempo of no time"),
        (a_file(b"\xff\xff\xff\x7f\x90\x3c\x40" + END, division=1), "lasts 37283 hours and 268435455 beats"),
        (a_file(b"\x00\xff\x51\x03\xff\xff\xff\x85\x81\x80\x00\x90\x3c\x40" + END), "lasts 102 hours and 21879 beats"),
        (a_file(b"\x00\xff\x58\x04\x00\x02\x18\x08" + END), "a metre of 0 over 2 to the 2"),
    ],
)
def test_broken_files_name_the_place(data: bytes, words: str) -> None:
    with pytest.raises(MidiError) as refused:
        parse_smf(data, "cue.mid")
    assert words in str(refused.value)
    assert str(refused.value).startswith("cue.mid: ")
    assert "\n" not in str(refused.value)


def test_alien_chunks_and_a_longer_header_are_skipped() -> None:
    data = a_file(NOTE + END)
    header = b"MThd" + (8).to_bytes(4, "big") + data[8:14] + b"\x00\x00"
    alien = b"XFIH" + (3).to_bytes(4, "big") + b"abc"
    assert parse_smf(header + alien + data[14:]).notes == parse_smf(data).notes


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_ever_leads_to_anything_but_music_or_one_line(data: st.DataObject) -> None:
    whole = bytearray(a_file(b"\x00\xff\x03\x05Piano" + NOTE + END, b"\x00\xf0\x03\x7e\x01\xf7" + NOTE + b"\x00\xc0\x05" + END))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        smf = parse_smf(damaged, "x.mid")
    except MidiError:
        return
    assert all(0 <= n.start <= n.end <= smf.length for n in smf.notes)


def test_a_file_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MidiError, match="cannot be read"):
        read_smf(tmp_path / "no.mid")


def scale(beats: int, stem: str = "piano") -> tuple[Note, ...]:
    return tuple(Note(F(k), 60 + k % 12, F(1), 64 + k % 32, stem) for k in range(beats))


tempi_in_bpm = st.fractions(min_value=40, max_value=200, max_denominator=1001)
metres = st.sampled_from([Metre(4, 4), Metre(3, 4), Metre(7, 8), Metre(5, 4), Metre(2, 4), Metre(6, 8), Metre(5, 16)])


@st.composite
def maps(draw: st.DrawFn) -> TempoMap:
    """Maps as a solver makes them (segments on eighths) and as nobody should (anywhere), with odd bars and any origin."""
    steps = draw(st.lists(st.one_of(st.sampled_from([F(1, 2), F(1), F(7, 2), F(16)]), st.fractions(F(1, 50), 30)), max_size=12))
    starts = [F(0)]
    for step in steps:
        starts.append(starts[-1] + step)
    segments = tuple(Segment(start, 60 / draw(tempi_in_bpm)) for start in starts)
    origin = draw(st.one_of(st.just(F(0)), st.integers(-90, 900).map(lambda k: F(k * 1001, 24000))))
    return TempoMap(segments, tuple(draw(st.lists(metres, min_size=1, max_size=5))), origin)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(maps(), st.lists(st.integers(0, 86400), max_size=20), st.sampled_from([600, 3600]))
@example(TempoMap.steady(F(1201, 10)), [1, 77, 86399], 3600)
def test_a_file_never_drifts_from_the_map(tempo_map: TempoMap, frames: list[int], length: int) -> None:
    times = sorted({F(frame * 1001, 24000) for frame in frames if frame * 1001 < length * 24000})
    markers = tuple(Marker(t, "cut") for t in times)
    score = Score(tempo_map, (Note(F(0), 60, F(1), 64),), markers=markers, length=F(length))
    data = smf_bytes(score)
    tempi, division = file_clock(data)
    file = read_bytes(data)
    marked = seconds_at(ticks_of(file.tracks[0], "marker"), tempi, division)
    assert len(marked) == len(times)
    for found, time in zip(marked, times, strict=True):
        assert abs(found + score.zero - time) <= F(5, 100_000)
    assert all(sum(message.time for message in track) < 10_000_000 for track in file.tracks)
    [beat_0] = ticks_of(file.tracks[1], "note_on")
    beats = [k for k in range(int(tempo_map.beat(length))) if k < 300 or k % 37 == 0]
    there = seconds_at([beat_0 + k * division for k in beats], tempi, division)
    off = [beat for beat in map(tempo_map.beat, times) if (beat * division).denominator != 1]
    for found, beat in zip(there, beats, strict=True):
        error = abs(float(found + score.zero) - float(tempo_map.seconds(beat)))
        pinned = any(abs(beat - other) <= 1.25 for other in off) and tempo_map.seconds(beat) not in times
        slower = 60 / min(tempo_map.bpm(beat), tempo_map.bpm(max(0, beat - F(1, 100))))
        assert error <= 5e-5 + (float(slower) / division / 2 if pinned else 0)


def bent_map(minutes: int) -> TempoMap:
    """A bending map with odd bars: a new tempo every ten beats or so, over the given minutes."""
    segments, beat, seconds = [], F(0), F(0)
    for k in range(10_000):
        spb = F(1001 * (11 + k % 3), 24000)  # 11 to 13 frames of 23.976 a beat
        segments.append(Segment(beat, spb))
        beat, seconds = beat + 9 + k % 4, seconds + (9 + k % 4) * spb
        if seconds > minutes * 60:
            break
    return TempoMap(tuple(segments), (Metre(4, 4), Metre(7, 8), Metre(5, 4), Metre(4, 4)), F(1001 * 31, 24000))


@pytest.mark.parametrize("minutes", [11, 20, pytest.param(120, marks=pytest.mark.slow)])
def test_cut_times_agree_in_mido_pretty_midi_and_symusic(tmp_path: Path, minutes: int) -> None:
    tempo_map, length = bent_map(minutes), F(60 * minutes)
    on_beats = [F(k) for k in range(0, int(tempo_map.beat(length - 10)), 7)]
    caught = [tempo_map.seconds(beat) for beat in on_beats]
    missed = [time + F(1001 * 5, 24000) for time in caught[::3]]
    notes = tuple(Note(beat, 60 + k % 24, F(1, 2), 90) for k, beat in enumerate(on_beats))
    cuts = [Cut(round(time * 24000 / 1001), time) for time in sorted({*caught, *missed})]
    path = write_smf(tmp_path / "cue.mid", Score(tempo_map, notes, markers=cut_markers(cuts), length=length))
    assert caught[-1] > 600
    assert caught[-1] > length - 15

    tempi, division = file_clock(path.read_bytes())
    file = read_bytes(path.read_bytes())
    by_mido = seconds_at(ticks_of(file.tracks[0], "marker"), tempi, division)
    strokes = seconds_at(ticks_of(file.tracks[1], "note_on"), tempi, division)
    pretty = pretty_midi.PrettyMIDI(str(path))
    by_pretty = [pretty.tick_to_time(tick) for tick in ticks_of(file.tracks[0], "marker")]
    score = symusic.Score(path)
    marks = [(m.time, m.text) for m in score.markers]
    assert [m.text for m in score.markers] == [m.text for m in cut_markers(cuts)]
    by_symusic = [float(s) for s in seconds_at([t for t, _ in marks], [(t.time, round(t.mspq)) for t in score.tempos], score.tpq)]
    for times in (by_mido, by_pretty, by_symusic):
        assert max(abs(float(a) - float(c.time)) for a, c in zip(times, cuts, strict=True)) <= 1e-4
    changes = [(t.time, round(t.mspq)) for t in score.tempos]
    ticks = sorted(n.time for n in score.tracks[0].notes)
    for onsets in (strokes, [n.start for n in pretty.instruments[0].notes], seconds_at(ticks, changes, score.tpq)):
        assert max(abs(float(a) - float(b)) for a, b in zip(sorted(onsets), caught, strict=True)) <= 1e-4
    # symusic's own seconds are sums in 32 bits, whatever the file: of so many tempo changes 0.1 ms off after ten minutes, 0.5 ms
    # after twenty, 40 ms after two hours
    in_seconds = sorted(n.time for n in score.to("second").tracks[0].notes)
    if minutes <= 20:
        assert max(abs(float(a) - float(b)) for a, b in zip(in_seconds, caught, strict=True)) <= 1e-3


@pytest.mark.parametrize(
    ("bpm", "rate"),
    [
        pytest.param(11, F(24), marks=pytest.mark.slow),
        (F(1201, 10), F(24000, 1001)),
        pytest.param(172, F(25), marks=pytest.mark.slow),
        (400, F(60000, 1001)),
    ],
)
def test_two_hours_of_any_tempo_open_everywhere_with_their_cuts(tmp_path: Path, bpm: Fraction | int, rate: Fraction) -> None:
    tempo_map = TempoMap.steady(bpm, origin=F(7, 3))
    last = int(7200 * rate) - 40
    frames = [*(k for k in range(0, last - 211, 211) if k % 5 < 3), last, last + 1]
    cuts = [Cut(frame, frame / rate) for frame in frames]
    sounding = tuple(Note(F(k, 2), 60, F(1, 4), 80) for k in range(0, int(2 * tempo_map.beat(7199)), 29))
    path = write_smf(tmp_path / "cue.mid", Score(tempo_map, sounding, markers=cut_markers(cuts), length=F(7200)))
    tempi, division = file_clock(path.read_bytes())
    file = read_bytes(path.read_bytes())
    assert max(sum(message.time for message in track) for track in file.tracks) < 10_000_000
    pretty, score = pretty_midi.PrettyMIDI(str(path)), symusic.Score(path)
    ticks = ticks_of(file.tracks[0], "marker")
    assert [marker.time for marker in score.markers] == ticks
    assert [(tempo.time, round(tempo.mspq)) for tempo in score.tempos] == tempi
    for times in (seconds_at(ticks, tempi, division), [pretty.tick_to_time(tick) for tick in ticks]):
        assert max(abs(float(a) - float(c.time)) for a, c in zip(times, cuts, strict=True)) <= 1e-4
    beats = seconds_at(ticks_of(file.tracks[1], "note_on"), tempi, division)
    half = 60 / float(bpm) / division / 2
    assert max(abs(float(a - tempo_map.seconds(n.start))) for a, n in zip(beats, sounding, strict=True)) <= half + 5e-5
    assert half < 1e-3 or bpm < 32


def test_the_conductor_says_metres_key_offset_title_and_markers() -> None:
    tempo_map = TempoMap((Segment(F(0), F(1, 2)),), (Metre(4, 4), Metre(7, 8), Metre(4, 4)), F(5, 4))
    start = Timecode.parse("01:00:00;02", F(30000, 1001))
    markers = cut_markers([Cut(30, F(1001, 1000)), Cut(90, F(3003, 1000), "dissolve", length=12)], start)
    score = Score(tempo_map, scale(16, "melody") + scale(8), "1m1 – Überfahrt", "F#:min", markers, start, F(20))
    smf = parse_smf(smf_bytes(score))
    assert smf.kind == 1
    assert smf.tracks[0].name == "1m1 – Überfahrt"
    assert [t.name for t in smf.tracks[1:]] == ["melody", "piano"]
    # 1.25 s of count-in are two beats at about the tempo, then the map's own bars
    at = [(F(t, smf.division), str(m)) for t, m in smf.metres]
    assert at == [(0, "2/4"), (2, "4/4"), (6, "7/8"), (F(19, 2), "4/4")]
    assert smf.key == "F#:min"
    assert smf.offset == (F(30000, 1001), 1, 0, 0, 2, 0)
    assert [m.text for m in smf.markers] == ["Cut 1 01:00:01;02", "Dissolve 2 01:00:03;02"]
    assert smf.length >= 20
    assert abs(min(n.start for n in smf.notes) - F(5, 4)) <= F(5, 10**6)


@pytest.mark.parametrize(
    ("label", "rate", "expected"),
    [
        ("10:00:00:23", F(24000, 1001), (24, 10, 0, 0, 23, 0)),
        ("00:59:59:24", F(25), (25, 0, 59, 59, 24, 0)),
        ("01:02:03:04", F(30), (30, 1, 2, 3, 4, 0)),
        ("01:02:03:49", F(50), (25, 1, 2, 3, 24, 50)),
        ("01:02:03;58", F(60000, 1001), (F(30000, 1001), 1, 2, 3, 29, 0)),
    ],
)
def test_the_smpte_offset_at_every_kind_of_rate(label: str, rate: Fraction, expected: tuple[object, ...]) -> None:
    assert parse_smf(smf_bytes(Score(TempoMap.steady(120), scale(4), start=Timecode.parse(label, rate)))).offset == expected


def test_music_that_begins_before_the_film_begins_on_a_frame_before_it() -> None:
    start = Timecode.parse("01:00:00:00", F(24))
    score = Score(TempoMap.steady(120, origin=F(-3, 5)), scale(8), start=start)
    smf = parse_smf(smf_bytes(score))
    assert score.zero == F(-15, 24)
    assert smf.offset == (24, 0, 59, 59, 9, 0)
    assert abs(smf.notes[0].start + score.zero - F(-3, 5)) <= F(5, 10**6)


@pytest.mark.parametrize(
    ("key", "spelt"), [("C:maj", "C"), ("A#:maj", "Bb"), ("F#:min", "F#m"), ("Cb:maj", "B"), ("E#:min", "Fm")]
)
def test_keys_are_spelt_with_few_accidentals(key: str, spelt: str) -> None:
    messages = read_bytes(smf_bytes(Score(TempoMap.steady(120), scale(1), key=key))).tracks[0]
    assert [m.key for m in messages if m.type == "key_signature"] == [spelt]


@pytest.mark.parametrize("key", ["H:maj", "C", "C:dur", "C###:maj", ":maj"])
def test_no_key_is_one_line(key: str) -> None:
    with pytest.raises(OptionError, match="is not a key"):
        smf_bytes(Score(TempoMap.steady(120), scale(1), key=key))


def test_a_tempo_that_no_file_holds_is_one_line() -> None:
    with pytest.raises(OptionError, match=r"above 3\.6 BPM"):
        smf_bytes(Score(TempoMap.steady(3), scale(1)))
    with pytest.raises(OptionError, match="less than a MIDI file holds; choose a slower tempo"):
        smf_bytes(Score(TempoMap.steady(10**9), scale(1)))


stems_of_notes = st.builds(
    Note,
    st.fractions(0, 12, max_denominator=48),
    st.integers(0, 127),
    st.fractions(F(1, 48), 6, max_denominator=48),
    st.integers(1, 127),
    st.sampled_from(["melody", "bridge", "piano", "flutes"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(stems_of_notes, max_size=40))
def test_notes_in_the_file_never_overlap_hang_or_leave_their_range(notes: list[Note]) -> None:
    held = {"flutes": INSTRUMENTS["flute"]}
    file = read_bytes(smf_bytes(Score(TempoMap.steady(100), tuple(notes), instruments=held)))
    assert len(file.tracks) == 1 + len({n.stem for n in notes})
    for track in file.tracks[1:]:
        sounding: set[int] = set()
        low, high = (60, 98) if track.name == "flutes" else (21, 108)
        for message in track:
            if message.type == "note_on":
                assert message.note not in sounding
                assert low <= message.note <= high
                sounding.add(message.note)
            elif message.type == "note_off":
                sounding.remove(message.note)
        assert not sounding


def test_stems_have_programs_channels_and_files_of_their_own(tmp_path: Path) -> None:
    held = {"melody": INSTRUMENTS["violin"], "piano": INSTRUMENTS["piano"]}
    many = tuple(n for k in range(11) for n in scale(2, f"stem {k:02}"))
    given = [m.channel for t in read_bytes(smf_bytes(Score(TempoMap.steady(90), many))).tracks[1:] for m in t[2:3]]
    assert given == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    score = Score(TempoMap.steady(90), scale(4, "melody") + scale(4), "Cue", instruments=held)
    paths = write_stems(tmp_path, "cue", score)
    assert [p.name for p in paths] == ["cue-melody.mid", "cue-piano.mid"]
    read = [read_smf(p) for p in paths]
    assert [r.tracks[1].programs for r in read] == [((0, 40),), ((2, 0),)]  # the channel that it has in the cue
    assert [r.tracks[1].instrument for r in read] == ["violin", "piano"]
    assert read[0].tempi == read[1].tempi
    with pytest.raises(OptionError, match="more than the 15 channels"):
        smf_bytes(Score(TempoMap.steady(90), tuple(n for k in range(16) for n in scale(1, f"s{k}"))))


def test_a_stem_keeps_its_channel_whoever_else_is_heard() -> None:
    whole = channels(("melody", "bridge", "piano"))
    assert whole == {"melody": 0, "bridge": 1, "piano": 2}
    for stems in (("piano",), ("melody", "piano"), ("bridge",), ("bridge", "strings", CLICK, "piano")):
        found = channels(stems)
        assert {stem: channel for stem, channel in found.items() if stem in whole}.items() <= whole.items()
        assert len(set(found.values())) == len(stems)
        assert set(found.values()) - {9} == {channel for stem, channel in found.items() if stem != CLICK}


def test_a_folder_that_is_not_there_is_one_line_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="folder does not exist"):
        write_smf(tmp_path / "no" / "cue.mid", Score(TempoMap.steady(90), scale(4)))
    assert list(tmp_path.iterdir()) == []


def golden_score() -> Score:
    segments = (Segment(F(0), F(1001, 2000)), Segment(F(8), F(1001 * 13, 24000)), Segment(F(23, 2), F(1001, 1920)))
    tempo_map = TempoMap(segments, (Metre(4, 4), Metre(4, 4), Metre(7, 8), Metre(4, 4)), F(1001, 1000))
    start = Timecode.parse("01:00:00:00", F(24000, 1001))
    cuts = [Cut(24, F(1001, 1000)), Cut(217, F(217 * 1001, 24000)), Cut(300, F(300 * 1001, 24000), "fade", length=12)]
    return Score(tempo_map, scale(16, "melody") + scale(12), "1m1", "Eb:maj", cut_markers(cuts, start), start, F(13))


def test_a_small_cue_stays_the_same_byte_for_byte() -> None:
    assert smf_bytes(golden_score()) == (GOLDEN / "cue.mid").read_bytes()


def test_ticks_stay_small_enough_for_every_program() -> None:
    smf = parse_smf(smf_bytes(golden_score()))
    assert smf.division % 960 == 0
    on_the_grid = parse_smf(smf_bytes(Score(TempoMap.steady(120), scale(4), markers=(Marker(F(1, 2), "a"),))))
    assert on_the_grid.division == 960
    assert all(a[0] < b[0] for a, b in pairwise(smf.tempi))
