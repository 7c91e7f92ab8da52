"""One row of the table of addresses: its arguments, checked the same way from wherever they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Annotated, Any, Literal

from bridge.wire_words import argument_said
from engines.errors import OptionError

Kind = Literal["int", "float", "text", "path", "flag"]
"""What an argument is. A path is an absolute one, of the composer's own files."""

TYPES: Mapping[Kind, type] = {"int": int, "float": float, "text": str, "path": str, "flag": bool}


def _no_truth(value: Any) -> Any:
    """True and False are no numbers, though Python counts with them."""
    from pydantic_core import PydanticCustomError

    if isinstance(value, bool):
        raise PydanticCustomError("truth", "is no number")
    return value


def _as_text(value: Any) -> Any:
    """A number where words are wanted, as a controller sends it: 4 is ``4``, and so is 4.0."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value) if isinstance(value, int) else value


READ: Mapping[Kind, Callable[[Any], Any]] = {"int": _no_truth, "float": _no_truth, "text": _as_text}
"""What is done to an argument before it is checked."""

TAGS: Mapping[Kind, str] = {"int": "i", "float": "f", "text": "s", "path": "s", "flag": "T or F"}

LONGEST_TEXT = 4096
"""Characters of a text or a path."""


@dataclass(frozen=True)
class Argument:
    """One argument: its name, kind and meaning; whether it must be given; the least and the greatest number it may be."""

    name: str
    kind: Kind
    what: str
    needed: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Address:
    """One row: ``answer`` says what comes back; ``changes`` whether anything is another afterwards; ``wire`` where it is known."""

    address: str
    what: str
    answer: str
    arguments: tuple[Argument, ...] = ()
    changes: bool = True
    wire: Literal["both", "osc"] = "both"

    @cached_property
    def model(self) -> Any:
        """Its arguments as a pydantic model: one check for OSC and HTTP alike, and the schema of the latter."""
        from pydantic import BeforeValidator, ConfigDict, Field, create_model

        fields: dict[str, Any] = {}
        for given in self.arguments:
            limits: dict[str, Any] = {"ge": given.low, "le": given.high}
            if given.kind in ("text", "path"):
                limits = {"max_length": LONGEST_TEXT, "min_length": 1 if given.needed else 0}
            elif given.kind == "float":
                limits["allow_inf_nan"] = False
            kind: Any = TYPES[given.kind]
            if given.kind in READ:
                kind = Annotated[kind, BeforeValidator(READ[given.kind])]
            if given.needed:
                fields[given.name] = (kind, Field(description=given.what, **limits))
            else:
                fields[given.name] = (kind | None, Field(None, description=given.what, **limits))
        name = "".join(part.title() for part in self.address.split("/")[2:]) or "Nothing"
        return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by name, checked and as the call takes them. Raises OptionError, in one line, for what cannot be."""
        from pydantic import ValidationError

        try:
            made: dict[str, Any] = self.model.model_validate(dict(given)).model_dump()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise OptionError(argument_said(first), where=self.address, cure=f"give {self.signature or 'no arguments'}") from None
        return {name: None if value == "" else value for name, value in made.items()}

    def named(self, args: Sequence[Any]) -> dict[str, Any]:
        """Arguments in their order by name. Nil, an empty text, and -1 where a number cannot be negative leave one open."""
        if len(args) > len(self.arguments):
            raise OptionError(f"{len(args)} arguments", where=self.address, cure=f"give {self.signature or 'none'}")
        out: dict[str, Any] = {}
        for row, value in zip(self.arguments, args, strict=False):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and not isfinite(value):
                raise OptionError(f"{row.name} is no number", where=self.address, cure=f"give {self.signature}")
            if value is None or value == "" or (number and value == -1 and not row.needed and (row.low or 0) >= 0):
                continue
            out[row.name] = bool(value) if number and row.kind == "flag" else value
        return out

    def json(self) -> dict[str, Any]:
        """The row as other programs read it."""
        arguments = [{"name": a.name, "kind": a.kind, "needed": a.needed, "what": a.what} for a in self.arguments]
        http = None if self.wire == "osc" else "POST" if self.changes else "GET"
        return {"address": self.address, "what": self.what, "arguments": arguments, "answers": self.answer, "http": http}

    @property
    def signature(self) -> str:
        """Its arguments in one line; those in brackets may be left out."""
        words = [f"{a.name}:{TAGS[a.kind]}" if a.needed else f"[{a.name}:{TAGS[a.kind]}]" for a in self.arguments]
        return " ".join(words)


@dataclass(frozen=True)
class Told:
    """What a subscriber hears over OSC: its address, and its arguments with their meaning."""

    address: str
    what: str
    arguments: tuple[Argument, ...] = field(default=())
