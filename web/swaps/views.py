"""Days offered to colleagues, taken, declined and given back; days taken over in an emergency."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.errors import Conflict, InvalidInput, RelaisError, RuleBroken
from scheduler.core.permissions import SYSTEM, Action, Subject, can, require
from scheduler.people.models import User
from scheduler.roster import assignments, candidates, swap_queries, swaps, takeovers
from scheduler.roster.legality import OWN_LIMITS
from scheduler.roster.models import Assignment, Swap
from scheduler.roster.rules import SwapState
from scheduler.roster.swap_rules import untake_until
from web.database import session
from web.forms import row_id
from web.identity import actor, practice, practice_blueprint, today
from web.localisation import iso_week, short_date
from web.messages import message_for
from web.swaps import presenter
from web.swaps.forms import OfferForm, TakeOverForm
from web.told import KINDS, told_rows

blueprint = practice_blueprint("swaps", __name__)

TO_ALL, EXCHANGE = "all", "exchange"


@blueprint.get("/swaps/")
def index() -> ResponseReturnValue:
    """The offers that concern the reader, those to answer first."""
    if not can(actor(), Action.ASSIGNMENT_GIVE, Subject(practice().id)):
        require(actor(), Action.NEED_CLAIM, Subject(practice().id, actor().user_id))
    found = swap_queries.swaps_of(session(), actor(), practice(), today())
    return render_template(
        "swaps/index.html",
        listed=[presenter.listed(swap, today(), actor().user_id) for swap in found],
    )


@blueprint.get("/assignments/<int:assignment_id>/offer")
def new(assignment_id: int) -> ResponseReturnValue:
    """A day ready to be offered: to all, to one, or against a day of theirs. A panel too."""
    return _offer_page(_offerable(assignment_id))


@blueprint.post("/assignments/<int:assignment_id>/offer")
def offer(assignment_id: int) -> ResponseReturnValue:
    """Offer it."""
    day = _offerable(assignment_id)
    form = OfferForm().offer(())
    form.validate()
    to, return_id = request.form.get("to", ""), None
    to_doctor_id = row_id(to)
    if to == EXCHANGE:
        return_id = form.in_return.data or 0
        to_doctor_id = swap_queries.doctor_of(session(), practice(), return_id)
    try:
        if to != TO_ALL and to_doctor_id is None:
            raise InvalidInput("swap_return", field="in_return")
        made = swaps.offer(
            session(),
            actor(),
            assignment_id,
            to_doctor_id=to_doctor_id,
            return_id=return_id,
            message=form.message.data or "",
        )
    except InvalidInput as error:
        form.refuse(error)
        return _offer_page(day, form=form), 422
    except (Conflict, RuleBroken) as error:
        return _offer_page(day, form=form, problem=error), 409
    flash(
        _("%(date)s is offered. It stays yours until somebody takes it.", date=_date(day)), "info"
    )
    return redirect(url_for(".show", swap_id=made.id))


@blueprint.get("/swaps/<int:swap_id>")
def show(swap_id: int) -> ResponseReturnValue:
    """One offer: to be answered, taken back, or given back. A panel too."""
    return _swap_page(swap_id)


@blueprint.post("/swaps/<int:swap_id>/take")
def take(swap_id: int) -> ResponseReturnValue:
    """Take the day; who comes second reads who was first."""
    # Not kept: the service locks the row anew, which PostgreSQL refuses with the joins of this one.
    thanks = presenter.when_taken(swap_queries.swap_of(session(), actor(), practice(), swap_id))
    passing = set(request.form.getlist("passing")) & OWN_LIMITS
    try:
        taken = swaps.take(session(), actor(), swap_id, passing=passing)
    except (Conflict, RuleBroken) as error:
        return _swap_page(swap_id, problem=error), 409
    flash(thanks, "success")
    return redirect(_week(taken))


@blueprint.post("/swaps/<int:swap_id>/decline")
def decline(swap_id: int) -> ResponseReturnValue:
    """Say no to an offer."""
    swap_queries.swap_of(session(), actor(), practice(), swap_id)
    try:
        swaps.decline(session(), actor(), swap_id)
    except Conflict as error:
        return _swap_page(swap_id, problem=error), 409
    flash(_("Thank you for your answer. Your colleague is told."), "info")
    return redirect(url_for(".index"))


@blueprint.post("/swaps/<int:swap_id>/withdraw")
def withdraw(swap_id: int) -> ResponseReturnValue:
    """Take the offer back."""
    swap_queries.swap_of(session(), actor(), practice(), swap_id)
    if swaps.withdraw(session(), actor(), swap_id).state is SwapState.WITHDRAWN:
        flash(_("The offer is taken back. The day stays as it is."), "info")
    return redirect(url_for(".show", swap_id=swap_id))


@blueprint.post("/swaps/<int:swap_id>/untake")
def untake(swap_id: int) -> ResponseReturnValue:
    """Give the day back to whoever offered it: it was a mistake."""
    swap_queries.swap_of(session(), actor(), practice(), swap_id)
    try:
        returned = swaps.untake(session(), actor(), swap_id)
    except (Conflict, RuleBroken) as error:
        return _swap_page(swap_id, problem=error), 409
    flash(_("%(date)s is back with whoever had it.", date=_date(returned)), "success")
    return redirect(_week(returned))


@blueprint.get("/assignments/<int:assignment_id>/take-over")
def new_take_over(assignment_id: int) -> ResponseReturnValue:
    """A colleague's day, ready to be taken over in an emergency. A panel too."""
    return _take_over_page(assignment_id)


