"""What the window costs: frames of the timeline, scrubbing, start, memory of a long reel, its longest block while an engine composes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="no window can be opened on this machine", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="pytest-qt is in the extra 'test'")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "desktop"))

RESULTS = Path(__file__).parent / "results" / "desktop.json"
FRAME_MS = 1000 / 60
PATIENCE = 120_000


def keep(**values: object) -> None:
    """Adds figures to the file of results."""
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
    load = round(os.getloadavg()[0], 1)
    RESULTS.write_text(json.dumps(known | values | {"load": load}, indent=1, sort_keys=True) + "\n", "utf-8")


def resident() -> float:
    """Megabytes of memory that this process has now (Linux); its most so far elsewhere."""
    now = Path("/proc/self/statm")
    if now.exists():
        return int(now.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def spread(values: list[float]) -> dict[str, float]:
    """Median, 95th and worst of some milliseconds."""
    p50, p95 = np.percentile(values, (50, 95))
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2), "max_ms": round(max(values), 2)}


def timed(call: Callable[[], object]) -> float:
    """Milliseconds of processor time of this thread, which other programs do not lengthen."""
    began = time.thread_time()
    call()
    return (time.thread_time() - began) * 1000


@pytest.mark.benchmark
def test_timeline_frames(qtbot: object) -> None:
    from long_films import long_sheet
    from PyQt6.QtCore import QPoint, QPointF, Qt
    from PyQt6.QtGui import QImage, QWheelEvent

    from desktop import theme
    from desktop.timeline import Timeline
    from desktop.transport import Transport, even

    sheet = long_sheet()
    transport = Transport()
    timeline = Timeline(transport)
    transport.setParent(timeline)
    qtbot.addWidget(timeline)  # type: ignore[attr-defined]
    theme.current()
    transport.load(even(sheet.rate, sheet.frames))
    timeline.resize(1920, 400)
    timeline.show()
    qtbot.waitExposed(timeline)  # type: ignore[attr-defined]
    qtbot.wait(50)  # type: ignore[attr-defined]
    timeline.draw(sheet)
    picture = QImage(85, 48, QImage.Format.Format_RGB32)
    timeline.shots.pictures = {int(frame): picture for frame in [0, *sheet.cut_frames.tolist()]}
    view = timeline.viewport()
    assert view is not None

    def scroll(left: float) -> Callable[[], object]:
        def call() -> None:
            timeline._show(timeline.scale.moved(left))
            timeline.refresh()  # the whole reel has nowhere to scroll
            view.repaint()

        return call

    def wheel() -> None:
        up = QPoint(0, 120)
        at = QPointF(900, 60)
        event = QWheelEvent(
            at,
            at,
            QPoint(),
            up,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.ControlModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        timeline.wheelEvent(event)
        view.repaint()

    rows = {}
    for name, seconds in (("whole reel", 7200.0), ("10 minutes", 600.0), ("1 minute", 60.0), ("10 seconds", 10.0)):
        timeline._show(timeline.scale.fitted())
        timeline.zoom(7200 / seconds, 0)
        rng = Random(1)
        scroll(1000)()
        rows[f"scroll, {name} in view"] = spread([timed(scroll(rng.uniform(0, 7000))) for _ in range(60)])

        def head() -> None:
            transport.locate(transport.frame + 1)
            view.repaint()

        timeline.reveal(float(transport.seconds))
        rows[f"playhead, {name} in view"] = spread([timed(head) for _ in range(60)])
    timeline.fit()
    rows["zoom by wheel, from the whole reel in"] = spread([timed(wheel) for _ in range(40)])
    print("\na frame of the timeline: 2,000 shots, two hours, 1920 pixels wide; ms of the window's thread")
    for name, row in rows.items():
        late = "" if row["p95_ms"] <= FRAME_MS else "   over a sixtieth of a second"
        print(f"  {name:44} p50 {row['p50_ms']:7.2f}   p95 {row['p95_ms']:7.2f}   worst {row['max_ms']:7.2f}{late}")
    keep(timeline_frames=rows)
    assert max(row["p95_ms"] for name, row in rows.items() if name.startswith("playhead")) < 3 * FRAME_MS


@pytest.mark.benchmark
def test_scrubbing(qtbot: object, shared: Path) -> None:
    from desktop.frames import EVERY, Frames
    from engines.picture.reel import Reel

    print("\nscrubbing: from the request of a frame to the frame, ms of the clock")
    rows = {}
    for name in ("big_buck_bunny_480p.mp4", "big_buck_bunny_720p.webm", "tears_of_steel_battle.webm"):
        reel = Reel.open(shared / "media" / name)
        frames = Frames(reel, 960)
        try:
            first: list[float] = []

            def ask(frame: int, speed: float = 0, frames: Frames = frames, first: list[float] = first) -> float:
                near, began, seen = frames.nearest(frame), time.perf_counter(), 0.0
                frames.want(frame, speed)
                while frames.image(frame) is None:
                    now = frames.nearest(frame)
                    if not seen and now is not None and (near is None or now[0] != near[0]):
                        seen = (time.perf_counter() - began) * 1000
                    time.sleep(0.0002)
                exact = (time.perf_counter() - began) * 1000
                first.append(0.0 if near is not None and abs(near[0] - frame) <= EVERY else seen or exact)
                return exact

            rng = Random(1)
            jumps = [ask(rng.randrange(reel.frames)) for _ in range(60)]
            nearer = list(first)
            at, drags = reel.frames // 2, []
            for _ in range(80):  # a hand that drags the playhead to and fro, and on
                at = min(reel.frames - 1, max(0, at + rng.randrange(-20, 40)))
                drags.append(ask(at))
            ask(reel.frames - 1)
            back = []
            for k in range(reel.frames - 2, reel.frames - 202, -1):
                back.append(ask(k, -1))
                time.sleep(1 / 30)  # a held key
            rows[name] = {
                "jump": spread(jumps),
                "jump, a picture nearby": spread(nearer),
                "drag": spread(drags),
                "step back": spread(back),
                "MB in hand": round(frames.bytes_held / 2**20),
            }
        finally:
            frames.close()
        for what in ("jump", "jump, a picture nearby", "drag", "step back"):
            row = rows[name][what]
            print(f"  {name:30} {what:22} p50 {row['p50_ms']:7.1f}   p95 {row['p95_ms']:7.1f}   worst {row['max_ms']:7.1f}")  # type: ignore[index]
    keep(scrubbing=rows)


START = """
import sys, time
began = time.perf_counter()
sys.path.insert(0, "tests")
from PyQt6.QtCore import QSettings, QTimer
from desktop.app import application, window
from desktop.preferences import Preferences
settings = Preferences(QSettings(sys.argv[1], QSettings.Format.IniFormat))
app = application(settings)
shown = window(settings)
shown.show()
def usable():
    print(time.perf_counter() - began)
    shown.close()
    app.quit()
