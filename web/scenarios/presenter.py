"""From what was compared to the words that the templates show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.roster.comparison import FIELDS, Measures, Verdict, verdict
from scheduler.roster.rules import Period, ProposalState
from scheduler.roster.scenario_queries import Compared, Comparison
from scheduler.roster.scenario_rules import Change, FurtherRoom, NoWeeklyCap, OneMoreDoctor
from scheduler.roster.work import WORKING
from web.labels import PERIOD_NAMES, day_count, weekday_names
from web.localisation import short_date, written

TERMS: Final[dict[str, Any]] = {
    "filled": _l("Filled"),
    "uncovered": _l("Not filled, weighted by priority"),
    "short_weeks": _l("Weeks below the minimum"),
    "last_resort": _l("Last resorts"),
    "titular": _l("Titular doctors called in"),
    "spread": _l("Between the most and the fewest"),
    "deviation": _l("Deviation between doctors"),
    "quality": _l("Points of sharing and wishes"),
}
IN_DAYS: Final = frozenset({"last_resort", "titular", "spread", "deviation"})
WORDS: Final[dict[Verdict, Any]] = {
    Verdict.BETTER: _l("better"),
    Verdict.WORSE: _l("less good"),
    Verdict.SAME: _l("the same"),
    Verdict.OTHER: "",
}
# A shape of its own for each, beside the word.
ICONS: Final[dict[Verdict, str | None]] = {
    Verdict.BETTER: "check",
    Verdict.WORSE: "exclaim",
    Verdict.SAME: None,
    Verdict.OTHER: "tilde",
}
FAILURES: Final[dict[str, Any]] = {
    "interrupted": _l("The computation was interrupted three times."),
}
STATES: Final[dict[ProposalState, tuple[Any, str]]] = {
    ProposalState.QUEUED: (_l("Waiting"), "neutral"),
    ProposalState.RUNNING: (_l("Being computed"), "accent"),
    ProposalState.FAILED: (_l("Failed"), "danger"),
    ProposalState.CANCELLED: (_l("Cancelled"), "neutral"),
}


def period(comparison: Comparison) -> str:
    """« 1 décembre 2026 au 31 décembre 2026 », in words that suit both languages."""
    return _(
        "%(start)s to %(end)s",
        start=written(comparison.proposal.start, "d MMMM y"),
        end=written(comparison.proposal.end, "d MMMM y"),
    )


def cards(comparison: Comparison) -> list[dict[str, Any]]:
    """The proposal as it is, then its scenarios: what each card shows."""
    base = comparison.base
    first = {
        "id": None,
        "title": _("As it is"),
        "facts": [_fact(name, base, None) for name in FIELDS],
        "proof": _proof(base),
    }
    ready = [item for item in comparison.scenarios if item.measures is not None]
    return [first, *(_card(item, base) for item in ready)]


def waiting(comparison: Comparison) -> list[dict[str, Any]]:
    """The scenarios that have nothing to compare: not yet computed, failed or stopped."""
    return [_waiting(item) for item in comparison.scenarios if item.measures is None]


def title(change: Change, doctor: str | None) -> str:
    """What was changed, in a few words."""
    match change:
        case FurtherRoom():
            weekday = weekday_names("EEEE")[change.weekday]
            if change.period is Period.DAY:
                return _("One more room every %(weekday)s", weekday=weekday)
            return _(
                "One more room every %(weekday)s (%(period)s)",
                weekday=weekday,
                period=str(PERIOD_NAMES[change.period]).lower(),
            )
        case OneMoreDoctor():
            names = weekday_names("EEE")
            days = ", ".join(names[weekday] for weekday in change.weekdays)
            if change.max_days_per_week is None:
                return _("One more doctor: %(days)s", days=days)
            return _(
                "One more doctor: %(days)s, at most %(most)s days a week",
                days=days,
                most=format_decimal(change.max_days_per_week),
            )
        case NoWeeklyCap():
            if doctor is None:
                return _("No weekly limit for anybody")
            return _("No weekly limit for %(who)s", who=doctor)


def _card(item: Compared, base: Measures) -> dict[str, Any]:
    measures = item.measures or base
    return {
        "id": item.scenario.id,
        "title": title(item.change, item.doctor),
        "facts": [_fact(name, measures, base) for name in FIELDS],
        "proof": _proof(measures),
        "gained": _dates(item.gained),
        "lost": _dates(item.lost),
    }


def _waiting(item: Compared) -> dict[str, Any]:
    row = item.scenario
    word, tone = STATES[row.state]
    if row.cancel_requested and row.state is ProposalState.RUNNING:
        word = _("Stopping")
    failure = None
    if row.state is ProposalState.FAILED:
        known = FAILURES.get(row.failure or "")
        failure = str(known) if known else _("Something went wrong on our side. It has been noted.")
    return {
        "id": row.id,
        "title": title(item.change, item.doctor),
        "state": word,
        "tone": tone,
        "at_work": row.state in WORKING,
        "percent": round(100 * float(row.progress.get("fraction", 0))),
        "failure": failure,
    }


def _fact(name: str, measures: Measures, base: Measures | None) -> dict[str, Any]:
    value = float(getattr(measures, name))
    fact = {"term": TERMS[name], "value": _shown(name, value, measures), "difference": None}
    if base is None:
        return fact
    before = float(getattr(base, name))
    found = verdict(name, value, before)
    return fact | {
        "difference": "" if found is Verdict.SAME else _signed(value - before),
        "verdict": found.value,
        "word": WORDS[found],
        "icon": ICONS[found],
    }


def _shown(name: str, value: float, measures: Measures) -> str:
    if name in IN_DAYS:
        return day_count(round(2 * value, 1))
    if name == "filled":
        return _("%(filled)d of %(needs)d", filled=value, needs=measures.needs)
    return format_decimal(value)


def _signed(difference: float) -> str:
    number = format_decimal(abs(round(difference, 1)))
    # A true minus, which is as wide as the plus and is read aloud.
    return ("+" if difference > 0 else "\u2212") + number


def _proof(measures: Measures) -> str:
    return _("Proved") if measures.proved else _("The best found in time")


def _dates(days: Iterable[tuple[dt.date, Period]]) -> list[str]:
    return [
        short_date(day)
        if period is Period.DAY
        else f"{short_date(day)}, {str(PERIOD_NAMES[period]).lower()}"
        for day, period in days
    ]
