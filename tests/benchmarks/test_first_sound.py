"""How long a composer waits to hear the music: from Space to the first stretch in hand, beside rendering the whole cue before it sounds."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="no window can be opened on this machine", exc_type=ImportError)

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "desktop"))

RESULTS = Path(__file__).parent / "results" / "first_sound.json"
TIMES = 7
PATIENCE_S = 60


def waited(music: object, sample: int, ask: Callable[[], object]) -> float:
    """Milliseconds until half a second from a sample on is in hand."""
    began = time.perf_counter()
    ask()
    while not music.has(sample, 24_000):  # type: ignore[attr-defined]
        assert time.perf_counter() - began < PATIENCE_S
        time.sleep(0.0005)
    return (time.perf_counter() - began) * 1000


@pytest.mark.benchmark
def test_first_sound(trio: str, qapp: object) -> None:
    from long_sessions import long_session
    from sittings import scored

    from bridge.rendering import Renderer
    from desktop.music_sound import STRETCH, MusicSound
    from engines.score.instruments import INSTRUMENTS
    from engines.score.sampler import RATE, Sampler
    from engines.score.soundfont import SoundFont, bundled_soundfont
    from engines.score.stretch import stretch
    from engines.session.refill import Wish, refilled
    from engines.session.voices import Voices
    from engines.watch import Watch

    slow = {"melody": INSTRUMENTS["slow strings"], "bridge": INSTRUMENTS["horn"], "piano": INSTRUMENTS["synth pad"]}
    minute = scored((7, 6, 7))
    other, _ = refilled(minute, Wish(1, seed=9), Watch())
    cues = {
        "a cue of a minute, piano": (minute, other, 60),
        "the same for slow strings, horn and pad": (replace(minute, instruments=slow), replace(other, instruments=slow), 60),
        "a reel of two hours": (long_session(330, 90, 40), long_session(330, 90, 40, seed=4), 6500),
    }
    rows: dict[str, dict[str, float]] = {}
    for name, (session, swapped, seconds) in cues.items():
        cold, warm, swap = [], [], []
        for _ in range(TIMES):
            music = MusicSound(Renderer)
            try:
                music.show(session, anew=True)
                cold.append(waited(music, 0, partial(music.want, 0)))
                there = 5 * STRETCH
                warm.append(waited(music, there, partial(music.want, there)))
                swap.append(waited(music, there, partial(music.show, swapped)))
            finally:
                music.close()
        began = time.perf_counter()
        voices = Voices(session)
        sampler = Sampler(SoundFont(bundled_soundfont()))
        for first in range(0, seconds * RATE, 10 * RATE):
            stretch(sampler, voices.between(first, first + 10 * RATE), first, 10 * RATE)
        whole = (time.perf_counter() - began) * 1000
        rows[name] = {
            "cold_ms": round(median(cold)),
            "cold_worst_ms": round(max(cold)),
            "elsewhere_ms": round(median(warm)),
            "another_take_ms": round(median(swap)),
            "whole_ms": round(whole),
        }
    print(f"\n{'until it is in hand, ms':42}{'cold':>8}{'worst':>8}{'elsewhere':>12}{'another take':>14}{'all of it':>12}")
    for name, row in rows.items():
        print(f"{name:42}" + "".join(f"{value:{size}}" for value, size in zip(row.values(), (8, 8, 12, 14, 12), strict=True)))
    RESULTS.write_text(json.dumps(rows | {"load": round(os.getloadavg()[0], 1)}, indent=1) + "\n", "utf-8")
    assert max(row["cold_ms"] for row in rows.values()) < 1000
