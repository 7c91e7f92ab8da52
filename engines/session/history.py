"""What was done in a sitting, step by step, as differences that go both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from engines.errors import SessionError

LONGEST = 1_000
"""Steps that are kept; the oldest are forgotten first."""


@dataclass(frozen=True)
class Change:
    """One value of the content that changed: where (keys from the root), and what it was and became.

    ``old`` or ``new`` is a list of the one value, or empty where there was or is none: null is a value.
    """

    at: tuple[str, ...]
    old: tuple[Any, ...]
    new: tuple[Any, ...]

    @property
    def reverse(self) -> Change:
        """The same change backwards."""
        return Change(self.at, self.new, self.old)


@dataclass(frozen=True)
class Step:
    """One act as it was done: its sentence for the menu, when (ISO 8601, UTC), and what it changed."""

    sentence: str
    when: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class History:
    """Steps ``done`` in order, and those ``undone`` that may be done again, the next one last."""

    done: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()

    def with_step(self, step: Step) -> History:
        """One more step; what had been undone can no longer be redone."""
        return History((*self.done, step)[-LONGEST:])

    def back(self, content: Any) -> tuple[Any, Step, History]:
        """The content before the last step, that step, and the history then. Raises SessionError where nothing is left."""
        if not self.done:
            raise SessionError("there is nothing to undo", where="undo", cure="history lists what was done")
        step = self.done[-1]
        changes = [change.reverse for change in reversed(step.changes)]
        return changed(content, changes), step, History(self.done[:-1], (*self.undone, step))

    def forth(self, content: Any) -> tuple[Any, Step, History]:
        """The content after the step that was undone last. Raises SessionError where none was."""
        if not self.undone:
            raise SessionError("there is nothing to redo", where="redo", cure="history lists what was done")
        step = self.undone[-1]
        return changed(content, step.changes), step, History((*self.done, step)[-LONGEST:], self.undone[:-1])

    def merged(self, step: Step) -> History:
        """The last step and this one as one: for a slider that is still being moved."""
        last = self.done[-1]
        return History((*self.done[:-1], replace(step, changes=(*last.changes, *step.changes))))


def differences(before: Any, after: Any, at: tuple[str, ...] = ()) -> tuple[Change, ...]:
    """The changes that make ``after`` of ``before``; tables are compared key by key, everything else as a whole."""
    if before is after:
        return ()
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return () if _same(before, after) else (Change(at, (before,), (after,)),)
    found: list[Change] = []
    for key in sorted({*before, *after}):
        if key not in after:
            found.append(Change((*at, key), (before[key],), ()))
        elif key not in before:
            found.append(Change((*at, key), (), (after[key],)))
        elif before[key] is not after[key]:
            found += differences(before[key], after[key], (*at, key))
    return tuple(found)


def _same(before: Any, after: Any) -> bool:
    """Whether two values are the same bytes in a file: to Python 1, 1.0 and true are equal."""
    if type(before) is not type(after) or before != after:
        return False
    if isinstance(before, dict):
        return all(_same(before[key], after[key]) for key in before)
    if isinstance(before, list):
        return all(map(_same, before, after))
    return not isinstance(before, float) or repr(before) == repr(after)


def changed(content: Any, changes: Sequence[Change]) -> Any:
    """The content with changes made; what they do not touch is shared, not copied. Raises SessionError if they do not belong to it."""
    for change in changes:
        content = _with(content, change.at, change)
    return content


def _with(content: Any, at: tuple[str, ...], change: Change) -> Any:
    if not at:
        return change.new[0]
    if not isinstance(content, dict):
        raise SessionError(f"the history changes {'/'.join(change.at)}, which is not there", cure="open an earlier copy of it")
    key, *rest = at
    made = dict(content)
    if rest:
        if key not in made:
            raise SessionError(
                f"the history changes {'/'.join(change.at)}, which is not there", cure="open an earlier copy of it"
            )
        made[key] = _with(made[key], tuple(rest), change)
    elif change.new:
        made[key] = change.new[0]
    else:
        made.pop(key, None)
    return made
