"""Small networks of random weights, in a model repository of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def small_diffbgm_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository with ``diffbgm``: our layout, a few features wide."""
    torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")
    from engines.diffbgm.config import OURS
    from engines.diffbgm.export import export
    from engines.diffbgm.network import DiffBGM

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    config = replace(OURS, width=16, groups=4, heads=2, local=2)
    state = DiffBGM(config).state_dict()
    # what has not learned that most cells are silent says anything
    state["ldm.eps_model.out.2.bias"].zero_()
    checkpoint = folder / "small.pt"
    kept = {"engine": "diffbgm", "config": config.as_dict(), "average": state, "step": 0, "hours": 0.0, "best": 9.0}
    kept["progressions"] = torch.eye(24, dtype=torch.int64).repeat(2, 1, 1)
    torch.save(kept, checkpoint)
    export(checkpoint, folder / "diffbgm", "fp32")
    return folder
