"""From what the queries found to the words and rows that the templates show."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.core.clock import local_date
from scheduler.core.errors import Conflict
from scheduler.roster.models import Need, Proposal, ProposalLine
from scheduler.roster.proposal_queries import Listed
from scheduler.roster.proposal_review import Difference, Move, Review, Row
from scheduler.roster.rules import LineState, Period, Preference, ProposalState
from web.identity import HOUSE_TIMEZONE
from web.labels import PERIOD_NAMES, day_count, grammatical_number
from web.localisation import written
from web.messages import message_for
from web.proposals import explanation
from web.proposals.explanation import Reader

STATES: Final[dict[ProposalState, tuple[Any, str]]] = {
    ProposalState.QUEUED: (_l("Waiting"), "neutral"),
    ProposalState.RUNNING: (_l("Being computed"), "accent"),
    ProposalState.READY: (_l("To review"), "amber"),
    ProposalState.FAILED: (_l("Failed"), "danger"),
    ProposalState.CANCELLED: (_l("Cancelled"), "neutral"),
    ProposalState.CLOSED: (_l("Settled"), "neutral"),
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
        grammatical_number(missing),
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


def days(review: Review, reader: Reader) -> list[dict[str, Any]]:
    """The days as the review component takes them."""
    found = []
    for day, rows in review.days:
        shown = [_row(row, reader) | {"asked": explanation.asked(row, reader)} for row in rows]
        free = any(row.is_open and not row.holder and not row.withdrawn for row in rows)
        selectable = free and reader.may_decide
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


def _row(row: Row, reader: Reader) -> dict[str, Any]:
    base: dict[str, Any] = {"where": _where(row.need), "was": None, "who": None, "note": ""}
    if row.line is None:
        return base | (_standing(row) if row.holder else explanation.uncovered(row, reader))
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
    """Days per doctor, as the fairness component takes them: half-days and their words."""
    return [
        {
            "name": load.doctor,
            "parts": [
                {"half_days": half_days, "text": format_decimal(half_days / 2)}
                for half_days in (load.credit, load.before, load.after - load.before)
            ],
            "text": day_count(load.credit + load.after),
        }
        for load in review.loads
    ]


def parts() -> list[str]:
    """What the parts of a doctor's bar stand for, in their order."""
    return [_("Worked lately"), _("Given already"), _("Proposed days")]


def difference(found: Difference | None) -> dict[str, Any] | None:
    """What changed since the roster computed before; None where there is none."""
    if found is None:
        return None
    groups = [
        (
            "added",
            ngettext("%(num)d day gained", "%(num)d days gained", len(found.gained)),
            found.gained,
        ),
        (
            "removed",
            ngettext("%(num)d day lost", "%(num)d days lost", len(found.lost)),
            found.lost,
        ),
        (
            "changed",
            ngettext(
                "%(num)d day with another doctor",
                "%(num)d days with another doctor",
                len(found.moved),
            ),
            found.moved,
        ),
    ]
    return {
        "proposal_id": found.proposal_id,
        "title": _(
            "What changed since the roster of %(day)s",
            day=written(local_date(found.since, HOUSE_TIMEZONE), "d MMM"),
        ),
        "groups": [
            {"kind": kind, "title": title, "moves": [_move(move) for move in moves]}
            for kind, title, moves in groups
            if moves
        ],
    }


def _move(move: Move) -> dict[str, str | None]:
    return {
        "day": written(move.need.date, "EEE d MMM"),
        "where": _where(move.need),
        "was": move.before,
        "who": move.after,
    }
