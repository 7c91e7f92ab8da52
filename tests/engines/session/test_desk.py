"""A session's file: whole after any crash, open to one program at a time, and one line where it is none."""

from __future__ import annotations

import json
import os
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import bytes_of, few, saved, scored, unscored

from engines import commands
from engines.errors import OptionError, OutputError, SessionError
from engines.session.desk import Desk, holder, text_of
from engines.session.history import History
from engines.session.refill import Wish
from engines.session.upgrades import VERSION

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")

KILLS = 24


def child(work: Callable[[], object]) -> int:
    """A process of its own that does some work and ends; its id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, of threads that the child has no use for
        pid = os.fork()
    if pid:
        return pid
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        work()
        os._exit(0)
    finally:
        os._exit(9)


def ended(pid: int) -> int:
    """How a process ended: minus the signal that killed it, or its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def died_at(path: Path, byte: int, act: commands.Title) -> int:
    """A program that does an act and is killed by the system as it writes beyond so many bytes of the session."""

    def work() -> None:
        desk = Desk.open(path)
        desk.do(act)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (byte, byte))
        desk.save()

    return ended(child(work))


def beside(path: Path) -> list[str]:
    return sorted(p.name for p in path.parent.iterdir() if p != path)


def test_killed_at_any_byte_of_a_save_the_file_is_the_old_one(trio: str, tmp_path: Path) -> None:
    path = saved(scored((3, 4)), tmp_path / "a cue [v2].hitpoint")
    old = path.read_bytes()
    rng = Random(1)
    for byte in [0, 1, len(old) - 1, len(old), *(rng.randrange(len(old)) for _ in range(KILLS - 4))]:
        assert died_at(path, byte, commands.Title("another name")) == -signal.SIGXFSZ
        assert path.read_bytes() == old
        assert beside(path) != []  # it was really killed in the middle
        with Desk.open(path) as desk:  # and whoever opens it next tidies up
            assert desk.session.cue == "1m1"
            assert [name for name in beside(path) if not name.endswith(".lock")] == []
    assert beside(path) == []
    assert died_at(path, 2 * len(old), commands.Title("another name")) == 0
    with Desk.open(path) as desk:
        assert desk.session.cue == "another name"


def test_killed_at_any_moment_the_file_is_the_old_or_the_new_one(trio: str, tmp_path: Path) -> None:
    path = saved(scored((3, 4)), tmp_path / "cue.hitpoint")

    def work() -> None:
        desk = Desk.open(path)
        for k in range(10**6):
            desk.session = commands.Title(f"cue {k}").do(desk.session, None)  # type: ignore[arg-type]
            desk._content = None
            desk.save()

    rng, seen = Random(2), set()
    for _ in range(KILLS):
        before = path.stat().st_mtime_ns
        pid = child(work)
        while path.stat().st_mtime_ns == before:  # until it is at work
            signal.sigtimedwait([], 0.001)
        signal.sigtimedwait([], rng.random() / 20)
        os.kill(pid, signal.SIGKILL)
        assert ended(pid) == -signal.SIGKILL
        with Desk.open(path) as desk:
            seen.add(desk.session.cue)
            assert not desk.read_only
    assert len(seen) > 1
    assert beside(path) == []


@contextmanager
def opened_elsewhere(path: Path) -> Iterator[int]:
    """Another program that has the session open, until it is killed."""
    ready, say = os.pipe()

    def work() -> None:
        desk = Desk.open(path)
        os.write(say, b"w" if not desk.read_only else b"r")
        signal.pause()

    pid = child(work)
    try:
        assert os.read(ready, 1) == b"w"
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        os.close(ready)
        os.close(say)


def test_a_second_program_may_look_and_not_write(trio: str, tmp_path: Path) -> None:
    path = saved(scored((3, 4)), tmp_path / "cue.hitpoint")
    old = path.read_bytes()
    with opened_elsewhere(path):
        with Desk.open(path) as desk:
            assert desk.read_only
            assert desk.session == scored_again(desk)
            for write in (lambda: desk.do(commands.Title("x")), desk.undo, desk.save):
                with pytest.raises(SessionError, match="open in another program") as caught:
                    write()
                assert "\n" not in str(caught.value)
            copy = tmp_path / "copy.hitpoint"
            desk.save(copy)  # a copy is its own
            assert not desk.read_only
            desk.do(commands.Title("my copy"))
            desk.save()
        with pytest.raises(SessionError, match="open in another program"):
            Desk.new(unscored(), path)
        assert path.read_bytes() == old
    with Desk.open(path) as desk:  # its holder was killed: the lock went with it
        assert not desk.read_only
        desk.do(commands.Title("mine now"))
        desk.save()
    with Desk.open(copy) as desk:
        assert desk.session.cue == "my copy"
    assert beside(path) == ["copy.hitpoint"]


def scored_again(desk: Desk) -> object:
    return Desk.open(desk.path or "", read_only=True).session


