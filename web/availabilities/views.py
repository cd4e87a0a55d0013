"""My availabilities: a month to tap or draw over, stretches of days, weekly repetitions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.calendars.holidays import holiday_calendar
from scheduler.core.errors import Forbidden, InvalidInput, NotFound
from scheduler.core.permissions import Action, Membership, Subject, can
from scheduler.people.models import Practice
from scheduler.people.queries import PracticeRef
from scheduler.roster import availabilities, availability_queries
from scheduler.roster.availability_rules import expand, last_day_to_plan
from scheduler.roster.rules import Period, Preference, add_months, month_bounds, parse_month
from web.availabilities import month as months
from web.availabilities.forms import (
    NONE,
    DaysForm,
    EndForm,
    RangeForm,
    WeeklyForm,
    preference_of,
    weekday_name,
)
from web.database import session
from web.errors import wants_json
from web.identity import actor, home_practice, identity, today
from web.localisation import current_locale
from web.messages import message_for

blueprint = Blueprint("availabilities", __name__, url_prefix="/availabilities")


@dataclass(frozen=True)
class Place:
    """Where on the page somebody is: a month, and the practice that the answers are for."""

    first: dt.date
    doctor_id: int
    practices: tuple[PracticeRef, ...]
    only: PracticeRef | None

    @property
    def last(self) -> dt.date:
        return month_bounds(self.first)[1]

    @property
    def practice_id(self) -> int | None:
        return self.only.id if self.only else None

    def href(self, endpoint: str = "month", first: dt.date | None = None, **values: Any) -> str:
        return url_for(
            f"availabilities.{endpoint}",
            month=f"{first or self.first:%Y-%m}",
            practice=self.only.slug if self.only else None,
            **values,
        )


@blueprint.before_request
def only_doctors() -> None:
    me = actor()
    if not can(me, Action.AVAILABILITY_EDIT, Subject(None, me.user_id)):
        raise Forbidden("availabilities_of_doctors", action=Action.AVAILABILITY_EDIT.value)


def _memberships() -> tuple[Membership, ...]:
    """The memberships in which the actor works as a doctor."""
    me = actor()
    return tuple(
        each
        for each in me.memberships
        if can(me, Action.AVAILABILITY_EDIT, Subject(each.practice_id, me.user_id))
    )


def _place(month: str | None) -> Place:
    who = identity()
    if who.actor.user_id is None:
        raise NotFound
    try:
        first = parse_month(month) if month else today().replace(day=1)
    except ValueError:
        raise NotFound from None
    mine = {each.practice_id for each in _memberships()}
    practices = tuple(each for each in who.practices if each.id in mine)
    slug = request.args.get("practice")
    only = next((each for each in practices if each.slug == slug), None)
    if slug and only is None:
        raise NotFound("practice_not_found")
    return Place(first, who.actor.user_id, practices, only)


@blueprint.get("/")
@blueprint.get("/<month>")
def month(month: str | None = None) -> ResponseReturnValue:
    return _page(_place(month))


@blueprint.post("/<month>/days")
def set_days(month: str) -> ResponseReturnValue:
    """Answer for the days tapped, or move them one step on."""
    place = _place(month)
    form = DaysForm()
    if not form.validate():
        raise InvalidInput("availability_unreadable", field="day")
    days, period, chosen = form.day.data, Period(form.period.data), form.preference.data
    common = (session(), actor(), place.doctor_id, days, period)
    if chosen:
        availabilities.set_days(*common, preference_of(chosen), place.practice_id)
    else:
        availabilities.cycle_days(*common, place.practice_id)
    if wants_json():
        said = availability_queries.availabilities_between(
            session(), [place.doctor_id], min(days), max(days)
        )
        return jsonify(days=months.answer(said[place.doctor_id], days, place.practice_id))
    # Without scripts the page comes anew: what was chosen above the grid stays chosen.
    return redirect(place.href(period=period.value, preference=chosen or None))


@blueprint.post("/<month>/range")
def set_range(month: str) -> ResponseReturnValue:
    place = _place(month)
    form = RangeForm()
    if not form.validate():
        return _page(place, range_form=form, status=422)
    try:
        days = availabilities.set_range(
            session(),
            actor(),
            place.doctor_id,
            form.start.data,
            form.end.data,
            form.weekdays.data,
            Period(form.period.data),
            preference_of(form.preference.data),
            place.practice_id,
        )
    except InvalidInput as error:
        form.refuse(error)
        return _page(place, range_form=form, status=422)
    flash(ngettext("One day noted.", "%(num)d days noted.", len(days)), "success")
    if form.preference.data == NONE:
        _tell_what_stays(place, days)
    return redirect(place.href(first=_nearest_month(place, days[0], days[-1])))


@blueprint.post("/<month>/weekly")
def add_weekly(month: str) -> ResponseReturnValue:
    place = _place(month)
    form = WeeklyForm()
    if not form.validate():
        return _page(place, weekly_form=form, status=422)
    try:
        availabilities.add_weekly(
            session(),
            actor(),
            place.doctor_id,
            form.weekday.data,
            Period(form.period.data),
            Preference(form.preference.data),
            form.start.data,
            form.end.data,
            form.interval_weeks.data,
            place.practice_id,
        )
    except InvalidInput as error:
        form.refuse(error)
        return _page(place, weekly_form=form, status=422)
    flash(_("This now comes again every week you chose."), "success")
    return redirect(place.href(first=_nearest_month(place, form.start.data, form.end.data)))


@blueprint.post("/<month>/weekly/<int:weekly_id>/end")
def end_weekly(month: str, weekly_id: int) -> ResponseReturnValue:
    place = _place(month)
    form = EndForm()
    if not form.validate():
        return _refused(place, InvalidInput("availability_unreadable", field="end"))
    try:
        availabilities.end_weekly(session(), actor(), weekly_id, form.end.data)
    except InvalidInput as error:
        return _refused(place, error)
    flash(_("This repetition now has a last day."), "success")
    return redirect(place.href())


@blueprint.post("/<month>/weekly/<int:weekly_id>/remove")
def remove_weekly(month: str, weekly_id: int) -> ResponseReturnValue:
    place = _place(month)
    availabilities.remove_weekly(session(), actor(), weekly_id)
    flash(_("This repetition is over. Days that are yours already stay yours."), "success")
    return redirect(place.href())


def _refused(place: Place, error: InvalidInput) -> ResponseReturnValue:
    """The page again, with what a form of a few words got wrong on top of it."""
    flash(message_for(error), "error")
    return _page(place, status=422)


def _nearest_month(place: Place, start: dt.date, end: dt.date | None) -> dt.date:
    """The month being looked at where the days touch it, else the first one they do."""
    touches = start <= place.last and (end is None or end >= place.first)
    return place.first if touches else start.replace(day=1)


def _tell_what_stays(place: Place, days: list[dt.date]) -> None:
    own = availability_queries.own_days(session(), place.doctor_id, days[0], days[-1])
    stays = len({day.date for day in own} & set(days))
    if stays:
        flash(
            ngettext(
                "One of these days is yours already and stays yours. To give it back, open it.",
                "%(num)d of these days are yours already and stay yours. "
                "To give one back, open it.",
                stays,
            ),
            "warning",
        )


def _page(
    place: Place,
    range_form: RangeForm | None = None,
    weekly_form: WeeklyForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    first, last, now = place.first, place.last, today()
    said = availability_queries.availabilities_between(session(), [place.doctor_id], first, last)
    own = availability_queries.own_days(session(), place.doctor_id, first, last)
    memberships = [m for m in _memberships() if place.practice_id in (None, m.practice_id)]
    needed = availability_queries.needs_to_fill(session(), memberships, max(first, now), last)
    reference = place.only or home_practice(identity()) or place.practices[0]
    practice = session().get_one(Practice, reference.id)
    holidays = holiday_calendar(session(), practice, first, last, current_locale())
    # Another practice may open on a date that this one added itself.
    alone = place.only is not None or len(place.practices) == 1
    closed = holidays.closed if alone else holidays.public
    half_days = expand(*said[place.doctor_id], first, last, place.practice_id)
    begin = min(max(first, now), last_day_to_plan(now))
    page = render_template(
        "availabilities/month.html",
        place=place,
        weeks=months.weeks_of(first, now, half_days, own, needed, holidays, closed),
        weekdays=[weekday_name(weekday, "EEE") for weekday in range(7)],
        period=request.args.get("period", Period.DAY.value),
        preference=request.args.get("preference", ""),
        previous=place.href(first=add_months(first, -1)),
        next=place.href(first=add_months(first, 1)),
        current=place.href(first=now),
        is_current=first <= now <= last,
        to_fill=months.to_fill_sentence(len(needed)),
        own=own,
        school=months.stretches(holidays.school),
        school_unknown_from=holidays.school_unknown_from,
        repetitions=availability_queries.repetitions_of(session(), place.doctor_id, now),
        rhythm=months.rhythm,
        now=now,
        range_form=range_form
        or RangeForm(formdata=None, start=begin, end=max(begin, last), weekdays=[0, 1, 2, 3, 4]),
        weekly_form=weekly_form or WeeklyForm(formdata=None, start=begin),
    )
    return page, status
