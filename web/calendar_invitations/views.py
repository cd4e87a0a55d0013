"""Invitations by mail: who was invited to which day, who answered, and inviting others."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.calendars.invitations import addresses, queries, sending
from scheduler.calendars.invitations.sending import Pair
from scheduler.core.errors import Conflict, InvalidInput, RelaisError
from scheduler.core.permissions import Action, Subject, can, require
from scheduler.notify.reach import channels_of
from scheduler.notify.rules import Group
from scheduler.roster.candidates import WhoCould, who_could_come
from scheduler.roster.models import Need
from scheduler.roster.queries import roster_between
from web.calendar_invitations import presenter
from web.database import session, settings
from web.identity import actor, practice, practice_blueprint, today
from web.localisation import short_date
from web.messages import message_for

blueprint = practice_blueprint("calendar_invitations", __name__)

# Each day asks the engine who could come.
MOST_DAYS = 14


@blueprint.get("/calendar-invitations/")
def index() -> ResponseReturnValue:
    """The coming days that doctors were invited to, and what they answered."""
    require(actor(), Action.INVITATION_VIEW, Subject(practice().id))
    return _index_page()


@blueprint.get("/calendar-invitations/new")
def new() -> ResponseReturnValue:
    """Choosing days, and then whom to invite to them."""
    require(actor(), Action.INVITATION_SEND, Subject(practice().id))
    return _new_page()


@blueprint.post("/calendar-invitations/")
def send() -> ResponseReturnValue:
    """Invite whoever is ticked."""
    require(actor(), Action.INVITATION_SEND, Subject(practice().id))
    chosen = _pairs(request.form.getlist("pair"))
    try:
        if not _is_set_up():
            raise Conflict("invitation_not_set_up")
        sent = sending.invite(session(), actor(), practice(), chosen)
    except (Conflict, InvalidInput) as error:
        return _new_page(chosen, error), 422
    if sent.invited:
        flash(
            ngettext(
                "%(num)d invitation is on its way. You will be told of each answer.",
                "%(num)d invitations are on their way. You will be told of each answer.",
                len(sent.invited),
            ),
            "success",
        )
    for refused in sent.refused:
        words = {"who": refused.doctor.name, "date": short_date(refused.need.date)}
        why = message_for(refused.error)
        flash(_("%(who)s is not invited to %(date)s: %(why)s", why=why, **words), "warning")
    return redirect(url_for(".index"))


@blueprint.post("/calendar-invitations/<int:invitation_id>/withdraw")
def withdraw(invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    require(actor(), Action.INVITATION_SEND, Subject(practice().id))
    queries.require_in(session(), practice().id, invitation_id)
    try:
        sending.withdraw(session(), actor(), invitation_id)
    except Conflict as error:
        return _index_page(error), 409
    flash(_("The invitation is withdrawn. The doctor’s calendar is told."), "info")
    return redirect(url_for(".index"))


def _index_page(problem: RelaisError | None = None) -> str:
    may_send = can(actor(), Action.INVITATION_SEND, Subject(practice().id))
    found = queries.invited_days(session(), practice().id, today())
    return render_template(
        "calendar_invitations/index.html",
        days=[presenter.day(day, may_send) for day in found],
        may_send=may_send,
        set_up=_is_set_up(),
        problem=message_for(problem) if problem else None,
    )


def _new_page(chosen: list[Pair] | None = None, problem: RelaisError | None = None) -> str:
    wanted = [pair.need_id for pair in chosen or ()]
    ticked = chosen
    proposal_id = request.args.get("proposal", type=int)
    if proposal_id is not None:
        ticked = queries.proposed_pairs(session(), practice().id, proposal_id)
        wanted = [pair.need_id for pair in ticked]
    wanted += request.args.getlist("need", type=int) + request.form.getlist("need", type=int)
    days = queries.open_needs(session(), practice().id, wanted, today())[:MOST_DAYS]
    who = {need.id: _could(need) for need in days}
    doctors = {row.doctor_id for found in who.values() for row in (*found.said, *found.silent)}
    channels = channels_of(session(), settings(), doctors, Group.QUESTIONS)
    last = presenter.last_day(today())
    return render_template(
        "calendar_invitations/new.html",
        doctors=presenter.doctors(
            days,
            who,
            queries.open_pairs(session(), who),
            channels,
            ticked=None if ticked is None else set(ticked),
            reader_id=actor().user_id,
        ),
        days=[presenter.named(need) for need in days],
        weeks=presenter.weeks(roster_between(session(), practice().id, today(), last), set(who)),
        most=MOST_DAYS,
        hours=practice().hold_hours,
        set_up=_is_set_up(),
        problem=message_for(problem) if problem else None,
    )


def _could(need: Need) -> WhoCould:
    return who_could_come(session(), actor(), practice(), need)


def _is_set_up() -> bool:
    return addresses.mailbox(session(), settings()) is not None


def _pairs(typed: list[str]) -> list[Pair]:
    """The pairs of day and doctor that were ticked; what is none names nothing."""
    found = []
    for text in typed[: sending.MOST_AT_ONCE + 1]:
        need, _dash, doctor = text.partition("-")
        numbers = [int(part) for part in (need, doctor) if part.isascii() and part.isdecimal()]
        if len(numbers) == 2 and max(numbers) < 2**31:
            found.append(Pair(*numbers))
    return found
