"""Markers and regions from a project that REAPER saved, without REAPER."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.daw import Address, ProjectMarker
from bridge.daws.reaper import Reaper
from bridge.daws.reaper_project import markers
from engines.errors import DawError

PROJECT = """<REAPER_PROJECT 0.1 "7.11/linux-x86_64" 1710765457
  RIPPLE 0
  TEMPO 96 4 4
  <TEMPOENVEX
    PT 0.000000000001 96.0000000000 1
  >
  MARKER 1 2.58333333333333 "the door" 0 0 1 B {BAA5B1BE-F406-6AE8-77EA-111BEE4305F7} 0
  MARKER 2 5 hit 0
  MARKER 1 0 'Scene "A"' 1 0 1 B {1F9B8B34-1C66-84DF-D437-2AD7A326359B} 0
  MARKER 1 10.5 "" 1
  MARKER 3 7 "no end" 1 0 1 B {1F9B8B34-1C66-84DF-D437-2AD7A326359C} 0
  <TRACK {AAAA}
    NAME MARKER
    MARKER 9 1 "inside a track" 0
  >
>
"""


def test_markers_and_regions_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "film.RPP"
    path.write_text(PROJECT)
    expected = (
        ProjectMarker(Fraction(0), 'Scene "A"', Fraction("10.5")),
        ProjectMarker(Fraction("2.58333333333333"), "the door"),
        ProjectMarker(Fraction(5), "hit"),
    )
    assert markers(path) == expected
    closed = Reaper(Address(project=path, box=tmp_path / "box", port=9, timeout_s=0.1))
    assert closed.markers() == expected
    assert expected[1].on_film(Fraction(0), Fraction(24)).frame == 62


@pytest.mark.parametrize("content", ["", "<OTHER", "\x00\xff"])
def test_what_is_no_project_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "film.RPP"
    path.write_text(content, "latin-1")
    with pytest.raises(DawError, match="no project of REAPER"):
        markers(path)
    with pytest.raises(DawError, match="cannot be read"):
        markers(tmp_path / "none.RPP")


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=8))
def test_nothing_in_a_project_ends_the_reading(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("reaper") / "film.RPP"
    path.write_text("\n".join(["<REAPER_PROJECT 0.1", *(f"  MARKER {line}" for line in lines), "  MARKER 2 5 hit 0"]), "utf-8")
    assert ProjectMarker(Fraction(5), "hit") in markers(path)
