"""The ledger of a folder of deliveries (``rights.json``): whose rights apply to which files, and which of these are as we left them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from engines.errors import OutputError
from engines.files import opened, read, refusal

FORMAT = "hitpoint delivery"
VERSION = 1
LARGEST = 64 << 20
"""Bytes of the ledger; it names files, it does not hold them."""

_ELSEWHERE = "move it away, or deliver to another folder"


@dataclass(frozen=True)
class Ledger:
    """What was delivered into ``folder`` before: for each cue by name its rights card and its files with their SHA-256.

    A file is known by the hash that it was given, or by the one it had ``before`` that: a delivery that was cut short between
    two files is replaced like any other.
    """

    FILES: ClassVar[dict[str, str]] = {"rights": "rights.txt", "rights and files": "rights.json"}

    folder: Path
    cues: dict[str, dict[str, Any]]
    text: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """The ledger of a folder, empty where there is none. Raises OutputError for a file of its name that is none."""
        path = folder / "rights.json"
        try:
            table = json.loads(read(path, LARGEST))
            if table["format"] != FORMAT or table["version"] != VERSION:
                raise ValueError("of another format or version")
            cues, text = dict(table["cues"]), dict(table["text"])
            for entry in cues.values():
                _hashes(entry["files"])
        except FileNotFoundError:
            return cls(folder, {}, {})
        except NotADirectoryError as error:
            raise OutputError("is a file, not a folder", where=folder, cure="choose another folder") from error
        except OSError as error:
            raise refusal(path, error) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise OutputError("is not the list of an earlier delivery", where=path, cure=_ELSEWHERE) from error
        return cls(folder, cues, text)

    def entry(self, name: str, contents: Mapping[str, bytes], card: Mapping[str, Any]) -> dict[str, Any]:
        """What the ledger will hold of a cue. Raises OutputError for a file in the way that is not this cue's, or was changed."""
        before = self.cues.get(name, {}).get("files", {})
        files = {file: self._row(file, content, before.get(file, {})) for file, content in contents.items()}
        kept = {file: row for file, row in before.items() if file not in files and self._ours(file, row)}
        return {**card, "files": {**files, **kept}, "older": sorted(kept)}

    def with_entry(self, name: str, entry: dict[str, Any], text: str) -> dict[str, bytes]:
        """The two files of the ledger with that entry; the list itself comes last."""
        content = text.encode("utf-8")
        row = self._row("rights.txt", content, self.text)
        table = {"format": FORMAT, "version": VERSION, "cues": {**self.cues, name: entry}, "text": row}
        whole = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        return {"rights.txt": content, "rights.json": whole.encode("utf-8")}

    def older(self, name: str, contents: Iterable[str]) -> tuple[str, ...]:
        """Files of an earlier delivery of a cue that are still there and not among the new ones."""
        before = self.cues.get(name, {}).get("files", {})
        return tuple(sorted(file for file in set(before) - set(contents) if (self.folder / file).is_file()))

    def _row(self, file: str, content: bytes, before: Mapping[str, str]) -> dict[str, str]:
        path, new = self.folder / file, hashlib.sha256(content).hexdigest()
        old = _digest(path)
        if old is None:
            return {"sha256": new}
        if old != new and old not in before.values():
            what = "was changed since it was delivered" if before else "is not from an earlier delivery of this cue"
            raise OutputError(what, where=path, cure=_ELSEWHERE)
        return {"sha256": new, "before": old}

    def _ours(self, file: str, row: Mapping[str, str]) -> bool:
        return _digest(self.folder / file) in row.values()


def _digest(path: Path) -> str | None:
    """SHA-256 of a file, None where there is none. Raises OutputError."""
    try:
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refusal(path, error) from error


def _hashes(rows: Mapping[str, Mapping[str, str]]) -> None:
    if any("/" in file or "\\" in file or not isinstance(row["sha256"], str) for file, row in rows.items()):
        raise ValueError("files that lie elsewhere, or have no hash")
