"""My availabilities: a month to tap or draw over, stretches of days, weekly repetitions, a copy
of the month before, notes to days, and the word that all is said."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from flask import Blueprint, flash, jsonify, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scheduler.core.errors import Forbidden, InvalidInput
from scheduler.core.permissions import Action, Subject, can
from scheduler.roster import availabilities, availability_months, availability_queries
from scheduler.roster.rules import Period, Preference
from web.availabilities import month as months
from web.availabilities.forms import (
    NONE,
    AnswerForm,
    CopyForm,
    DaysForm,
    EndForm,
    ExceptForm,
    NoteForm,
    RangeForm,
    WeeklyForm,
    preference_of,
)
from web.availabilities.page import days_to_skip, month_page
from web.availabilities.place import Place, place_of
from web.database import session
from web.errors import wants_json
from web.identity import actor
from web.messages import message_for

# What a doctor can say of a month as a whole, and what is said to that.
ANSWERS: Final[dict[str, tuple[Any, Any]]] = {
    "all": (
        availability_months.answer_month,
        _l("Thank you: your answer is noted. You can still change any day."),
    ),
    "none": (
        availability_months.decline_month,
        _l("Thank you for saying so: you are not asked for this month any more."),
    ),
    "open": (availability_months.reopen_month, _l("Your answer is open again.")),
}

blueprint = Blueprint("availabilities", __name__, url_prefix="/availabilities")


@blueprint.before_request
def only_doctors() -> None:
    me = actor()
    if not can(me, Action.AVAILABILITY_EDIT, Subject(None, me.user_id)):
        raise Forbidden("availabilities_of_doctors", action=Action.AVAILABILITY_EDIT.value)


@blueprint.get("/")
@blueprint.get("/<month>")
def month(month: str | None = None) -> ResponseReturnValue:
    return month_page(place_of(month))


@blueprint.post("/<month>/days")
def set_days(month: str) -> ResponseReturnValue:
    """Answer for the days tapped, or move them one step on."""
    place = place_of(month)
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
    place = place_of(month)
    form = RangeForm()
    if not form.validate():
        return month_page(place, range_form=form, status=422)
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
        return month_page(place, range_form=form, status=422)
    flash(ngettext("One day noted.", "%(num)d days noted.", len(days)), "success")
    if form.preference.data == NONE:
        _tell_what_stays(place, days)
    return redirect(place.href(first=_nearest_month(place, days[0], days[-1])))


@blueprint.post("/<month>/weekly")
def add_weekly(month: str) -> ResponseReturnValue:
    place = place_of(month)
    form = WeeklyForm()
    if not form.validate():
        return month_page(place, weekly_form=form, status=422)
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
        return month_page(place, weekly_form=form, status=422)
    flash(_("This now comes again every week you chose."), "success")
    return redirect(place.href(first=_nearest_month(place, form.start.data, form.end.data)))


@blueprint.post("/<month>/weekly/<int:weekly_id>/end")
def end_weekly(month: str, weekly_id: int) -> ResponseReturnValue:
    place = place_of(month)
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
    place = place_of(month)
    availabilities.remove_weekly(session(), actor(), weekly_id)
    flash(_("This repetition is over. Days that are yours already stay yours."), "success")
    return redirect(place.href())


@blueprint.post("/<month>/except")
def set_except(month: str) -> ResponseReturnValue:
    """The same answer for every day but those left out, which stay as they are."""
    place = place_of(month)
    form = ExceptForm()
    if not form.validate():
        return month_page(place, except_form=form, status=422)
    try:
        days = availabilities.set_range(
            session(),
            actor(),
            place.doctor_id,
            form.start.data,
            form.end.data,
            set(range(7)) - set(form.weekdays.data),
            Period(form.period.data),
            Preference(form.preference.data),
            place.practice_id,
            without=[*form.without.data, *days_to_skip(place)],
        )
    except InvalidInput as error:
        form.refuse(error)
        return month_page(place, except_form=form, status=422)
    flash(ngettext("One day noted.", "%(num)d days noted.", len(days)), "success")
    return redirect(place.href(first=_nearest_month(place, days[0], days[-1])))


@blueprint.get("/<month>/copy")
def copy_preview(month: str) -> ResponseReturnValue:
    """What copying the month before would say of this one."""
    place = place_of(month)
    plan = availability_months.preview_copy(
        session(),
        actor(),
        place.doctor_id,
        place.first,
        place.practice_id,
        skip=days_to_skip(place),
    )
    return render_template(
        "availabilities/copy.html",
        place=place,
        plan=plan,
        added=months.added_lines(plan.added),
        changed=months.changed_lines(plan.changed),
    )


@blueprint.post("/<month>/copy")
def copy_month(month: str) -> ResponseReturnValue:
    """Say what the preview showed; what was said already stays, unless it was ticked."""
    place = place_of(month)
    form = CopyForm()
    if not form.validate():
        raise InvalidInput("availability_unreadable", field="change")
    days = availability_months.copy_month(
        session(),
        actor(),
        place.doctor_id,
        place.first,
        place.practice_id,
        changing=form.change.data,
        skip=days_to_skip(place),
    )
    if days:
        flash(ngettext("One day noted.", "%(num)d days noted.", len(days)), "success")
    else:
        flash(_("Nothing was changed."), "info")
    return redirect(place.href())


@blueprint.post("/<month>/note")
def set_note(month: str) -> ResponseReturnValue:
    """Put a few words to a day, or take them away."""
    place = place_of(month)
    form = NoteForm()
    if not form.validate():
        return month_page(place, note_form=form, status=422)
    try:
        note = availability_months.set_note(
            session(), actor(), place.doctor_id, form.day.data, form.text.data or ""
        )
    except InvalidInput as error:
        form.refuse(error)
        return month_page(place, note_form=form, status=422)
    flash(_("Your note is kept.") if note else _("There is no note on this day now."), "success")
    return redirect(place.href(first=form.day.data, _anchor="notes"))


@blueprint.post("/<month>/answer")
def answer_month(month: str) -> ResponseReturnValue:
    """Say that all is said of the month, that nothing of it is possible, or neither."""
    place = place_of(month)
    form = AnswerForm()
    if not form.validate():
        raise InvalidInput("availability_unreadable", field="answer")
    use_case, words = ANSWERS[form.answer.data]
    use_case(session(), actor(), place.doctor_id, place.first)
    flash(str(words), "success")
    return redirect(place.href())


def _refused(place: Place, error: InvalidInput) -> ResponseReturnValue:
    """The page again, with what a form of a few words got wrong on top of it."""
    flash(message_for(error), "error")
    return month_page(place, status=422)


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
