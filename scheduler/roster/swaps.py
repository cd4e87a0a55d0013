"""Days offered to colleagues: to one or to all, perhaps for a day of theirs; taken, declined,
taken back, and given back where taking them was a mistake.

Because somebody is there all the time, no titular has to consent, whatever the lock date; they
are told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.core import audit, outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, RelaisError
from scheduler.core.permissions import SYSTEM, Action, Actor, Subject, require
from scheduler.people.models import Practice, User
from scheduler.roster import assignments, candidates
from scheduler.roster.legality import OWN_LIMITS
from scheduler.roster.models import Assignment, Need, Swap
from scheduler.roster.passing_on import (
    Step,
    give_back,
    pass_on,
    require_possible,
    require_untakable,
    require_upcoming,
)
from scheduler.roster.rules import AssignmentSource, AssignmentState, ReleaseKind, SwapState
from scheduler.roster.swap_rules import message_of

BATCH: Final = 200


def offer(
    session: UnitOfWork,
    actor: Actor,
    assignment_id: int,
    *,
    to_doctor_id: int | None = None,
    return_id: int | None = None,
    message: str = "",
) -> Swap:
    """Offer a day to one colleague, perhaps for a day of theirs, or to all who could come.

    Secretaries and titulars offer for a doctor on the telephone, and are recorded as who did.
    Raises `Conflict` for a day that is offered already or given back, `InvalidInput` for a
    colleague or a return that makes no sense, and `RuleBroken` naming the rule that keeps the
    colleague (or, in an exchange, either of the two) from it; a limit that the colleague set is
    theirs to pass when they take the day.
    """
    day = assignments.visible(session, actor, assignment_id)
    require(actor, Action.SWAP_OFFER, Subject(day.practice_id, day.doctor_id))
    message = message_of(message)
    people = {day.doctor_id} if to_doctor_id is None else {day.doctor_id, to_doctor_id}
    assignments.hold(session, day.practice_id, people)
    session.refresh(day)
    require_upcoming(session, day)
    practice_id, doctor_id, date = day.practice_id, day.doctor_id, day.date
    told: Collection[int]
    if to_doctor_id is None:
        if return_id is not None:
            raise InvalidInput("swap_return", field="to")
        told = able(session, day)
    else:
        colleague = _colleague(session, day, to_doctor_id)
        back = None if return_id is None else _return(session, day, colleague, return_id)
        own_word = actor.user_id == doctor_id
        require_possible(session, _steps(session, day, colleague, back, OWN_LIMITS, own_word))
        told = {to_doctor_id}
    values = {
        "practice_id": practice_id,
        "assignment_id": assignment_id,
        "doctor_id": doctor_id,
        "to_doctor_id": to_doctor_id,
        "return_id": return_id,
        "message": message,
    }
    made = _insert(session, actor, date, values)
    _note(session, actor, "swap.offered", made, return_id=return_id)
    _tell(session, actor, "swap.offered", made, told)
    return made


def take(
    session: UnitOfWork,
    actor: Actor,
    swap_id: int,
    *,
    doctor_id: int | None = None,
    passing: Collection[str] = (),
) -> Assignment:
    """Take an offered day, for oneself or (`doctor_id`) for a colleague on the telephone.

    In an exchange the colleague's day goes the other way in the same transaction: both or
    neither. Taking twice changes nothing. Raises `Conflict` naming who was first, or saying how
    the offer ended, and `RuleBroken` naming the rule that forbids it.
    """
    swap = _visible(session, actor, swap_id)
    taker = _acting_for(session, actor, swap.practice_id, doctor_id)
    if taker.id == swap.doctor_id:
        raise InvalidInput("swap_oneself", field="doctor")
    if swap.to_doctor_id not in (None, taker.id):
        raise Forbidden(action=Action.NEED_CLAIM.value)
    assignments.hold(session, swap.practice_id, [swap.doctor_id, taker.id])
    session.refresh(swap, with_for_update=True)
    if swap.state is not SwapState.OPEN:
        return _taken_already(session, swap, taker)
    day = session.get_one(Assignment, swap.assignment_id, populate_existing=True)
    require_upcoming(session, day)
    back = None
    if swap.return_id is not None:
        back = session.get_one(Assignment, swap.return_id, populate_existing=True)
        require_upcoming(session, back)
    # Only the doctor's own yes passes a limit: on the telephone none is.
    passing = passing if taker.id == actor.user_id else ()
    steps = _steps(session, day, taker, back, passing, swap.offered_by == swap.doctor_id)
    with session.begin_nested():
        # Before the days end: an offer that is open would lapse with its day.
        swap.state, swap.taken_by, swap.ended_at = SwapState.TAKEN, taker.id, session.now()
        session.flush()
        taken = pass_on(session, actor, steps, ReleaseKind.SWAPPED)[0]
        swap.taken_id = taken.id
        session.flush()
    _note(session, actor, "swap.taken", swap, taken_id=taken.id, taker_id=taker.id)
    told = {swap.doctor_id, taker.id, swap.offered_by}
    told |= assignments.titulars_of(session, swap.practice_id)
    _tell(session, actor, "swap.taken", swap, told)
    return taken


def decline(session: UnitOfWork, actor: Actor, swap_id: int) -> Swap:
    """Say no to an offer that was made to oneself; whoever made it is told.

    Saying it twice changes nothing. What is offered to all is left, not declined.
    """
    swap = _visible(session, actor, swap_id)
    require(actor, Action.NEED_CLAIM, Subject(swap.practice_id, swap.to_doctor_id))
    _hold_offer(session, swap)
    if swap.state is SwapState.DECLINED:
        return swap
    if swap.state is not SwapState.OPEN:
        raise _over(session, swap)
    _end(session, actor, swap, SwapState.DECLINED)
    _tell(session, actor, "swap.declined", swap, {swap.doctor_id, swap.offered_by})
    return swap


def withdraw(session: UnitOfWork, actor: Actor, swap_id: int) -> Swap:
    """Take an open offer back; the one colleague it was made to is told. What has ended stays."""
    swap = _visible(session, actor, swap_id)
    require(actor, Action.SWAP_OFFER, Subject(swap.practice_id, swap.doctor_id))
    _hold_offer(session, swap)
    if swap.state is SwapState.OPEN:
        _end(session, actor, swap, SwapState.WITHDRAWN)
        if swap.to_doctor_id is not None:
            _tell(session, actor, "swap.withdrawn", swap, {swap.to_doctor_id})
    return swap


def untake(session: UnitOfWork, actor: Actor, swap_id: int) -> Assignment:
    """Give a day back that was taken by mistake; in an exchange both return.

    Only whoever took it says so, or somebody of the practice for them: who gave a day away
    cannot force it on. Raises `Conflict` after 24 hours or when a day has begun, and when the
    giver is no longer free for it: then it stays where it is.
    """
    swap = _visible(session, actor, swap_id)
    require(actor, Action.SWAP_OFFER, Subject(swap.practice_id, swap.taken_by))
    if actor.user_id == swap.doctor_id:
        raise Forbidden(action=Action.SWAP_OFFER.value)
    people = {swap.doctor_id} if swap.taken_by is None else {swap.doctor_id, swap.taken_by}
    assignments.hold(session, swap.practice_id, people)
    session.refresh(swap, with_for_update=True)
    if swap.state is not SwapState.TAKEN or swap.taken_id is None:
        raise Conflict("swap_not_taken")
    days = [session.get_one(Assignment, swap.taken_id, populate_existing=True)]
    if swap.return_id is not None:
        days.append(_successor(session, swap.return_id))
    require_untakable(session, days, swap.ended_at)
    returned = give_back(session, actor, days)[0]
    swap.state = SwapState.UNTAKEN
    session.flush()
    _note(session, actor, "swap.untaken", swap)
    told = people | assignments.titulars_of(session, swap.practice_id)
    _tell(session, actor, "swap.untaken", swap, told)
    return returned


def lapse_past(session: UnitOfWork) -> int:
    """End the offers of days that are over, where their practice is; at most `BATCH` for each
    time zone."""
    ended = 0
    for timezone in session.scalars(sa.select(Practice.timezone).distinct()).all():
        for swap in _open_before(session, local_date(session.now(), timezone), timezone):
            _end(session, SYSTEM, swap, SwapState.LAPSED)
            ended += 1
    return ended


def able(session: UnitOfWork, day: Assignment) -> set[int]:
    """Who could take a day without breaking a rule, but whoever said no to it."""
    practice = session.get_one(Practice, day.practice_id)
    need = session.get_one(Need, day.need_id)
    who = candidates.who_could_come(session, SYSTEM, practice, need)
    return {coming.doctor_id for coming in (*who.said, *who.silent)}


def _steps(
    session: UnitOfWork,
    day: Assignment,
    taker: User,
    back: Assignment | None,
    passing: Collection[str],
    own_word: bool,
) -> list[Step]:
    """What a swap does: the day goes to the taker, and `back` to whoever gave it.

    Who offers an exchange in person (`own_word`) knows which day comes back, and so agrees to
    pass the limits they set for themselves.
    """
    steps = [Step(day, taker, AssignmentSource.SWAP, passing)]
    if back is not None:
        giver = session.get_one(User, day.doctor_id)
        steps.append(Step(back, giver, AssignmentSource.SWAP, OWN_LIMITS if own_word else ()))
    return steps


def _colleague(session: UnitOfWork, day: Assignment, to_doctor_id: int) -> User:
    colleague = session.get(User, to_doctor_id)
    if colleague is None:
        raise NotFound("doctor_not_found")
    if colleague.id == day.doctor_id:
        raise InvalidInput("swap_oneself", field="to")
    return colleague


def _return(session: UnitOfWork, day: Assignment, colleague: User, return_id: int) -> Assignment:
    """The colleague's day that comes back for the one offered."""
    back = session.get(Assignment, return_id, populate_existing=True)
    if back is None or (back.practice_id, back.doctor_id) != (day.practice_id, colleague.id):
        raise InvalidInput("swap_return", field="to")
    require_upcoming(session, back)
    return back


