"""What is remembered from one day to the next, where each system keeps such things: window, language, sessions and films of late, and
whether the last session ended well."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from PyQt6.QtCore import QByteArray, QSettings, QStandardPaths

from desktop.left_open import LeftOpen

RECENT = 8
"""Sessions and films that are remembered."""


class Preferences:
    """Reads and writes at once; a value of another kind than expected counts as none."""

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings if settings is not None else QSettings("Hitpoint", "Hitpoint")
        self._given = settings is not None and settings.format() == QSettings.Format.IniFormat

    def text(self, key: str, default: str = "") -> str:
        """A word."""
        value = self._settings.value(key, default)
        return value if isinstance(value, str) else default

    def flag(self, key: str, default: bool) -> bool:
        """Yes or no."""
        return self.text(key, "yes" if default else "no") == "yes"

    def number(self, key: str, default: float) -> float:
        """A number; anything else that stands there counts as none."""
        try:
            return float(self.text(key, str(default)))
        except ValueError:
            return default

    def bytes(self, key: str) -> QByteArray:
        """What Qt packed, such as the places of docks."""
        value = self._settings.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()

    def set(self, key: str, value: str | bool | QByteArray) -> None:
        """Remembers a value."""
        self._settings.setValue(key, ("yes" if value else "no") if isinstance(value, bool) else value)

    def sync(self) -> None:
        """Writes to the disk now."""
        self._settings.sync()

    @property
    def recent(self) -> list[str]:
        """Sessions and films of late that are still there, the last one first."""
        return [path for path in self.text("recent").split("\n") if path and Path(path).is_file()]

    def opened(self, path: Path) -> None:
        """A session was opened: the first of those of late."""
        self.looked_at(path)

    def looked_at(self, path: Path) -> None:
        """A film, or a session, was opened: it is the first of those of late."""
        known = [str(path.resolve()), *(other for other in self.recent if other != str(path.resolve()))]
        self.set("recent", "\n".join(known[:RECENT]))
        self.sync()

    def ended(self) -> None:
        """The window closed as it should."""
        self.left_open.end()
        self.sync()

    @cached_property
    def left_open(self) -> LeftOpen:
        """What this window has open, and what killed ones had."""
        home = Path(self._settings.fileName()).parent if self._given else _data()
        return LeftOpen(home / "open")

    @property
    def log(self) -> Path:
        """The file in which faults are written down."""
        return _data() / "hitpoint.log"


def _data() -> Path:
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation))
