"""What doctors' calendars answer, carried out: yes claims, maybe holds, no refuses.

An answer is known by three things that only the invited doctor's mail held: the UID of the event,
with its proof; the address it was sent to, unless the provider dropped its token; and the attendee
who was invited. Whom a mail says it is from counts for nothing. What was answered before, or is
older than what was, changes nothing (RFC 5546, 2.1.5).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from scheduler.calendars.invitations import addresses
from scheduler.calendars.invitations.following import follow_need
from scheduler.calendars.invitations.telling import end, note, tell, tell_inviter
from scheduler.calendars.models import Answer, CalendarInvitation, Ending
from scheduler.calendars.reading.itip import Mail, Said
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, RelaisError, RuleBroken
from scheduler.core.permissions import Actor
from scheduler.core.settings import Settings
from scheduler.people.models import Locale, Practice, User
from scheduler.people.queries import identity
from scheduler.roster import assignments, claiming, holding, releasing
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentSource, AssignmentState

# A clock may be wrong, but an answer from far ahead would make every later one look old.
MOST_AHEAD: Final = dt.timedelta(days=1)
_REPLIES: Final = frozenset({"ACCEPTED", "TENTATIVE", "DECLINED"})
# What stands against a yes to an invitation that has ended.
_WHY: Final[Mapping[Ending, str]] = {
    Ending.TAKEN: "need_taken",
    Ending.NEED_WITHDRAWN: "need_withdrawn",
    Ending.GIVEN_BACK: "withdrawn",
}
_REASON: Final[Mapping[Locale, str]] = {
    Locale.FRENCH: "A répondu « non » à l’invitation depuis son agenda.",
    Locale.ENGLISH: "Answered “no” to the invitation from their calendar.",
}


class Result(enum.StrEnum):
    """What came of a mail."""

    ACCEPTED = "accepted"
    # Accepted, and held for a titular's word.
    HELD = "held"
    TENTATIVE = "tentative"
    DECLINED = "declined"
    # Had the day and gave it back, or asked to be released from it.
    RELEASED = "released"
    RELEASE_REQUESTED = "release_requested"
    # Said yes or maybe, and it cannot be; the doctor is told why.
    REFUSED = "refused"
    # Noted, and nothing changes for the day.
    NOTED = "noted"
    COUNTERED = "countered"
    REFRESHED = "refreshed"
    # An answer that was carried out already, or one that is older.
    REPEATED = "repeated"
    OUTDATED = "outdated"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a mail; `why` is the rule that stood against it, or why it was ignored."""

    result: Result
    doctor: str | None = None
    date: dt.date | None = None
    why: str | None = None


def receive(session: UnitOfWork, settings: Settings, mail: Mail) -> Outcome:
    """Carry out what a mail answers. Whatever cannot be is told to the doctor, and raises nothing.

    Answers go to the doctor's own address, each at most once for its cause: no mail that comes
    in can make mails go round.
    """
    mailbox = addresses.mailbox(session, settings)
    if mailbox is None or settings.secret_key is None:
        return _ignored("not_set_up")
    if mail.automatic:
        return _ignored("automatic")
    if not mail.events:
        return _ignored("no_answer")
    for said in mail.events:
        uid = addresses.uid_of(settings.secret_key, said.uid)
        found = None if uid is None else _known(session, uid)
        if found is not None:
            sent_to = [*mail.recipients, *([said.organizer] if said.organizer else [])]
            if not addresses.belongs(mailbox, settings.secret_key, found.uid, sent_to):
                return _ignored("other_address")
            return _answered(session, found, mail.method, said)
    return _ignored("not_ours")


def _known(session: UnitOfWork, uid: str) -> CalendarInvitation | None:
    """The invitation, its practice and its doctor held, as it stands now."""
    where = CalendarInvitation.uid == uid
    found = session.scalars(sa.select(CalendarInvitation).where(where)).one_or_none()
    if found is not None:
        assignments.hold(session, found.practice_id, [found.doctor_id])
        session.refresh(found, with_for_update=True)
    return found


