"""The process that renders music: the same sound as here, begun again where it dies, and gone with whoever asked."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from bridge import rendering
from bridge.rendering import Renderer
from engines.errors import HitpointError, MissingLibraryError
from engines.score import soundfont
from engines.score.sampler import RATE, Sampler
from engines.score.soundfont import SoundFont, bundled_soundfont
from engines.score.stretch import ROW, stretch

ROWS = np.array([(k * RATE // 4, 1.0, 60 + k, 80, 48 * (k % 2)) for k in range(8)], ROW)


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


def dies(wire: object) -> None:
    os._exit(7)


def test_it_is_the_same_sound_as_here(renderer: Renderer) -> None:
    assert renderer.pid is None, "no process before there is something to render"
    here = Sampler(SoundFont(bundled_soundfont()))
    for first in (0, RATE // 3, 2 * RATE):
        got = renderer.stretch(ROWS, first, RATE)
        assert np.array_equal(got, stretch(here, ROWS, first, RATE))
    assert np.abs(got).max() > 1000
    assert renderer.pid not in (None, os.getpid())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
def test_one_that_is_killed_is_begun_again(renderer: Renderer) -> None:
    before = renderer.stretch(ROWS, 0, RATE)
    old = renderer.pid
    assert old is not None
    os.kill(old, signal.SIGKILL)
    assert np.array_equal(renderer.stretch(ROWS, 0, RATE), before)
    assert renderer.pid != old


def test_one_that_dies_again_and_again_is_a_line(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "render", dies)
    with pytest.raises(HitpointError, match="ended again and again") as refused:
        renderer.stretch(ROWS, 0, RATE)
    assert "\n" not in str(refused.value)


def test_closed_from_another_thread_it_does_not_answer_any_more(renderer: Renderer) -> None:
    renderer.stretch(ROWS, 0, 100)
    child, said = renderer._child, []

    def ask() -> None:
        try:
            while True:
                renderer.stretch(ROWS, 0, 10 * RATE)
        except HitpointError as error:
            said.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    renderer.close()
    asking.join(20)
    assert said == ["the music is rendered no longer"]
    assert not child.is_alive()
    assert renderer._wire is None


def test_it_ends_with_whoever_asked(renderer: Renderer) -> None:
    renderer.stretch(ROWS, 0, 100)
    assert renderer._wire is not None
    renderer._wire.close()  # as the system does when a process ends, however it does
    renderer._child.join(20)
    assert renderer._child.exitcode == 0


def test_what_is_wrong_with_the_soundfont_is_said_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise MissingLibraryError("no soundfont", cure="install one")

    monkeypatch.setattr(soundfont, "bundled_soundfont", none)
    sent: list[object] = []

    class Wire:
        def recv(self) -> tuple[bytes, int, int]:
            if sent:
                raise EOFError
            return ROWS.tobytes(), 0, 10

        def send(self, answer: object) -> None:
            sent.append(answer)

    with pytest.raises(EOFError):
        rendering.work(Wire())  # type: ignore[arg-type]
    assert isinstance(sent[0], MissingLibraryError)
    assert str(sent[0]) == "no soundfont; install one"
