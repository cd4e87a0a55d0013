"""How far a computation is, in words and as a chart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from flask_babel import format_decimal, format_percent, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.roster.models import Proposal
from scheduler.roster.progress import Point, points_of
from scheduler.roster.rules import ProposalState
from scheduler.roster.work import MOST_ATTEMPTS

# A worker gives a sign of life twice a second: after so long without one it has died, even
# where another waits a little longer before it takes its place.
SILENCE: Final = dt.timedelta(seconds=10)

STAGES: Final[dict[str, Any]] = {
    "start": _l("Reading days and availabilities"),
    "below_minimum": _l("Securing the minimum of every week"),
    "uncovered": _l("Filling as many days as possible"),
    "changes": _l("Staying close to the roster last shown"),
    "last_resort": _l("Sparing last resorts and titular doctors"),
    "quality": _l("Sharing the days fairly"),
    "end": _l("Checking the result"),
}
FAILURES: Final[dict[str, Any]] = {
    "interrupted": _l("The computation was interrupted three times."),
    "proposal_past": _l("The days to plan were over before the computation began."),
}
WIDTH, HEIGHT, EDGE = 320, 96, 4


def work(proposal: Proposal, now: dt.datetime) -> dict[str, Any]:
    """What the progress block shows."""
    if proposal.state is ProposalState.QUEUED:
        again = proposal.attempt > 0
        return _still(
            _("Waiting for its turn"),
            _("Taken up again after an interruption") if again else "",
        )
    if _interrupted(proposal, now):
        again = proposal.attempt < MOST_ATTEMPTS
        return _still(
            _("The computation was interrupted"),
            _("It will be taken up again by itself") if again else "",
        )
    state = proposal.progress
    stage = str(state.get("stage"))
    title = STAGES.get(stage, STAGES["start"])
    if proposal.cancel_requested:
        title = _("Stopping")
    percent = round(100 * float(state.get("fraction", 0)))
    facts = []
    if proposal.started_at is not None:
        seconds = max(0, int((now - proposal.started_at).total_seconds()))
        facts.append((_("Running for"), _("%(seconds)d s", seconds=seconds)))
    if proposal.attempt > 1:
        facts.append((_("Attempt"), str(proposal.attempt)))
    points = points_of(state)
    return {
        "title": title,
        "value": percent,
        "text": format_percent(percent / 100),
        "words": filled(state),
        "facts": facts,
        "chart": chart([point for point in points if point.stage == points[-1].stage]),
        "steps": steps(points, stage),
    }


def _still(title: str, text: str) -> dict[str, Any]:
    """The block while nobody computes."""
    return {
        "title": title,
        "value": 0,
        "text": text,
        "words": "",
        "facts": [],
        "chart": None,
        "steps": [],
    }


def _interrupted(proposal: Proposal, now: dt.datetime) -> bool:
    """Whether the worker fell silent; one that was to be stopped anyway is still stopping."""
    heartbeat = proposal.heartbeat_at
    return heartbeat is not None and now - heartbeat >= SILENCE and not proposal.cancel_requested


def filled(state: dict[str, Any]) -> str:
    """« 98 journées sur 110 pourvues ; pour 3 des autres, rien de mieux n'est possible. »"""
    if "needs" not in state:
        return ""
    needs, covered, impossible = state["needs"], state["filled"], state["impossible"]
    if covered >= needs:
        return _("Every open day is filled.")
    said = ngettext(
        "%(filled)d of %(num)d open day filled.",
        "%(filled)d of %(num)d open days filled.",
        needs,
        filled=covered,
    )
    if not impossible:
        return said
    if impossible >= needs - covered:
        return said + " " + _("For the others nothing better is possible.")
    return (
        said
        + " "
        + ngettext(
            "For %(num)d of the others nothing better is possible.",
            "For %(num)d of the others nothing better is possible.",
            impossible,
        )
    )


def steps(points: Sequence[Point], current: str) -> list[dict[str, str]]:
    """The levels that are done: all before the current one are proved.

    At the end that is the last one that was told of, proved or only the best found in time.
    """
    order = [stage for stage in STAGES if stage not in ("start", "end")]
    found = [(stage, True) for stage in order]
    if current in order:
        found = found[: order.index(current)]
    elif points and not points[-1].is_proved:
        last = order.index(points[-1].stage)
        found = [*found[:last], (order[last], False)]
    elif current != "end":
        found = []
    return [
        {
            "title": str(STAGES[stage]),
            "state": "proved" if proved else "best",
            "text": _("proved") if proved else _("the best found in time"),
        }
        for stage, proved in found
    ]


def chart(points: Sequence[Point]) -> dict[str, Any] | None:
    """The best found and what was proved of it over time, of one level.

    Lines of steps in a box of `WIDTH` by `HEIGHT`: what is smaller is lower, and better.
    """
    if not points:
        return None
    value, bound = points[-1].value, points[-1].bound
    begin, end = points[0].seconds, points[-1].seconds
    values = [point.value for point in points]
    bounds = [point.bound for point in points if point.bound is not None]
    low, high = min([*values, *bounds]), max([*values, *bounds])

    def x(seconds: float) -> float:
        # Some room after the last point, so that its own height is seen.
        return 0.95 * WIDTH * (seconds - begin) / (end - begin) if end > begin else 0

    def y(height: float) -> float:
        part = (height - low) / (high - low) if high > low else 0.5
        return HEIGHT - EDGE - part * (HEIGHT - 2 * EDGE)

    best = [(x(point.seconds), y(point.value)) for point in points]
    proved = [(x(point.seconds), y(point.bound)) for point in points if point.bound is not None]
    legend = [("best", _("Best found: %(value)s", value=format_decimal(value)))]
    if bound is not None:
        legend.append(("bound", _("Proved: not below %(value)s", value=format_decimal(bound))))
    return {
        "title": str(STAGES.get(points[-1].stage, "")),
        "width": WIDTH,
        "height": HEIGHT,
        "best": _path(best),
        "bound": _path(proved),
        "legend": legend,
        "text": _told(points[0], points[-1]),
    }


def _told(first: Point, last: Point) -> str:
    """The chart for those who do not see it."""
    words = _(
        "After %(seconds)s s the best found went from %(first)s to %(last)s.",
        seconds=format_decimal(round(last.seconds, 1)),
        first=format_decimal(first.value),
        last=format_decimal(last.value),
    )
    if last.bound is None:
        return words
    if last.is_proved:
        return words + " " + _("Nothing better exists.")
    return words + " " + _("Nothing below %(value)s is possible.", value=format_decimal(last.bound))


def _path(spots: Sequence[tuple[float, float]]) -> str:
    """A line of steps to the right edge, as the data of an SVG path; empty without spots."""
    if not spots:
        return ""
    parts = [f"M{spots[0][0]:.1f} {spots[0][1]:.1f}"]
    parts += [f"H{right:.1f}V{height:.1f}" for right, height in spots[1:]]
    return "".join([*parts, f"H{WIDTH}"])


def failure(proposal: Proposal) -> str:
    """What went wrong, in a sentence."""
    known = FAILURES.get(proposal.failure or "")
    return str(known) if known else _("Something went wrong on our side. It has been noted.")
