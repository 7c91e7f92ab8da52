"""What every reader of cut lists owes: the same programme from every format, and one line for whatever it cannot read."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from engines.errors import CutListError
from engines.picture.cut import Cut
from engines.picture.cutlist import CutList, read, write
from engines.picture.timecode import Timecode, nominal

RATES = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
)
EDGES = (0, 62, 130, 250, 311)  # frames at which the programme cuts, and its end
MIX = (250, 20)  # the last cut is a dissolve of so many frames


def programme_at(rate: Fraction) -> CutList:
    cuts = [Cut(frame, frame / rate) for frame in EDGES[1:3]] + [Cut(MIX[0], MIX[0] / rate, "dissolve", length=MIX[1])]
    return CutList.of_cuts(cuts, rate, EDGES[-1], Timecode(3600 * nominal(rate), rate), "contract")


def ours(path: Path, rate: Fraction) -> Path:
    return write(programme_at(rate), path)


def _seconds(frames: int, rate: Fraction) -> str:
    time = frames / rate
    return f"{time.numerator}/{time.denominator}s"


def fcpxml(path: Path, rate: Fraction) -> Path:
    start = 3600 * nominal(rate)
    spine = ""
    for number, (first, last) in enumerate(itertools.pairwise(EDGES)):
        if first == MIX[0]:
            at, length = _seconds(start + first - MIX[1] // 2, rate), _seconds(MIX[1], rate)
            spine += f'<transition name="Cross Dissolve" offset="{at}" duration="{length}"/>'
        offset, length = _seconds(start + first, rate), _seconds(last - first, rate)
        spine += f'<asset-clip ref="a" name="shot {number}" offset="{offset}" duration="{length}"/>'
    sequence = f'<sequence format="f" tcStart="{_seconds(start, rate)}" tcFormat="NDF"><spine>{spine}</spine></sequence>'
    resources = f'<format id="f" frameDuration="{_seconds(1, rate)}"/><asset id="a" hasVideo="1" duration="9999s"/>'
    path.write_text(
        f'<fcpxml version="1.11"><resources>{resources}</resources><project name="contract">{sequence}</project></fcpxml>'
    )
    return path


def fcp7(path: Path, rate: Fraction) -> Path:
    base = f"<rate><timebase>{nominal(rate)}</timebase><ntsc>{str(rate.denominator != 1).upper()}</ntsc></rate>"
    first, last = MIX[0] - MIX[1] // 2, MIX[0] + MIX[1] // 2
    spans = [(0, 62), (62, 130), (130, -1), (-1, 311)]
    items = [f"<clipitem><name>{a}</name><start>{a}</start><end>{b}</end><in>0</in><out>99</out></clipitem>" for a, b in spans]
    items.insert(3, f"<transitionitem><start>{first}</start><end>{last}</end></transitionitem>")
    code = f"<timecode>{base}<frame>{3600 * nominal(rate)}</frame><displayformat>NDF</displayformat></timecode>"
    video = f"<media><video><track>{''.join(items)}</track></video></media>"
    path.write_text(f'<xmeml version="5"><sequence id="s"><name>contract</name>{base}{code}{video}</sequence></xmeml>')
    return path


def aaf(path: Path, rate: Fraction) -> Path:
    aaf2 = pytest.importorskip("aaf2")
    half = MIX[1] // 2
    with aaf2.open(str(path), "w") as file:
        composition = file.create.CompositionMob("contract")
        composition.usage = "Usage_TopLevel"
        clip = file.create.MasterMob("take")
        file.content.mobs.extend([composition, clip])
        clip.create_timeline_slot(str(rate)).segment = file.create.SourceClip(0, 5000, media_kind="picture")
        code = file.create.Timecode(nominal(rate), False, length=EDGES[-1])
        code.start = 3600 * nominal(rate)
        composition.create_timeline_slot(str(rate)).segment = code
        dissolve = file.create.OperationDef("0c3bea40-fc05-11d2-8a29-0050040ef7d2", "Video Dissolve")
        dissolve.media_kind, dissolve["NumberInputs"].value = "picture", 2
        file.dictionary.register_def(dissolve)
        sequence = file.create.Sequence("picture")
        composition.create_timeline_slot(str(rate)).segment = sequence
        for first, last in itertools.pairwise(EDGES):
            # a transition takes its length from both of its neighbours
            length = last - first + half * (first == MIX[0]) + half * (last == MIX[0])
            if first == MIX[0]:
                mix = file.create.Transition("picture", MIX[1])
                mix["OperationGroup"].value = file.create.OperationGroup(dissolve, MIX[1], "picture")
                mix.cutpoint = half
                sequence.components.append(mix)
            sequence.components.append(clip.create_source_clip(clip.slots[0].slot_id, 100, length))
    return path


FORMATS: dict[str, tuple[str, Callable[[Path, Fraction], Path]]] = {
    "EDL": (".edl", ours),
    "OTIO": (".otio", ours),
    "CSV": (".csv", ours),
    "JSON": (".json", ours),
    "FCPXML": (".fcpxml", fcpxml),
    "FCP7 XML": (".xml", fcp7),
    "AAF": (".aaf", aaf),
}


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: str(rate).replace("/", "_"))
@pytest.mark.parametrize("form", FORMATS)
def test_the_same_programme_from_every_format(tmp_path: Path, form: str, rate: Fraction) -> None:
    suffix, make = FORMATS[form]
    got = read(make(tmp_path / f"list{suffix}", rate), assume=rate)
    wanted = programme_at(rate)
    assert got.rate == rate
    assert got.cuts == wanted.cuts
    assert got.start == wanted.start
    assert [shot.start for shot in got.shots] == [0, *(cut.frame for cut in wanted.cuts)]
    if form != "CSV":  # which says nothing of the end
        assert got.frames == wanted.frames


@pytest.mark.parametrize("form", FORMATS)
def test_the_content_tells_the_format_not_the_name(tmp_path: Path, form: str) -> None:
    suffix, make = FORMATS[form]
    path = make(tmp_path / f"list{suffix}", Fraction(25))
    renamed = path.rename(tmp_path / "list.txt")
    assert [cut.frame for cut in read(renamed, assume=Fraction(25)).cuts] == list(EDGES[1:-1])


BROKEN = {
    "nothing": b"",
    "blanks": b" \n\r\n\x00",
    "words": b"Dear editor, please find the cut list attached.\n",
    "noise": random.Random(7).randbytes(20_000),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "half a compound file": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "a web page": b"<!DOCTYPE html><html><body><p>404</p></body></html>",
    "half XML": b'<?xml version="1.0"?><fcpxml version="1.9"><resources><format id="r1"',
    "half JSON": b'{"OTIO_SCHEMA": "Timeline.1", "tracks": {',
    "no timeline": b'{"OTIO_SCHEMA": "SerializableCollection.1", "children": []}',
}


@pytest.mark.parametrize("suffix", [".edl", ".otio", ".fcpxml", ".xml", ".aaf", ".csv", ".json", ""])
@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_gets_one_line_with_its_name_and_a_cure(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(BROKEN[kind])
    with pytest.raises(CutListError) as caught:
        read(path, assume=Fraction(24))
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert caught.value.cure


def test_folders_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(CutListError, match="is a folder; give an EDL"):
        read(tmp_path)
    with pytest.raises(CutListError, match=r"cannot be read \(No such file or directory\); check the path"):
        read(tmp_path / "none.edl")
    project = tmp_path / "film.prproj"
    project.write_bytes(b"\x1f\x8b")
    with pytest.raises(CutListError, match="is an editor's project; export an EDL, AAF or XML"):
        read(project)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """The file cut short, with bits turned over, with bytes lost or repeated."""
    place, out = dice.randrange(len(data)), bytearray(data)
    way = dice.choice(["short", "bit", "noise", "lost", "repeated"])
    if way == "short":
        del out[place:]
    elif way == "bit":
        out[place] ^= 1 << dice.randrange(8)
    elif way == "noise":
        for _ in range(dice.randrange(1, 40)):
            out[dice.randrange(len(out))] = dice.randrange(256)
    elif way == "lost":
        del out[place : place + dice.randrange(1, 200)]
    else:
        out[place:place] = out[place : place + dice.randrange(1, 200)]
    return bytes(out)


def real_files(shared: Path) -> list[Path]:
    known = {".edl", ".otio", ".fcpxml", ".xml", ".aaf"}
    return sorted(path for path in (shared / "timelines").glob("*/*") if path.suffix.lower() in known)


def test_half_a_file_is_refused(shared: Path, tmp_path: Path) -> None:
    for original in real_files(shared):
        if original.suffix.lower() == ".edl":
            continue  # its first half is a shorter list
        half = tmp_path / f"half{original.suffix}"
        half.write_bytes(original.read_bytes()[: original.stat().st_size // 2])
        with pytest.raises(CutListError, match=r"broken or cut short|damaged or cut short"):
            read(half)


def damage_all(shared: Path, tmp_path: Path, times: int, seed: int) -> tuple[int, int]:
    """Read damaged copies of every real file; how many still read, and how many were refused."""
    dice = random.Random(seed)
    still, refused = 0, 0
    for original in real_files(shared):
        data = original.read_bytes()
        for _ in range(times):
            copy = tmp_path / f"copy{original.suffix}"
            copy.write_bytes(damaged(data, dice))
            try:
                programme = read(copy, assume=Fraction(dice.choice([24, 25])))
            except CutListError as error:
                refused += 1 + str(error).count("\n") * 10**9
            else:
                edges = [shot.start for shot in programme.shots] + [programme.frames]
                assert edges == [0, *(cut.frame for cut in programme.cuts), programme.shots[-1].end], original.name
                still += 1
    return still, refused


def test_damage_never_shows_a_traceback(shared: Path, tmp_path: Path) -> None:
    still, refused = damage_all(shared, tmp_path, times=3, seed=1)
    assert still > 10
    assert refused > 50


@pytest.mark.slow
def test_much_damage_never_shows_a_traceback(shared: Path, tmp_path: Path) -> None:
    still, refused = damage_all(shared, tmp_path, times=150, seed=2)
    assert still > 1000
    assert refused > 3000
