"""Old and new cuts matched: on recuts whose truth is counted frame by frame, and on real lists, edited here."""

from __future__ import annotations

from dataclasses import astuple, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recuts import (
    FILM,
    Clip,
    Film,
    a_film,
    agreeing,
    cut_list,
    identities,
    inserted,
    lit,
    prints,
    recut,
    removed,
    shown_again,
    swapped,
    trimmed,
)

from engines.conform.match import Change, Matched, match
from engines.errors import HitpointError
from engines.picture import cutlist, shots
from engines.picture.cut import Cut
from engines.picture.cutlist import CutList, Shot
from engines.picture.fingerprint import fingerprints
from engines.picture.reel import Reel
from engines.picture.timecode import Timecode

NTSC = Fraction(24000, 1001)
OLD = a_film(7, 12)
WAYS = ("source", "picture", "lengths")


def compared(old: Film, new: Film, how: str, noise: int = 6) -> Matched:
    if how == "source":
        return match(cut_list(old), cut_list(new))
    lists = cut_list(old, sources=False), cut_list(new, sources=False)
    if how == "lengths":
        return match(*lists)
    return match(*lists, prints(old, 1, noise), prints(new, 2))


def kinds(matched: Matched) -> list[str]:
    return [change.kind for change in matched.changes]


def pieces(matched: Matched) -> list[tuple[int, int, int]]:
    return [astuple(piece) for piece in matched.pieces]


def row(matched: Matched, kind: str) -> Change:
    found = [change for change in matched.changes if change.kind == kind]
    assert len(found) == 1, kinds(matched)
    return found[0]


def edge(film: Film, shot: int) -> int:
    return sum(clip.length for clip in film[:shot])


def hold(matched: Matched, new_frames: int) -> None:
    """What holds of every answer."""
    assert all(a.new_frame + a.frames <= b.new_frame for a, b in pairwise(matched.pieces))
    assert all(p.frames > 0 and p.new_frame >= 0 and p.new_frame + p.frames <= new_frames for p in matched.pieces)
    assert all(p.old_frame >= 0 and p.old_frame + p.frames <= matched.old_frames for p in matched.pieces)
    joined = [
        a.new_frame + a.frames == b.new_frame and a.old_frame + a.frames == b.old_frame for a, b in pairwise(matched.pieces)
    ]
    assert not any(joined)


@pytest.mark.parametrize("how", WAYS)
def test_nothing_changed(how: str) -> None:
    matched = compared(OLD, OLD, how)
    assert matched.how == how
    assert kinds(matched) == ["unmoved"] * len(OLD)
    assert pieces(matched) == [(0, 0, edge(OLD, len(OLD)))]


@pytest.mark.parametrize("how", WAYS)
def test_a_shot_shortened_by_14_frames(how: str) -> None:
    matched = compared(OLD, trimmed(OLD, 5, tail=14), how)
    assert kinds(matched) == ["unmoved"] * 5 + ["trimmed"] + ["moved"] * 6
    change = row(matched, "trimmed")
    assert (change.head, change.tail) == (0, 14)
    assert change.old is not None
    assert change.new is not None
    assert (change.old.shot, change.new.shot) == (6, 6)
    assert change.old.timecode_in == change.new.timecode_in == str(Timecode(edge(OLD, 5), FILM))
    assert change.new.timecode_out == str(Timecode(edge(OLD, 6) - 14, FILM))
    kept = edge(OLD, 6) - 14
    assert pieces(matched) == [(0, 0, kept), (kept + 14, kept, edge(OLD, 12) - kept - 14)]


@pytest.mark.parametrize("how", ["source", "picture"])
def test_a_shot_shortened_at_its_head_and_one_that_shows_more(how: str) -> None:
    matched = compared(OLD, trimmed(OLD, 5, head=14), how)
    assert (row(matched, "trimmed").head, row(matched, "trimmed").tail) == (14, 0)
    longer = compared(trimmed(OLD, 5, head=5, tail=9), OLD, how)
    assert (row(longer, "trimmed").head, row(longer, "trimmed").tail) == (-5, -9)
    assert "head +5 frames, tail +9 frames" in row(longer, "trimmed").text()


