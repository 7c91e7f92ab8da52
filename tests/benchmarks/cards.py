"""Writes what was measured of the engines' music into their models' cards, beside real songs: after `test_engines_table` and
`test_themes` have run.

    python tests/benchmarks/cards.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from engines.engine import ENGINES
from engines.runtime import repository

RESULTS = Path(__file__).parent / "results"
SECTION = "\n[music]\n"


def rows(found: dict[str, Any]) -> list[str]:
    """A lot's means, by measure."""
    return [f"{name} = {row['mean']:.4f}" for name, row in found.items() if isinstance(row, dict) and "mean" in row]


def spread(lot: dict[str, Any], real: dict[str, Any]) -> list[str]:
    """Measures in which a lot is farther from real songs than their halves are from one another, with the distance."""
    out = [
        f"{name} {row['distance']:+.4f}"
        for name, row in lot.items()
        if isinstance(row, dict) and row.get("within_halves") is False
    ]
    return [
        f"beyond_halves = {json.dumps(out)}",
        f"out_of_key_times_real = {lot['out_of_key']['mean'] / real['out_of_key']['mean']:.2f}",
    ]


def music(name: str, table: dict[str, Any], themes: dict[str, Any]) -> str:
    """The section of one model."""
    lots, real = table["sets"], table["real"]
    returns = {who.partition(" (")[0]: row for who, row in themes["shares"].items()}
    parts = {
        "music": [f"windows = {table['sketches']}", "bars = 8"],
        "music.told_nothing": rows(lots[name]) + spread(lots[name], real),
        "music.told_what_songs_do": rows(lots[f"{name}, told"]) + spread(lots[f"{name}, told"], real),
        "music.real_songs": rows(real),
        "music.kept_to_the_brief": [
            f"{what.replace(' ', '_')} = {v:.4f}" for what, v in table["off_what_was_asked"][name].items()
        ],
        "music.bars_that_return": [
            f"{re.sub(', | ', '_', what)} = [{share:.3f}, {returns['real songs'][what]:.3f}]"
            for what, share in returns[name].items()
        ],
    }
    return "".join(f"\n[{title}]\n" + "\n".join(lines) + "\n" for title, lines in parts.items())


def main() -> None:
    table, themes = (json.loads((RESULTS / f"{file}.json").read_text("utf-8")) for file in ("engines", "themes"))
    for name in ENGINES:
        card = repository() / name / "card.toml"
        text = card.read_text("utf-8").partition(SECTION)[0].rstrip("\n") + "\n"
        card.write_text(text + music(name, table, themes), "utf-8")
        print(f"{card}: {len(table['sets'][name])} measures")


if __name__ == "__main__":
    main()