def _acting_for(session: UnitOfWork, actor: Actor, practice_id: int, doctor_id: int | None) -> User:
    """Who takes the day: the actor, or the doctor that somebody of the practice speaks for."""
    taker_id = actor.user_id if doctor_id is None else doctor_id
    if taker_id == actor.user_id:
        require(actor, Action.NEED_CLAIM, Subject(practice_id, taker_id))
    else:
        require(actor, Action.ASSIGNMENT_GIVE, Subject(practice_id))
    taker = session.get(User, taker_id) if taker_id is not None else None
    if taker is None:
        raise NotFound("doctor_not_found")
    return taker


def _insert(session: UnitOfWork, actor: Actor, date: dt.date, values: dict[str, Any]) -> Swap:
    """Write the offer; the unique index decides between two of one day."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(Swap)
        .values(**values, state=SwapState.OPEN, offered_by=actor.user_id, offered_at=session.now())
        .on_conflict_do_nothing()
        .returning(Swap)
    )
    made = session.scalars(statement).one_or_none()
    if made is None:
        raise Conflict("swap_open", date=date)
    return made


def _visible(session: UnitOfWork, actor: Actor, swap_id: int) -> Swap:
    swap = session.get(Swap, swap_id)
    if swap is None or not (actor.is_system or actor.roles_in(swap.practice_id)):
        raise NotFound("swap_not_found")
    return swap


def _hold_offer(session: UnitOfWork, swap: Swap) -> None:
    assignments.hold(session, swap.practice_id, [])
    session.refresh(swap, with_for_update=True)


def _successor(session: UnitOfWork, assignment_id: int) -> Assignment:
    """The day that an exchange made of the colleague's."""
    statement = (
        sa.select(Assignment)
        .where(
            Assignment.predecessor_id == assignment_id,
            Assignment.source == AssignmentSource.SWAP,
        )
        .order_by(Assignment.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).one()


def _taken_already(session: UnitOfWork, swap: Swap, taker: User) -> Assignment:
    standing = session.get(Assignment, swap.taken_id) if swap.taken_id is not None else None
    mine = standing is not None and standing.doctor_id == taker.id
    if standing is None or not mine or standing.state is AssignmentState.RELEASED:
        raise _over(session, swap)
    return standing


def _over(session: UnitOfWork, swap: Swap) -> RelaisError:
    """Why an offer can no longer be answered: who was first, or how it ended."""
    date = session.get_one(Assignment, swap.assignment_id).date
    if swap.state is SwapState.TAKEN and swap.taken_by is not None:
        return Conflict("swap_taken", who=session.get_one(User, swap.taken_by).name, date=date)
    if swap.state is SwapState.WITHDRAWN:
        return Conflict("swap_withdrawn", date=date)
    return Conflict("swap_ended", date=date)


def _end(session: UnitOfWork, actor: Actor, swap: Swap, state: SwapState) -> None:
    swap.state, swap.ended_at = state, session.now()
    session.flush()
    _note(session, actor, f"swap.{state.value}", swap)


def _note(session: UnitOfWork, actor: Actor, action: str, swap: Swap, **details: Any) -> None:
    """Record an audit event about an offer. What people typed stays out of it."""
    audit.record(
        session,
        actor,
        action,
        "swap",
        swap.id,
        practice_id=swap.practice_id,
        assignment_id=swap.assignment_id,
        doctor_id=swap.doctor_id,
        to_doctor_id=swap.to_doctor_id,
        **details,
    )


def _tell(
    session: UnitOfWork, actor: Actor, kind: str, swap: Swap, recipient_ids: Collection[int]
) -> None:
    outbox.post(
        session,
        cause=f"{kind}:{swap.id}",
        recipient_ids=[user_id for user_id in recipient_ids if user_id != actor.user_id],
        kind=kind,
        swap_id=swap.id,
    )


def _open_before(session: UnitOfWork, today: dt.date, timezone: str) -> list[Swap]:
    statement = (
        sa.select(Swap)
        .join(Swap.assignment)
        .join(Swap.practice)
        .where(Swap.state == SwapState.OPEN, Assignment.date < today, Practice.timezone == timezone)
        .order_by(Swap.id)
        .limit(BATCH)
        .with_for_update(of=Swap, skip_locked=True)
    )
    return list(session.scalars(statement))
