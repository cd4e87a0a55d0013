"""The month of availabilities as a page: what is read for it, and how it is put together."""

from __future__ import annotations

import datetime as dt

from flask import render_template, request
from flask.typing import ResponseReturnValue

from scheduler.calendars.holidays import HolidayCalendar, holiday_calendar
from scheduler.people.models import Practice
from scheduler.roster import availability_queries
from scheduler.roster.availability_rules import busy_halves, expand, last_day_to_plan
from scheduler.roster.rules import Period, add_months
from web.availabilities import month as months
from web.availabilities.forms import ExceptForm, NoteForm, RangeForm, WeeklyForm, weekday_name
from web.availabilities.place import Place, memberships
from web.database import session
from web.identity import home_practice, identity, today
from web.localisation import current_locale


def closed_days(place: Place, holidays: HolidayCalendar) -> dict[dt.date, str]:
    """The dates that the answers are of no use for, with their names."""
    # Another practice may open on a date that this one added itself.
    alone = place.only is not None or len(place.practices) == 1
    return dict(holidays.closed if alone else holidays.public)


def holidays_of(place: Place) -> HolidayCalendar:
    """The holidays of the practice spoken of, or of the one last looked at."""
    reference = place.only or home_practice(identity()) or place.practices[0]
    practice = session().get_one(Practice, reference.id)
    return holiday_calendar(session(), practice, place.first, place.last, current_locale())


def days_to_skip(place: Place) -> set[dt.date]:
    """The closed dates on which nothing is to fill all the same."""
    here = [each for each in memberships() if place.practice_id in (None, each.practice_id)]
    needed = availability_queries.needs_to_fill(session(), here, place.first, place.last)
    return set(closed_days(place, holidays_of(place))) - set(needed)


def month_page(
    place: Place,
    range_form: RangeForm | None = None,
    weekly_form: WeeklyForm | None = None,
    except_form: ExceptForm | None = None,
    note_form: NoteForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The month, with whatever form was refused in the place of a fresh one."""
    first, last, now = place.first, place.last, today()
    said = availability_queries.availabilities_between(session(), [place.doctor_id], first, last)
    own = availability_queries.own_days(session(), place.doctor_id, first, last)
    here = [each for each in memberships() if place.practice_id in (None, each.practice_id)]
    outlook = availability_queries.outlook(
        session(), place.doctor_id, here, first, now, said[place.doctor_id]
    )
    notes = availability_queries.note_texts(session(), place.doctor_id, first, last)
    answered_at = availability_queries.answered_at(session(), place.doctor_id, first)
    holidays = holidays_of(place)
    half_days = expand(*said[place.doctor_id], first, last, place.practice_id)
    busy = busy_halves(said[place.doctor_id].explicit, said[place.doctor_id].imported)
    begin = min(max(first, now), last_day_to_plan(now))
    weeks = months.weeks_of(
        months.Month(first, now, half_days, own, outlook.by_date, notes, busy),
        holidays,
        closed_days(place, holidays),
    )
    page = render_template(
        "availabilities/month.html",
        place=place,
        weeks=weeks,
        weekdays=[weekday_name(weekday, "EEE") for weekday in range(7)],
        period=request.args.get("period", Period.DAY.value),
        preference=request.args.get("preference", ""),
        previous=place.href(first=add_months(first, -1)),
        next=place.href(first=add_months(first, 1)),
        current=place.href(first=now),
        is_current=first <= now <= last,
        is_open=now <= last and first <= last_day_to_plan(now),
        before=add_months(first, -1),
        invitation=months.invitation(outlook, first, answered=answered_at is not None),
        answer=months.answer_line(answered_at, half_days, own),
        notes=notes,
        own=own,
        school=months.stretches(holidays.school),
        school_unknown_from=holidays.school_unknown_from,
        repetitions=availability_queries.repetitions_of(session(), place.doctor_id, now),
        rhythm=months.rhythm,
        now=now,
        range_form=range_form
        or RangeForm(formdata=None, start=begin, end=max(begin, last), weekdays=[0, 1, 2, 3, 4]),
        weekly_form=weekly_form or WeeklyForm(formdata=None, start=begin),
        except_form=except_form
        or ExceptForm(formdata=None, start=begin, end=max(begin, last), weekdays=[5, 6]),
        note_form=note_form or NoteForm(formdata=None, day=begin),
    )
    return page, status