def _answered(
    session: UnitOfWork, invitation: CalendarInvitation, method: str, said: Said
) -> Outcome:
    answers = [answer for who, answer in said.attendees if who == invitation.address.lower()]
    if not answers:
        if method == "REPLY" and invitation.ended_at is None:
            tell(session, "invitation.elsewhere", invitation, "")
        return _ignored("other_attendee")
    if said.stamp is None or said.stamp > session.now() + MOST_AHEAD:
        return _ignored("no_moment")
    if method == "COUNTER":
        return _countered(session, invitation)
    if method == "REFRESH":
        return _refreshed(session, invitation)
    if method != "REPLY" or answers[0] not in _REPLIES:
        return _ignored("no_answer")
    return _replied(session, invitation, answers[0], said, said.stamp)


def _replied(
    session: UnitOfWork,
    invitation: CalendarInvitation,
    answer: str,
    said: Said,
    stamp: dt.datetime,
) -> Outcome:
    sequence = said.sequence or 0
    before = (invitation.answered_sequence, invitation.answered_stamp)
    if before[0] is not None and before[1] is not None and (sequence, stamp) <= before:
        return _outcome(session, invitation, Result.REPEATED)
    over = invitation.ended_at is not None
    if not over and said.sequence is not None and sequence < invitation.sequence:
        return _outcome(session, invitation, Result.OUTDATED)
    invitation.answered_sequence, invitation.answered_stamp = sequence, stamp
    invitation.answered_at = session.now()
    session.flush()
    if over:
        return _too_late(session, invitation, answer)
    actor = _doctor(session, invitation)
    if actor is None:
        return _refused(session, invitation, None, "invitation_not_found")
    key = f"invitation:{invitation.uid}:{sequence}:{stamp.isoformat()}"
    if answer == "ACCEPTED":
        return _accepted(session, invitation, actor, key)
    if answer == "TENTATIVE":
        return _may_come(session, invitation, actor)
    return _declined(session, invitation, actor)


def _accepted(
    session: UnitOfWork, invitation: CalendarInvitation, actor: Actor, key: str
) -> Outcome:
    try:
        taken = claiming.claim(
            session, actor, invitation.need_id, source=AssignmentSource.INVITATION, key=key
        )
    except RelaisError as error:
        return _refused(session, invitation, actor, error.code)
    invitation.answer, invitation.assignment_id = Answer.ACCEPTED, taken.id
    session.flush()
    note(session, actor, "invitation.accepted", invitation, assignment_id=taken.id)
    request = releasing.open_request_on(session, taken.id)
    if request is not None:
        # They asked to be released, and come after all.
        releasing.withdraw_request(session, actor, request.id)
    held = taken.state is AssignmentState.HELD
    if held:
        once = f"{taken.id}:titular"
        tell(session, "invitation.held", invitation, once, assignment_id=taken.id)
    result = Result.HELD if held else Result.ACCEPTED
    tell_inviter(session, invitation, result.value, taken.id)
    follow_need(session, invitation.need_id)
    return _outcome(session, invitation, result)


def _may_come(session: UnitOfWork, invitation: CalendarInvitation, actor: Actor) -> Outcome:
    standing = assignments.holder_of(session, invitation.need_id)
    theirs = standing is not None and standing.doctor_id == invitation.doctor_id
    if standing is not None and theirs and not standing.tentative:
        # A maybe takes nothing back.
        return _outcome(session, invitation, Result.NOTED)
    try:
        held = holding.hold_tentatively(
            session, actor, invitation.need_id, source=AssignmentSource.INVITATION
        )
    except RelaisError as error:
        if error.code != "hold_over":
            return _refused(session, invitation, actor, error.code)
        invitation.answer = Answer.TENTATIVE
        session.flush()
        note(session, actor, "invitation.tentative", invitation)
        return _outcome(session, invitation, Result.NOTED, error.code)
    invitation.answer, invitation.assignment_id = Answer.TENTATIVE, held.id
    session.flush()
    note(session, actor, "invitation.tentative", invitation, assignment_id=held.id)
    tell(session, "invitation.held", invitation, f"{held.id}:own", assignment_id=held.id)
    tell_inviter(session, invitation, Result.TENTATIVE.value, held.id)
    return _outcome(session, invitation, Result.TENTATIVE)


