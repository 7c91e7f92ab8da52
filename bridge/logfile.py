"""Where tracebacks go: a small file of the person's own, never their terminal (unless HITPOINT_TRACEBACK is set)."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bridge.events import LOG

LARGEST, KEPT = 1_000_000, 2
"""Bytes of the file, and how many older ones stay beside it."""


def log_to_file(folder: Path | None = None) -> Path | None:
    """Has faults written down from now on; the file, which is made with the first fault. None where the folder cannot be made."""
    if folder is None:
        from platformdirs import user_log_path

        folder = user_log_path("hitpoint")
    form = logging.Formatter("%(asctime)s %(threadName)s %(levelname)s %(message)s")
    if os.environ.get("HITPOINT_TRACEBACK"):
        _add(logging.StreamHandler(), form)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    file = folder / "hitpoint.log"
    _add(RotatingFileHandler(file, maxBytes=LARGEST, backupCount=KEPT, delay=True, encoding="utf-8"), form)
    return file


def _add(handler: logging.Handler, form: logging.Formatter) -> None:
    handler.setFormatter(form)
    for logger in (LOG, logging.getLogger("uvicorn.error")):
        logger.addHandler(handler)
