"""Names of delivered files that every system takes: Windows and its reserved names too, whatever a film or a stem is called."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 80
"""Bytes in UTF-8 of each part of a name; a file system takes 255 for all of it, and a temporary name needs room too."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\s]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe(text: str) -> str:
    """A text as a file name without its ending: no spaces, no signs that a system forbids, never empty."""
    plain = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    name = _cut(_FORBIDDEN.sub("-", plain.strip()).strip("-. "))
    return name if name and not _RESERVED.fullmatch(name) else f"cue-{name}".rstrip("-")


def _cut(text: str) -> str:
    return text.encode("utf-8")[:LONGEST].decode("utf-8", "ignore").rstrip("-. ")


class Names:
    """The file names of one delivery, all of which begin alike, and no two of which a system takes for one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._given: set[str] = set()

    def of(self, ending: str) -> str:
        """The name with an ending such as ``-melody.mid``; a number is added where it was given already."""
        stem, dot, suffix = ending.rpartition(".")
        stem = f"-{safe(stem)}" if stem else ""
        count, file = 1, f"{self.name}{stem}{dot}{suffix}"
        while file.casefold() in self._given:
            count += 1
            file = f"{self.name}{stem}-{count}{dot}{suffix}"
        self._given.add(file.casefold())
        return file
