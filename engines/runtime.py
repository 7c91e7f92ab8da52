"""The one place that knows onnxruntime: which provider really works here, and one checked, warmed session a model.

A build that lists CUDA may fail to load it and fall back without a word (``get_available_providers`` and ``get_device`` are no
evidence). So each provider is tried on a graph of one node, and what the session then says it runs on is believed.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.errors import MissingLibraryError, ModelError, ProviderError

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
BOUND = frozenset(("cuda", "tensorrt"))
"""Providers with a memory of their own, to which inputs and outputs are bound."""
PREFERRED = ("cuda", "coreml", "directml", "cpu")
"""Tried in this order. TensorRT builds an engine for minutes at its first use, so it is taken only when asked for by name."""


@dataclass(frozen=True)
class Provider:
    """What a session runs on: the short ``name``, and one line that says what was chosen and why."""

    name: str
    said: str


# read when the library is loaded: from 1.31 on it keeps a number for the machine and tells its maker what runs where
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def library() -> Any:
    """The library itself, silent. Raises MissingLibraryError where it is not installed, or two builds of it are."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingLibraryError("onnxruntime is not installed", cure="run: pip install -e .") from error
    if not hasattr(onnxruntime, "InferenceSession"):
        raise MissingLibraryError(
            "onnxruntime is damaged (two builds in one environment overwrite each other)",
            cure="run: pip uninstall -y onnxruntime onnxruntime-gpu && pip install -e .",
        )
    return onnxruntime


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, value: bytes | int) -> bytes:
    """One field of a protocol buffer: a length-delimited value, or a varint."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


@cache
def _probe_graph() -> bytes:
    """``y = x + x`` for one float, as an ONNX model (IR 8, opset 17), written by hand so that running needs no onnx package."""
    shape = _field(2, _field(1, _field(1, 1)))
    kind = _field(2, _field(1, _field(1, 1) + shape))
    node = _field(1, b"x") + _field(1, b"x") + _field(2, b"y") + _field(4, b"Add")
    graph = _field(1, node) + _field(2, b"probe") + _field(11, _field(1, b"x") + kind) + _field(12, _field(1, b"y") + kind)
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 17))


def really_loads(name: str) -> bool:
    """Whether a session on that provider runs on it, tried on one node; quiet whatever the library would print."""
    ort = library()
    if PROVIDERS[name] not in ort.get_available_providers():
        return False
    options = ort.SessionOptions()
    options.log_severity_level = 4
    ort.set_default_logger_severity(4)  # loading a provider's library logs outside any session
    try:
        session = ort.InferenceSession(_probe_graph(), options, providers=[PROVIDERS[name]])
        answer = session.run(None, {"x": np.ones(1, np.float32)})[0]
    except Exception:  # noqa: BLE001 - the library raises a class a provider; any of them means that it does not load
        return False
    finally:
        ort.set_default_logger_severity(2)
    return bool(session.get_providers()[0] == PROVIDERS[name] and answer[0] == 2)


@cache
def choose(wanted: str | None = None) -> Provider:
    """The provider to run on: ``wanted``, else HITPOINT_PROVIDER, else the best one that really loads.

    Raises ProviderError where one asked for by name is unknown or does not load: asking is not a wish.
    """
    asked = wanted or os.environ.get("HITPOINT_PROVIDER") or None
    usable = ", ".join(name for name in PROVIDERS if name == "cpu" or name == asked or name in listed())
    if asked:
        if asked not in PROVIDERS:
            raise ProviderError(
                f"no provider is named {asked!r}", where="--provider", cure=f"choose one of: {', '.join(PROVIDERS)}"
            )
        if not really_loads(asked):
            reason = "its libraries do not load here" if asked in listed() else "this build of onnxruntime does not hold it"
            raise ProviderError(f"{asked} was asked for, but {reason}", where="--provider", cure=_cure(asked, usable))
        return Provider(asked, f"composing on {asked}, as asked")
    failed: list[str] = []
    for name in PREFERRED:
        if really_loads(name):
            because = (
                f" ({', '.join(failed)} is in this build but does not load: driver or CUDA libraries are missing)"
                if failed
                else ""
            )
            return Provider(name, f"composing on {'the processor' if name == 'cpu' else name}{because}")
        if name in listed():
            failed.append(name)
    raise ProviderError(
        "onnxruntime runs on nothing here, not even the processor", cure="run: pip install --force-reinstall onnxruntime"
    )


def _cure(asked: str, usable: str) -> str:
    if asked in ("cuda", "tensorrt"):
        return "install an NVIDIA driver and the CUDA and cuDNN libraries that onnxruntime names, or use --provider cpu"
    return f"use --provider cpu (listed here: {usable})"


@cache
def listed() -> frozenset[str]:
    """Short names of the providers that this build claims to hold; a claim, not evidence."""
    available = set(library().get_available_providers())
    return frozenset(name for name, long in PROVIDERS.items() if long in available)


def repository() -> Path:
    """The folder of models: HITPOINT_MODELS, else ``onnx`` beside the packages, else the one that was installed with them."""
    if folder := os.environ.get("HITPOINT_MODELS"):
        return Path(folder)
    beside = Path(__file__).resolve().parents[1] / "onnx"
    installed = (beside / "__init__.py").is_file()  # beside installed packages, that name is the onnx library
    return Path(sys.prefix) / "share" / "hitpoint" / "onnx" if installed or not beside.is_dir() else beside


@dataclass(frozen=True)
class Card:
    """The rights card of a model: everything that ``card.toml`` says, and where the graph is."""

    name: str
    graph: Path
    sha256: str
    facts: Mapping[str, Any]


def read_card(name: str, folder: Path | None = None) -> Card:
    """The card of ``onnx/NAME``; ModelError where it or the graph is missing or the card cannot be read."""
    home = (folder or repository()) / name
    cure = f"fetch the project again, or make it: python main.py export {name} --checkpoint FILE --out {home}"
    try:
        facts = tomllib.loads((home / "card.toml").read_text("utf-8"))
    except OSError as error:
        raise ModelError("no such model", where=home, cure=cure) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"the card cannot be read ({error})", where=home / "card.toml", cure=cure) from error
    version, digest = str(facts.get("version", "1")), facts.get("sha256")
    graph = home / version / "model.onnx"
    if not isinstance(digest, str) or not version.isalnum():
        raise ModelError("the card names no sha256", where=home / "card.toml", cure=cure)
    if not graph.is_file():
        raise ModelError("the graph is missing", where=graph, cure=cure)
    return Card(name, graph, digest, facts)


Arrays = list[npt.NDArray[Any]]


@dataclass(frozen=True)
class Model:
    """A checked model in a session: run it with arrays by input name; ``said`` is the one line on the provider."""

    card: Card
    provider: Provider
    session: Any
    metadata: Mapping[str, str]

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """Outputs in the graph's order."""
        if self.provider.name in BOUND:
            return self._bound(inputs)
        outputs: Arrays = self.session.run(None, dict(inputs))
        return outputs

    def _bound(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """The same where the provider has its own memory: every array goes there once and comes back once."""
        binding = self.session.io_binding()
        for name, value in inputs.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(value))
        for output in self.session.get_outputs():
            binding.bind_output(output.name)
        self.session.run_with_iobinding(binding)
        outputs: Arrays = binding.copy_outputs_to_cpu()
        return outputs


