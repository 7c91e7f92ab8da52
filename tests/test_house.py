"""The house in order: the fixed top level, modules of a readable size, nothing that belongs to one machine, words that hold."""

from __future__ import annotations

import ast
import hashlib
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bridge", "desktop", "engines")
TOP = {
    *(
        ".ci",
        ".gitattributes",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "main.py",
        "onnx",
        "pyproject.toml",
        "tests",
    ),
    *PACKAGES,
}
LONGEST = 400  # lines of a module
LARGEST = 40_000_000  # bytes of a file: a model is the largest thing here
PICTURE = 150_000  # bytes of a picture on a page


@cache
def tracked() -> tuple[Path, ...]:
    """Files that belong to the project, relative to it; skips where this is no checkout."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so nothing says which files belong to the project")
    return tuple(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file())


def modules() -> list[Path]:
    """Every module of the packages and main.py."""
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in {*PACKAGES, "main.py"}]


def text(path: Path | str) -> str:
    return (ROOT / path).read_text("utf-8")


def test_the_top_level_is_the_fixed_one() -> None:
    assert {path.parts[0] for path in tracked()} == TOP


def test_the_model_repository_holds_no_python() -> None:
    """A package named onnx would hide the real one."""
    assert [path for path in tracked() if path.parts[0] == "onnx" and path.suffix in (".py", ".pyi", ".pyc", ".so")] == []


def test_every_model_has_a_card_that_names_its_graph_and_its_rights() -> None:
    homes = sorted({path.parts[1] for path in tracked() if path.parts[0] == "onnx"})
    assert homes
    for home in homes:
        card = tomllib.loads(text(f"onnx/{home}/card.toml"))
        graph = ROOT / "onnx" / home / str(card.get("version", "1")) / "model.onnx"
        assert hashlib.sha256(graph.read_bytes()).hexdigest() == card["sha256"]
        assert (ROOT / "onnx" / home / "config.pbtxt").is_file()
        assert "licence" in " ".join(card) or "licence" in str(card), f"{home}: no word on the licence of data and weights"


def test_installing_takes_every_model_along() -> None:
    rows = tomllib.loads(text("pyproject.toml"))["tool"]["setuptools"]["data-files"]
    for path in (path for path in tracked() if path.parts[0] == "onnx"):
        globs = rows.get(f"share/hitpoint/{path.parent.as_posix()}", ())
        assert any(path.full_match(glob) if hasattr(path, "full_match") else path.match(glob) for glob in globs), path


def test_no_module_is_longer_than_a_person_reads() -> None:
    lengths = {str(path): len(text(path).splitlines()) for path in modules()}
    assert {path: count for path, count in lengths.items() if count > LONGEST} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [str(path) for path in modules() if not (ast.get_docstring(ast.parse(text(path))) or "").strip()]
    assert silent == []


def test_the_map_of_the_code_names_every_module_and_no_other() -> None:
    there = {path.as_posix() for path in modules() if path.name != "__init__.py"}
    mapped = set(re.findall(r"^\| `([\w/]+\.py)` \|", text("CONTRIBUTING.md"), re.MULTILINE))
    assert there - mapped == set(), "modules that CONTRIBUTING.md does not name"
    assert mapped - there == set(), "modules that CONTRIBUTING.md names and nobody has"


OF_ONE_MACHINE = re.compile(r"(?<![\w.~$}/:])/(?:root|work|home|Users|opt|mnt|srv)/\w|[A-Z]:\\Users\\\w")
SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|(?i:password|secret|api_?key|token)['\"]?\s*[:=]\s*['\"][A-Za-z0-9+/_-]{12,}['\"]"
)


def of_one_machine(line: str) -> bool:
    return bool(OF_ONE_MACHINE.search(line) or SECRET.search(line))


def test_nothing_tells_of_one_machine_or_holds_a_secret() -> None:
    found = []
    for path in tracked():
        content = (ROOT / path).read_bytes()
        assert len(content) < LARGEST, path
        if b"\0" not in content[:8000] and path != Path("tests/test_house.py"):
            lines = content.decode("utf-8", "replace").splitlines()
            found += [f"{path}:{number}: {line.strip()[:100]}" for number, line in enumerate(lines, 1) if of_one_machine(line)]
    assert found == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("see /home/anna/film.mov", True),
        ("open('/root/x')", True),
        (r"C:\Users\anna\film.mov", True),
        ("token = 'abcdefghijklmnop'", True),
        ("AKIAABCDEFGHIJKLMNOP", True),
        ("https://example.org/home/page", False),
        ("../shared/media", False),
        ("tmp_path / 'home' / 'film.mov'", False),
        ("token = word", False),
    ],
)
def test_what_tells_of_one_machine_is_told_apart(line: str, told: bool) -> None:
    assert of_one_machine(line) is told


def commands(page: str) -> list[list[str]]:
    """The command lines of ``python main.py`` in a page's code blocks, as words; comments and continued lines undone."""
    blocks = re.findall(r"^```(?:bash|sh|console)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    called = (call for line in lines for call in re.split(r"&&|\||;", line.removeprefix("$ ")))
    words = (shlex.split(call, comments=True) for call in called if "main.py" in call)
    return [call[2:] or ["app"] for call in words if call[:2] == ["python", "main.py"]]


@cache
def help_of(verb: str) -> str:
    done = subprocess.run(
        [sys.executable, "main.py", verb, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"python main.py {verb} --help: {done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_command_on_a_page_exists_with_its_options(page: str) -> None:
    called = commands(text(page))
    assert called
    for verb, *words in called:
        for option in (word.split("=")[0] for word in words if word.startswith("--")):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", help_of(verb)), f"{page}: {verb} knows no {option}"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_a_page_points_to_is_there(page: str) -> None:
    for shown, target in re.findall(r"(!?)\[[^]]*\]\(([^)]+)\)", text(page)):
        if not target.startswith("https://"):
            assert Path(target) in tracked(), f"{page} points to {target}"
            assert not shown or (ROOT / target).stat().st_size < PICTURE, target


def test_ci_runs_the_command_that_the_readme_gives_for_the_tests() -> None:
    command = 'pip install -e ".[test]" && python -m pytest'
    assert f"\n{command}\n" in text("README.md")
    assert command in text(".ci/run").replace('\\"', '"')


def test_the_changelog_tells_of_this_version() -> None:
    version = re.search(r'__version__ = "([^"]+)"', text("engines/__init__.py"))
    assert version
    assert f"## [{version[1]}]" in text("CHANGELOG.md")


def test_no_two_test_modules_share_a_name() -> None:
    """Without packages below tests/, pytest knows a module by its name alone, and refuses the second."""
    names = [path.name for path in tracked() if path.parts[0] == "tests" and path.suffix == ".py" and path.name != "conftest.py"]
    assert {name for name in names if names.count(name) > 1} == set()