@blueprint.post("/assignments/<int:assignment_id>/take-over")
def take_over(assignment_id: int) -> ResponseReturnValue:
    """Take it over."""
    swap_queries.day_of(session(), practice(), assignment_id)
    form = TakeOverForm()
    form.validate()
    passing = set(request.form.getlist("passing")) & OWN_LIMITS
    reason = form.reason.data or ""
    try:
        taken = takeovers.take_over(session(), actor(), assignment_id, reason, passing=passing)
    except InvalidInput as error:
        form.refuse(error)
        return _take_over_page(assignment_id, form=form), 422
    except (Conflict, RuleBroken) as error:
        return _take_over_page(assignment_id, form=form, problem=error), 409
    flash(_("%(date)s is yours. Everybody concerned is told.", date=_date(taken)), "success")
    return redirect(url_for(".told", assignment_id=taken.id))


@blueprint.post("/assignments/<int:assignment_id>/untake-over")
def untake_over(assignment_id: int) -> ResponseReturnValue:
    """Give a day that was taken over back: it was a mistake."""
    day = swap_queries.day_of(session(), practice(), assignment_id)
    try:
        returned = takeovers.untake_over(session(), actor(), assignment_id)
    except (Conflict, RuleBroken) as error:
        return _told_page(day, problem=error), 409
    flash(_("%(date)s is back with whoever had it.", date=_date(returned)), "success")
    return redirect(_week(returned))


@blueprint.get("/assignments/<int:assignment_id>/told")
def told(assignment_id: int) -> ResponseReturnValue:
    """The chain of who was told that a day was taken over, delivered or not. A panel too."""
    return _told_page(swap_queries.day_of(session(), practice(), assignment_id))


def _offerable(assignment_id: int) -> Assignment:
    day = swap_queries.day_of(session(), practice(), assignment_id)
    require(actor(), Action.SWAP_OFFER, Subject(practice().id, day.doctor_id))
    return day


def _offer_page(
    day: Assignment, *, form: OfferForm | None = None, problem: RelaisError | None = None
) -> str:
    try:
        who = candidates.who_could_come(session(), SYSTEM, practice(), day.need)
    except (Conflict, RuleBroken) as error:
        who, problem = candidates.WhoCould(0, (), ()), problem or error
    days = swap_queries.days_of_colleagues(session(), practice(), day, today())
    own = day.doctor_id == actor().user_id
    return render_template(
        "swaps/new.html",
        day=day,
        own=own,
        where=presenter.where(day),
        problem=message_for(problem) if problem else None,
        form=(form or OfferForm(formdata=None)).offer(presenter.returns(days)),
        colleagues=[*who.said, *who.silent],
        days=bool(days),
    )


