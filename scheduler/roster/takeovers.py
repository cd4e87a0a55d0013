"""Taking a colleague's day in an emergency, and giving it back where that was a mistake."""

from __future__ import annotations

from collections.abc import Collection

from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RuleBroken
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import User
from scheduler.roster import assignments
from scheduler.roster.models import Assignment
from scheduler.roster.passing_on import (
    Step,
    give_back,
    pass_on,
    require_untakable,
    require_upcoming,
    today_in,
)
from scheduler.roster.rules import AssignmentSource, ReleaseKind
from scheduler.roster.swap_rules import in_reach
from scheduler.roster.texts import reason_of


def take_over(
    session: UnitOfWork,
    actor: Actor,
    assignment_id: int,
    reason: str,
    *,
    doctor_id: int | None = None,
    passing: Collection[str] = (),
) -> Assignment:
    """Take a colleague's day of today or tomorrow because they cannot come, and say why.

    Secretaries and titulars say who takes it (`doctor_id`), and are recorded as who did it. The
    colleague, the titulars and the secretaries are told. Raises `InvalidInput` for a doctor's
    own day or a missing reason, and `RuleBroken` for a day further away or a rule that forbids
    it.
    """
    day = assignments.visible(session, actor, assignment_id)
    taker_id = doctor_id if doctor_id is not None else actor.user_id
    require(actor, Action.ASSIGNMENT_TAKE_OVER, Subject(day.practice_id, taker_id))
    taker = session.get(User, taker_id) if taker_id is not None else None
    if taker is None:
        raise NotFound("doctor_not_found")
    reason = reason_of(reason)
    if not reason:
        raise InvalidInput("reason_required", field="reason")
    assignments.hold(session, day.practice_id, [day.doctor_id, taker.id])
    session.refresh(day)
    if taker.id == day.doctor_id:
        raise InvalidInput("take_over_own", field="doctor")
    require_upcoming(session, day)
    if not in_reach(day.date, today_in(session, day.practice_id)):
        raise RuleBroken("take_over_too_early", date=day.date)
    # Only the doctor's own yes passes a limit: on the telephone none is.
    step = Step(day, taker, AssignmentSource.TAKEOVER, passing if taker.id == actor.user_id else ())
    former_id = day.doctor_id
    (taken,) = pass_on(session, actor, [step], ReleaseKind.TAKEN_OVER, reason)
    _tell(session, actor, "day.taken_over", taken, {former_id, taker.id})
    return taken


def untake_over(session: UnitOfWork, actor: Actor, assignment_id: int) -> Assignment:
    """Give a day that was taken over back to the colleague: it was a mistake.

    Either of the two says so, or somebody of the practice, within 24 hours and before the day is
    over. Raises `Conflict` after that, and when the colleague is no longer free for it: then it
    stays where it is.
    """
    day = assignments.visible(session, actor, assignment_id)
    before = session.get(Assignment, day.predecessor_id) if day.predecessor_id else None
    if before is None or day.source is not AssignmentSource.TAKEOVER:
        raise Conflict("swap_not_taken")
    owner_id = before.doctor_id if actor.user_id == before.doctor_id else day.doctor_id
    require(actor, Action.ASSIGNMENT_TAKE_OVER, Subject(day.practice_id, owner_id))
    assignments.hold(session, day.practice_id, [day.doctor_id, before.doctor_id])
    session.refresh(day)
    require_untakable(session, [day], day.created_at)
    people = {day.doctor_id, before.doctor_id}
    (returned,) = give_back(session, actor, [day])
    _tell(session, actor, "day.returned", returned, people)
    return returned


def _tell(session: UnitOfWork, actor: Actor, kind: str, day: Assignment, people: set[int]) -> None:
    """Tell the two doctors, the titulars and the secretaries, but not whoever did it."""
    everybody = people | assignments.titulars_of(session, day.practice_id)
    everybody |= assignments.secretaries_of(session, day.practice_id)
    assignments.tell(session, kind, day, everybody, actor)
