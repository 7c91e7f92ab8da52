"""The import law, read from the source: who may know whom, and what may load when a person only asks for help."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engines", "bridge", "desktop")

MAY_IMPORT = {
    "engines": {"engines"},
    "bridge": {"bridge", "engines"},
    "desktop": {"desktop", "bridge", "engines"},
    "main": {"main", "desktop", "bridge", "engines"},
}
"""Which of our own packages each of them may name."""

WIRES = {
    *("aiohttp", "asyncio", "fastapi", "ftplib", "http", "pythonosc", "requests", "rtmidi", "select", "selectors"),
    *("smtplib", "socket", "socketserver", "ssl", "urllib.request", "uvicorn", "websockets", "xmlrpc"),
}
"""What touches a wire: only bridge may."""

TRAINING = {"torch", "onnx", "onnxscript"}
"""The libraries of the extra that trains and exports; running needs none of them."""

TRAINERS = ("network.py", "train.py", "export.py", "start.py")
"""The modules of an engine that may load them, and that nothing else loads before it is asked to train or export."""

HEAVY = (
    *("PyQt6", "av", "cv2", "onnx", "onnxruntime", "onnxscript", "opentimelineio", "pretty_midi", "scenedetect", "scipy"),
    *("symusic", "torch"),
)
"""Libraries that cost a tenth of a second or more to load."""


@dataclass(frozen=True)
class Import:
    """One dotted name that a module asks for; ``at_load`` if loading the module is enough to ask."""

    name: str
    line: int
    at_load: bool

    def within(self, names: set[str]) -> bool:
        """Whether it is one of these modules, or lies inside one."""
        return any(self.name == name or self.name.startswith(f"{name}.") for name in names)


def named(node: ast.AST, package: str) -> list[str]:
    """The dotted names that one statement or call imports; a relative import is counted from ``package``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        home = ".".join([*above, *([node.module] if node.module else [])])
        return [f"{home}.{alias.name}" for alias in node.names]
    if (
        isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return [node.args[0].value] if called in ("import_module", "__import__") else []
    return []


def imports(source: str, package: str) -> Iterator[Import]:
    """Every import of a module's source, those inside functions and those for the type checker only told apart."""

    def walk(node: ast.AST, at_load: bool) -> Iterator[Import]:
        yield from (Import(name, node.lineno, at_load) for name in named(node, package))  # type: ignore[attr-defined]
        late = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        body = set(map(id, node.body)) if isinstance(node, ast.If) else set()
        for child in ast.iter_child_nodes(node):
            yield from walk(child, at_load and not late and not (typing and id(child) in body))

    yield from walk(ast.parse(source), True)


def offences(path: Path, source: str) -> list[str]:
    """What a module at ``path`` (relative to the project) does against the law, one line each."""
    home = path.parts[0].removesuffix(".py")
    package = ".".join(path.with_suffix("").parts[:-1])
    trainer = home == "engines" and len(path.parts) == 3 and path.name in TRAINERS
    found = []
    for asked in imports(source, package):
        top = asked.name.split(".")[0]
        if top in MAY_IMPORT and top not in MAY_IMPORT[home]:
            found.append(f"{path}:{asked.line}: {home} may not know {top}")
        if top == "PyQt6" and home != "desktop":
            found.append(f"{path}:{asked.line}: Qt belongs in desktop")
        if asked.within(WIRES) and home != "bridge":
            found.append(f"{path}:{asked.line}: {asked.name} touches a wire, which belongs in bridge")
        if top in TRAINING and not trainer:
            found.append(f"{path}:{asked.line}: {top} belongs in an engine's {', '.join(TRAINERS)}")
        parts = asked.name.split(".")
        of_training = parts[0] == "engines" and len(parts) > 2 and f"{parts[2]}.py" in TRAINERS
        if of_training and asked.at_load and not trainer:
            found.append(f"{path}:{asked.line}: {asked.name} would be loaded by those who only run")
    if home != "main":
        calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
        found += [f"{path}:{c.lineno}: only main.py prints" for c in calls if getattr(c.func, "id", "") == "print"]
    return found


def modules() -> list[Path]:
    """Every module of the packages and main.py, relative to the project."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in [*files, *ROOT.glob("main.py")])


def test_every_module_keeps_the_law() -> None:
    assert len(modules()) > 50
    assert [line for path in modules() for line in offences(path, (ROOT / path).read_text("utf-8"))] == []


BROKEN = [
    ("engines/score/x.py", "import bridge.ports", "may not know bridge"),
    ("engines/score/x.py", "def f():\n    from desktop import window", "may not know desktop"),
    ("engines/score/x.py", "from importlib import import_module\nimport_module('bridge.osc')", "may not know bridge"),
    ("engines/score/x.py", "from ..bmt import network", "only run"),
    ("engines/bmt/compose.py", "from . import network", "only run"),
    ("engines/bmt/compose.py", "from engines.bmt.train import resume", "only run"),
    ("engines/bmt/compose.py", "def f():\n    import torch", "belongs in an engine's"),
    ("engines/runtime.py", "import onnx", "belongs in an engine's"),
    ("engines/score/x.py", "from PyQt6.QtCore import QObject", "Qt belongs"),
    ("bridge/x.py", "import PyQt6", "Qt belongs"),
    ("bridge/x.py", "import desktop", "may not know desktop"),
    ("engines/picture/reel.py", "from urllib import request", "touches a wire"),
    ("desktop/x.py", "import http.server", "touches a wire"),
    ("main.py", "import engines.bmt.export", "only run"),
    ("desktop/x.py", "print('here')", "only main.py prints"),
]


@pytest.mark.parametrize(
    ("path", "source", "said"), BROKEN, ids=[f"{path}: {source.splitlines()[-1]}" for path, source, _ in BROKEN]
)
def test_a_breach_is_seen(path: str, source: str, said: str) -> None:
    found = offences(Path(path), source)
    assert len(found) == 1, found
    assert said in found[0]


KEPT = [
    ("desktop/x.py", "import bridge.player, engines.engine"),
    ("bridge/x.py", "import socket, asyncio\nfrom engines.score import smf"),
    ("engines/bmt/train.py", "import torch\nfrom engines.bmt.network import Network"),
    ("engines/picture/x.py", "from urllib.parse import unquote\nfrom urllib import parse"),
    ("main.py", "def train():\n    from engines.bmt.train import train\nprint('done')"),
    ("engines/x.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from engines.bmt.network import Network"),
]


@pytest.mark.parametrize(("path", "source"), KEPT, ids=[path for path, _ in KEPT])
def test_what_is_allowed_is_not_called_a_breach(path: str, source: str) -> None:
    assert offences(Path(path), source) == []


def run(code: str) -> str:
    """What a fresh interpreter in the project prints; fails with its last line if it fails."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.strip().splitlines()[-3:]
    return done.stdout.strip()


def test_asking_for_help_loads_nothing_heavy() -> None:
    assert run(f"import engines, engines.engine, main, sys; print([n for n in {HEAVY!r} if n in sys.modules])") == "[]"


def test_every_module_that_runs_loads_without_the_training_libraries_and_without_qt() -> None:
    """A name that is None in sys.modules raises ImportError, as if the library were not installed."""
    running = [path for path in modules() if path.name not in TRAINERS and path.parts[0] != "desktop" and path.name != "main.py"]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in running]
    run(
        f"import sys; sys.modules.update(dict.fromkeys({sorted({*TRAINING, 'PyQt6'})!r}))\n"
        f"from importlib import import_module\nfor name in {names!r}: import_module(name)"
    )
