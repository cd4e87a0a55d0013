"""Week patterns, publishing days from them, withdrawing one, and the practice's own dates."""

from __future__ import annotations

import datetime as dt

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from scheduler.calendars import service as calendars
from scheduler.calendars.holidays import HolidayCalendar, holiday_calendar
from scheduler.calendars.models import HolidayKind
from scheduler.calendars.queries import holidays_of
from scheduler.core.errors import Conflict, InvalidInput
from scheduler.core.permissions import Action, Subject, require
from scheduler.roster import needs, patterns, queries
from scheduler.roster.models import WeekPattern
from web.database import session
from web.identity import actor, practice, practice_blueprint, today
from web.labels import weekday_names
from web.localisation import current_locale, iso_week, short_date
from web.needs import presenter
from web.needs.forms import (
    ConfirmForm,
    HolidayForm,
    PatternForm,
    PublishForm,
    pattern_form,
)

blueprint = practice_blueprint("needs", __name__)
# Keeps the fields of the own dates apart from those of the period on the same page.
OWN = "own-"


@blueprint.get("/days/")
def publish() -> ResponseReturnValue:
    """What publishing a pattern in a period would do; the next days where none are asked."""
    require(actor(), Action.NEED_PUBLISH, Subject(practice().id))
    found = queries.patterns_of(session(), practice().id)
    if not found:
        return _publish_page(found, None)
    start, end = queries.next_unpublished(session(), practice().id, today())
    usual = {"pattern": str(found[0].id), "start": start.isoformat(), "end": end.isoformat()}
    form = PublishForm(MultiDict(usual | request.args.to_dict()), meta={"csrf": False})
    form.offer(found)
    if not form.validate():
        return _publish_page(found, form), 422
    try:
        return _preview_page(found, form)
    except InvalidInput as error:
        form.refuse(error)
        return _publish_page(found, form), 422


@blueprint.post("/days/")
def confirm() -> ResponseReturnValue:
    """Publish what the preview showed."""
    require(actor(), Action.NEED_PUBLISH, Subject(practice().id))
    found = queries.patterns_of(session(), practice().id)
    form = ConfirmForm()
    form.offer(found)
    if not form.validate():
        return _publish_page(found, form), 422
    start, end = form.start.data, form.end.data
    try:
        needs.check_period(today(), start, end)
        made = needs.publish_needs(
            session(),
            actor(),
            practice(),
            pattern_id=form.pattern.data,
            start=start,
            end=end,
            skip=_calendar(start, end).closed,
            version=form.version.data,
        )
    except InvalidInput as error:
        form.refuse(error)
        return _publish_page(found, form), 422
    if made.created:
        flash(
            ngettext("%(num)d day published.", "%(num)d days published.", made.created), "success"
        )
    else:
        flash(_("Everything in this period was published already."), "info")
    return redirect(url_for("roster.month", month=f"{start:%Y-%m}"))


@blueprint.post("/needs/<int:need_id>/withdraw")
def withdraw(need_id: int) -> ResponseReturnValue:
    """Take back a day that nobody has taken."""
    queries.need_detail(session(), practice(), need_id)
    need = needs.withdraw_need(session(), actor(), need_id)
    flash(_("%(date)s is no longer to fill.", date=short_date(need.date)), "success")
    return redirect(url_for("roster.week", week=iso_week(need.date)))


@blueprint.get("/patterns/")
def pattern_list() -> ResponseReturnValue:
    """The practice's week patterns."""
    require(actor(), Action.PATTERN_EDIT, Subject(practice().id))
    found = queries.patterns_of(session(), practice().id)
    return render_template(
        "needs/patterns.html", patterns=found, half_days=presenter.half_days_a_week
    )


@blueprint.route("/patterns/new", methods=["GET", "POST"])
def new_pattern() -> ResponseReturnValue:
    """A new week pattern."""
    require(actor(), Action.PATTERN_EDIT, Subject(practice().id))
    return _edit_pattern(None)


@blueprint.route("/patterns/<int:pattern_id>", methods=["GET", "POST"])
def edit_pattern(pattern_id: int) -> ResponseReturnValue:
    """A week pattern, to change."""
    require(actor(), Action.PATTERN_EDIT, Subject(practice().id))
    return _edit_pattern(patterns.load_pattern(session(), practice(), pattern_id))


