"""Files of what the film looks like, for an engine that hears them: remembered by content, and told apart where they are not the same."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path

from engines.errors import OptionError
from engines.files import opened, spelled
from engines.session.model import FeatureFile


def feature_files(paths: Sequence[Path]) -> tuple[FeatureFile, ...]:
    """Files as a session remembers them. Raises OptionError for one that cannot be read."""
    return tuple(FeatureFile(spelled(path), _digest(path)) for path in paths)


def _digest(path: Path) -> str:
    try:
        with opened(path) as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OptionError(
            f"cannot be read ({error.strerror})", where=path, cure="say where it lies now, with --features"
        ) from error


def paths_of(files: Sequence[FeatureFile]) -> tuple[Path, ...]:
    """Where they lay."""
    return tuple(Path(file.path) for file in files)


def told_apart(then: Sequence[FeatureFile], now: Sequence[FeatureFile]) -> str | None:
    """How the files of now differ from those of then, in a sentence; None where they hold the same, wherever they lie."""
    if sorted(file.sha256 for file in then) == sorted(file.sha256 for file in now):
        return None
    return f"the features were {_names(then)}, here they are {_names(now)}"


def _names(files: Sequence[FeatureFile]) -> str:
    return " and ".join(f"{Path(file.path).name} ({file.sha256[:12]})" for file in files) or "none"
