"""The week, the month, the panel of one day, and taking a day or giving it back."""

from __future__ import annotations

import datetime as dt

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.calendars.holidays import holiday_calendar
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Subject, can, require
from scheduler.roster import assignments, claiming, history, queries, releasing
from scheduler.roster.legality import OWN_LIMITS
from scheduler.roster.queries import Coverage, NeedDetail
from scheduler.roster.rules import (
    AssignmentState,
    NeedState,
    add_months,
    monday_of,
    month_bounds,
    parse_month,
    parse_week,
)
from scheduler.roster.sheet import sheet_of
from web.database import session
from web.door import door, public_address
from web.forms import sent_key
from web.identity import actor, practice, practice_blueprint, today
from web.labels import PERIOD_NAMES, PRIORITY_NAMES, ROLE_NAMES, weekday_names
from web.localisation import (
    current_locale,
    iso_week,
    long_date,
    short_date,
    week_dates,
    week_name,
)
from web.messages import message_for
from web.roster import history as told
from web.roster import lines, panel, presenter, reading
from web.roster.forms import ReleaseForm
from web.roster.reading import Rights

blueprint = practice_blueprint("roster", __name__)


@blueprint.get("/week/")
@blueprint.get("/week/<week>")
def week(week: str | None = None) -> ResponseReturnValue:
    """The roster of a week, in the address like ``2026-W48``; of this week where none is named."""
    require(actor(), Action.ROSTER_VIEW, Subject(practice().id))
    monday = monday_of(today()) if week is None else _monday(week)
    sunday = monday + dt.timedelta(days=6)
    rights = Rights.of(actor(), practice().id)
    found = reading.read(session(), practice(), monday, today(), rights, current_locale())
    drawn = presenter.week(
        found.entries,
        practice().rooms,
        found.holidays,
        monday=monday,
        today=today(),
        reader_id=actor().user_id,
        lines=lines.lines(found, rights, today()),
    )
    sheet = sheet_of(found.entries, found.doctors, found.presences, found.advice, monday, sunday)
    return render_template(
        "roster/week.html",
        week=drawn,
        monday=monday,
        title=week_dates(monday),
        is_current=monday == monday_of(today()),
        coverage=Coverage.of(found.entries, practice().weekly_minimum, today()),
        strip=lines.strip(found, practice().weekly_minimum, today()),
        door=door(practice(), sheet, found.holidays.closed, today()),
        public_address=public_address(practice()),
        next_day=None
        if found.entries
        else queries.next_published(session(), practice().id, sunday),
        open_for=None if sunday < today() else _what_next(),
        addresses={
            "previous": url_for(".week", week=iso_week(monday - presenter.WEEK)),
            "today": url_for(".week", _anchor=presenter.day_anchor(today())),
            "next": url_for(".week", week=iso_week(monday + presenter.WEEK)),
            "month": url_for(".month", month=f"{monday + dt.timedelta(days=3):%Y-%m}"),
            "door": url_for("documents.door", week=iso_week(monday)),
        },
    )


@blueprint.get("/month/")
@blueprint.get("/month/<month>")
def month(month: str | None = None) -> ResponseReturnValue:
    """The roster of a month, in the address like ``2026-11``; of this one where none is named."""
    require(actor(), Action.ROSTER_VIEW, Subject(practice().id))
    first = today().replace(day=1) if month is None else _first_of(month)
    mondays = presenter.mondays(first)
    start, end = mondays[0], mondays[-1] + dt.timedelta(days=6)
    entries = queries.roster_between(session(), practice().id, start, end)
    holidays = holiday_calendar(session(), practice(), start, end, current_locale())
    last = month_bounds(first)[1]
    within = [entry for entry in entries if first <= entry.date <= last]
    return render_template(
        "roster/month.html",
        weeks=presenter.month(entries, practice().rooms, holidays, first=first, today=today()),
        weekdays=weekday_names(),
        first=first,
        is_current=first == today().replace(day=1),
        coverage=Coverage.of(within, 0, today()),
        open_for=None if last < today() else _what_next(),
        addresses={
            "previous": url_for(".month", month=f"{add_months(first, -1):%Y-%m}"),
            "today": url_for(".month"),
            "next": url_for(".month", month=f"{add_months(first, 1):%Y-%m}"),
            "week": url_for(".week", week=iso_week(max(first, min(today(), last)))),
        },
    )


@blueprint.get("/needs/<int:need_id>")
def need(need_id: int) -> ResponseReturnValue:
    """One day to fill or filled: the side panel of the week, and a page of its own."""
    require(actor(), Action.ROSTER_VIEW, Subject(practice().id))
    return _need_page(need_id)


@blueprint.post("/needs/<int:need_id>/claim")
def claim(need_id: int) -> ResponseReturnValue:
    """Take the day; who comes second reads on the day's page who was first."""
    queries.need_detail(session(), practice(), need_id)
    passing = set(request.form.getlist("passing")) & OWN_LIMITS
    try:
        taken = claiming.claim(session(), actor(), need_id, passing=passing, key=sent_key())
    except (Conflict, RuleBroken) as error:
        return _need_page(need_id, problem=error), 409
    held = taken.state is AssignmentState.HELD
    thanks = (
        _(
            "%(date)s is held for you until a titular doctor confirms it.",
            date=short_date(taken.date),
        )
        if held
        else _("%(date)s is yours. Thank you.", date=short_date(taken.date))
    )
    flash(thanks, "success")
    return redirect(_day_address(taken.date))


