"""A composer's first quarter of an hour in the real window on a real display, for `test_journey_on_a_display`: run as a program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QEventLoop, Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from desktop.app import run
from desktop.palette import Palette
from desktop.window import Window

PATIENCE_S = 120
SIZE = 1480, 920


class Journey:
    """Walks the window, writes down what it saw, and photographs the display."""

    def __init__(self, window: Window, out: Path) -> None:
        self.window, self.out = window, out
        self.seen: dict[str, object] = {}

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Lets the window live until something holds."""
        end = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}; the window says {self.window.message.text!r}")
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)

    def rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, "rest")

    def note(self, **seen: object) -> None:
        self.seen |= seen
        (self.out / "seen.json").write_text(json.dumps(self.seen), "utf-8")

    def photograph(self, name: str) -> None:
        self.rest(0.8)
        screen = self.window.screen()
        assert screen is not None
        screen.grabWindow(self.window.winId()).save(str(self.out / f"{name}.png"))

    def press(self, *keys: str) -> None:
        """Presses keys of the display, wherever the display itself lets them go; ``xdotool`` names them."""
        subprocess.run(["xdotool", "key", "--delay", "60", *keys], check=True, timeout=PATIENCE_S)

    def ask_the_palette(self) -> None:
        """By keys alone: Ctrl-K, a few letters, Enter."""
        window = self.window
        window.activateWindow()
        self.until(window.isActiveWindow, "the window has the keys")
        before = window.transport.frame
        self.press("ctrl+k")
        self.until(lambda: isinstance(QApplication.activeWindow(), Palette), "the palette has the keys")
        self.press(*"last", "space", *"fr")
        field = window.findChild(Palette)._field
        self.until(lambda: field.text() != "", "the palette is typed into")
        self.until(lambda: field.text() == "last fr", "all of it is there")
        self.press("Return")
        self.until(lambda: window.transport.frame == window.transport.timing.frames - 1, "what was asked for is done")
        self.until(window.isActiveWindow, "the window has the keys again")
        self.press("Left")
        self.until(lambda: window.transport.frame == window.transport.timing.frames - 2, "and hears them")
        self.note(palette=(before, window.transport.frame))

    def walk(self) -> None:
        window = self.window
        window.resize(*SIZE)
        self.note(greeted=window.message.text)
        self.until(
            lambda: window.document.film is not None and window.document.film.spotted is not None, "the demo film is spotted"
        )
        self.until(lambda: window.viewer.shown == 0 and window.transport_bar.score.isVisible(), "the picture is there")
        self.photograph("1-spotted")
        window.message.dismiss()
        QTest.mouseClick(window.transport_bar.score, Qt.MouseButton.LeftButton)
        self.until(
            lambda: window.document.now is not None and all(s.chosen for s in window.document.now.session.scenes), "it is scored"
        )
        session = window.document.now.session  # type: ignore[union-attr]
        self.until(lambda: any(mark.verdict == "on" for mark in window.timeline.sheet.marks), "its report is drawn")  # type: ignore[union-attr]
        self.note(engine=session.takes[session.scenes[0].chosen or ""].facts["engine"], scenes=len(session.scenes))
        self.note(verdicts=[mark.verdict for mark in window.timeline.sheet.marks])  # type: ignore[union-attr]
        window.transport.locate(150)
        self.photograph("2-scored")
        window.preferences.set("music", False)
        window.heard.switch(False)
        window.transport.play(1)
        self.rest(1.5)
        window.transport.stop()
        self.until(lambda: window.viewer.shown == window.transport.frame, "the frame at rest is the one asked for")
        self.note(rolled_to=window.transport.frame)
        before = session.scenes[0].chosen
        window.transport.locate(10)
        window.actions_by_name["refill"].trigger()
        self.until(lambda: window.document.now.session.scenes[0].chosen != before, "the scene is refilled")  # type: ignore[union-attr]
        window.actions_by_name["hit_add"].trigger()
        self.until(lambda: 10 in [hit.frame for hit in window.document.now.session.hits], "a hit is marked")  # type: ignore[union-attr]
        self.note(done=[step.sentence for step in window.document.now.history.done])  # type: ignore[union-attr]
        self.ask_the_palette()
        window.actions_by_name["light"].trigger()
        self.photograph("3-light")
        window.actions_by_name["light"].trigger()
        window.document.studio.flush()
        self.note(session=str(window.document.now.path), walked=True)  # type: ignore[union-attr]
        os.kill(os.getpid(), signal.SIGKILL)  # the power goes


def again(journey: Journey) -> None:
    """After the kill: what was there is offered, and is all there."""
    window = journey.window
    journey.note(offered=window.message.text)
    window.message._offer.click()
    journey.until(lambda: window.document.now is not None and window.document.sheet is not None, "the session is open again")
    journey.note(found=[step.sentence for step in window.document.now.history.done])  # type: ignore[union-attr]
    window.close()


def main(out: Path, what: str) -> int:
    def begin(window: Window) -> None:
        journey = Journey(window, out)

        def go() -> None:
            try:
                journey.walk() if what == "walk" else again(journey)
            except Exception as error:  # noqa: BLE001  told to the test, and the program ends
                journey.note(failed=f"{type(error).__name__}: {error}")
                window.close()

        QTimer.singleShot(0, go)

    return run([], begin)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
