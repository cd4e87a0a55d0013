"""The lines below the rooms of a week: who else is there, who is on call, whom to call."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.roster.rules import Half, Period, days_between
from scheduler.roster.week_queries import DoctorFacts, OpenMatters, licence_troubles
from web.labels import PERIOD_NAMES, ROLE_NAMES, dialled
from web.localisation import iso_week, week_name, written
from web.roster.reading import WEEK, Reading, Rights

Items = list[dict[str, Any]]


def lines(reading: Reading, rights: Rights, today: dt.date) -> list[dict[str, Any]]:
    """The value `week.lines` of `components/week.html`; a line without any word is left out."""
    found = [
        _line(_("Supervisor"), "user", _supervisors(reading, rights)),
        *_presences(reading),
        _line(_("On call"), "bell", _on_call(reading, rights, today)),
        _line(_("Urgent patients"), "info", _advice(reading, rights, today), listed=False),
    ]
    if rights.front_desk:
        found += [
            _line(_("Phone"), "phone", _phones(reading)),
            _line(_("Licence"), "warning", _licences(reading, today)),
            _line(_("Open questions"), "inbox", _matters(reading)),
        ]
    return [
        {**line, "cells": _seven(reading, line["by_date"])} for line in found if line["by_date"]
    ]


def _line(
    label: str, icon: str, by_date: dict[dt.date, Items], *, note: str = "", listed: bool = True
) -> dict[str, Any]:
    return {"label": label, "note": note, "icon": icon, "listed": listed, "by_date": by_date}


def _seven(reading: Reading, by_date: dict[dt.date, Items]) -> list[Items]:
    return [by_date.get(day, []) for day in _days(reading)]


def _days(reading: Reading) -> Iterable[dt.date]:
    return days_between(reading.monday, reading.monday + WEEK - dt.timedelta(days=1))


def _item(text: str, href: str | None = None, **more: Any) -> dict[str, Any]:
    """One word of a cell; `panel` opens the link in the side panel, `missing` says to act."""
    return {"text": text, "href": href, "note": "", "missing": False, "panel": True, **more}


def _by_date(dates: Iterable[tuple[dt.date, dict[str, Any]]]) -> dict[dt.date, Items]:
    found: dict[dt.date, Items] = defaultdict(list)
    for date, item in dates:
        found[date].append(item)
    return found


def _supervisors(reading: Reading, rights: Rights) -> dict[dt.date, Items]:
    items = {}
    for one in reading.supervisions:
        if one.supervisor is None:
            item = _item(_("Nobody named"), note=_("for %(who)s", who=one.intern), missing=True)
        else:
            item = _item(one.supervisor.name, note=_("for %(who)s", who=one.intern))
            if rights.supervisor_phone:
                item |= _call(one.supervisor)
        # Morning and afternoon of one intern are one word.
        items[one.date, item["text"], one.intern] = item
    return _by_date((date, item) for (date, *_names), item in items.items())


def _call(doctor: DoctorFacts) -> dict[str, Any]:
    number = dialled(doctor.phone)
    return {"phone": doctor.phone, "href": f"tel:{number}", "panel": False} if number else {}


def _presences(reading: Reading) -> list[dict[str, Any]]:
    by_member: dict[int, dict[dt.date, Items]] = defaultdict(dict)
    names: dict[int, tuple[str, str]] = {}
    for one in reading.presences:
        names[one.member_id] = (one.name, one.profession or str(ROLE_NAMES[one.role]))
        word = _("There") if one.period is Period.DAY else str(PERIOD_NAMES[one.period])
        by_member[one.member_id][one.date] = [_item(word)]
    return [
        _line(names[member][0], "check", by_date, note=names[member][1])
        for member, by_date in by_member.items()
    ]


def _on_call(reading: Reading, rights: Rights, today: dt.date) -> dict[dt.date, Items]:
    found: dict[dt.date, Items] = {}
    for day in _days(reading):
        duty = reading.duties.get(day)
        halves = reading.halves_without_doctor(day)
        if not halves or (duty is None and len(halves) < len(Half)):
            continue
        href = url_for("desk.day", date=day.isoformat()) if rights.set_duty else None
        if duty is not None:
            note = "" if len(halves) == len(Half) else str(PERIOD_NAMES[Period(halves[0].value)])
            found[day] = [_item(duty.name, href, note=note)]
        elif day >= today and reading.entries and reading.is_open(day):
            found[day] = [_item(_("Nobody yet"), href, missing=True)]
    return found


def _advice(reading: Reading, rights: Rights, today: dt.date) -> dict[dt.date, Items]:
    found: dict[dt.date, Items] = {}
    # A week of which nothing is published yet is no week of days without a doctor.
    for day in _days(reading) if reading.entries else ():
        if not reading.without_doctor(day):
            continue
        text = reading.advice.get(day.weekday())
        if text:
            found[day] = [_item(text, url_for("desk.day", date=day.isoformat()), long=True)]
        elif rights.write_advice and day >= today and reading.is_open(day):
            href = url_for("desk.advice", _anchor=f"day_{day.weekday()}")
            found[day] = [_item(_("Say where to go"), href, missing=True, panel=False)]
    return found


def _phones(reading: Reading) -> dict[dt.date, Items]:
    items: dict[tuple[dt.date, int], dict[str, Any]] = {}
    on_day: dict[dt.date, set[int]] = defaultdict(set)
    for entry in reading.entries:
        if entry.doctor_id is not None:
            on_day[entry.date].add(entry.doctor_id)
    for entry in reading.entries:
        doctor = reading.doctors.get(entry.doctor_id or 0)
        number = dialled(doctor.phone) if doctor else None
        if doctor is None or number is None:
            continue
        name = (entry.family_name or "") if len(on_day[entry.date]) > 1 else ""
        items[entry.date, doctor.user_id] = _item(
            (doctor.phone or "").replace(" ", "\u00a0"),
            f"tel:{number}",
            note=name,
            panel=False,
            spoken=_("Call %(who)s", who=doctor.name),
        )
    return _by_date((date, item) for (date, _doctor), item in items.items())


def _licences(reading: Reading, today: dt.date) -> dict[dt.date, Items]:
    found = {}
    for trouble in licence_troubles(reading.entries, reading.doctors):
        note = _("no licence")
        if trouble.until is not None:
            until = written(trouble.until, "d MMM")
            over = trouble.until < today
            note = _("ended on %(date)s", date=until) if over else _("ends on %(date)s", date=until)
        href = url_for("roster.need", need_id=trouble.need_id)
        found[trouble.date, trouble.name] = _item(trouble.name, href, note=note, missing=True)
    return _by_date((date, item) for (date, _name), item in found.items())


def _matters(reading: Reading) -> dict[dt.date, Items]:
    def words(matter: OpenMatters) -> Iterable[str]:
        if matter.asks:
            yield ngettext("%(num)d question", "%(num)d questions", matter.asks)
        if matter.requests:
            yield _("Asks to be released")
        if matter.held:
            yield _("To confirm")

    return _by_date(
        (matter.date, _item(word, url_for("roster.need", need_id=matter.need_id)))
        for matter in reading.matters
        for word in words(matter)
    )


def strip(reading: Reading, minimum: int, today: dt.date) -> list[dict[str, Any]]:
    """The weeks to come as links: which of them have something to fill."""
    found = []
    for week in reading.ahead:
        over = week.monday + WEEK <= today
        below = bool(week.half_days) and week.days_with_doctor < minimum and not over
        words = []
        if not week.half_days:
            words.append(_("nothing published"))
        if week.to_fill:
            words.append(
                ngettext("%(num)d half-day to fill", "%(num)d half-days to fill", week.to_fill)
            )
        if below:
            words.append(_("below the minimum"))
        state = "to-fill" if week.to_fill or below else "full" if week.half_days else "none"
        found.append(
            {
                "label": week_name(week.monday),
                "href": url_for("roster.week", week=iso_week(week.monday)),
                "state": "past" if over else state,
                "below": below,
                "words": ", ".join(words) or _("everything is filled"),
                "current": week.monday == reading.monday,
            }
        )
    return found
