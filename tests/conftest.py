"""What every test may use: the shared real files, found beside the project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

SHARED = Path(__file__).resolve().parents[1].parent / "shared"

# the same examples each time, so that a change that lands was judged by what it changed; `--hypothesis-profile=search` draws new ones
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("repeatable")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # windows nobody has to look at
try:
    from PyQt6 import QtTest, QtWidgets  # noqa: F401  (pytest-qt stops the whole run where Qt's system libraries are missing)
except ImportError as error:
    NO_WINDOW = f"no window can be opened on this machine: {error}"
else:
    NO_WINDOW = "" if find_spec("pytestqt") else "pytest-qt is in the extra 'test'"
    if not NO_WINDOW:
        pytest_plugins = ["pytestqt.plugin"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real films, cut lists, MIDI files and music beside the project; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"no folder {SHARED.name!r} with real files beside the project")
    return SHARED


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository with ``bmt``, a small network of random weights in our words: whatever its grammar allows does occur."""
    return _small_bmt("ours", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def small_published_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in the published words."""
    return _small_bmt("published", tmp_path_factory.mktemp("published"))


def _small_bmt(vocabulary: str, folder: Path) -> Path:
    torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")
    from engines.bmt.export import export
    from engines.bmt.network import BMTConfig, BMTransformer

    torch.manual_seed(0)
    ours = vocabulary == "ours"
    config = BMTConfig(vocabulary, 64, 2, 1, 64, 256, 0.0, head_gelu=ours, carry=ours, recalls=(8, 4) if ours else ())
    network = BMTransformer(config)
    if ours:
        torch.nn.init.normal_(network.recall_linear.weight, std=0.1)
    checkpoint = folder / "small.pt"
    if vocabulary == "published":
        torch.save(network.state_dict(), checkpoint)
    else:
        state = {"config": config.as_dict(), "network": network.state_dict(), "average": network.state_dict()}
        torch.save(state | {"step": 0, "hours": 0.0, "best": 9.0}, checkpoint)
    export(checkpoint, folder / "bmt", "fp32")
    return folder


@pytest.fixture(scope="session")
def trio() -> Iterator[str]:
    """The quick engine of `sittings`, listed under its name."""
    from engines.engine import ENGINES

    ENGINES["trio"] = "sittings:Trio"
    yield "trio"
    del ENGINES["trio"]
