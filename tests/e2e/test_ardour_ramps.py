"""Tempo ramps as Ardour itself has them: what we read of its session's file lies on the very samples that it says."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from pathlib import Path

import peers
import pytest

from bridge.daws.ardour_file import TICKS, ArdourFile

SAMPLE_RATE = 48000

# quarter note, tempo there, whether it glides to the next: steady, faster, slower by half within a beat, much slower, faster, for ever
TEMPI = ((0, 96, 0), (8, 96, 1), (24, 150, 1), (25, 61, 0), (32, 200, 1), (40, 20, 1), (56, 120, 0))

RAMPS_LUA = """
local s = load_session (os.getenv ("PEER_FOLDER"), os.getenv ("PEER_NAME"))
local map = Temporal.TempoMap.write_copy ()
local glides = {}
for row in os.getenv ("PEER_TEMPI"):gmatch ("[^;]+") do
  local quarter, bpm, glide = row:match ("(%d+) (%d+) (%d+)")
  local point = map:set_tempo (Temporal.Tempo (bpm, bpm, 4), Temporal.timepos_t.from_ticks (quarter * 1920))
  if glide == "1" then table.insert (glides, point) end
end
for _, point in ipairs (glides) do map:set_ramped (point, true) end
glides = nil
Temporal.TempoMap.update (map)
map = nil
s:save_state ("", false, false, false, false, false)
local read = Temporal.TempoMap.read ()
for sixteenth = 0, 64 * 4 do
  local ticks = sixteenth * 480
  print ("SAMPLE", ticks, read:sample_at_beats (Temporal.Beats (ticks // 1920, ticks % 1920)))
end
for second = 0, 40 do
  local beats = read:quarters_at_sample (second * 48000 + 11)
  print ("QUARTER", second * 48000 + 11, tostring (beats))
end
read = nil
close_session ()
quit ()
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> peers.ArdourSession:
    with peers.own_network():
        return peers.ArdourSession(peers.ardour(), tmp_path_factory.mktemp("ramps") / "film").make()


@pytest.fixture(scope="module")
def said(session: peers.ArdourSession) -> list[list[str]]:
    """What Ardour says of its own map, row by row, after it has written it."""
    with peers.own_network():
        printed = session.run(RAMPS_LUA, PEER_TEMPI=";".join(" ".join(map(str, row)) for row in TEMPI))
    return [line.split() for line in printed.splitlines() if line.startswith(("SAMPLE", "QUARTER"))]


@pytest.fixture(scope="module")
def file(session: peers.ArdourSession, said: list[list[str]]) -> ArdourFile:
    return ArdourFile.read(Path(session.file))


def test_the_ramps_are_in_the_file(file: ArdourFile) -> None:
    assert [point.quarter for point in file.tempi] == [quarter for quarter, _, _ in TEMPI]
    ends = [bpm for _, bpm, _ in TEMPI[1:]] + [120]
    for point, (_, bpm, glides), end in zip(file.tempi, TEMPI, ends, strict=True):
        assert abs(point.bpm - bpm) < Fraction(1, 10**6)  # it keeps the length of a note in whole units
        assert (point.omega > 0) == bool(glides and end > bpm)
        assert (point.omega < 0) == bool(glides and end < bpm)


def test_a_quarter_note_lies_on_the_sample_that_ardour_says(file: ArdourFile, said: list[list[str]]) -> None:
    rows = [(int(ticks), int(sample)) for kind, ticks, sample, *_ in said if kind == "SAMPLE"]
    assert len(rows) == 257
    for ticks, sample in rows:
        assert abs(file.seconds(Fraction(ticks, TICKS)) * SAMPLE_RATE - sample) < 1, ticks


def test_a_sample_lies_on_the_tick_that_ardour_says(file: ArdourFile, said: list[list[str]]) -> None:
    rows = [(int(row[1]), *map(int, row[2].split(":"))) for row in said if row[0] == "QUARTER"]
    assert len(rows) == 41
    for sample, beats, ticks in rows:
        assert abs(file.quarter(Fraction(sample, SAMPLE_RATE)) * TICKS - (beats * TICKS + ticks)) <= 1, sample


def test_there_and_back_is_the_same_place(file: ArdourFile) -> None:
    ends = [point.quarter for point in file.tempi]
    for sixteenth in range(257):
        quarter = Fraction(sixteenth, 4)
        ramps = bool(file.tempi[max(0, bisect_right(ends, quarter) - 1)].omega)
        off = abs(file.quarter(file.seconds(quarter)) - quarter)
        assert off < Fraction(1, 10**7) if ramps else off == 0