QTimer.singleShot(0, usable)
app.exec()
"""


@pytest.mark.benchmark
def test_start(tmp_path: Path) -> None:
    times = []
    for k in range(5):
        command = [sys.executable, "-c", START, str(tmp_path / f"{k}.ini")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
        times.append(float(done.stdout.strip().splitlines()[-1]))
    print(f"\nfrom the interpreter's first line to a usable window: {', '.join(f'{t:.2f}' for t in times)} s")
    keep(start_s=[round(t, 3) for t in times])


@pytest.mark.benchmark
def test_memory_with_a_long_reel(qtbot: object, tmp_path: Path) -> None:
    """Two hours of 1080p, as the container lists them; the picture is simple, so that the film is made in a minute."""
    import av
    from long_films import long_sheet

    from desktop.timeline import Timeline
    from desktop.transport import Transport
    from desktop.viewer import Viewer
    from engines.picture.reel import Reel

    path = tmp_path / "reel.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(24000, 1001), options={"preset": "ultrafast", "g": "240", "crf": "40"}
        )
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        still = av.VideoFrame(1920, 1080, "yuv420p")
        packets = []
        for k in range(240):
            still.pts = k
            packets += stream.encode(still)
        packets += stream.encode(None)
        for round_ in range(720):  # the same ten seconds over and over: 172,800 frames
            for packet in packets:
                copy = av.Packet(bytes(packet))
                copy.stream, copy.time_base, copy.is_keyframe = stream, packet.time_base, packet.is_keyframe
                copy.pts, copy.dts = packet.pts + 240 * round_, packet.dts + 240 * round_
                container.mux(copy)
    before = resident()
    reel = Reel.open(path)
    transport = Transport()
    viewer, timeline = Viewer(transport), Timeline(transport)
    transport.setParent(viewer)
    qtbot.addWidget(viewer, before_close_func=lambda made: made.close_film())  # type: ignore[attr-defined]
    qtbot.addWidget(timeline, before_close_func=lambda made: made.close_film())  # type: ignore[attr-defined]
    viewer.resize(1920, 1080)
    timeline.resize(1920, 400)
    transport.load(reel.timing)
    viewer.open(reel)
    timeline.open(reel)
    timeline.draw(long_sheet())
    viewer.show()
    timeline.show()
    rng = Random(2)
    for _ in range(40):
        frame = rng.randrange(reel.frames)
        transport.locate(frame)
        qtbot.waitUntil(lambda frame=frame: viewer.shown == frame, timeout=PATIENCE)  # type: ignore[attr-defined]
    qtbot.wait(3000)  # type: ignore[attr-defined]
    after = resident()
    held = viewer.frames.bytes_held / 2**20  # type: ignore[union-attr]
    print(f"\ntwo hours of 1080p ({reel.frames} frames): {after - before:.0f} MB more, {held:.0f} MB of them pictures in hand")
    keep(long_reel={"mb_more": round(after - before), "pictures_mb": round(held), "frames": reel.frames})
    viewer.close_film(wait=True)
    timeline.close_film(wait=True)  # while the transport is there, which goes with the viewer


@pytest.mark.benchmark
def test_longest_block(qtbot: object, shared: Path, tmp_path: Path) -> None:
    """A film is scored by the shipped engine while the composer scrubs, zooms and marks: the longest the window is away."""
    import shutil

    from PyQt6.QtCore import QSettings
    from watchdog import Watchdog

    from desktop.document import Document
    from desktop.preferences import Preferences
    from desktop.window import Window

    film = tmp_path / "film.webm"
    shutil.copy(shared / "media" / "tears_of_steel_battle.webm", film)
    preferences = Preferences(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    preferences.set("music", False)
    window = Window(Document(), preferences)
    window.show()
    rows = {}
    try:
        with Watchdog() as away:
            window.commands.take(film)
            qtbot.waitUntil(  # type: ignore[attr-defined]
                lambda: window.document.film is not None and window.document.film.spotted is not None, timeout=PATIENCE
            )
            qtbot.wait(500)  # type: ignore[attr-defined]
        rows["a film is opened and spotted"] = away
        with Watchdog() as away:
            window.document.score()
            k = 0
            while window.document.now is None or any(s.chosen is None for s in window.document.now.session.scenes):
                k += 1
                window.transport.locate(37 * k % 1600)
                window.timeline.zoom(1.3 if k % 2 else 1 / 1.3)
                qtbot.wait(40)  # type: ignore[attr-defined]
                assert k < 5000
            qtbot.wait(500)  # type: ignore[attr-defined]
        rows["its cue is composed"] = away
    finally:
        window.close()
    print(
        "\nthe longest that the window is away, ms: its own work, standing at one place, by the clock; a sleeping thread beside it"
    )
    for name, row in rows.items():
        print(f"  {name:32} work {row.busy:6.1f}   stuck {row.stuck:6.1f}   clock {row.clock:6.1f}   beside {row.beside:6.1f}")
    keep(longest_block={n: {k: round(v, 1) for k, v in vars(r).items() if isinstance(v, float)} for n, r in rows.items()})


@pytest.mark.benchmark
def test_rolling(qtbot: object, shared: Path) -> None:
    """Films rolled at normal speed by the clock: how far the frame on the screen is from the one of the moment."""
    from desktop.transport import Transport
    from desktop.viewer import Viewer
    from engines.picture.reel import Reel

    print("\nrolling for five seconds at normal speed: frames between what is shown and what should be")
    rows = {}
    for name in ("big_buck_bunny_480p.mp4", "big_buck_bunny_720p.webm", "tears_of_steel_battle.webm"):
        reel = Reel.open(shared / "media" / name)
        transport = Transport()
        viewer = Viewer(transport)
        transport.setParent(viewer)
        viewer.resize(960, 540)
        transport.load(reel.timing)
        viewer.open(reel)
        viewer.show()
        try:
            qtbot.waitUntil(lambda viewer=viewer: viewer.shown == 0, timeout=PATIENCE)  # type: ignore[attr-defined]
            apart: list[int] = []
            transport.moved.connect(lambda frame, viewer=viewer, apart=apart: apart.append(abs(frame - (viewer.shown or 0))))
            transport.play(1)
            qtbot.wait(5000)  # type: ignore[attr-defined]
            transport.stop()
        finally:
            viewer.close_film()
            viewer.close()
        exact, within = (sum(d <= k for d in apart) / len(apart) for k in (0, 1))
        rows[name] = {"looks": len(apart), "exact": round(exact, 4), "within_one": round(within, 4), "worst": max(apart)}
        print(f"  {name:30} {len(apart):4} looks   exact {exact:7.1%}   within one {within:7.1%}   worst {max(apart)}")
    keep(rolling=rows)
