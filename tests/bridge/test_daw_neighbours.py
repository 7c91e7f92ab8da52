"""A studio and the programs next door: a cut list that is exported again becomes an offer, a DAW that rolls is followed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from live_double import LiveDouble
from sittings import saved, scored

from bridge.calls_outside import OUTSIDE
from bridge.daw import Address
from bridge.events import Event, Message
from bridge.neighbours import Neighbours
from bridge.studio import Studio
from bridge.transport import Report
from engines.errors import OptionError

DEADLINE_S = 60.0


@pytest.fixture
def studio(trio: str, tmp_path: Path) -> Iterator[Studio]:
    made = Studio()
    made.open_session(saved(scored((3, 3)), tmp_path / "cue.hitpoint"))
    yield made
    made.close()


@pytest.fixture
def neighbours(studio: Studio) -> Iterator[Neighbours]:
    made = Neighbours(studio, every_s=0.02)
    yield made
    made.close()


def test_a_cut_list_exported_again_is_offered_and_can_be_accepted(neighbours: Neighbours, tmp_path: Path) -> None:
    studio, path = neighbours.studio, tmp_path / "cuts.json"
    session = studio.now.session
    told: SimpleQueue[Event] = SimpleQueue()
    studio.subscribe(lambda event: told.put(event) if isinstance(event, Message) else None)
    assert neighbours.watch(path) == path == neighbours.cuts
    later = [{"frame": cut.frame + 24, "kind": "cut"} for cut in session.programme.cuts]
    path.write_text(json.dumps({"rate": "24", "frames": session.film.frames + 24, "cuts": later}))
    first, message = told.get(timeout=DEADLINE_S), told.get(timeout=DEADLINE_S)
    assert first == Message(f"{path} is not there yet: it is waited for")
    assert isinstance(message, Message)
    assert "the editor has a new cut (cuts.json)" in message.text
    assert studio.now.session == session
    studio.conform().result(DEADLINE_S)
    assert [cut.frame for cut in studio.now.session.programme.cuts] == [row["frame"] for row in later]

    path.write_text("{")
    broken = told.get(timeout=DEADLINE_S)
    while isinstance(broken, Message) and broken.level != "error":
        broken = told.get(timeout=DEADLINE_S)
    assert isinstance(broken, Message)
    assert "the new cut was not read" in broken.text
    neighbours.leave_cuts()
    assert neighbours.cuts is None


def test_a_cut_list_whose_folder_is_not_there_is_refused_and_the_one_that_is_watched_stays(
    neighbours: Neighbours, tmp_path: Path
) -> None:
    cuts = tmp_path / "cuts.edl"
    cuts.write_text("")
    told: list[Event] = []
    neighbours.studio.subscribe(told.append)
    neighbours.watch(cuts)
    with pytest.raises(OptionError, match="typo does not exist") as refused:
        neighbours.watch(tmp_path / "typo" / "x.edl")
    assert refused.value.cure
    assert neighbours.cuts == cuts
    assert told == [], "what lies there is no news"


def test_a_daw_that_rolls_is_handed_to_the_player(neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: SimpleQueue[Report] = SimpleQueue()
    followed = []
    playback = neighbours.studio.playback
    monkeypatch.setattr(playback, "hear", heard.put)
    monkeypatch.setattr(playback, "follow", lambda source=None, midi=True: followed.append((source, midi)))
    live = LiveDouble()
    try:
        neighbours.follow("live", Address(port=live.port))
        assert neighbours.daw == "live"
        live.set.playing = True
        report = heard.get(timeout=DEADLINE_S)
        while not report.seconds:
            report = heard.get(timeout=DEADLINE_S)
        assert report.source == "OSC from Live"
        assert followed == [(None, False)]
        neighbours.close()
        assert neighbours.daw is None
    finally:
        neighbours.close()
        live.close()
    with pytest.raises(OptionError):
        neighbours.follow("fruit")


def test_both_are_asked_for_over_the_wire(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    followed = []
    monkeypatch.setattr(studio.playback, "follow", lambda source=None, midi=True: followed.append((source, midi)))
    watch, daw = OUTSIDE["/hitpoint/conform/watch"], OUTSIDE["/hitpoint/transport/daw"]
    cuts = str(tmp_path / "cut.edl")
    assert watch(studio, cuts=cuts) == {"cuts": cuts, "daw": None, "at_s": None, "at": None}
    assert daw(studio, daw="reaper") == {"cuts": cuts, "daw": "reaper", "at_s": None, "at": None}
    assert daw(studio) == {"cuts": cuts, "daw": None, "at_s": None, "at": None}
    assert watch(studio, off=True) == {"cuts": None, "daw": None, "at_s": None, "at": None}
    assert followed == [(None, False)]
