"""What the front desk sets for days without a doctor: who is on call, what urgent patients are
told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.errors import Conflict, InvalidInput, NotFound, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Subject, can, require
from scheduler.oncall import queries, service
from scheduler.roster import presence_queries, presences
from scheduler.roster.availability_rules import last_day_to_plan
from scheduler.roster.queries import Entry, halves_without_doctor, roster_between
from scheduler.roster.rules import Period
from web.database import session
from web.desk.forms import AdviceForm, DutyForm
from web.identity import actor, practice, practice_blueprint, today
from web.labels import PERIOD_NAMES, dialled
from web.localisation import iso_week, long_date, parse_date, short_date, week_name
from web.messages import message_for
from web.redirects import local_target

blueprint = practice_blueprint("desk", __name__)

# Around the date: whoever had the fewest duties comes first.
COUNTED = dt.timedelta(days=90)


@blueprint.get("/days/<date>/duty")
def day(date: str) -> ResponseReturnValue:
    """A day without a doctor: who is on call, what urgent patients are told. A side panel too."""
    require(actor(), Action.ROSTER_VIEW, Subject(practice().id))
    return _day_page(parse_date(date))


@blueprint.post("/days/<date>/duty")
def set_duty(date: str) -> ResponseReturnValue:
    """Put a doctor on call, or nobody."""
    chosen = parse_date(date)
    require(actor(), Action.DUTY_EDIT, Subject(practice().id))
    form = DutyForm()
    if not form.validate():
        # Nonsense names nobody, and does not mean nobody.
        raise NotFound("doctor_not_found")
    before, doctor_id = form.instead_of.data, form.doctor_id.data
    try:
        if doctor_id is None:
            service.clear_duty(session(), actor(), practice().id, chosen, instead_of=before)
        else:
            service.set_duty(
                session(), actor(), practice().id, chosen, doctor_id, instead_of=before
            )
    except (Conflict, RuleBroken) as error:
        return _day_page(chosen, problem=error), 409
    except InvalidInput as error:
        return _day_page(chosen, problem=error), 422
    who = queries.duties_between(session(), practice().id, chosen, chosen).get(chosen)
    if who is None:
        flash(_("Nobody is on call on %(date)s.", date=short_date(chosen)), "info")
    else:
        sentence = _("%(who)s is on call on %(date)s.", who=who.name, date=short_date(chosen))
        flash(" ".join([sentence, *_there(_entries(chosen))]), "success")
    return redirect(_week(chosen))


@blueprint.get("/advice/")
def advice() -> ResponseReturnValue:
    """What urgent patients are told, weekday by weekday."""
    require(actor(), Action.ADVICE_EDIT, Subject(practice().id))
    texts = presence_queries.advice_of(session(), practice().id)
    form = AdviceForm(data={f"day_{weekday}": text for weekday, text in texts.items()})
    return _advice_page(form)


@blueprint.post("/advice/")
def write_advice() -> ResponseReturnValue:
    """Write it."""
    require(actor(), Action.ADVICE_EDIT, Subject(practice().id))
    form = AdviceForm()
    form.validate()
    try:
        presences.set_advice(session(), actor(), practice().id, form.by_weekday)
    except InvalidInput as error:
        form.refuse(error)
        return _advice_page(form), 422
    flash(_("The advice to urgent patients is kept."), "success")
    return redirect(local_target(request.form.get("next"), url_for(".advice")))


def _advice_page(form: AdviceForm) -> str:
    return render_template("desk/advice.html", form=form, most=presences.LONGEST_ADVICE)


def _day_page(date: dt.date, problem: RelaisError | None = None) -> str:
    here = Subject(practice().id)
    duty = queries.duties_between(session(), practice().id, date, date).get(date)
    open_day = today() <= date <= last_day_to_plan(today())
    may_choose = open_day and can(actor(), Action.DUTY_EDIT, here)
    choices = []
    entries = _entries(date)
    needed = bool(halves_without_doctor(entries, date))
    if may_choose and needed:
        choices = queries.choices(session(), practice().id, date, COUNTED)
    sees_phone = can(actor(), Action.CANDIDATES_VIEW, here)
    number = dialled(duty.phone) if duty and sees_phone else None
    return render_template(
        "desk/day.html",
        date=date,
        title=long_date(date),
        there=_there(entries),
        needed=needed,
        duty=duty,
        call=number,
        advice=presence_queries.advice_of(session(), practice().id).get(date.weekday()),
        may_write=can(actor(), Action.ADVICE_EDIT, here),
        may_choose=may_choose,
        choices=choices,
        problem=message_for(problem) if problem else None,
        back=_week(date),
        week_label=week_name(date),
    )


def _entries(date: dt.date) -> list[Entry]:
    return roster_between(session(), practice().id, date, date)


def _there(entries: Sequence[Entry]) -> list[str]:
    """Which doctors are in the house on a date, half-day by half-day, in words."""
    halves: dict[str, list[str]] = {}
    for entry in entries:
        if entry.attended and entry.doctor:
            halves.setdefault(entry.doctor, []).extend(half.value for half in entry.period.halves)
    found = []
    for who, there in halves.items():
        period = Period(there[0]) if len(set(there)) == 1 else Period.DAY
        found.append(
            _("%(who)s is there: %(when)s.", who=who, when=str(PERIOD_NAMES[period]).lower())
        )
    return found


def _week(date: dt.date) -> str:
    return url_for("roster.week", week=iso_week(date), _anchor=f"day-{date.isoformat()}")
