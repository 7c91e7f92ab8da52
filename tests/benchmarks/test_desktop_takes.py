"""What takes and roll cost with a reel of two hours: 370 scenes with four takes each, 260,000 notes, two thousand hits."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="no window can be opened on this machine", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="pytest-qt is in the extra 'test'")

from PyQt6.QtCore import QRectF
from PyQt6.QtWidgets import QWidget

from engines.picture.cutlist import CutList
from engines.score.notes import STEMS, Note
from engines.session.model import ChosenMap, Film, Limits, PlayedNote, Scene, SceneTake, Session, part
from engines.spotting.hits import Hit
from engines.spotting.tempo import Metre, Segment, TempoMap

RESULTS = Path(__file__).parent / "results" / "desktop_takes.json"
RATE = Fraction(24000, 1001)
SCENES, BARS, TAKES, NOTES, HITS = 370, 8, 4, 180, 2000


def reel() -> Session:
    """Scenes of eight bars, a tempo of its own in every other bar, notes on sixteenths."""
    rng = Random(5)
    bars = SCENES * BARS
    segments = tuple(Segment(Fraction(8 * k), Fraction(60, 94 + k % 7)) for k in range(bars // 2))
    tempo_map = TempoMap(segments, (Metre(),) * bars, Fraction(0))
    duration = tempo_map.seconds(4 * bars) - Fraction(1, 2)
    frames = int(duration * RATE)
    at = sorted(rng.sample(range(48, frames - 48), HITS))
    takes: dict[str, SceneTake] = {}
    for scene in range(SCENES):
        own = part(tempo_map, Fraction(32 * scene), Fraction(32 * (scene + 1)))
        for number in range(1, TAKES + 1):
            notes = sorted(
                Note(
                    Fraction(rng.randrange(128), 4),
                    rng.randrange(40, 84),
                    Fraction(rng.randint(1, 8), 4),
                    rng.randint(30, 110),
                    stem,
                )
                for stem in STEMS
                for _ in range(NOTES // 3)
            )
            rows = tuple(PlayedNote(note, note) for note in dict.fromkeys(notes))
            takes[f"t{len(takes)}"] = SceneTake(f"s{scene}", number, "", "2026-01-01T00:00:00+00:00", own, (), {}, rows)
    scenes = tuple(Scene(f"s{k}", BARS, chosen=f"t{TAKES * k}") for k in range(SCENES))
    return Session(
        film=Film("reel.mov", "0" * 64, 1, RATE, frames, duration),
        programme=CutList.of_cuts([], RATE, frames, title="reel"),
        limits=Limits((Fraction(70), Fraction(140)), Fraction(4), (Metre(),)),
        overrides=(),
        hits=tuple(Hit(frame, frame / RATE, round(rng.random(), 2)) for frame in at),
        map=ChosenMap("bend", tempo_map, Fraction(96), 1.0),
        engine="bmt", mode=None, formula="ours", seed=1, performance=0.5, scenes=scenes, takes=takes,
    )  # fmt: skip


def timed(call: Callable[[], object]) -> float:
    """Milliseconds of processor time of this thread, which other programs do not lengthen."""
    began = time.thread_time()
    call()
    return (time.thread_time() - began) * 1000


def spread(values: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, (50, 95))
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2), "max_ms": round(max(values), 2)}


@pytest.mark.benchmark
def test_takes_and_roll_of_a_long_reel(qtbot: object, qapp: object) -> None:
    from desktop import theme
    from desktop.roll_view import RollView
    from desktop.takes_cue import CueBar
    from desktop.takes_grid import TakesGrid

    theme.wear(qapp, "dark")  # type: ignore[arg-type]
    session = reel()
    told: dict[str, dict[str, float] | float] = {}
    grid, bar, view = TakesGrid(), CueBar(), RollView()
    for widget, size in ((grid, (1900, 1000)), (bar, (1900, 28)), (view, (1900, 1000))):
        qtbot.addWidget(widget)  # type: ignore[attr-defined]
        widget.resize(*size)
        widget.show()

        qtbot.wait(50)  # type: ignore[attr-defined]
    told["grid, session opened"] = timed(lambda: grid.show_session(session))
    bar.show_session(session)
    turns = [timed(bar._count) for _ in range(4000) if bar._left]
    told["hits of the cue counted, a turn"] = spread(turns)
    pane, scroll = grid.viewport(), grid.verticalScrollBar()
    assert pane is not None
    assert scroll is not None
    frames = []
    for place in np.linspace(0, scroll.maximum(), 25):
        scroll.setValue(int(place))
        frames.append(timed(pane.repaint))
        while grid.cells.allowance.short:
            frames.append(timed(pane.repaint))
    told["grid, scrolled over what was never drawn"] = spread(frames)
    again = []
    for k in range(60):
        scroll.setValue(k * 8)
        again.append(timed(pane.repaint))
    told["grid, scrolled again"] = spread(again)
    renamed = replace(session, cue="1m2")
    told["grid, after an act"] = timed(lambda: grid.show_session(renamed))
    told |= roll(view, session)
    told["roll, after an act"] = timed(lambda: (view.show_session(replace(session, cue="1m3")), view.viewport().repaint()))  # type: ignore[union-attr]
    table(told)


def roll(view: QWidget, session: Session) -> dict[str, dict[str, float] | float]:
    """The roll from one scene to the whole reel."""
    from desktop.roll_find import inside
    from desktop.roll_view import RollView

    assert isinstance(view, RollView)
    pane = view.viewport()
    assert pane is not None
    told: dict[str, dict[str, float] | float] = {"roll, session opened": timed(lambda: view.show_session(session))}
    for name, scenes in (("one scene", 1), ("ten scenes", 10), ("fifty scenes", 50), ("the whole reel", SCENES)):
        view.go_to(session.spans[0])
        view.zoom(1 / scenes)
        values, fresh = [], []
        for k in range(5):
            view._show(replace(view.frame, scale=view.frame.scale.moved(7.0 * k)))
            fresh.append(timed(pane.repaint))
            while view._rest.isActive():
                view._rest.stop()
                fresh.append(timed(view._catch_up))
            view.redraw()
            values.append(timed(pane.repaint))
        told[f"roll, {name}"] = spread(values)
        told[f"roll, {name}, never seen before"] = spread(fresh)
    ticks: list[float] = []
    for k in range(60):
        view.show_playhead(k / 24)
        ticks.append(timed(pane.repaint))
    told["roll, the playhead moves"] = spread(ticks)
    assert view.stage is not None
    stage = view.stage
    told["rubber band over all"] = timed(lambda: inside(QRectF(view.frame.notes), view.frame, stage, view.looks))
    return told


def table(told: dict[str, dict[str, float] | float]) -> None:
    print(f"\n{'processor time of the window, ms':48}{'p50':>9}{'p95':>9}{'worst':>9}")
    for name, value in told.items():
        cells = [value["p50_ms"], value["p95_ms"], value["max_ms"]] if isinstance(value, dict) else ["", "", round(value, 2)]
        late = "  over a frame at 60" if (cells[-1] or 0) > 1000 / 60 else ""  # type: ignore[operator]
        print(f"{name:48}" + "".join(f"{cell:>9}" for cell in cells) + late)
    rows = {name: value if isinstance(value, dict) else round(value, 2) for name, value in told.items()}
    found = {
        "scenes": SCENES,
        "takes": SCENES * TAKES,
        "notes": SCENES * TAKES * NOTES,
        "hits": HITS,
        "load": round(os.getloadavg()[0], 1),
    }
    RESULTS.write_text(json.dumps(rows | found, indent=1) + "\n", "utf-8")
