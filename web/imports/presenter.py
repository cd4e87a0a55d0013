"""What the pages of imports show."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from flask_babel import format_timedelta, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.calendars.imports.rules import Effect, Word
from scheduler.calendars.models import CalendarSource
from scheduler.calendars.reading import Ignored
from scheduler.calendars.reading.faults import Reason
from scheduler.core.errors import InvalidInput
from scheduler.roster.board import OpenDay
from scheduler.roster.claiming import Several
from scheduler.roster.models import Need
from scheduler.roster.rules import Half, Period
from web.imports.forms import USES
from web.labels import PERIOD_NAMES, day_count
from web.localisation import month_name, short_date
from web.messages import MESSAGES, message_for

# Of the events that are left aside for one reason, how many are named.
MOST_NAMED: Final = 20
_COUNTED: Final[dict[str, Any]] = {
    "new": _l("What is added"),
    "changed": _l("What changes"),
    "outranked": _l("What you said yourself in Relais, and stays"),
    "same": _l("What Relais knows already"),
}
_STATES: Final[dict[str, Any]] = {
    "new": _l("new"),
    "changed": _l("changes what counted"),
    "outranked": _l("your own word in Relais stays"),
    "same": _l("known already"),
}


def kept(source: CalendarSource, now: dt.datetime) -> dict[str, Any]:
    """A calendar that Relais reads: what it is, how old what is known of it is, what is wrong."""
    age = now - (source.answered_at if source.address else source.read_at)
    fresh = age < dt.timedelta(minutes=1)
    ago = format_timedelta(-age, add_direction=True) if not fresh else _("just now")
    problem = MESSAGES.get(source.failure or "")
    return {
        "id": source.id,
        "name": source.name or _("Calendar without a name"),
        "use": USES[source.use.value],
        "use_icon": source.use.value,
        # The rest of the address is the doctor's secret.
        "host": urlsplit(source.address).hostname if source.address else None,
        "age": _("last read %(ago)s", ago=ago) if source.address else _("read %(ago)s", ago=ago),
        "problem": _failure(source) if problem is not None else None,
    }


def months(words: Sequence[Word], effect: Effect) -> list[dict[str, Any]]:
    """What an import says, month by month, a line a day."""
    days: defaultdict[dt.date, list[Word]] = defaultdict(list)
    for word in words:
        days[word.date].append(word)
    found: defaultdict[dt.date, list[dict[str, Any]]] = defaultdict(list)
    for day, said in sorted(days.items()):
        for line in _lines(said):
            found[day.replace(day=1)].append(_line(day, line, effect))
    return [
        {"name": month_name(month), "lines": lines, "count": len(lines)}
        for month, lines in sorted(found.items())
    ]


def counts(effect: Effect) -> list[tuple[str, str]]:
    """How many days an import changes, and how many it does not."""
    found = (
        ("new", len(effect.new)),
        ("changed", len(effect.changed)),
        ("outranked", len(effect.outranked)),
        ("same", effect.same),
    )
    return [(str(_COUNTED[state]), day_count(count)) for state, count in found if count]


def ignored(rows: Collection[Ignored]) -> list[dict[str, Any]]:
    """What of a calendar says nothing here, by reason; what is over or far away in one line."""
    reasons: defaultdict[str, list[Ignored]] = defaultdict(list)
    outside = 0
    for row in rows:
        if row.code == Reason.OUTSIDE_DATES:
            outside += 1
            continue
        facts = {key: value for key, value in row.facts.items() if key != "date"}
        reasons[message_for(InvalidInput(row.code, **facts))].append(row)
    groups = [
        {
            "why": why,
            "count": len(found),
            "events": [name for row in found[:MOST_NAMED] if (name := _event_name(row))],
            "more": max(len(found) - MOST_NAMED, 0),
        }
        for why, found in sorted(reasons.items(), key=lambda one: -len(one[1]))
    ]
    if outside:
        why = ngettext(
            "%(num)d event is over, or too far ahead to be read yet.",
            "%(num)d events are over, or too far ahead to be read yet.",
            outside,
        )
        groups.append({"why": why, "count": 1, "events": [], "more": 0})
    return groups


def says_nothing(rows: Collection[Ignored]) -> str:
    """The code of why a calendar says nothing: it is about other days, or cannot be counted."""
    if all(row.code == Reason.OUTSIDE_DATES for row in rows):
        return "calendar_says_nothing"
    return "calendar_all_aside"


def outcome(several: Several, needs: Collection[Need]) -> list[dict[str, Any]]:
    """What came of taking days, a line each, in order of date."""
    taken = {row.need_id: row for row in several.taken}
    return [
        {
            "date": short_date(need.date),
            "period": PERIOD_NAMES[need.period],
            "where": f"{need.practice.name} · {need.room.name}",
            "slug": need.practice.slug,
            "need_id": need.id,
            "state": taken[need.id].state.value if need.id in taken else None,
            "reason": message_for(several.refused[need.id]) if need.id in several.refused else None,
        }
        for need in needs
    ]


def claimable(days: Sequence[OpenDay]) -> list[dict[str, Any]]:
    """The open days that a file covers; the first of a date that can be taken is ticked."""
    rows, ticked = [], set()
    for day in days:
        tick = day.may_take and day.date not in ticked
        if tick:
            ticked.add(day.date)
        reason = message_for(day.refusals[0].as_error()) if day.refusals else None
        rows.append(
            {
                "need_id": day.need_id,
                "date": short_date(day.date),
                "where": f"{day.practice.name} · {day.room}",
                "period": PERIOD_NAMES[day.period],
                "may_take": day.may_take,
                "ticked": tick,
                "reason": reason,
            }
        )
    return rows


def _event_name(row: Ignored) -> str:
    """The title and date of an event, as far as its calendar gives them."""
    date = short_date(row.date) if row.date else ""
    return " · ".join(part for part in (date, row.title) if part)


def _failure(source: CalendarSource) -> str:
    sentence = MESSAGES.get(source.failure or "")
    # What was wrong once may have had facts that are no longer known.
    return str(sentence).partition("%(")[0].rstrip(" (:") if sentence else ""


def _lines(said: list[Word]) -> list[tuple[Period, list[Word]]]:
    """Two halves that say the same make one line."""
    if len(said) == 2 and (said[0].preference, said[0].summary) == (
        said[1].preference,
        said[1].summary,
    ):
        return [(Period.DAY, said)]
    return [(Period(word.half.value), [word]) for word in sorted(said, key=_by_half)]


def _by_half(word: Word) -> int:
    return list(Half).index(word.half)


def _line(day: dt.date, line: tuple[Period, list[Word]], effect: Effect) -> dict[str, Any]:
    period, said = line
    keys = {(word.date, word.half) for word in said}
    state = "same"
    for name, group in (
        ("outranked", effect.outranked),
        ("changed", effect.changed),
        ("new", effect.new),
    ):
        if any(key in group for key in keys):
            state = name
    preference = said[0].preference
    return {
        "date": short_date(day),
        "period": PERIOD_NAMES[period],
        "preference": preference.value if preference else None,
        "summary": said[0].summary,
        "state": state,
        "state_text": _STATES[state],
    }
