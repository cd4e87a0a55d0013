"""The words of the open days board: a card a day, the list by weeks, and small months."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from babel.lists import format_list
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from scheduler.calendars.holidays import HolidayCalendar
from scheduler.core.errors import RelaisError
from scheduler.people.models import HoldOutcome, Practice
from scheduler.roster.availability_queries import OwnDay
from scheduler.roster.board import Colleague, Licence, OpenDay, Place
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState, Period, days_between, monday_of, month_bounds
from scheduler.roster.taken_days import Recent
from web.board.forms import CALENDAR, LIST, PRESETS, Filters, preset_dates
from web.labels import PERIOD_NAMES, PRIORITY_NAMES, ROLE_NAMES, weekday_names
from web.localisation import (
    moment,
    month_name,
    short_date,
    week_name,
    written,
    written_moment,
)
from web.messages import message_for

# Below that many days nobody has waited: yesterday there was a doctor.
SHORTEST_WAIT = 2
SOON = dt.timedelta(days=14)
SATURDAY = 5


def anchor(day: dt.date) -> str:
    """Where the first card of a date stands on the page."""
    return f"day-{day.isoformat()}"


def card(
    day: OpenDay,
    calendars: Mapping[int, HolidayCalendar],
    reader_id: int | None,
    today: dt.date,
) -> dict[str, Any]:
    """One day of the board, ready to be drawn."""
    calendar = calendars[day.practice.id]
    mine = day.held is not None and day.held.doctor_id == reader_id
    return {
        "need_id": day.need_id,
        "slug": day.practice.slug,
        "practice": day.practice.name,
        "day": short_date(day.date),
        "title": written(day.date, "EEEE d MMMM"),
        "iso": day.date.isoformat(),
        "anchor": None,
        "room": day.room,
        "when": str(PERIOD_NAMES[day.period]),
        "hours": ", ".join(f"{begin:%H:%M}–{end:%H:%M}" for begin, end in day.hours),
        "priority": str(PRIORITY_NAMES[day.priority]) if day.priority > 1 else None,
        "said": day.said.value if day.said else None,
        "declined": day.declined,
        "busy": day.busy,
        "colleagues": [_colleague(each, day) for each in day.colleagues],
        "holiday": calendar.closed.get(day.date),
        "school": calendar.school.get(day.date),
        "waiting": _waiting(day, calendar, today),
        "titular": day.titular,
        "call": _dialled(day.titular.phone if day.titular else None),
        "may_take": day.may_take,
        "passing": list(day.own_limits),
        "barred": day.barred,
        "reasons": [message_for(refusal.as_error()) for refusal in day.refusals],
        "warnings": [message_for(warning.as_error()) for warning in day.warnings],
        "held": _held(day, mine=mine),
        "mine": mine,
    }


def licence(found: Licence | None, filters: Filters, today: dt.date) -> dict[str, Any] | None:
    """What a doctor reads of a licence that does not cover the dates shown; `over` where nothing
    can be theirs any more."""
    if found is None or (found.until is not None and found.until >= filters.end):
        return None
    if found.until is None:
        sentence = _("No licence to replace is on record for you.")
    elif found.until < today:
        sentence = _("Your licence ended on %(date)s.", date=written(found.until, "d MMMM y"))
    else:
        sentence = _(
            "Your licence ends on %(date)s: later days need a new one.",
            date=written(found.until, "d MMMM y"),
        )
    over = found.until is None or found.until < today
    return {"words": sentence, "over": over}


def refused(
    errors: Mapping[int, RelaisError],
    places: Mapping[int, Place],
    cards: Iterable[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The days that could not be taken: which, why, and the card of one that still can be, in
    spite of the doctor's own limits."""
    passable = {card["need_id"]: card for card in cards if card["passing"]}
    return [
        {
            "day": short_date(place.date),
            "place": f"{place.room} · {PERIOD_NAMES[place.period]}",
            "why": message_for(errors[need_id]),
            "card": passable.get(need_id),
        }
        for need_id, place in places.items()
    ]


