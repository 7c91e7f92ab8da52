"""The brief sheet in the person's own editor, and from a file."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from engines import files
from engines.errors import OptionError

LARGEST = 4 << 20
"""Bytes of a sheet; one of a feature film has some hundred thousand."""


def edited(text: str) -> str:
    """A text as the person left it in the editor of ``$VISUAL`` or ``$EDITOR``. Raises OptionError where there is none."""
    command = (
        os.environ.get("VISUAL", "").strip() or os.environ.get("EDITOR", "").strip() or ("notepad" if os.name == "nt" else "")
    )
    if not command:
        raise OptionError("no editor is set", where="--edit", cure="set EDITOR, or use --write FILE, edit it, and --read FILE")
    try:
        words = shlex.split(command, posix=os.name != "nt")
    except ValueError as error:
        raise OptionError(f"{command} is no command ({error})", where="--edit", cure="set EDITOR to one that is") from error
    with tempfile.TemporaryDirectory(prefix="hitpoint-") as home:
        sheet = Path(home) / "brief.toml"
        sheet.write_text(text, "utf-8")
        try:
            code = subprocess.run([*words, str(sheet)], check=False).returncode  # noqa: S603 - the person's own editor
        except OSError as error:
            raise OptionError(
                f"{words[0]} does not start ({error.strerror})", where="--edit", cure="set EDITOR to one that does"
            ) from error
        if code:
            raise OptionError(f"the editor ended with {code}", where="--edit", cure="nothing was changed; try again")
        return sheet_from(sheet)


def sheet_from(path: Path) -> str:
    """The text of a sheet. Raises OptionError for a file that cannot be read, or is no text."""
    try:
        return files.read(path, LARGEST).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise OptionError(f"cannot be read ({error.strerror})", where=path, cure="give a sheet that you may read") from error
    except UnicodeDecodeError as error:
        raise OptionError("is no text in UTF-8", where=path, cure="save it as UTF-8 in your editor") from error