def test_two_desks_of_one_program_are_two_programs(trio: str, tmp_path: Path) -> None:
    path = saved(unscored(), tmp_path / "cue.hitpoint")
    with Desk.open(path) as one, Desk.open(path) as two:
        assert [one.read_only, two.read_only] == [False, True]
    with Desk.open(path) as two:
        assert not two.read_only


def test_a_session_on_a_full_disk_stays_as_it_was(trio: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(unscored(), tmp_path / "cue.hitpoint")
    old = path.read_bytes()

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with Desk.open(path) as desk:
        desk.do(commands.Title("x"))
        with pytest.raises(OutputError, match="full"):
            desk.save()
        assert desk.session.cue == "x"  # nothing of the work is lost
    with Desk.new(unscored(), path) as desk, pytest.raises(OutputError, match="full"):
        desk.save()
    assert path.read_bytes() == old
    assert beside(path) == []


def test_a_new_session_spares_the_one_that_lies_there(trio: str, tmp_path: Path) -> None:
    path = tmp_path / "cue.hitpoint"
    for name in ("first", "second", "third"):
        with Desk.new(commands.Title(name).do(unscored(), None), path) as desk:  # type: ignore[arg-type]
            desk.save()
            desk.do(commands.Title(f"{name}, worked on"))
            desk.save()
    kept = {p.stem: Desk.open(p, read_only=True).session.cue for p in tmp_path.glob("*.hitpoint")}
    assert kept == {"cue": "third, worked on", "cue-1": "first, worked on", "cue-2": "second, worked on"}


def test_leftovers_of_the_files_beside_it_are_tidied(trio: str, tmp_path: Path) -> None:
    path = saved(unscored(), tmp_path / "cue.hitpoint")
    mine = [tmp_path / name for name in (".cue.0123456789ab.hitpoint", ".cue.ba9876543210.mid", ".report.0123456789ab.json")]
    others = [tmp_path / name for name in (".other.0123456789ab.hitpoint", ".report.ba9876543210.json", "cue.mid", ".cue.notes")]
    for file in (*mine, *others):
        file.write_bytes(b"half")
    os.utime(mine[-1], (1, 1))  # nobody is writing a report since 1970; the other one may be being written
    Desk.open(path, read_only=True)
    assert all(file.exists() for file in mine)
    with Desk.open(path):
        assert not any(file.exists() for file in mine)
        assert all(file.exists() for file in others)


def refused(path: Path) -> str:
    """The one line that a file is refused with, whoever opens it."""
    before = beside(path)
    lines = set()
    for read_only in (False, True):
        with pytest.raises(SessionError) as caught:
            Desk.open(path, read_only=read_only)
        lines.add(str(caught.value))
    (line,) = lines
    assert "\n" not in line
    assert str(path.name) in line
    assert "; " in line
    assert beside(path) == before  # no lock file stays
    return line


def test_a_file_that_is_no_session_is_one_line(trio: str, tmp_path: Path) -> None:
    path = tmp_path / "cue.hitpoint"
    assert "cannot be read" in refused(path)
    path.mkdir()
    assert "folder" in refused(path)
    path.rmdir()
    good = text_of({"format": "hitpoint session", "version": VERSION, "session": {}, "history": {}})
    for content in ("", "x", "[]", "null", "{}", '{"format": "another"}', "[" * 100_000, good, "\x00" * 99, "\ufeff{}"):
        path.write_text(content, "utf-8")
        refused(path)
    path.write_bytes(b"\xff\xfe\x00" * 50)
    refused(path)
    for version in (0, -1, None, "2", 1.5, [], True):
        path.write_text(json.dumps({"format": "hitpoint session", "version": version}))
        refused(path)


def test_a_newer_session_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cue.hitpoint"
    path.write_text(json.dumps({"format": "hitpoint session", "version": VERSION + 1, "whatever": []}))
    assert f"newer Hitpoint (version {VERSION + 1}); update" in refused(path)


@few(20)
@given(st.data())
def test_a_truncated_or_garbled_session_is_one_line(
    trio: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("garbled") / "cue.hitpoint"
    desk = Desk(scored((3,)))
    desk.do(commands.Refill(Wish(1, seed=5)))
    desk.path, whole = path, text_of({"format": "hitpoint session", "version": VERSION, "session": desk.content})
    if data.draw(st.booleans()):
        path.write_bytes(whole.encode()[: data.draw(st.integers(0, len(whole) - 3))])
    else:
        path.write_bytes(data.draw(st.binary(max_size=200)))
    refused(path)


STEPS = [
    None,
    [],
    {"done": None, "undone": []},
    {"done": [{}], "undone": []},
    {"done": [{"sentence": "x", "when": "now", "changes": [{"at": [], "old": [1], "new": []}]}], "undone": []},
    {"done": [{"sentence": "x", "when": "now", "changes": [{"at": ["cue"], "old": "ab", "new": []}]}], "undone": []},
    {"done": [{"sentence": "x", "when": "now", "changes": [{"at": ["cue"], "old": [1, 2], "new": []}]}], "undone": []},
    {"done": [{"sentence": 1, "when": "now", "changes": []}], "undone": []},
    {"done": [{"sentence": "x", "when": "now", "changes": [{"at": [1], "old": [1], "new": []}]}], "undone": []},
]


@pytest.mark.parametrize("history", STEPS)
def test_a_damaged_history_is_one_line(history: object, trio: str, tmp_path: Path) -> None:
    path = saved(unscored((3,)), tmp_path / "cue.hitpoint")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"history": history}))
    refused(path)