@blueprint.post("/patterns/<int:pattern_id>/delete")
def delete_pattern(pattern_id: int) -> ResponseReturnValue:
    """Remove a week pattern; what was published from it stays."""
    removed = patterns.delete_pattern(session(), actor(), practice(), pattern_id)
    flash(_("The week pattern “%(name)s” is gone.", name=removed.name), "success")
    return redirect(url_for(".pattern_list"))


@blueprint.post("/holidays/")
def add_holiday() -> ResponseReturnValue:
    """Add dates of the practice's own to its calendar."""
    require(actor(), Action.HOLIDAYS_EDIT, Subject(practice().id))
    form = HolidayForm(prefix=OWN)
    if not form.validate():
        return _holidays_page(form), 422
    try:
        calendars.add_holiday(
            session(),
            actor(),
            practice(),
            form.start.data,
            form.end.data,
            form.name.data or "",
            HolidayKind(form.kind.data),
        )
    except InvalidInput as error:
        form.refuse(error)
        return _holidays_page(form), 422
    flash(_("The dates were added."), "success")
    return redirect(url_for(".publish", _anchor="own-dates"))


@blueprint.post("/holidays/<int:holiday_id>/remove")
def remove_holiday(holiday_id: int) -> ResponseReturnValue:
    """Remove dates that the practice added."""
    removed = calendars.remove_holiday(session(), actor(), practice(), holiday_id)
    flash(_("“%(name)s” was removed.", name=removed.name), "success")
    return redirect(url_for(".publish", _anchor="own-dates"))


def _calendar(start: dt.date, end: dt.date) -> HolidayCalendar:
    return holiday_calendar(session(), practice(), start, end, current_locale())


def _preview_page(found: list[WeekPattern], form: PublishForm) -> str:
    start, end = form.start.data, form.end.data
    needs.check_period(today(), start, end)
    holidays = _calendar(start, end)
    publication = needs.preview_needs(
        session(),
        actor(),
        practice(),
        pattern_id=form.pattern.data,
        start=start,
        end=end,
        skip=holidays.closed,
    )
    return _publish_page(
        found,
        form,
        publication=publication,
        version=next(row.version for row in found if row.id == form.pattern.data),
        holidays=holidays,
        skipped=presenter.stretches(publication.skipped),
        school=presenter.stretches(holidays.school),
        months=presenter.months(
            publication,
            practice().rooms,
            holidays,
            start=start,
            end=end,
        ),
        weekdays=weekday_names(),
    )


def _publish_page(
    found: list[WeekPattern],
    form: PublishForm | None,
    holiday_form: HolidayForm | None = None,
    **preview: object,
) -> str:
    return render_template(
        "needs/publish.html",
        patterns=found,
        form=form,
        own_dates=holidays_of(session(), practice().id, today()),
        holiday_form=holiday_form or HolidayForm(formdata=None, prefix=OWN),
        **preview,
    )


def _holidays_page(form: HolidayForm) -> str:
    found = queries.patterns_of(session(), practice().id)
    return _publish_page(found, None, form)


def _edit_pattern(pattern: WeekPattern | None) -> ResponseReturnValue:
    form = pattern_form(practice().rooms, pattern)
    if not form.is_submitted():
        return _pattern_page(form, pattern)
    if not form.validate():
        return _pattern_page(form, pattern), 422
    try:
        saved = patterns.save_pattern(
            session(),
            actor(),
            practice(),
            pattern.id if pattern else None,
            form.name.data or "",
            list(form.slots()),
            version=form.shown_version(),
        )
    except InvalidInput as error:
        form.refuse(error)
        return _pattern_page(form, pattern), 422
    except Conflict as error:
        form.refuse(error)
        if pattern is not None:
            # Sent again, it replaces knowingly what the other one saved.
            form.version.data = str(pattern.version)
        return _pattern_page(form, pattern, changed=error.code == "pattern_changed"), 409
    flash(_("The week pattern “%(name)s” is saved.", name=saved.name), "success")
    return redirect(url_for(".publish", pattern=saved.id))


def _pattern_page(form: PatternForm, pattern: WeekPattern | None, *, changed: bool = False) -> str:
    return render_template(
        "needs/pattern.html",
        form=form,
        pattern=pattern,
        rooms=form.rooms,
        weekdays=weekday_names("EEEE"),
        changed=changed,
    )
