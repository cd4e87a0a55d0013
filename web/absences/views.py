"""A doctor does not come: one button in the morning, and then all that has to be done."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.errors import Conflict, InvalidInput, NotFound, RelaisError, RuleBroken
from scheduler.core.permissions import SYSTEM, Action, Subject, can, require
from scheduler.oncall.queries import duties_between
from scheduler.roster import absences, assignments, candidates, swap_queries
from scheduler.roster.models import Assignment
from web.absences import presenter
from web.absences.forms import AbsenceForm
from web.database import session
from web.identity import actor, practice, practice_blueprint
from web.localisation import iso_week, long_date, short_date
from web.messages import message_for
from web.told import told_rows

blueprint = practice_blueprint("absences", __name__)


@blueprint.get("/assignments/<int:assignment_id>/absence")
def new(assignment_id: int) -> ResponseReturnValue:
    """A doctor about to be marked absent: what will happen, asked once. A panel too."""
    return _new_page(assignment_id)


@blueprint.post("/assignments/<int:assignment_id>/absence")
def declare(assignment_id: int) -> ResponseReturnValue:
    """Mark the doctor absent, alert everybody, call the others."""
    day = swap_queries.day_of(session(), practice(), assignment_id)
    form = AbsenceForm()
    form.validate()
    behalf = bool(form.on_behalf.data) and day.doctor_id != actor().user_id
    reason = form.reason.data or ""
    try:
        absences.declare(session(), actor(), assignment_id, reason, on_behalf=behalf)
    except InvalidInput as error:
        form.refuse(error)
        return _new_page(assignment_id, form=form), 422
    except (Conflict, RuleBroken) as error:
        return _new_page(assignment_id, form=form, problem=error), 409
    flash(_("It is noted. Whoever could come instead is being asked."), "success")
    return redirect(url_for(".show", assignment_id=assignment_id))


@blueprint.get("/absences/<int:assignment_id>")
def show(assignment_id: int) -> ResponseReturnValue:
    """What is under way for a day whose doctor does not come."""
    return _absence_page(assignment_id)


@blueprint.post("/absences/<int:assignment_id>/end")
def end(assignment_id: int) -> ResponseReturnValue:
    """The doctor comes after all."""
    _absent(assignment_id)
    try:
        back = absences.end(session(), actor(), assignment_id)
    except (Conflict, RuleBroken) as error:
        return _absence_page(assignment_id, problem=error), 409
    flash(_("The doctor comes after all on %(date)s.", date=short_date(back.date)), "success")
    return redirect(
        url_for("roster.week", week=iso_week(back.date), _anchor=f"day-{back.date.isoformat()}")
    )


def _new_page(
    assignment_id: int, *, form: AbsenceForm | None = None, problem: RelaisError | None = None
) -> str:
    day = swap_queries.day_of(session(), practice(), assignment_id)
    require(actor(), Action.ABSENCE_DECLARE, Subject(practice().id, day.doctor_id))
    return render_template(
        "absences/new.html",
        day=day,
        own=day.doctor_id == actor().user_id,
        where=presenter.where(day),
        form=form or AbsenceForm(formdata=None),
        problem=message_for(problem) if problem else None,
    )


def _absent(assignment_id: int) -> Assignment:
    absent = absences.absence_of(session(), practice().id, assignment_id)
    if absent is None:
        raise NotFound("assignment_not_found")
    require(actor(), Action.ABSENCE_DECLARE, Subject(practice().id, absent.doctor_id))
    return absent


def _absence_page(assignment_id: int, *, problem: RelaisError | None = None) -> str:
    absent = _absent(assignment_id)
    here = Subject(practice().id)
    holder = assignments.holder_of(session(), absent.need_id)
    staff = can(actor(), Action.CANDIDATES_VIEW, here)
    call, invitations = absences.call_for(session(), absent.need_id)
    others = candidates.WhoCould(0, (), ())
    if staff and holder is None:
        others = _could_come(absent)
    hanging = presenter.hanging(absences.hanging_on(session(), absent))
    on_call = duties_between(session(), practice().id, absent.date, absent.date).get(absent.date)
    if on_call is not None and on_call.doctor_id == absent.doctor_id:
        hanging.append(presenter.duty(absent))
    kinds = ("absence.declared", "absence.ended", "absence.filled")
    days = [absent.id] if holder is None else [absent.id, holder.id]
    return render_template(
        "absences/show.html",
        absent=absent,
        title=long_date(absent.date),
        where=presenter.where(absent),
        problem=message_for(problem) if problem else None,
        holder=holder.doctor.name if holder else None,
        came=holder is not None and holder.doctor_id == absent.doctor_id,
        call=call if can(actor(), Action.CALL_VIEW, here) else None,
        people=presenter.people(invitations, (*others.said, *others.silent), phones=staff),
        may_give=holder is None and can(actor(), Action.ASSIGNMENT_GIVE, here),
        told=told_rows(swap_queries.told_of(session(), days, kinds)),
        hanging=hanging,
        may_know_reason=staff or absent.doctor_id == actor().user_id,
    )


def _could_come(absent: Assignment) -> candidates.WhoCould:
    """Who could come instead; nobody once the day is over or withdrawn."""
    try:
        return candidates.who_could_come(session(), SYSTEM, practice(), absent.need)
    except (Conflict, RuleBroken):
        return candidates.WhoCould(0, (), ())
