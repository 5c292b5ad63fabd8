"""The files of a result: the figures, the pictures and the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perf.ladder.page import page
from perf.ladder.plots import encoded, plots


def write(result: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Write ``ladder-DATE.json``, ``.html`` and a PNG a picture into ``folder``; each file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"ladder-{result['when'][:10]}"
    figures = folder / f"{name}.json"
    figures.write_text(json.dumps(_rounded(result), indent=1) + "\n")
    yield figures
    drawn = plots(result)
    for picture, figure in drawn.items():
        target = folder / f"{name}-{picture}.png"
        target.write_bytes(encoded(figure, "png"))
        yield target
    target = folder / f"{name}.html"
    target.write_text(page(result, drawn, figures.name))
    yield target


def _rounded(value: Any) -> Any:
    """The same with numbers of five digits: what is measured has no more."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
