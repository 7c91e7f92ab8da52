"""Files that are either whole or not there: written beside their place under a temporary name, then renamed. And files as a person
names them, read without waiting for ever: a pipe makes whoever opens it wait, a device never ends."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from engines.errors import OptionError, OutputError

REFUSALS = {
    errno.ENOSPC: ("the disk is full", "free some space, or write elsewhere"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or write elsewhere"),
    errno.EACCES: ("may not be written", "choose a folder that you may write to"),
    errno.EPERM: ("may not be written", "choose a folder that you may write to"),
    errno.EROFS: ("lies on a read-only disk", "choose a folder that you may write to"),
    errno.ENOENT: ("its folder does not exist", "make the folder first"),
    errno.ENOTDIR: ("its folder is a file", "choose another folder"),
    errno.EISDIR: ("is a folder", "give the name of a file"),
    errno.ENXIO: ("is no file but a device or a pipe", "give the name of a file"),
    errno.ELOOP: ("is a link that leads to itself", "choose another name"),
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
    try:
        target = Path(path).resolve()  # a link keeps pointing to its file
    except (OSError, RuntimeError) as error:  # pathlib's word for a loop until Python 3.13
        raise refusal(path, OSError(errno.ELOOP, "a loop of links")) from error
    temporary = target.with_name(f".{target.stem[:64]}.{secrets.token_hex(6)}{target.suffix}")
    try:
        mode = _mode(target)
        temporary.open("xb").close()  # not mkstemp, whose file only its owner may read
        if mode is not None:
            temporary.chmod(mode)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    except OSError as error:
        if error.errno in REFUSALS and (error.filename is None or Path(str(error.filename)) in (temporary, target)):
            raise refusal(path, error) from error
        raise
    finally:
        if os.path.lexists(temporary):  # a read-only disk refuses even to remove nothing, which would hide the reason
            temporary.unlink()


def _mode(target: Path) -> int | None:
    """The permissions of the file that is to be replaced, None where there is none. Raises OSError where it is none to replace."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):  # renaming would put a file in the place of a folder, a pipe or a device
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.ENXIO
        raise OSError(number, os.strerror(number), str(target))
    return mode & 0o777


def write(path: str | Path, content: str | bytes) -> Path:
    """``content`` as the whole of ``path`` (text as UTF-8 with bare line feeds), at once or not at all. Raises OutputError."""
    with atomic(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return Path(path)


def opened(path: str | Path) -> BufferedReader:
    """A regular file, open for reading. Raises OSError as the system does, and for what is no file: a folder, a pipe, a device."""
    _regular(os.stat(path).st_mode, path)  # to open a device may move something
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")  # a pipe that took the file's place meanwhile is opened without waiting
    try:
        _regular(os.fstat(file.fileno()).st_mode, path)
    except BaseException:
        file.close()
        raise
    return file


def spelled(path: str | Path) -> str:
    """The whole path as text, for a session's file or another program. Raises OptionError where a name in it is not UTF-8, as names
    of old disks are: no text can hold it."""
    try:
        whole = str(Path(path).resolve())
    except (OSError, RuntimeError):  # pathlib's word for a loop until Python 3.13
        raise OptionError(REFUSALS[errno.ELOOP][0], where=str(path)[:200], cure="give another path") from None
    try:
        whole.encode("utf-8")
    except UnicodeEncodeError:
        shown = whole.encode("utf-8", "backslashreplace").decode("utf-8")
        raise OptionError("a name in this path is not UTF-8", where=shown, cure="rename that file or folder") from None
    return whole


def read(path: str | Path, most: int) -> bytes:
    """The bytes of a regular file. Raises OSError as `opened` does, and for one that holds more than ``most``."""
    with opened(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        size = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most >> 10} KiB"
        raise OSError(errno.EFBIG, f"holds more than {size}", str(path))
    return data


def _regular(mode: int, path: str | Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.ENXIO, REFUSALS[errno.ENXIO][0], str(path))


def folder(path: str | Path) -> Path:
    """The folder ``path``, made with those above it where they are missing. Raises OutputError."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputError("is a file, not a folder", where=path, cure="choose another folder") from error
    except OSError as error:
        raise refusal(path, error) from error
    return Path(path)


def may_hold(path: str | Path) -> None:
    """Raises OutputError where ``path`` can be no folder to write to: said before the work, not after it. Makes nothing."""
    place = Path(path).absolute()
    while (
        not os.path.exists(place) and place != place.parent
    ):  # which, unlike pathlib's, calls nothing that may not be seen an error
        place = place.parent
    if not os.path.isdir(place):
        raise OutputError("is a file, not a folder", where=place, cure="choose another folder")
    if not os.access(place, os.W_OK):
        raise OutputError("may not be written", where=place, cure="choose a folder that you may write to")