def _swap_page(swap_id: int, *, problem: RelaisError | None = None) -> str:
    swap = swap_queries.swap_of(session(), actor(), practice(), swap_id)
    state = swap_queries.state_on(swap, swap.assignment.date, today())
    word, tone = presenter.STATES[state]
    taker = session().get(User, swap.taken_by) if swap.taken_by else None
    own, is_open = swap.doctor_id == actor().user_id, state is SwapState.OPEN
    return render_template(
        "swaps/show.html",
        swap=swap,
        own=own,
        problem=message_for(problem) if problem else None,
        state=word,
        tone=tone,
        where=presenter.where(swap.assignment),
        in_return=presenter.in_words(swap.in_return) if swap.in_return else None,
        outcome=presenter.outcome(swap, state, taker.name if taker else None),
        take=_take_choice(swap) if is_open else None,
        to_me=swap.to_doctor_id == actor().user_id,
        may_withdraw=is_open
        and can(actor(), Action.SWAP_OFFER, Subject(practice().id, swap.doctor_id)),
        may_untake=_may_untake(swap),
    )


def _take_choice(swap: Swap) -> dict[str, list[str]] | None:
    """Whether the reader may take the offered day and what speaks against it.

    In an exchange on one date the day given in return frees the reader for the one taken; the
    service judges both at once.
    """
    reader_id = actor().user_id
    mine = swap.to_doctor_id in (None, reader_id) and swap.doctor_id != reader_id
    if not (mine and can(actor(), Action.NEED_CLAIM, Subject(practice().id, reader_id))):
        return None
    refusals = (
        [] if swap.return_id else assignments.refusals(session(), swap.assignment.need, reader_id)
    )
    own = all(refusal.own for refusal in refusals)
    return {
        "reasons": [message_for(refusal.as_error()) for refusal in refusals],
        "passing": [refusal.code for refusal in refusals] if own else [],
    }


def _may_untake(swap: Swap) -> bool:
    if swap.state is not SwapState.TAKEN or swap.ended_at is None or swap.taken_id is None:
        return False
    taken = session().get_one(Assignment, swap.taken_id)
    reader = actor()
    allowed = can(reader, Action.SWAP_OFFER, Subject(practice().id, swap.taken_by))
    until = untake_until(practice(), taken, swap.ended_at)
    return allowed and reader.user_id != swap.doctor_id and session().now() < until


def _take_over_page(
    assignment_id: int,
    *,
    form: TakeOverForm | None = None,
    problem: RelaisError | None = None,
) -> str:
    day = swap_queries.day_of(session(), practice(), assignment_id)
    require(actor(), Action.ASSIGNMENT_TAKE_OVER, Subject(practice().id, actor().user_id))
    refusals = assignments.refusals(session(), day.need, actor().user_id)
    own = bool(refusals) and all(refusal.own for refusal in refusals)
    return render_template(
        "swaps/take_over.html",
        day=day,
        where=presenter.where(day),
        form=form or TakeOverForm(formdata=None),
        problem=message_for(problem) if problem else None,
        reasons=[message_for(refusal.as_error()) for refusal in refusals],
        passing=[refusal.code for refusal in refusals] if own else [],
    )


def _told_page(day: Assignment, *, problem: RelaisError | None = None) -> str:
    days = swap_queries.chain_of(session(), day)
    if actor().user_id not in {row.doctor_id for row in days}:
        require(actor(), Action.ASSIGNMENT_GIVE, Subject(practice().id))
    found = swap_queries.told_of(session(), [row.id for row in days], list(KINDS))
    return render_template(
        "swaps/told.html",
        day=day,
        where=presenter.where(day),
        problem=message_for(problem) if problem else None,
        chain=told_rows(found),
    )


def _week(day: Assignment) -> str:
    return url_for("roster.week", week=iso_week(day.date), _anchor=f"day-{day.date.isoformat()}")


def _date(day: Assignment) -> str:
    return short_date(day.date)
