"""Who may come in: a token that is new with every start, kept where only its person can read it."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engines.errors import OutputError
from engines.files import refusal

BITS = 256


class Door:
    """One token, and the file that tells it to the person's own programs."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(BITS // 8)
        self.file: Path | None = None

    def admits(self, header: str | None) -> bool:
        """Whether an Authorization header bears the token. Takes as long for a wrong one as for the right one."""
        kind, _, given = (header or "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self.token.encode("ascii"))
        return right and kind.lower() == "bearer"

    def post(self, port: int, facts: Mapping[str, Any], folder: Path | None = None) -> Path:
        """Writes ``serve-PORT.json`` with the token and ``facts``, readable by the person alone, into the folder that the system keeps
        for a person's running programs. Raises OutputError where that belongs to somebody else."""
        if folder is None:
            from platformdirs import user_runtime_path

            folder = user_runtime_path("hitpoint")
        file = folder / f"serve-{port}.json"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _own(folder)
            file.unlink(missing_ok=True)
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                json.dump({**facts, "token": self.token, "pid": os.getpid()}, out)
        except OSError as error:
            raise refusal(file, error) from error
        self.file = file
        return file

    def shut(self) -> None:
        """Takes the file away."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)
            self.file = None


def _own(folder: Path) -> None:
    """Raises OutputError for a folder of somebody else's, or one in which others may write."""
    if os.name != "posix":
        return  # a person's runtime folder lies in their profile there
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise OutputError("belongs to somebody else, or others may write to it", where=folder, cure="remove it, then start again")