@pytest.mark.parametrize("how", WAYS)
def test_a_shot_removed(how: str) -> None:
    matched = compared(OLD, removed(OLD, 4), how)
    assert kinds(matched) == ["unmoved"] * 4 + ["gone"] + ["moved"] * 7
    gone = row(matched, "gone")
    assert gone.old is not None
    assert (gone.old.shot, gone.new) == (5, None)
    assert pieces(matched) == [(0, 0, edge(OLD, 4)), (edge(OLD, 5), edge(OLD, 4), edge(OLD, 12) - edge(OLD, 5))]


@pytest.mark.parametrize("how", WAYS)
def test_a_shot_inserted(how: str) -> None:
    matched = compared(OLD, inserted(OLD, 4, Clip(99, 0, 51)), how)
    assert kinds(matched) == ["unmoved"] * 4 + ["new"] + ["moved"] * 8
    assert row(matched, "new").old is None
    assert pieces(matched) == [(0, 0, edge(OLD, 4)), (edge(OLD, 4), edge(OLD, 4) + 51, edge(OLD, 12) - edge(OLD, 4))]


@pytest.mark.parametrize("how", ["source", "picture"])
def test_two_shots_swapped(how: str) -> None:
    new = swapped(OLD, 3, 8)
    matched = compared(OLD, new, how)
    order = [change.old.shot for change in matched.changes if change.old]
    assert order == [1, 2, 3, 9, 5, 6, 7, 8, 4, 10, 11, 12]
    assert kinds(matched).count("moved") == (2 if OLD[3].length == OLD[8].length else 6)
    assert agreeing(OLD, new, pieces(matched)) == edge(new, 12)


@pytest.mark.parametrize("how", ["source", "picture"])
def test_the_head_of_the_film_trimmed(how: str) -> None:
    matched = compared(OLD, trimmed(OLD, 0, head=20), how)
    assert kinds(matched) == ["trimmed"] + ["moved"] * 11
    assert pieces(matched) == [(20, 0, edge(OLD, 12) - 20)]


@pytest.mark.parametrize("how", ["source", "picture"])
def test_a_shot_split_by_another_and_joined_again(how: str) -> None:
    long = trimmed(OLD, 6, tail=OLD[6].length - 100)
    cut = inserted(
        inserted(trimmed(long, 6, tail=60), 7, Clip(99, 0, 51)), 8, replace(long[6], first=long[6].first + 40, length=60)
    )
    split = compared(long, cut, how)
    assert kinds(split)[6:9] == ["trimmed", "new", "trimmed"]
    assert agreeing(long, cut, pieces(split)) == edge(long, 12)
    joined = compared(cut, long, how)
    assert kinds(joined)[6:9] == ["trimmed", "gone", "trimmed"]
    assert agreeing(cut, long, pieces(joined)) == edge(long, 12)


@pytest.mark.parametrize("how", ["source", "picture"])
def test_a_shot_seen_again_is_found_twice(how: str) -> None:
    new = inserted(OLD, 9, OLD[2])
    matched = compared(OLD, new, how)
    assert [change.old.shot for change in matched.changes if change.old] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 10, 11, 12]
    assert agreeing(OLD, new, pieces(matched)) == edge(new, 13)


def test_everything_an_hour_later_is_unmoved() -> None:
    matched = match(cut_list(OLD), cut_list(OLD, start=1))
    assert set(kinds(matched)) == {"unmoved"}
    first = matched.changes[0]
    assert first.old is not None
    assert first.new is not None
    assert (first.old.timecode_in, first.new.timecode_in) == ("00:00:00:00", "01:00:00:00")


@pytest.mark.parametrize("how", WAYS)
def test_another_rate_of_the_same_frames(how: str) -> None:
    old, new = (cut_list(OLD, rate, 1, how == "source") for rate in (FILM, NTSC))
    printed = (prints(OLD), prints(OLD, 3, 6)) if how == "picture" else (None, None)
    matched = match(old, new, *printed)
    assert matched.how == how
    assert set(kinds(matched)) == {"unmoved"}
    assert pieces(matched) == [(0, 0, edge(OLD, 12))]
    assert (matched.old_rate, matched.new_rate) == (FILM, NTSC)


