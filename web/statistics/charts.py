"""From numbers to the shapes of `components/chart.html`.

Across, everything is in per cent of the drawing, so that it fits a phone and a desk without its
letters growing or shrinking; down, in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

# Left of the columns stand the numbers of the scale, in per cent of the width.
SCALE: Final = 11.0
TOP: Final = 16
PLOT: Final = 144
BELOW: Final = 32
MOST_LABELS: Final = 7
ROW: Final = 40


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its parts from the bottom up (a kind and a value), what stands below it, and
    what is said when somebody points at it. `marks` are kinds of marks at its foot."""

    label: str
    parts: tuple[tuple[str, float], ...]
    tip: str
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar that lies: its kind, its name, its value, and the value in words."""

    name: str
    value: float
    words: str
    kind: str = "full"


def columns(
    items: Sequence[Column], highest: float, ticks: Sequence[tuple[float, str]]
) -> dict[str, Any]:
    """The drawing of `chart.columns`; `ticks` are values of the scale with their words."""
    highest = highest or 1
    step = (100 - SCALE) / max(len(items), 1)
    every = ceil(len(items) / MOST_LABELS) or 1
    return {
        "height": TOP + PLOT + BELOW,
        "base": TOP + PLOT,
        "left": _percent(SCALE),
        "ticks": [
            {"y": _pixels(TOP + PLOT * (1 - value / highest)), "text": text}
            for value, text in ticks
        ],
        "columns": [
            {
                "x": _percent(SCALE + step * (place + 0.12)),
                "width": _percent(step * 0.76),
                "middle": _percent(SCALE + step * (place + 0.5)),
                "label": item.label if place % every == 0 else "",
                "tip": item.tip,
                "marks": item.marks,
                "parts": _stacked(item.parts, highest),
            }
            for place, item in enumerate(items)
        ],
    }


def bars(
    items: Sequence[Bar],
    *,
    highest: float | None = None,
    median: tuple[float, str] | None = None,
    band: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """The drawing of `chart.bars`; `median` is a value and its words, `band` what half of the
    bars lie between."""
    highest = highest or max([item.value for item in items], default=0) or 1
    return {
        "height": ROW * len(items),
        "rows": [
            {
                "name": item.name,
                "words": item.words,
                "kind": item.kind,
                "text": place * ROW + 16,
                "y": place * ROW + 22,
                "width": _percent(100 * item.value / highest),
            }
            for place, item in enumerate(items)
        ],
        "median": median and {"x": _percent(100 * median[0] / highest), "words": median[1]},
        "band": band
        and {
            "x": _percent(100 * band[0] / highest),
            "width": _percent(100 * (band[1] - band[0]) / highest),
        },
    }


def ticks_to(highest: int) -> list[tuple[float, str]]:
    """Three or four round numbers from 0 to at least `highest`."""
    step = next(
        step
        for power in range(9)
        for step in (10**power, 2 * 10**power, 5 * 10**power)
        if step * 3 >= highest
    )
    return [(value, str(value)) for value in range(0, max(highest, 1) + step, step)]


def _stacked(parts: Sequence[tuple[str, float]], highest: float) -> list[dict[str, Any]]:
    found, below = [], 0.0
    for kind, value in parts:
        if value:
            top = TOP + PLOT * (1 - (below + value) / highest)
            height = PLOT * value / highest
            found.append({"kind": kind, "y": _pixels(top), "height": _pixels(height)})
        below += value
    return found


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _pixels(value: float) -> str:
    return f"{value:.1f}"