@blueprint.post("/assignments/<int:assignment_id>/undo")
def undo(assignment_id: int) -> ResponseReturnValue:
    """Undo that the day was taken, minutes ago."""
    need_id = queries.need_of_assignment(session(), practice().id, assignment_id)
    try:
        undone = claiming.undo(session(), actor(), assignment_id)
    except (Conflict, RuleBroken) as error:
        return _need_page(need_id, problem=error), 409
    flash(_("Undone: %(date)s is free again.", date=short_date(undone.date)), "info")
    return redirect(_day_address(undone.date))


@blueprint.post("/assignments/<int:assignment_id>/release")
def release(assignment_id: int) -> ResponseReturnValue:
    """Give the day back, or ask the titulars for it where it is late."""
    need_id = queries.need_of_assignment(session(), practice().id, assignment_id)
    day = assignments.visible(session(), actor(), assignment_id)
    form = ReleaseForm()
    form.validate()
    asks = panel.needs_titular(day, practice(), actor(), today())
    use_case = releasing.request_release if asks else releasing.release
    # Whoever is no titular only ever passes on what a doctor asked for.
    behalf = day.doctor_id != actor().user_id and (asks or form.on_behalf.data)
    try:
        use_case(session(), actor(), assignment_id, form.reason.data or "", on_behalf=behalf)
    except InvalidInput as error:
        form.refuse(error)
        return _need_page(need_id, form=form), 422
    except (Conflict, RuleBroken) as error:
        return _need_page(need_id, problem=error), 409
    if asks:
        flash(_("The titular doctors are asked. Until they agree, the day stays as it is."), "info")
    else:
        flash(_("%(date)s is to fill again.", date=short_date(day.date)), "success")
    return redirect(_day_address(day.date))


@blueprint.post("/requests/<int:request_id>/withdraw")
def withdraw_request(request_id: int) -> ResponseReturnValue:
    """Take back that one asked to be released: the doctor comes after all."""
    asked = releasing.withdraw_request(session(), actor(), request_id)
    flash(_("The request is taken back. The day stays as it is."), "info")
    need_id = queries.need_of_assignment(session(), practice().id, asked.assignment_id)
    return redirect(url_for(".need", need_id=need_id))


def _need_page(
    need_id: int, *, form: ReleaseForm | None = None, problem: RelaisError | None = None
) -> str:
    detail = queries.need_detail(session(), practice(), need_id)
    found, holder = detail.need, detail.holder
    upcoming = found.date >= today()
    here = Subject(practice().id)
    return render_template(
        "roster/need.html",
        detail=detail,
        need=found,
        title=long_date(found.date),
        state=presenter.state(found.date, holder.assignment.state if holder else None, today()),
        problem=message_for(problem) if problem else None,
        hours=_hours(detail),
        period=PERIOD_NAMES[found.period],
        priority=PRIORITY_NAMES[found.priority],
        roles=", ".join(str(ROLE_NAMES[role]) for role in detail.roles),
        history=told.shown(
            history.readable(
                history.events_of(session(), practice(), need_id),
                actor().user_id,
                all_of_it=can(actor(), Action.RELEASE_DECIDE, here),
            )
        ),
        moment=told.moment,
        claim=panel.claim_choice(detail, practice(), actor()) if upcoming else None,
        choices=panel.choices(detail, practice(), actor(), today()),
        absence=panel.absence(detail, practice(), actor()) if upcoming else None,
        own=holder is not None and holder.assignment.doctor_id == actor().user_id,
        form=form or ReleaseForm(formdata=None),
        may_withdraw=upcoming and detail.is_open and can(actor(), Action.NEED_WITHDRAW, here),
        may_see_candidates=upcoming
        and found.state is NeedState.PUBLISHED
        and can(actor(), Action.CANDIDATES_VIEW, here),
        back=_day_address(found.date),
        week_label=week_name(found.date),
    )


def _hours(detail: NeedDetail) -> list[tuple[dt.time, dt.time]]:
    place = practice()
    hours = {"am": (place.am_start, place.am_end), "pm": (place.pm_start, place.pm_end)}
    return [hours[half.value] for half in detail.need.period.halves]


def _what_next() -> str | None:
    """What the reader can do about days without needs: publish them, or say when to come."""
    if can(actor(), Action.NEED_PUBLISH, Subject(practice().id)):
        return "publish"
    if can(actor(), Action.AVAILABILITY_EDIT, Subject(practice().id, actor().user_id)):
        return "availabilities"
    return None


def _day_address(day: dt.date) -> str:
    return url_for("roster.week", week=iso_week(day), _anchor=presenter.day_anchor(day))


def _monday(text: str) -> dt.date:
    try:
        return parse_week(text)
    except ValueError:
        raise NotFound("week_not_found", week=text) from None


def _first_of(text: str) -> dt.date:
    try:
        return parse_month(text)
    except ValueError:
        raise NotFound("month_not_found", month=text) from None