def _declined(session: UnitOfWork, invitation: CalendarInvitation, actor: Actor) -> Outcome:
    """No. A day that they took by this invitation is given back, as from every other door."""
    standing = assignments.holder_of(session, invitation.need_id)
    theirs = standing is not None and standing.id == invitation.assignment_id
    result = Result.DECLINED
    if standing is not None and theirs:
        try:
            result = _given_back(session, actor, standing)
        except RelaisError as error:
            return _outcome(session, invitation, Result.NOTED, error.code)
    if result is not Result.RELEASE_REQUESTED:
        invitation.answer, invitation.assignment_id = Answer.DECLINED, None
    session.flush()
    note(session, actor, "invitation.declined", invitation)
    if result is Result.DECLINED:
        once = standing.id if standing and theirs else ""
        tell_inviter(session, invitation, result.value, once, given_back=theirs)
    return _outcome(session, invitation, result)


def _given_back(session: UnitOfWork, actor: Actor, day: Assignment) -> Result:
    if day.tentative:
        holding.let_go(session, actor, day.id)
        return Result.DECLINED
    if claiming.may_undo(session, actor, day):
        claiming.undo(session, actor, day.id)
        return Result.DECLINED
    doctor = session.get_one(User, day.doctor_id)
    reason = _REASON[doctor.locale]
    try:
        releasing.release(session, actor, day.id, reason)
    except RuleBroken as error:
        if error.code != "release_needs_titular":
            raise
    else:
        return Result.RELEASED
    try:
        releasing.request_release(session, actor, day.id, reason)
    except Conflict as error:
        if error.code != "release_requested_already":
            raise
    return Result.RELEASE_REQUESTED


def _refused(
    session: UnitOfWork, invitation: CalendarInvitation, actor: Actor | None, why: str
) -> Outcome:
    """Tell the doctor that it cannot be, and why; their calendar removes the event."""
    who = actor or Actor(invitation.doctor_id, "")
    ending = Ending.TAKEN if why == "need_taken" else Ending.REFUSED
    end(session, who, invitation, ending, quietly=True)
    tell(session, "invitation.refused", invitation, "", why=why)
    return _outcome(session, invitation, Result.REFUSED, why)


def _too_late(session: UnitOfWork, invitation: CalendarInvitation, answer: str) -> Outcome:
    """An answer to what has ended: who says yes or maybe is told once more that it has."""
    standing = assignments.holder_of(session, invitation.need_id)
    theirs = standing is not None and standing.doctor_id == invitation.doctor_id
    if answer == "DECLINED" or theirs or invitation.ending is None:
        return _outcome(session, invitation, Result.NOTED)
    why = _WHY.get(invitation.ending, invitation.ending.value)
    tell(session, "invitation.refused", invitation, "", why=why)
    return _outcome(session, invitation, Result.REFUSED, why)


def _countered(session: UnitOfWork, invitation: CalendarInvitation) -> Outcome:
    """Another time was proposed: a day is taken as it is. Once a day, whatever comes."""
    if invitation.ended_at is not None:
        return _ignored("over")
    day = local_date(session.now(), session.get_one(Practice, invitation.practice_id).timezone)
    tell(session, "invitation.countered", invitation, day)
    tell_inviter(session, invitation, Result.COUNTERED.value, "")
    return _outcome(session, invitation, Result.COUNTERED)


def _refreshed(session: UnitOfWork, invitation: CalendarInvitation) -> Outcome:
    """The calendar asks for the event as it stands: sent again, once a day, whatever comes."""
    day = local_date(session.now(), session.get_one(Practice, invitation.practice_id).timezone)
    if invitation.ending is not None:
        why = invitation.ending.value
        tell(session, "invitation.ended", invitation, f"again:{day}", why=why)
    else:
        accepted = invitation.answer is Answer.ACCEPTED
        tell(session, "invitation.changed", invitation, f"again:{day}", accepted=accepted)
    return _outcome(session, invitation, Result.REFRESHED)


def _doctor(session: UnitOfWork, invitation: CalendarInvitation) -> Actor | None:
    """The doctor as who acts, while they are of the practice."""
    practice = session.get_one(Practice, invitation.practice_id)
    found = identity(session, invitation.doctor_id, local_date(session.now(), practice.timezone))
    if found is None or not found.actor.roles_in(practice.id):
        return None
    return found.actor


def _outcome(
    session: UnitOfWork, invitation: CalendarInvitation, result: Result, why: str | None = None
) -> Outcome:
    doctor = session.get_one(User, invitation.doctor_id)
    need = session.get_one(Need, invitation.need_id)
    return Outcome(result, doctor.name, need.date, why)


def _ignored(why: str) -> Outcome:
    return Outcome(Result.IGNORED, why=why)