def test_a_history_that_leads_nowhere_changes_nothing(trio: str, tmp_path: Path) -> None:
    """Steps are only checked against the session as they are undone: one that does not belong to it leaves it as it is."""
    path = saved(unscored((3,)), tmp_path / "cue.hitpoint")
    for change in (
        {"at": ["nothing", "here"], "old": [1], "new": [2]},
        {"at": ["film", "frames"], "old": ["many"], "new": [2]},
        {"at": ["scenes"], "old": [], "new": [2]},
    ):
        step = {"sentence": "x", "when": "now", "changes": [change]}
        path.write_text(json.dumps(json.loads(path.read_text()) | {"history": {"done": [step], "undone": []}}))
        with Desk.open(path) as desk:
            before, history = bytes_of(desk), desk.history
            with pytest.raises(SessionError):
                desk.undo()
            assert bytes_of(desk) == before
            assert desk.history == history != History()


def test_a_save_elsewhere_has_the_new_file_and_spares_what_lay_there(trio: str, tmp_path: Path) -> None:
    path, other = saved(scored(), tmp_path / "cue.hitpoint"), saved(unscored(), tmp_path / "other.hitpoint")
    content = other.read_bytes()
    with Desk.open(path) as desk:
        assert desk.save(other) == other
        assert (desk.path, (tmp_path / "other-1.hitpoint").read_bytes()) == (other, content)
        with Desk.open(path) as free:
            assert not free.read_only
        desk.do(commands.Title("Dawn", 1))
        desk.save()
    assert not list(tmp_path.glob("*-2*"))
    with Desk.open(other) as again:
        assert again.session.scenes[0].name == "Dawn"


@pytest.mark.parametrize(
    "where", ["film.mp4", "other.hitpoint", "folder.hitpoint", "nowhere/cue.hitpoint", "busy.hitpoint", "pipe.hitpoint"]
)
def test_a_save_elsewhere_that_fails_has_changed_nothing(
    trio: str, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(scored(), tmp_path / "cue.hitpoint")
    (tmp_path / "film.mp4").write_bytes(b"a film")
    (tmp_path / "folder.hitpoint").mkdir()
    os.mkfifo(tmp_path / "pipe.hitpoint")
    for name in ("other.hitpoint", "busy.hitpoint"):
        saved(unscored(), tmp_path / name)
    with Desk.open(path) as desk, Desk.open(tmp_path / "busy.hitpoint"):
        before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
        with monkeypatch.context() as full:
            if where == "other.hitpoint":
                full.setattr("engines.session.desk.write", no_room)
            with pytest.raises((OptionError, OutputError, SessionError)):
                desk.save(tmp_path / where)
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before
        assert desk.path == path
        with Desk.open(path) as second:
            assert second.read_only
        desk.do(commands.Title("Dawn", 1))
        desk.save()
    with Desk.open(path) as again:
        assert again.session.scenes[0].name == "Dawn"


def no_room(path: Path, content: object) -> None:
    raise OutputError("the disk is full", where=path)


def test_the_same_file_by_another_name_is_no_other_file(trio: str, tmp_path: Path) -> None:
    path = saved(scored(), tmp_path / "cue.hitpoint")
    (tmp_path / "link.hitpoint").symlink_to(path)
    with Desk.open(path) as desk:
        for name in (tmp_path / "link.hitpoint", tmp_path / "nowhere" / ".." / "cue.hitpoint"):
            desk.do(commands.Title(name.parent.name, 1))
            desk.save(name)
            assert desk.path == path
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cue.hitpoint", "link.hitpoint"]


def test_a_new_session_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"a film")
    with pytest.raises(OptionError, match=r"call it film\.hitpoint"):
        Desk.new(unscored(), tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == b"a film"


def test_who_has_a_session_open_is_told(trio: str, tmp_path: Path) -> None:
    path = saved(scored(), tmp_path / "cue.hitpoint")
    assert holder(path) == ""
    with Desk.open(path):
        with Desk.open(path) as second, pytest.raises(SessionError, match=rf"another program \(.*process {os.getpid()}\)"):
            second.do(commands.Title("Dawn", 1))
        assert str(os.getpid()) in holder(path)
    assert holder(path) == ""
