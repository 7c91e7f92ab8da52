"""A file is whole or not there, whatever ends the writing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engines.errors import OutputError
from engines.files import atomic, may_hold, opened, read, write


def test_writes_text_and_bytes_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    assert write(tmp_path / "a.csv", "frame,time_s\n").read_bytes() == b"frame,time_s\n"
    assert write(tmp_path / "a.csv", b"\x00\x01").read_bytes() == b"\x00\x01"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def cut_short(path: Path, end: type[BaseException]) -> None:
    with atomic(path) as temporary:
        temporary.write_bytes(b"half")
        raise end


def onto_a_full_device(path: Path) -> None:
    with atomic(path) as temporary:
        temporary.unlink()
        temporary.symlink_to("/dev/full")
        temporary.write_bytes(b"x" * 100_000)


@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError, GeneratorExit])
def test_an_early_end_keeps_the_older_file_and_no_temporary_one(tmp_path: Path, end: type[BaseException]) -> None:
    path = write(tmp_path / "cue.mid", b"before")
    with pytest.raises(end):
        cut_short(path, end)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["cue.mid"]


def test_a_missing_folder_a_folder_and_a_full_disk_are_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its folder does not exist; make the folder first"):
        write(tmp_path / "nowhere" / "a.mid", b"")
    with pytest.raises(OutputError, match="is a folder"):
        write(tmp_path, b"")
    write(tmp_path / "file", b"")
    with pytest.raises(OutputError, match="its folder is a file"):
        write(tmp_path / "file" / "a.mid", b"")
    with pytest.raises(OutputError, match="disk is full; free some space"), atomic(tmp_path / "a.mid"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_real_full_device_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="disk is full"):
        onto_a_full_device(tmp_path / "a.mid")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="may not be written"):
        write(tmp_path / "a.mid", b"")
    tmp_path.chmod(0o755)


def test_a_read_only_disk_is_named_though_it_refuses_the_clean_up_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match="lies on a read-only disk; choose a folder"):
        write(tmp_path / "a.mid", b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes by name here")
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mid")
    with pytest.raises(OutputError, match="is no file but a device or a pipe; give the name of a file"):
        write(tmp_path / "pipe.mid", b"x")
    assert (tmp_path / "pipe.mid").is_fifo()
    assert [p.name for p in tmp_path.iterdir()] == ["pipe.mid"]


def test_a_link_that_leads_to_itself_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mid").symlink_to(tmp_path / "b.mid")
    (tmp_path / "b.mid").symlink_to(tmp_path / "a.mid")
    with pytest.raises(OutputError, match="leads to itself; choose another name"):
        write(tmp_path / "a.mid", b"x")


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "no"), OSError(errno.ENAMETOOLONG, "too long")])
def test_a_folder_is_judged_without_a_fault_where_nothing_may_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    looked = Path.stat

    def refuse(self: Path, **rest: bool) -> os.stat_result:
        if "hidden" in self.parts:
            raise error
        return looked(self, **rest)

    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(Path, "stat", refuse)
    may_hold(tmp_path / "hidden" / "cue")
    with pytest.raises(OutputError, match="is a file"):
        may_hold(tmp_path / "file" / "cue")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_of_another_file_is_not_blamed_on_this_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a.mid"):
        (tmp_path / "other").read_bytes()


def test_links_and_rights_of_an_older_file_stay(tmp_path: Path) -> None:
    real = write(tmp_path / "real.mid", b"1")
    real.chmod(0o640)
    link = tmp_path / "link.mid"
    link.symlink_to(real)
    write(link, b"2")
    assert link.is_symlink()
    assert real.read_bytes() == b"2"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_file_is_read_to_its_bound_and_not_beyond(tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"12345678")
    assert read(path, 8) == b"12345678"
    with pytest.raises(OSError, match="holds more than 0 KiB"):
        read(path, 7)
    with opened(path) as file:
        assert file.read() == b"12345678"


def test_only_a_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read(tmp_path, 8)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere", 8)
    (tmp_path / "link").symlink_to(write(tmp_path / "a", b"1"))
    assert read(tmp_path / "link", 8) == b"1"
    if Path("/dev/zero").exists():
        with pytest.raises(OSError, match="device or a pipe"):
            read("/dev/zero", 8)