def test_a_list_that_was_carried_to_the_twin_rate_keeps_its_sources() -> None:
    """`CutList.at_rate` leaves source times in seconds."""
    matched = match(cut_list(OLD), cut_list(trimmed(OLD, 5, tail=14)).at_rate(NTSC))
    assert kinds(matched) == ["unmoved"] * 5 + ["trimmed"] + ["moved"] * 6


@pytest.mark.parametrize("how", WAYS)
def test_a_conversion_in_time_counts_at_the_new_rate(how: str) -> None:
    """24 to 30 frames a second, every picture at its time."""
    rate = Fraction(30)
    old = cut_list(OLD, sources=how == "source")
    shown = [identities(OLD)[frame * 24 // 30] for frame in range(old.at_rate(rate).frames)]
    again = prints(tuple(Clip(source, k, 1) for source, k in shown))
    printed = (prints(OLD), again) if how == "picture" else (None, None)
    matched = match(old, old.at_rate(rate), *printed)
    assert (matched.how, matched.old_rate, matched.old_frames) == (how, rate, old.at_rate(rate).frames)
    assert set(kinds(matched)) == {"unmoved"}
    assert pieces(matched) == [(0, 0, matched.new_frames)]


def test_25_frames_played_as_24_are_the_same_frames() -> None:
    matched = match(cut_list(OLD, Fraction(25), sources=False), cut_list(OLD, sources=False))
    assert pieces(matched) == [(0, 0, edge(OLD, 12))]
    assert (matched.old_rate, matched.new_rate) == (25, 24)


def test_a_time_without_a_name_is_no_source() -> None:
    """A list from pixels has its own timecode as source times: after a removed shot all would be found elsewhere."""
    lists = cut_list(OLD, sources=False), cut_list(removed(OLD, 4), sources=False)
    assert match(*lists).how == "lengths"
    assert match(lists[0], cut_list(removed(OLD, 4))).how == "lengths"


def test_a_clip_that_was_renamed_is_the_same_where_its_reel_and_time_are_its_own() -> None:
    """A new version of an effects shot; but stills that all begin at one time of one reel are not told by it."""
    old = cut_list(OLD)  # shots 4 and 11 are of one reel and begin at one time of it

    def renamed(programme: CutList) -> CutList:
        return replace(
            programme, shots=tuple(replace(s, name="version 2") if k == 4 else s for k, s in enumerate(programme.shots))
        )

    def with_own_reels(programme: CutList) -> CutList:
        return replace(programme, shots=tuple(replace(s, reel=f"R{k}") for k, s in enumerate(programme.shots)))

    assert set(kinds(match(with_own_reels(old), with_own_reels(renamed(old))))) == {"unmoved"}
    told = kinds(match(old, renamed(old)))
    assert told.count("gone") == told.count("new") == 1


@pytest.mark.parametrize("how", ["source", "picture"])
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), shots=st.integers(8, 30), changes=st.integers(1, 5), noise=st.integers(0, 6))
def test_every_frame_in_both_cuts_is_found_and_no_other(how: str, seed: int, shots: int, changes: int, noise: int) -> None:
    old = a_film(seed, shots)
    new = recut(old, seed, changes)
    matched = compared(old, new, how, noise)
    hold(matched, edge(new, len(new)))
    assert agreeing(old, new, pieces(matched)) == shown_again(old, new) == lit(new, pieces(matched))


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), shots=st.integers(8, 30), changes=st.integers(1, 5))
def test_static_shots_and_black_are_told_by_their_neighbours(seed: int, shots: int, changes: int) -> None:
    old = a_film(seed, shots, still=0.3, black=0.1)
    new = recut(old, seed, changes)
    matched = compared(old, new, "picture")
    hold(matched, edge(new, len(new)))
    assert agreeing(old, new, pieces(matched)) == lit(new, pieces(matched))
    # of a static shot some frames more or less are the same picture; nothing else may be missing
    assert agreeing(old, new, pieces(matched)) >= 0.97 * shown_again(old, new)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), shots=st.integers(8, 40), changes=st.integers(0, 2))
