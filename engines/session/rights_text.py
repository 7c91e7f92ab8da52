"""The rights card of a cue in words, for a file beside the music."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def rights_text(name: str, card: Mapping[str, Any]) -> str:
    """The card of a cue in words. It says what the recipes and cards say, and where they say nothing."""
    lines = [name, "=" * len(name), ""]
    for model in card["models"]:
        lines += [*_model_lines(model), ""]
    if not card["models"]:
        lines += ["Nothing in this cue was composed by a model.", ""]
    lines += ["Takes", "-----", *map(_take_line, card["takes"]), ""]
    if card["composer"]:
        lines += ["Set by the composer", "-------------------"]
        lines += [f"{scope}: {_words(said)}" for scope, said in card["composer"].items()]
        lines.append("")
    return "\n".join(lines)


def _model_lines(model: Mapping[str, Any]) -> list[str]:
    engine, digest = model["engine"] or "of no name", model["sha256"]
    if digest is None:
        return [f"Engine {engine}: its recipes name no model."]
    if not model["here"]:
        return [f"Engine {engine}, model with SHA-256 {digest}:", "  is not here, so its data and licences are not known here."]
    lines = [f"Engine {engine}, model {model['name']} version {model['version']}", f"  SHA-256: {digest}"]
    for name, title in (("data", "Training data"), ("licence", "Licence")):
        said = model[name]
        table = said if isinstance(said, Mapping) else {"": said}
        entries = [(f"{title}, {key}" if key else title, value) for key, value in table.items() if value is not None]
        lines += [f"  {where}: {_words(value)}" for where, value in entries] or [f"  {title}: its card does not say."]
    return lines


def _take_line(take: Mapping[str, Any]) -> str:
    if take["take"] is None:
        return f"scene {take['scene']}: {take['notes']} notes of a take that is no longer in the session; its model is not known"
    seeds = ", ".join(map(str, take["seeds"])) or "none (carried over, or from an old session)"
    name = f" ({_words(take['name'])})" if take["name"] else ""
    model = f", model {take['model'][:12]}" if take["model"] else ""
    engine = take["engine"] or "of no name"
    head = f"scene {take['scene']}, take {take['take']}{name}: {take['notes']} notes {'heard' if take['heard'] else 'not in the cue'}"
    return f"{head}, engine {engine}{model}, seed {seeds}, made {take['made']}"


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(entry)}" for name, entry in value.items())
    return ", ".join(map(_words, value)) if isinstance(value, list | tuple) else " ".join(str(value).split())