def weeks(cards: Iterable[tuple[OpenDay, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The cards by week, each date's first card with the date's anchor."""
    found = []
    for monday, group in groupby(cards, key=lambda pair: monday_of(pair[0].date)):
        drawn, seen = [], None
        for day, value in group:
            drawn.append({**value, "anchor": anchor(day.date) if day.date != seen else None})
            seen = day.date
        free = sum(value["held"] is None and not value["barred"] for value in drawn)
        found.append(
            {
                "iso": monday.isoformat(),
                "name": week_name(monday),
                "dates": _week_dates(monday),
                "count": ngettext("%(num)d day", "%(num)d days", free) if free else None,
                "cards": drawn,
            }
        )
    return found


def months(
    days: Sequence[OpenDay],
    own: Iterable[OwnDay],
    calendars: Mapping[int, HolidayCalendar],
    filters: Filters,
    today: dt.date,
) -> list[dict[str, Any]]:
    """The months that the filters touch, small: how many days are open on each date."""
    free = Counter(day.date for day in days if day.held is None)
    held = {day.date for day in days if day.held is not None}
    mine: defaultdict[dt.date, list[OwnDay]] = defaultdict(list)
    for each in own:
        mine[each.date].append(each)
    list_view = filters.but(view=LIST)

    def cell(day: dt.date, first: dt.date) -> dict[str, Any] | None:
        if day.month != first.month:
            return None
        known = calendars.values()
        school = next((each.school[day] for each in known if day in each.school), None)
        closed = next((each.closed[day] for each in known if day in each.closed), None)
        words = [written(day, "EEEE d MMMM")]
        if free[day]:
            words.append(ngettext("one open day", "%(num)d open days", free[day]))
        if day in held:
            words.append(_("held"))
        words += [_("yours: %(place)s", place=each.practice) for each in mine[day]]
        words += [name for name in (closed, school) if name]
        linked = bool(free[day]) or day in held
        return {
            "num": day.day,
            "href": list_view.href(_anchor=anchor(day)) if linked else None,
            "label": ", ".join(words),
            "free": free[day],
            "held": day in held,
            "mine": bool(mine[day]),
            "today": day == today,
            "outside": not filters.start <= day <= filters.end,
            "closed": closed is not None or (day.weekday() >= SATURDAY and not linked),
            "school": school is not None,
        }

    found, first = [], filters.start.replace(day=1)
    while first <= filters.end:
        last = month_bounds(first)[1]
        begin, end = monday_of(first), monday_of(last) + dt.timedelta(days=6)
        cells = [cell(day, first) for day in days_between(begin, end)]
        rows = [cells[at : at + 7] for at in range(0, len(cells), 7)]
        found.append({"name": month_name(first).capitalize(), "weeks": rows})
        first = last + dt.timedelta(days=1)
    return found


def weekday_letters() -> list[tuple[str, str]]:
    """The first letter and the name of each day of the week, Monday first."""
    return [(name[0].upper(), name) for name in weekday_names("EEEE")]


def presets(filters: Filters, today: dt.date) -> list[dict[str, Any]]:
    """The named periods as tabs."""
    found = []
    for preset, label in PRESETS.items():
        start, end = preset_dates(preset, today)
        changed = filters.but(preset=preset, start=start, end=end)
        found.append({"label": label, "href": changed.href(), "current": filters.preset == preset})
    return found


def views(filters: Filters) -> list[dict[str, Any]]:
    """List or calendar, as tabs of the phone."""
    return [
        {
            "label": label,
            "icon": icon,
            "href": filters.but(view=view).href(),
            "current": filters.view == view,
        }
        for view, label, icon in (
            (LIST, _("List"), "day"),
            (CALENDAR, _("Calendar"), "month"),
        )
    ]


def chosen(filters: Filters) -> list[dict[str, str]]:
    """What is filtered by, each with an address without it."""
    found = []
    if filters.practice is not None:
        found.append({"label": filters.practice.name, "href": filters.but(practice=None).href()})
    names = weekday_names("EEEE")
    for number in sorted(filters.weekdays):
        without = filters.but(weekdays=filters.weekdays - {number})
        found.append({"label": names[number], "href": without.href()})
    return found


def dates(filters: Filters) -> str:
    """« du 23 nov. au 23 févr. 2027 », in words that suit both languages."""
    return _(
        "%(start)s to %(end)s",
        start=written(filters.start, "d MMM"),
        end=written(filters.end, "d MMM y"),
    )


def recent(rows: Iterable[Recent], *, many: bool) -> list[dict[str, Any]]:
    """The reader's own days of the last minutes, and those that wait for a titular; `many`
    practices are told apart by their names."""
    return [
        {
            "row": row,
            "day": short_date(row.date),
            "title": written(row.date, "EEEE d MMMM"),
            "place": " · ".join(
                [*([row.practice.name] if many else []), row.room, str(PERIOD_NAMES[row.period])]
            ),
            "held": row.held_until and _("held until %(time)s", time=moment(row.held_until)),
            "undo": row.undo_until
            and _("can be undone until %(time)s", time=written_moment(row.undo_until, "HH:mm")),
        }
        for row in rows
    ]


def taken(assignment: Assignment, practice: Practice, confirmers: Sequence[str]) -> str:
    """What is said to whoever has just taken a day."""
    if assignment.state is not AssignmentState.HELD or assignment.held_until is None:
        return _("%(date)s is yours. Thank you.", date=short_date(assignment.date))
    sentence = _(
        "%(date)s is held for you until %(time)s: %(who)s confirms it.",
        date=short_date(assignment.date),
        time=moment(assignment.held_until),
        who=_any_of(confirmers) or _("a titular doctor"),
    )
    if practice.hold_outcome is HoldOutcome.CONFIRM:
        otherwise = _("Without a word by then, it is yours.")
    else:
        otherwise = _("Without a word by then, it is free again.")
    return f"{sentence} {otherwise}"


def _any_of(names: Sequence[str]) -> str:
    return str(format_list(list(names), style="or", locale=get_locale()))


def _colleague(colleague: Colleague, day: OpenDay) -> str:
    """« Hugo Roux, interne, Salle 2 (matin) »"""
    parts = [colleague.name]
    if colleague.role is not None:
        parts.append(str(ROLE_NAMES[colleague.role]).lower())
    parts.append(colleague.room)
    words = ", ".join(parts)
    if colleague.period not in (Period.DAY, day.period):
        words += f" ({str(PERIOD_NAMES[colleague.period]).lower()})"
    return words


def _waiting(day: OpenDay, calendar: HolidayCalendar, today: dt.date) -> str | None:
    """For how many of its days the house will have had no doctor; of the near days only, since
    further ones have time to fill before them."""
    if day.last_doctor is None or day.date > today + SOON:
        return None
    waited = days_between(day.last_doctor + dt.timedelta(days=1), day.date)
    days = sum(each.weekday() < SATURDAY and each not in calendar.closed for each in waited)
    if days < SHORTEST_WAIT:
        return None
    return ngettext(
        "patients without a doctor for %(num)d day",
        "patients without a doctor for %(num)d days",
        days,
    )


def _held(day: OpenDay, *, mine: bool) -> str | None:
    if day.held is None:
        return None
    if mine:
        return _("Held for you until %(time)s", time=moment(day.held.until))
    return _("Held for %(who)s until %(time)s", who=day.held.doctor, time=moment(day.held.until))


def _dialled(phone: str | None) -> str | None:
    """A number as the address of a call takes it: digits, and the plus in front."""
    if phone is None:
        return None
    digits = "".join(sign for sign in phone if sign.isdecimal())
    return ("+" if phone.strip().startswith("+") else "") + digits if digits else None


def _week_dates(monday: dt.date) -> str:
    sunday = monday + dt.timedelta(days=6)
    first = "d MMM" if monday.month != sunday.month else "d"
    dash = " – " if first == "d MMM" else "–\u2060"
    return written(monday, first) + dash + written(sunday, "d MMM")