def test_lengths_find_most_of_a_film_that_keeps_its_order(seed: int, shots: int, changes: int) -> None:
    old = a_film(seed, shots)
    new = old
    for k in range(changes):
        new = removed(new, 2 + 3 * k) if seed % 2 else trimmed(new, 2 + 3 * k, tail=2)
    matched = compared(old, new, "lengths")
    hold(matched, edge(new, len(new)))
    assert agreeing(old, new, pieces(matched)) >= 0.9 * shown_again(old, new)


@st.composite
def any_lists(draw: st.DrawFn) -> tuple[CutList, bytes]:
    """Any list that a reader can give, however odd, and prints that may be too few, too many or all the same."""
    rate, frame, shots = draw(st.sampled_from([FILM, NTSC, Fraction(25), Fraction(30)])), 0, []
    for _ in range(draw(st.integers(1, 9))):
        end = frame + draw(st.integers(0, 60))
        name, reel = draw(st.sampled_from(["", "a", "b"])), draw(st.sampled_from(["", "AX", "R1", "R2"]))
        source = draw(st.one_of(st.none(), st.fractions(0, 10, max_denominator=25)))
        speed = draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(0), Fraction(-1), Fraction(3, 2)]))
        shots.append(Shot(frame, end, name, reel, source, speed, draw(st.sampled_from([False, False, False, True]))))
        frame = end
    frames = max(1, frame)
    cuts = tuple(Cut(start, start / rate) for start in sorted({shot.start for shot in shots}) if 0 < start < frames)
    listed = tuple(shots) if draw(st.booleans()) else ()
    rng, pictures = Random(draw(st.integers(0, 99))), [0, 2**63 - 1, 0x123456789ABCDEF, 0xF0F0F0F0F0F0F0F]
    seen = rng.choices(pictures, k=draw(st.sampled_from([0, 1, frames, 2 * frames])))
    return CutList(rate, Timecode(0, rate), frames, cuts, listed), b"".join(bits.to_bytes(8, "little") for bits in seen)


@settings(max_examples=40, deadline=None)
@given(old=any_lists(), new=any_lists(), printed=st.booleans())
def test_any_two_lists_have_an_answer(old: tuple[CutList, bytes], new: tuple[CutList, bytes], printed: bool) -> None:
    matched = match(old[0], new[0], *((old[1], new[1]) if printed else (None, None)))
    hold(matched, matched.new_frames)
    for programme, side in ((old[0], "old"), (new[0], "new")):
        told = {getattr(change, side).shot for change in matched.changes if getattr(change, side)}
        edges = [0, *(cut.frame for cut in programme.cuts), programme.frames]
        own = [(s.start, s.end) for s in programme.shots] or list(pairwise(edges))
        if old[0].rate == new[0].rate:
            assert told == {number for number, (start, end) in enumerate(own, 1) if start < end}
    assert all(change.text() for change in matched.changes)


@pytest.mark.slow
def test_one_film_in_two_encodings(shared: Path) -> None:
    """480p H.264 and 720p VP8 of the same half minute; the second begins two frames later."""
    lists, printed = [], []
    for name in ("big_buck_bunny_480p.mp4", "big_buck_bunny_720p.webm"):
        reel = Reel.open(shared / "media" / name)
        listed = cutlist.read(shared / "media" / f"{name}.cuts.csv")
        lists.append(CutList.of_cuts(listed.cuts, reel.rate, reel.frames))
        printed.append(fingerprints(reel))
    matched = match(lists[0], lists[1], *printed)
    assert matched.how == "picture"
    assert kinds(matched) == ["trimmed", "moved", "moved", "trimmed"]
    assert (matched.changes[0].head, matched.changes[3].tail) == (2, -2)
    assert pieces(matched) == [(2, 0, 718)]