_OPEN: dict[tuple[str, str, str, int], Model] = {}


def open_model(
    name: str,
    provider: str | None = None,
    folder: Path | None = None,
    threads: int = 1,
    warm: Callable[[Model], object] | None = None,
) -> Model:
    """The model of ``onnx/NAME`` in one session that later calls share, its hash checked, ``warm`` called once.

    ``threads`` is for the processor: small steps run fastest on one, without spinning, since the DAW needs the rest. Raises
    ModelError (missing, tampered with, cannot be loaded) or ProviderError.
    """
    card, chosen = read_card(name, folder), choose(provider)
    key = (str(card.graph), card.sha256, chosen.name, threads)
    if key in _OPEN:
        return _OPEN[key]
    content = card.graph.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise ModelError(
            f"is not the graph that its card describes (sha256 {found[:12]}..., the card says {card.sha256[:12]}...)",
            where=card.graph,
            cure="fetch the project again; a model that was changed is never run",
        )
    ort = library()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(content, options, providers=[PROVIDERS[chosen.name]])
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(
            f"cannot be loaded ({reason})", where=card.graph, cure="fetch the project again, or use --provider cpu"
        ) from error
    if session.get_providers()[0] != PROVIDERS[chosen.name]:
        raise ProviderError(f"{chosen.name} refused {name}", where="--provider", cure="use --provider cpu")
    model = Model(card, chosen, session, dict(session.get_modelmeta().custom_metadata_map))
    if warm:
        warm(model)
    _OPEN[key] = model
    return model
