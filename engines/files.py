"""Files that are either whole or not there: written beside their place under a temporary name, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engines.errors import OutputError

REFUSALS = {
    errno.ENOSPC: ("the disk is full", "free some space, or write elsewhere"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or write elsewhere"),
    errno.EACCES: ("may not be written", "choose a folder that you may write to"),
    errno.EPERM: ("may not be written", "choose a folder that you may write to"),
    errno.EROFS: ("lies on a read-only disk", "choose a folder that you may write to"),
    errno.ENOENT: ("its folder does not exist", "make the folder first"),
    errno.ENOTDIR: ("its folder is a file", "choose another folder"),
    errno.EISDIR: ("is a folder", "give the name of a file"),
    errno.ENAMETOOLONG: ("its name is too long for the disk", "choose a shorter name"),
}
"""What the operating system's refusals mean to a person, and what to try."""


def refusal(path: str | Path, error: OSError) -> OutputError:
    """The one line for a file or folder that the operating system would not let us write."""
    what, cure = REFUSALS.get(error.errno or 0, (f"cannot be written ({error.strerror or error})", "write elsewhere"))
    return OutputError(what, where=path, cure=cure)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary path in the folder of ``path``, with its suffix, that becomes ``path`` when the block ends.

    Whatever ends the block early (an error, a cancel, Ctrl-C) removes the temporary file and leaves an older ``path`` as it was.
    For libraries that write to a path themselves; see `write` for bytes and text. Raises OutputError with the cure when the
    folder is missing or read-only, or the disk is full.
    """
    target = Path(path).resolve()  # a link keeps pointing to its file
    temporary = target.with_name(f".{target.stem[:64]}.{secrets.token_hex(6)}{target.suffix}")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder", str(target))
        temporary.open("xb").close()  # not mkstemp, whose file only its owner may read
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    except OSError as error:
        if error.errno in REFUSALS and (error.filename is None or Path(str(error.filename)) in (temporary, target)):
            raise refusal(path, error) from error
        raise
    finally:
        with suppress(NotADirectoryError):  # the folder of the path was a file: nothing was written
            temporary.unlink(missing_ok=True)


def write(path: str | Path, content: str | bytes) -> Path:
    """``content`` as the whole of ``path`` (text as UTF-8 with bare line feeds), at once or not at all. Raises OutputError."""
    with atomic(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return Path(path)


def folder(path: str | Path) -> Path:
    """The folder ``path``, made with those above it where they are missing. Raises OutputError."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputError("is a file, not a folder", where=path, cure="choose another folder") from error
    except OSError as error:
        raise refusal(path, error) from error
    return Path(path)
