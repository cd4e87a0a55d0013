"""What the panel of a day offers its reader: one thing to do first, the rest behind "more"."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.core.permissions import Action, Actor, Role, Subject, can
from scheduler.people.models import Practice
from scheduler.roster import assignments, claiming, releasing, swap_queries
from scheduler.roster.lost_days import ABSENT
from scheduler.roster.models import Assignment, Swap
from scheduler.roster.queries import NeedDetail
from scheduler.roster.releasing import Notice
from scheduler.roster.rules import AssignmentSource, AssignmentState
from scheduler.roster.swap_rules import in_reach, untake_until
from web.database import session
from web.messages import message_for


def needs_titular(day: Assignment, practice: Practice, reader: Actor, today: dt.date) -> bool:
    """Whether giving the day back has to be asked of a titular first."""
    if can(reader, Action.RELEASE_DECIDE, Subject(practice.id)):
        return False
    late = releasing.notice_of(practice, day.date, today) is Notice.LATE
    return late and day.state is not AssignmentState.HELD


def claim_choice(detail: NeedDetail, practice: Practice, reader: Actor) -> dict[str, Any] | None:
    """Whether the reader may take the day and what speaks against it; None for who never does.

    `passing` are the reader's own limits that taking it all the same would pass.
    """
    if not (
        detail.is_open and can(reader, Action.NEED_CLAIM, Subject(practice.id, reader.user_id))
    ):
        return None
    refusals = assignments.refusals(session(), detail.need, reader.user_id)
    own = bool(refusals) and all(refusal.own for refusal in refusals)
    warned = []
    if reader.user_id is not None and (own or not refusals):
        warned = assignments.warnings(session(), detail.need, reader.user_id)
    return {
        "reasons": [message_for(refusal.as_error()) for refusal in refusals],
        "passing": [refusal.code for refusal in refusals] if own else [],
        "warnings": [message_for(warning.as_error()) for warning in warned],
    }


def choices(
    detail: NeedDetail, practice: Practice, reader: Actor, today: dt.date
) -> dict[str, Any] | None:
    """What the reader may do about a day that somebody has; None for a day of the past."""
    if detail.holder is None or detail.need.date < today:
        return None
    day = detail.holder.assignment
    own = day.doctor_id == reader.user_id
    here, theirs = Subject(practice.id), Subject(practice.id, day.doctor_id)
    near = in_reach(day.date, today)
    may_release = can(reader, Action.ASSIGNMENT_RELEASE, theirs)
    offer = swap_queries.open_on(session(), day.id)
    return {
        "own": own,
        "titular": Role.TITULAR in reader.roles_in(practice.id),
        "undo": claiming.may_undo(session(), reader, day),
        "untake": _untake(day, practice, reader),
        "absent": near and can(reader, Action.ABSENCE_DECLARE, theirs),
        "today": day.date == today,
        "release": may_release and not (own and day.date == today),
        "asks": may_release and needs_titular(day, practice, reader, today),
        "sentence": _sentence(day, practice, reader, today, own=own),
        "request": releasing.open_request_on(session(), day.id) if may_release else None,
        "offer": _offer(offer, reader),
        "say_yes": own and day.tentative,
        "may_offer": offer is None and not day.tentative and can(reader, Action.SWAP_OFFER, theirs),
        "take_over": near
        and not own
        and can(reader, Action.ASSIGNMENT_TAKE_OVER, Subject(practice.id, reader.user_id)),
        "decide": day.state is AssignmentState.HELD
        and not day.tentative
        and can(reader, Action.ASSIGNMENT_CONFIRM, here),
        "told": day.source is AssignmentSource.TAKEOVER and may_know(day, practice, reader, detail),
    }


def may_know(day: Assignment, practice: Practice, reader: Actor, detail: NeedDetail) -> bool:
    """Whether the reader may see who was told of a takeover: the two doctors, and who acts for
    doctors."""
    if can(reader, Action.ASSIGNMENT_GIVE, Subject(practice.id)):
        return True
    rows = (turn.assignment for turn in detail.turns)
    before = {row.doctor_id for row in rows if row.id == day.predecessor_id}
    return reader.user_id in before | {day.doctor_id}


def absence(detail: NeedDetail, practice: Practice, reader: Actor) -> Assignment | None:
    """The day's last doctor where they were marked absent and nobody has stepped in yet."""
    if detail.holder is not None or not detail.turns:
        return None
    last = detail.turns[-1].assignment
    if last.release_kind not in ABSENT:
        return None
    allowed = can(reader, Action.ABSENCE_DECLARE, Subject(practice.id, last.doctor_id))
    return last if allowed else None


def _offer(offer: Swap | None, reader: Actor) -> dict[str, Any] | None:
    """An open offer of the day, for those whom it concerns."""
    if offer is None:
        return None
    own = offer.doctor_id == reader.user_id
    to_me = offer.to_doctor_id in (None, reader.user_id) and not own
    subject = Subject(offer.practice_id, offer.doctor_id)
    if not (own or to_me or can(reader, Action.SWAP_OFFER, subject)):
        return None
    claims = can(reader, Action.NEED_CLAIM, Subject(offer.practice_id, reader.user_id))
    return {
        "id": offer.id,
        "to": offer.to_doctor.name if offer.to_doctor else None,
        "to_me": to_me and claims,
    }


def _untake(day: Assignment, practice: Practice, reader: Actor) -> dict[str, Any] | None:
    """Whether a day that changed hands can go back, and what does it."""
    now = session().now()
    if day.source is AssignmentSource.TAKEOVER and day.predecessor_id is not None:
        before = session().get_one(Assignment, day.predecessor_id)
        concerned = reader.user_id in (day.doctor_id, before.doctor_id)
        staff = can(reader, Action.ASSIGNMENT_GIVE, Subject(practice.id))
        if (concerned or staff) and now < untake_until(practice, day, day.created_at):
            return {"swap_id": None, "mine": reader.user_id == before.doctor_id}
        return None
    swap = swap_queries.taken_as(session(), day)
    if swap is None or swap.ended_at is None or reader.user_id == swap.doctor_id:
        return None
    allowed = can(reader, Action.SWAP_OFFER, Subject(practice.id, swap.taken_by))
    if not allowed or now >= untake_until(practice, day, swap.ended_at):
        return None
    return {"swap_id": swap.id, "mine": False}


def _sentence(
    day: Assignment, practice: Practice, reader: Actor, today: dt.date, *, own: bool
) -> str:
    """How late it is to give the day back, and what becomes of it."""
    ahead = (day.date - today).days
    if ahead <= 0:
        return _("It is today: everybody in the practice is alerted at once.")
    left = ngettext("It is %(num)d day ahead.", "It is %(num)d days ahead.", ahead)
    if needs_titular(day, practice, reader, today):
        rule = ngettext(
            "From %(num)d day before it on, a titular doctor must agree; until then the day stays "
            "as it is.",
            "From %(num)d days before it on, a titular doctor must agree; until then the day "
            "stays as it is.",
            practice.lock_days,
        )
    elif own:
        rule = _("It is to fill again at once, and the titular doctors are told.")
    else:
        rule = _("It is to fill again at once, and the doctor is told.")
    return f"{left} {rule}"