@pytest.mark.slow
def test_a_film_that_was_cut_again_and_encoded_again(shared: Path, tmp_path: Path) -> None:
    """Nothing is known of either film but its pixels: a shot shortened by 14 frames, one gone, two in each other's place."""
    import av

    source = Reel.open(shared / "media" / "tears_of_steel_battle.webm")
    cuts = [c.frame for c in cutlist.read(shared / "media" / "tears_of_steel_battle.webm.cuts.csv").cuts if c.confidence >= 0.5]
    spans = list(pairwise([0, *cuts, source.frames]))
    spans[14] = (spans[14][0], spans[14][1] - 14)
    del spans[15]
    spans[3], spans[5] = spans[5], spans[3]
    order = [frame for start, end in spans for frame in range(start, end)]
    with av.open(str(source.path)) as film:
        pictures = [frame.reformat(480, 200, "yuv420p").to_ndarray() for frame in film.decode(video=0)]
    path = tmp_path / "again.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=24, width=480, height=200, pix_fmt="yuv420p", options={"crf": "30"})
        for frame in order:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pictures[frame], "yuv420p")))
        film.mux(stream.encode())
    reels = source, Reel.open(path)
    lists = [CutList.of_cuts(shots.cuts(reel), reel.rate, reel.frames) for reel in reels]
    matched = match(lists[0], lists[1], *(fingerprints(reel) for reel in reels))
    found = {piece.new_frame + k: piece.old_frame + k for piece in matched.pieces for k in range(piece.frames)}
    assert found == dict(enumerate(order))
    assert {"trimmed", "gone", "moved", "unmoved"} <= set(kinds(matched))


@pytest.fixture(scope="module")
def real_lists(shared: Path) -> list[tuple[str, CutList]]:
    out = []
    for path in sorted((shared / "timelines").rglob("*")):
        if path.suffix.lower() in (".edl", ".otio", ".fcpxml", ".xml", ".aaf"):
            try:
                programme = cutlist.read(path, assume=FILM)
            except HitpointError:
                continue
            if len(programme.shots) >= 4:
                out.append((f"{path.parent.name}/{path.name}", programme))
    return out


def without(programme: CutList, shot: int) -> CutList:
    """The list after the editor took a shot out."""
    gone = programme.shots[shot]
    length = gone.end - gone.start
    later = tuple(replace(s, start=s.start - length, end=s.end - length) for s in programme.shots[shot + 1 :])
    return replace(programme, frames=programme.frames - length, shots=(*programme.shots[:shot], *later))


def test_real_lists_are_themselves(real_lists: list[tuple[str, CutList]]) -> None:
    assert len(real_lists) > 25
    for name, programme in real_lists:
        matched = match(programme, programme)
        assert set(kinds(matched)) == {"unmoved"}, name
        assert pieces(matched) == [(0, 0, programme.frames)], name
    assert sum(match(programme, programme).how == "source" for _, programme in real_lists) > 20


def test_real_lists_without_one_shot(real_lists: list[tuple[str, CutList]]) -> None:
    for name, programme in real_lists:
        shot = len(programme.shots) // 2
        new = without(programme, shot)
        matched = match(programme, new)
        hold(matched, new.frames)
        lengths = {s.end - s.start for s in programme.shots}
        assert sum(piece.frames for piece in matched.pieces) >= 0.9 * (new.frames - min(lengths)), (name, kinds(matched))


def test_real_lists_of_one_edit_in_two_formats(shared: Path) -> None:
    """One edit as EDL and as OTIO: from two programs, with a reel in the one and none in the other."""
    folder = shared / "timelines"
    edl = cutlist.read(folder / "cmx3600" / "screening_example.edl", assume=FILM)
    otio = cutlist.read(folder / "otio" / "screening_example.otio", assume=FILM)
    matched = match(edl, otio)
    assert matched.how == "source"
    assert set(kinds(matched)) == {"unmoved"}


def test_prints_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="8 bytes a frame"):
        match(cut_list(OLD), cut_list(OLD), b"1234567", b"12345678")
