"""The cut list itself: on a film, at another rate, and out to a file and back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.errors import CutListError, OptionError, OutputError
from engines.picture.cut import Cut
from engines.picture.cutlist import WRITERS, CutList, Marker, Shot, read, write
from engines.picture.cutlists.assembly import Layer, Mix, Piece, assemble
from engines.picture.timecode import RATES, Timecode, nominal
from engines.picture.timing import Timing

FILM = Fraction(24000, 1001)
NTSC, NTSC_60 = Fraction(30000, 1001), Fraction(60000, 1001)
WAYS = [*((rate, False) for rate in RATES), (NTSC, True), (NTSC_60, True)]


def hour(rate: Fraction = FILM, drop: bool = False) -> Timecode:
    return Timecode.parse("01:00:00;00" if drop else "01:00:00:00", rate)


def listed(*frames: int, rate: Fraction = FILM, start: Timecode | None = None, length: int = 1000) -> CutList:
    return CutList.of_cuts([Cut(frame, frame / rate) for frame in frames], rate, length, start or hour(rate))


@st.composite
def programmes(draw: st.DrawFn) -> CutList:
    """Lists whose transitions fit between their neighbours, at every rate and with every start of a day."""
    rate, drop = draw(st.sampled_from(WAYS))
    start = Timecode(draw(st.integers(0, 24 * 3600 * nominal(rate))), rate, drop).wrapped
    cuts, edge = [], 0
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["cut", "dissolve", "fade"]))
        length = 0 if kind == "cut" else draw(st.integers(1, 60))
        begin = edge + draw(st.integers(1, 500))
        frame = begin + length // 2 if kind == "dissolve" else begin
        cuts.append(Cut(frame, frame / rate, kind, length=length))
        edge = begin + length
    return CutList.of_cuts(cuts, rate, edge + draw(st.integers(2, 500)), start, "film")


@pytest.mark.parametrize("suffix", WRITERS)
@given(programme=programmes())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_comes_back(tmp_path: Path, suffix: str, programme: CutList) -> None:
    again = read(write(programme, tmp_path / f"list{suffix}"), assume=programme.rate)
    assert again.cuts == programme.cuts
    assert again.rate == programme.rate
    if suffix != ".csv":  # a table of cuts says neither where the film ends nor, without a cut, where it starts
        assert again.frames == programme.frames
    if suffix != ".csv" or programme.cuts:
        assert again.start == programme.start


@pytest.mark.parametrize("rate", ["1", "5", "10", "12", "25/2", "15", "1000/67", "72", "90", "100", "120000/1001", "120"])
@pytest.mark.parametrize("suffix", WRITERS)
def test_films_of_every_rate_come_back(tmp_path: Path, suffix: str, rate: str) -> None:
    """Screen recordings and old animation: whatever a film counts, the list of its cuts says so itself."""
    own = Fraction(rate)
    cuts = [Cut(frame, frame / own) for frame in (10, 20, 61, 333)]
    programme = CutList.of_cuts(cuts, own, 400, title="film")
    again = read(write(programme, tmp_path / f"list{suffix}"), assume=own)
    assert (again.rate, again.cuts) == (own, programme.cuts)
    if suffix != ".csv":
        assert read(tmp_path / f"list{suffix}").cuts == programme.cuts
        assert read(tmp_path / f"list{suffix}", rate=own).cuts == programme.cuts


@pytest.mark.parametrize("suffix", [".edl", ".otio"])
def test_transitions_without_room_are_shortened_and_their_cuts_stay(tmp_path: Path, suffix: str) -> None:
    kinds = [(10, "dissolve", 60), (12, "dissolve", 60), (13, "cut", 0), (20, "fade", 200), (40, "dissolve", 9)]
    cuts = [Cut(frame, frame / FILM, kind, length=length) for frame, kind, length in kinds]
    again = read(write(CutList.of_cuts(cuts, FILM, 50), tmp_path / f"list{suffix}"))
    assert [(cut.frame, cut.time) for cut in again.cuts] == [(cut.frame, cut.time) for cut in cuts]
    assert again.cuts[-1] == cuts[-1]


@pytest.mark.parametrize("suffix", [".edl", ".otio"])
def test_names_reels_black_speeds_and_markers_are_written(tmp_path: Path, suffix: str) -> None:
    rate = Fraction(25)
    shots = (
        Shot(0, 50, "a", "TAPE1", Fraction(3600)),
        Shot(50, 75, black=True),
        Shot(75, 100, "b", "TAPE2", Fraction(10), Fraction(2)),
        Shot(100, 200, "b", "TAPE2", Fraction(12)),
    )
    cuts = (
        Cut(50, Fraction(2), "fade", length=10),
        Cut(75, Fraction(3), "fade", length=12),
        Cut(100, Fraction(4), "dissolve", length=8),
    )
    markers = (Marker(5, "look", colour="GREEN"), Marker(150, "hit"))
    programme = CutList(rate, hour(rate), 200, cuts, shots, markers, "Reel 1")
    again = read(write(programme, tmp_path / f"list{suffix}"))
    assert (again.cuts, again.title, again.frames) == (cuts, "Reel 1", 200)
    assert [(s.start, s.end, s.name, s.black) for s in again.shots] == [(s.start, s.end, s.name, s.black) for s in shots]
    assert [shot.reel for shot in again.shots if not shot.black] == ["TAPE1", "TAPE2", "TAPE2"]
    assert [shot.speed for shot in again.shots] == [1, 1, 2, 1]
    assert [shot.source_in for shot in again.shots if not shot.black] == [3600, 10, 12]
    assert [(marker.frame, marker.name) for marker in again.markers] == [(5, "look"), (150, "hit")]


def test_otio_opens_in_the_library(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    cuts = [Cut(48, 48 / FILM), Cut(100, 100 / FILM, "dissolve", length=24)]
    path = write(CutList.of_cuts(cuts, FILM, 200, hour()), tmp_path / "list.otio")
    timeline = otio.adapters.read_from_file(str(path))
    assert timeline.global_start_time.to_frames() == 86400
    assert [clip.range_in_parent().start_time.to_frames() for clip in timeline.find_clips()] == [0, 48, 100]
    assert [(t.in_offset.value, t.out_offset.value) for t in timeline.find_children(otio.schema.Transition)] == [(12, 12)]


def test_a_list_without_shots_can_be_written(tmp_path: Path) -> None:
    bare = replace(listed(24, 48), shots=())
    assert [cut.frame for cut in read(write(bare, tmp_path / "list.edl")).cuts] == [24, 48]


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"not written as \.aaf; choose one of: \.edl, \.otio, \.csv, \.json"):
        write(listed(24), tmp_path / "list.aaf")
    with pytest.raises(OutputError, match="folder does not exist"):
        write(listed(24), tmp_path / "none" / "list.edl")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("list_start", "film_start", "frames", "offset"),
    [
        ("01:00:00:00", "01:00:00:00", 1000, 0),
        ("01:00:10:00", "01:00:00:00", 2000, 240),  # by timecode
        ("01:00:00:00", None, 1000, 0),  # the hour is left out
        ("01:00:10:00", None, 2000, 240),
        ("10:00:10:00", "00:00:00:00", 2000, 240),
        ("00:00:10:00", "01:00:00:00", 2000, 240),
        ("00:59:52:00", None, 1000, 0),  # a leader before the hour: the list's first frame is the film's
        ("00:59:52:00", "00:59:50:00", 2000, 48),
        ("01:00:10:00", None, None, 240),
    ],
)
def test_a_list_finds_its_place_on_the_film(list_start: str, film_start: str | None, frames: int | None, offset: int) -> None:
    programme = listed(100, 900, start=Timecode.parse(list_start, FILM))
    start = Timecode.parse(film_start, FILM) if film_start else None
    placed = programme.on_film(FILM, start, frames)
    first = [offset] if offset else []
    assert [cut.frame for cut in placed.cuts] == [*first, 100 + offset, 900 + offset]
    assert all(cut.time == cut.frame / FILM for cut in placed.cuts)
    assert placed.start == (start or Timecode(0, FILM))
    assert placed.shots[0].black == bool(offset)
    assert placed.shots[-1].end == placed.frames


def test_a_drop_frame_hour_is_left_out_whole() -> None:
    placed = listed(100, rate=NTSC, start=hour(NTSC, drop=True)).on_film(NTSC, None, 1000)
    assert [cut.frame for cut in placed.cuts] == [100]


def test_labels_decide_where_one_of_the_two_drops_frames() -> None:
    for list_drops in (True, False):
        film_start = hour(NTSC, drop=not list_drops)
        placed = listed(100, rate=NTSC, start=hour(NTSC, drop=list_drops)).on_film(NTSC, film_start, 1000)
        assert [cut.frame for cut in placed.cuts] == [100]


def test_a_round_start_tells_that_otio_counts_drop_frame(tmp_path: Path) -> None:
    path = write(listed(100, rate=NTSC, start=hour(NTSC, drop=True)), tmp_path / "list.otio")
    path.write_text(path.read_text().replace('"hitpoint"', '"another program"'))
    assert str(read(path).start) == "01:00:00;00"
    path.write_text(path.read_text().replace('"value": 107892', '"value": 108000'))
    assert str(read(path).start) == "01:00:00:00"


def test_a_list_of_another_rate_or_a_longer_film_is_refused_with_the_cure() -> None:
    with pytest.raises(
        CutListError, match=r"counts 25 frames a second, the film has 24000/1001; export .* or pass --rate 24000/1001"
    ):
        listed(100, rate=Fraction(25)).on_film(FILM)
    with pytest.raises(CutListError, match="last cut is at frame 900, but the film has 500 frames"):
        listed(100, 900).on_film(FILM, hour(), 500)
    assert listed(100, 900).on_film(FILM, hour(), 901).frames == 901


def test_markers_outside_the_film_are_left_out() -> None:
    programme = replace(listed(100), markers=(Marker(50, "in"), Marker(990, "out")))
    assert [marker.name for marker in programme.on_film(FILM, hour(), 500).markers] == ["in"]


STAMPS = np.cumsum([0, *([40, 40, 40, 40, 120] * 50)])  # milliseconds: every fifth frame stays three times as long
UNEVEN = Timing.of(STAMPS, Fraction(1, 1000), Fraction(25))


def test_an_editors_list_on_a_film_of_variable_rate_goes_by_the_clock() -> None:
    assert (UNEVEN.variable, UNEVEN.rate, UNEVEN.frames) == (True, 25, 251)
    programme = replace(listed(49, 104, rate=Fraction(25), length=350), markers=(Marker(49, "door"),))
    placed = programme.on_film(Fraction(25), None, UNEVEN.frames, UNEVEN)
    # 49/25 s is 1960 ms, when frame 35 (seven times 280 ms on) has just come; 104/25 s is 4160 ms, 80 ms into frame 74
    assert [(cut.frame, cut.time) for cut in placed.cuts] == [(35, Fraction(49, 25)), (74, Fraction(102, 25))]
    assert [(shot.start, shot.end) for shot in placed.shots] == [(0, 35), (35, 74), (74, 251)]
    assert placed.markers[0].frame == 35
    assert placed.frames == UNEVEN.frames
    with pytest.raises(CutListError, match="last cut is at frame 400, but the film has 351 frames"):
        listed(400, rate=Fraction(25)).on_film(Fraction(25), None, UNEVEN.frames, UNEVEN)


PHONE = Timing.of(np.cumsum([0, *([33, 34, 33] * 70), *([100, 101, 117, 103] * 10)]), Fraction(1, 1000), Fraction(30))


@pytest.mark.parametrize("timing", [UNEVEN, PHONE], ids=["on the grid of its rate", "off any grid"])
@pytest.mark.parametrize("suffix", WRITERS)
@given(frames=st.lists(st.integers(1, 250), unique=True, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cuts_of_a_film_of_variable_rate_come_back_from_every_format(
    tmp_path: Path, suffix: str, timing: Timing, frames: list[int]
) -> None:
    assert (timing.variable, timing.frames) == (True, 251)
    found = CutList.of_cuts([Cut(k, timing.time(k)) for k in frames], timing.rate, timing.frames, title="phone")
    again = read(write(found, tmp_path / f"list{suffix}"), assume=timing.rate)
    placed = again.on_film(timing.rate, None, timing.frames, timing)
    assert placed.cuts == found.cuts
    assert placed.frames == timing.frames


def test_a_pulled_down_twin_keeps_every_frame() -> None:
    slow = listed(100, 900, rate=Fraction(24)).at_rate(FILM)
    assert [(cut.frame, cut.time) for cut in slow.cuts] == [(100, 100 / FILM), (900, 900 / FILM)]
    assert (str(slow.start), slow.frames) == ("01:00:00:00", 1000)
    assert slow.at_rate(Fraction(24)) == listed(100, 900, rate=Fraction(24))
    assert str(listed(100, rate=NTSC, start=hour(NTSC, drop=True)).at_rate(Fraction(30)).start) == "01:00:00:00"


def test_other_rates_keep_the_time() -> None:
    fast = listed(24, 36, rate=Fraction(24), length=48).at_rate(Fraction(60))
    assert [(cut.frame, cut.time) for cut in fast.cuts] == [(60, 1), (90, Fraction(3, 2))]
    assert (str(fast.start), fast.frames, fast.shots[1].end) == ("01:00:00:00", 120, 90)
    # cuts that fall on one frame become one
    merged = listed(60, 61, 119, rate=Fraction(60), length=120).at_rate(Fraction(24))
    assert [cut.frame for cut in merged.cuts] == [24]
    assert [(shot.start, shot.end) for shot in merged.shots] == [(0, 24), (24, 48)]


def test_reading_at_a_rate_carries_the_times_over(tmp_path: Path) -> None:
    path = write(listed(24, 48, rate=Fraction(24)), tmp_path / "list.otio")
    assert [cut.frame for cut in read(path, rate="30").cuts] == [30, 60]
    assert read(path, rate=23.976).cuts[0].time == 24 / FILM
    with pytest.raises(OptionError, match="'fast' is not a frame rate"):
        read(path, rate="fast")


def pieces(*spans: tuple[int, int, str], clear: bool = False) -> tuple[Piece, ...]:
    return tuple(Piece(Fraction(a), Fraction(b), name, black=name == "black", clear=clear) for a, b, name in spans)


def seen(*layers: Layer, frames: int | None = None) -> list[tuple[int, str]]:
    programme = assemble(layers, Timecode(0, Fraction(24)), frames)
    return [(shot.start, "black" if shot.black else shot.name) for shot in programme.shots]


def test_the_top_is_seen_and_titles_hide_nothing() -> None:
    low = Layer(pieces((0, 100, "a"), (100, 200, "b")))
    high = Layer(pieces((40, 60, "c"), (150, 250, "d")))
    title = Layer(pieces((30, 70, "title"), (240, 300, "end"), clear=True))
    assert seen(low, high, title, frames=310) == [
        (0, "a"),
        (40, "c"),
        (60, "a"),
        (100, "b"),
        (150, "d"),
        (250, "end"),
        (300, "black"),
    ]


def test_later_pieces_of_one_track_cover_earlier_ones() -> None:
    assert seen(Layer(pieces((0, 100, "a"), (20, 40, "b")))) == [(0, "a"), (20, "b"), (40, "a")]


def test_a_mix_over_what_is_hidden_is_no_cut() -> None:
    low = Layer(pieces((0, 50, "a"), (50, 100, "b")), (Mix(Fraction(40), Fraction(60), Fraction(50)),))
    assert seen(low, Layer(pieces((0, 100, "c")))) == [(0, "c")]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.sampled_from("abc")), max_size=6),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=200, deadline=None)
def test_what_is_assembled_is_what_every_frame_shows(tracks: list[list[tuple[int, int, str]]]) -> None:
    layers = [
        Layer(pieces(*((a, a + n, f"{name}{k}{i}") for i, (a, n, name) in enumerate(track)))) for k, track in enumerate(tracks)
    ]
    screen = [""] * 100
    for layer in layers:
        for piece in layer.pieces:
            screen[int(piece.start) : int(piece.end)] = [piece.name] * int(piece.end - piece.start)
    programme = assemble(layers, Timecode(0, Fraction(24)), 100)
    assert [name for shot in programme.shots for name in [shot.name] * (shot.end - shot.start)] == screen
    assert [cut.frame for cut in programme.cuts] == [n for n in range(1, 100) if screen[n] != screen[n - 1]]


def test_absurd_lengths_are_refused() -> None:
    with pytest.raises(CutListError, match="too long to be true"):
        assemble([Layer(pieces((0, 10**9, "a")))], Timecode(0, Fraction(24)))


@pytest.mark.parametrize("name", ["list.edl", "list.prproj", "list.fcpxmld"])
def test_a_list_in_a_folder_that_may_not_be_seen_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CutListError, match=r"cannot be read \(Permission denied\); check the path"):
        read(tmp_path / name)
