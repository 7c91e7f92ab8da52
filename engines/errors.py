"""Every error that a person can meet, in one small tree.

::

    HitpointError               any of these: one line of what, where and what to try; exit code 2
    ├── FilmError               a film that cannot be opened, decoded or timed
    ├── CutListError            an EDL, OTIO, XML, AAF, CSV or JSON that is broken, or of another rate
    ├── MidiError               a MIDI file that is broken or not one
    ├── SpottingError           no tempo map fits what was asked
    ├── ModelError              a model that is missing, tampered with or of another layout
    ├── ProviderError           a forced execution provider that does not really load
    ├── OptionError             an option of the command line, or a field of a brief, out of range
    ├── OutputError             a file or folder that cannot be written
    ├── SessionError            a session that is damaged, of a newer version, or open in another program
    ├── PortError               a MIDI port that cannot be opened, is closed, or went away
    ├── DawError                a DAW or an editor that does not answer, refuses, or did something else than asked
    ├── MissingLibraryError     an optional library that is not installed
    └── Cancelled               the person stopped the work; nothing was written
"""

from __future__ import annotations


class HitpointError(Exception):
    """What went wrong, where, and what to try; ``str()`` is one line."""

    def __init__(self, what: str, *, where: object = None, cure: str | None = None) -> None:
        self.what, self.where, self.cure = what, where, cure
        parts = [what if where is None else f"{where}: {what}"]
        if cure:
            parts.append(cure)
        super().__init__(" ".join("; ".join(parts).split()))


class FilmError(HitpointError):
    """A film that cannot be opened, decoded or timed."""


class CutListError(HitpointError):
    """A cut list that is broken, empty, or of another rate than the film."""


class MidiError(HitpointError):
    """A MIDI file that is broken, or not one."""


class SpottingError(HitpointError):
    """No tempo map fits what was asked."""


class ModelError(HitpointError):
    """A model that is missing, tampered with, or of another layout than its card says."""


class ProviderError(HitpointError):
    """An execution provider that was asked for by name and does not really load."""


class OptionError(HitpointError):
    """An option or a field out of range."""


class OutputError(HitpointError):
    """A file or folder that cannot be written."""


class SessionError(HitpointError):
    """A session that is damaged, of a newer version, or open in another program."""


class PortError(HitpointError):
    """A MIDI port that cannot be opened, is closed, or went away."""


class DawError(HitpointError):
    """A DAW or an editor that does not answer, refuses, or did something else than asked."""


class MissingLibraryError(HitpointError):
    """A library of an optional extra that is not installed."""


class Cancelled(HitpointError):
    """The person stopped the work; nothing was written."""

    def __init__(self, what: str = "cancelled") -> None:
        super().__init__(what)
