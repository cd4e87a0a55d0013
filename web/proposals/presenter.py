"""From what the queries found to the words and rows that the templates show."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final

from flask_babel import format_decimal, format_percent, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.core.errors import Conflict
from scheduler.roster.models import Need, Proposal, ProposalLine
from scheduler.roster.proposal_queries import Listed, Load, Review, Row
from scheduler.roster.proposal_work import MOST_ATTEMPTS
from scheduler.roster.rules import LineState, Period, Preference, ProposalState
from web.labels import PERIOD_NAMES
from web.localisation import current_locale, written
from web.messages import message_for

MOST_ASKED: Final = 3
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
STATES: Final[dict[ProposalState, tuple[Any, str]]] = {
    ProposalState.QUEUED: (_l("Waiting"), "neutral"),
    ProposalState.RUNNING: (_l("Being computed"), "accent"),
    ProposalState.READY: (_l("To review"), "amber"),
    ProposalState.FAILED: (_l("Failed"), "danger"),
    ProposalState.CANCELLED: (_l("Cancelled"), "neutral"),
    ProposalState.CLOSED: (_l("Settled"), "neutral"),
}
FAILURES: Final[dict[str, Any]] = {
    "interrupted": _l("The computation was interrupted three times."),
    "proposal_past": _l("The days to plan were over before the computation began."),
}
REASONS: Final[dict[str, Any]] = {
    "no_availability": _l("Not available: %(doctors)s."),
    "elsewhere": _l("Already at work that day: %(doctors)s."),
    "weekly_cap": _l("At the limit of the week: %(doctors)s."),
    "monthly_cap": _l("At the limit of the month: %(doctors)s."),
    "total_cap": _l("At the limit of the period: %(doctors)s."),
    "consecutive": _l("At the limit of days in a row: %(doctors)s."),
    "traded": _l("Available, but of more use on another day: %(doctors)s."),
    "licence": _l("Without a valid licence that day: %(doctors)s."),
    "not_member": _l("Not in the practice that day: %(doctors)s."),
}
SUGGESTIONS: Final[dict[str, Any]] = {
    "raise_weekly_cap": _l("%(doctor)s could come with a limit of %(to)s days a week."),
    "raise_monthly_cap": _l("%(doctor)s could come with a limit of %(to)s days a month."),
    "raise_total_cap": _l("%(doctor)s could come with a limit of %(to)s days in the period."),
    "raise_consecutive": _l("%(doctor)s could come with a limit of %(to)s days in a row."),
}
PREFERENCES: Final[dict[Preference, Any]] = {
    Preference.WANTED: _l("wanted"),
    Preference.POSSIBLE: _l("possible"),
    Preference.LAST_RESORT: _l("last resort"),
}


def at_work(proposal: Proposal) -> bool:
    return proposal.state in (ProposalState.QUEUED, ProposalState.RUNNING)


def period(proposal: Proposal) -> str:
    """« du 1 au 31 décembre 2026 », in words that suit both languages."""
    return _(
        "%(start)s to %(end)s",
        start=written(proposal.start, "d MMMM y"),
        end=written(proposal.end, "d MMMM y"),
    )


def listed(item: Listed) -> dict[str, Any]:
    """A row of the list."""
    word, tone = STATES[item.proposal.state]
    return {
        "proposal": item.proposal,
        "period": period(item.proposal),
        "state": word,
        "tone": tone,
        "outcome": _outcome(item),
    }


def _outcome(item: Listed) -> str:
    accepted, proposed = item.lines[LineState.ACCEPTED], item.lines[LineState.PROPOSED]
    words = []
    if proposed:
        words.append(ngettext("%(num)d day to decide", "%(num)d days to decide", proposed))
    if accepted:
        words.append(ngettext("%(num)d day accepted", "%(num)d days accepted", accepted))
    return " · ".join(words)


def work(proposal: Proposal, now: dt.datetime) -> dict[str, Any]:
    """What the progress block shows."""
    if proposal.state is ProposalState.QUEUED:
        again = proposal.attempt > 0
        return {
            "title": _("Waiting for its turn"),
            "value": 0,
            "text": _("Taken up again after an interruption") if again else "",
            "facts": [],
        }
    if _interrupted(proposal, now):
        again = proposal.attempt < MOST_ATTEMPTS
        return {
            "title": _("The computation was interrupted"),
            "value": 0,
            "text": _("It will be taken up again by itself") if again else "",
            "facts": [],
        }
    state = proposal.progress
    title = STAGES.get(str(state.get("stage")), STAGES["start"])
    if proposal.cancel_requested:
        title = _("Stopping")
    percent = round(100 * float(state.get("fraction", 0)))
    facts = []
    if "covered" in state:
        facts.append((_("Best so far"), _covered(float(state["covered"]))))
    if proposal.started_at is not None:
        seconds = max(0, int((now - proposal.started_at).total_seconds()))
        facts.append((_("Running for"), _("%(seconds)d s", seconds=seconds)))
    if proposal.attempt > 1:
        facts.append((_("Attempt"), str(proposal.attempt)))
    return {"title": title, "value": percent, "text": format_percent(percent / 100), "facts": facts}


def _interrupted(proposal: Proposal, now: dt.datetime) -> bool:
    """Whether the worker fell silent; one that was to be stopped anyway is still stopping."""
    heartbeat = proposal.heartbeat_at
    return heartbeat is not None and now - heartbeat >= SILENCE and not proposal.cancel_requested


def _covered(share: float) -> str:
    # Urgent days weigh more, hence "about". Rounded down: "all" is said only when it is all.
    percent = format_percent(math.floor(100 * share) / 100)
    return _("about %(percent)s of the open days filled", percent=percent)


def failure(proposal: Proposal) -> str:
    """What went wrong, in a sentence."""
    known = FAILURES.get(proposal.failure or "")
    return str(known) if known else _("Something went wrong on our side. It has been noted.")


def dates(texts: Iterable[str]) -> list[dt.date]:
    """The dates that were ticked; what is none was not on the page and is left out."""
    found = []
    for text in texts:
        try:
            found.append(dt.date.fromisoformat(text))
        except ValueError:
            continue
    return found


def counts(review: Review) -> dict[LineState, int]:
    """How many lines are in which state."""
    return Counter(row.line.state for _day, rows in review.days for row in rows if row.line)


def facts(review: Review) -> list[tuple[str, str]]:
    """The summary: what the proposal achieves."""
    found = [
        (
            _("Days covered"),
            _(
                "%(after)d of %(needs)d, before: %(before)d",
                after=review.covered_after,
                needs=review.needs,
                before=review.covered_before,
            ),
        ),
        (_("Weeks"), _minimum(review.objective["below_minimum"])),
        (_("Last resorts"), str(review.last_resorts)),
        (_("Titular doctors called in"), str(review.titulars)),
        (_("Result"), _proof(review)),
    ]
    if review.objective["changes"]:
        changes = int(review.objective["changes"])
        found.insert(4, (_("Changed since the roster last shown"), str(changes)))
    return found


def _minimum(missing: float) -> str:
    if not missing:
        return _("None below its minimum")
    return ngettext(
        "%(days)s day short of the weekly minimum",
        "%(days)s days short of the weekly minimum",
        _grammatical_number(missing),
        days=format_decimal(missing),
    )


def _proof(review: Review) -> str:
    if review.proved:
        return _("Proved: no better roster exists")
    if all(
        review.bound[level] == review.objective[level] for level in ("below_minimum", "uncovered")
    ):
        return _("As many days filled as can be, proved; the sharing is the best found in time")
    return _("The best found in time")


def days(review: Review) -> list[dict[str, Any]]:
    """The days as the review component takes them."""
    found = []
    for day, rows in review.days:
        shown = [_row(row) for row in rows]
        selectable = any(row.is_open and not row.holder and not row.withdrawn for row in rows)
        found.append(
            {
                "iso": day.isoformat(),
                "label": written(day, "EEEE d MMMM"),
                "checked": selectable,
                "locked": not selectable,
                "rows": shown,
            }
        )
    return found


def _row(row: Row) -> dict[str, Any]:
    base: dict[str, Any] = {"where": _where(row.need), "was": None, "who": None, "note": ""}
    if row.line is None:
        return base | (_standing(row) if row.holder else _uncovered(row))
    if row.line.state is not LineState.PROPOSED:
        return base | _decided(row, row.line)
    if row.holder or row.withdrawn:
        note = (
            _("%(who)s has it meanwhile.", who=row.holder)
            if row.holder
            else _("No longer to fill.")
        )
        return base | {"kind": "removed", "word": _("Overtaken"), "was": row.doctor, "note": note}
    return base | {
        "kind": "changed" if row.shown else "added",
        "word": _("Changed") if row.shown else _("Proposed"),
        "was": row.shown,
        "who": row.doctor,
        "note": _how_gladly(row),
    }


def _where(need: Need) -> str:
    return f"{need.room.name} · {str(PERIOD_NAMES[Period(need.period)]).lower()}"


def _how_gladly(row: Row) -> str:
    words = [str(PREFERENCES[row.preference])] if row.preference else []
    if row.titular:
        words.append(_("titular doctor"))
    return " · ".join(words)


def _standing(row: Row) -> dict[str, Any]:
    return {"kind": "same", "who": row.holder}


def _uncovered(row: Row) -> dict[str, Any]:
    if row.withdrawn:
        return {"kind": "removed", "word": _("No longer to fill")}
    details = [*_suggested(row), *_reasoned(row)]
    return {
        "kind": "uncovered",
        "details": details,
        "details_title": _("Why, and what would help") if row.suggestions else _("Why"),
    }


def _reasoned(row: Row) -> list[str]:
    doctors: dict[str, list[str]] = defaultdict(list)
    for reason in row.reasons:
        doctors[reason.code].append(reason.doctor)
    if not doctors:
        return [_("Nobody has a role that this day is open to.")] if not row.suggestions else []
    ordered = [code for code in REASONS if code in doctors and code != "no_availability"]
    ordered += [code for code in ("no_availability",) if code in doctors]
    return [str(REASONS[code]) % {"doctors": ", ".join(doctors[code])} for code in ordered]


def _suggested(row: Row) -> list[str]:
    found = [
        str(SUGGESTIONS[item.code]) % {"doctor": item.doctor, "to": format_decimal(item.to or 0)}
        for item in row.suggestions
        if item.code in SUGGESTIONS
    ]
    asked = [item.doctor for item in row.suggestions if item.code == "ask"][:MOST_ASKED]
    if asked:
        names = ", ".join(asked)
        found.append(_("To ask first, since no rule forbids it: %(doctors)s.", doctors=names))
    return found


def _decided(row: Row, line: ProposalLine) -> dict[str, Any]:
    if line.state is LineState.ACCEPTED:
        return {"kind": "added", "word": _("Accepted"), "who": row.doctor}
    if line.state is LineState.DECLINED:
        return {"kind": "removed", "word": _("Not accepted"), "was": row.doctor}
    return {"kind": "removed", "word": _("Refused"), "was": row.doctor, "note": refusal(line)}


def refusal(line: ProposalLine) -> str:
    """Why an accepted line could not be, in a sentence."""
    facts = {
        name: dt.date.fromisoformat(value) if name in ("date", "until") else value
        for name, value in (line.refusal_facts or {}).items()
    }
    return message_for(Conflict(line.refusal, **facts))


def loads(review: Review) -> list[dict[str, Any]]:
    """Days per doctor, as the fairness component takes them."""
    return [
        {
            "name": load.doctor,
            "days": load.after / 2,
            "text": day_count(load.after),
            "target": None,
            "note": _since(load),
        }
        for load in review.loads
    ]


def _since(load: Load) -> str:
    words = []
    if load.after > load.before:
        days = format_decimal((load.after - load.before) / 2)
        words.append(_("%(days)s of them proposed", days=days))
    if load.credit:
        words.append(_("%(days)s worked lately", days=format_decimal(load.credit / 2)))
    return " · ".join(words)


def day_count(half_days: int) -> str:
    """« 2,5 jours »: in French one and a half is still singular."""
    days = half_days / 2
    number = _grammatical_number(days)
    return ngettext("%(days)s day", "%(days)s days", number, days=format_decimal(days))


def _grammatical_number(days: float) -> int:
    return int(days) if current_locale() == "fr" else math.ceil(days)
