"""What became of a need: published, taken, offered, released, called for, by whom and from where.

`events_of` reads it all with a number of queries that does not depend on how much happened;
`readable` leaves out what a reader may not know.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.audit import AuditEvent
from scheduler.core.clock import local_date
from scheduler.core.errors import NotFound
from scheduler.people.models import Practice, User
from scheduler.roster.models import (
    Ask,
    Assignment,
    Call,
    CallDay,
    Invitation,
    InvitationDay,
    Need,
    ReleaseRequest,
    Swap,
)
from scheduler.roster.rules import (
    AskState,
    AssignmentSource,
    ReleaseKind,
    RequestState,
    SwapState,
)


class EventKind(enum.StrEnum):
    """What happened."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    TAKEN = "taken"
    # Held for a doctor who may come.
    KEPT = "kept"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    # Taken, and undone within minutes.
    UNDONE = "undone"
    RELEASE_ASKED = "release_asked"
    RELEASE_REFUSED = "release_refused"
    RELEASE_WITHDRAWN = "release_withdrawn"
    OFFERED = "offered"
    OFFER_DECLINED = "offer_declined"
    OFFER_WITHDRAWN = "offer_withdrawn"
    ASKED = "asked"
    ASK_DECLINED = "ask_declined"
    CALLED = "called"
    CALL_DECLINED = "call_declined"
    # Invitations by mail, and their answers.
    INVITED = "invited"
    INVITATION_DECLINED = "invitation_declined"
    INVITATION_WITHDRAWN = "invitation_withdrawn"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a need.

    `who` is the doctor it is about, `by` whoever acted where that is somebody else, None where
    Relais did it by itself (`automatic`) or nobody knows. `other` is the colleague on the other
    side of a swap, or who said yes to whom. `release` says how a day ended, for a day that went
    on to a colleague how it left the one before; `days_before` how many days ahead of its date.
    `known_to` are the users who may know of it, None for everybody; `reason_known_to` the same
    of the reason. Whoever acts for the practice may know all.
    """

    at: dt.datetime
    kind: EventKind
    who: str | None = None
    by: str | None = None
    other: str | None = None
    automatic: bool = False
    source: AssignmentSource | None = None
    held: bool = False
    release: ReleaseKind | None = None
    days_before: int | None = None
    doctors: int = 0
    reason: str | None = None
    reason_known_to: frozenset[int] = frozenset()
    known_to: frozenset[int] | None = None
    # A hold for who may come, and has not said yes.
    tentative: bool = False


NOBODY: Final[frozenset[int]] = frozenset()
# The colleague's day went on: one event tells both sides.
_PASSED_ON: Final = frozenset({ReleaseKind.SWAPPED, ReleaseKind.TAKEN_OVER, ReleaseKind.UNTAKEN})
_REQUEST_ENDS: Final[Mapping[RequestState, EventKind]] = {
    RequestState.REFUSED: EventKind.RELEASE_REFUSED,
    RequestState.WITHDRAWN: EventKind.RELEASE_WITHDRAWN,
}
# What the audit says of invitations; the calendars keep their table to themselves.
_INVITATIONS: Final[Mapping[str, EventKind]] = {
    "invitation.sent": EventKind.INVITED,
    "invitation.declined": EventKind.INVITATION_DECLINED,
    "invitation.withdrawn": EventKind.INVITATION_WITHDRAWN,
}
_OFFER_ENDS: Final[Mapping[SwapState, EventKind]] = {
    SwapState.DECLINED: EventKind.OFFER_DECLINED,
    SwapState.WITHDRAWN: EventKind.OFFER_WITHDRAWN,
}


@dataclass(frozen=True)
class _Told:
    """All rows that tell of a need, and the names of everybody in them."""

    need: Need
    timezone: str
    assignments: Sequence[Assignment]
    marks: Sequence[AuditEvent]
    requests: Sequence[ReleaseRequest]
    swaps: Sequence[Swap]
    asks: Sequence[Ask]
    calls: Sequence[tuple[Call, int]]
    declined: Sequence[tuple[dt.datetime, int]]
    names: dict[int, str] = field(default_factory=dict)

    def people(self) -> Iterator[int | None]:
        """The user ids in the rows."""
        yield self.need.published_by
        for mark in self.marks:
            yield from (mark.actor_id, mark.details.get("doctor_id"))
        for row in self.assignments:
            yield from (row.doctor_id, row.created_by, row.released_by)
        for request in self.requests:
            yield from (request.doctor_id, request.requested_by, request.ended_by)
        for swap in self.swaps:
            yield from (swap.doctor_id, swap.offered_by, swap.to_doctor_id)
        for ask in self.asks:
            yield from (ask.doctor_id, ask.asked_by)
        yield from (call.sent_by for call, _doctors in self.calls)
        yield from (doctor_id for _at, doctor_id in self.declined)

    def name(self, user_id: int | None) -> str | None:
        return None if user_id is None else self.names.get(user_id)

    def acted(self, user_id: int | None, doctor_id: int) -> str | None:
        """Who acted, where it is another than the doctor."""
        return None if user_id == doctor_id else self.name(user_id)


def events_of(session: Session, practice: Practice, need_id: int) -> list[Event]:
    """What became of a need of a practice, oldest first; `NotFound` where there is none."""
    told = _read(session, practice, need_id)
    found = [
        *_of_need(told),
        *_of_assignments(told),
        *_of_requests(told),
        *_of_swaps(told),
        *_of_asks(told),
        *_of_calls(told),
        *_of_invitations(told),
    ]
    return sorted(found, key=lambda event: event.at)


def readable(events: Iterable[Event], reader_id: int | None, *, all_of_it: bool) -> list[Event]:
    """The events that a reader may know, without the reasons that they may not."""
    if all_of_it:
        return list(events)
    return [
        event if reader_id in event.reason_known_to else replace(event, reason=None)
        for event in events
        if event.known_to is None or reader_id in event.known_to
    ]


def _of_need(told: _Told) -> Iterator[Event]:
    by = told.name(told.need.published_by)
    yield Event(told.need.published_at, EventKind.PUBLISHED, by=by)
    for mark in told.marks:
        if mark.action == "need.withdrawn":
            yield Event(mark.at, EventKind.WITHDRAWN, by=told.name(mark.actor_id))


def _of_assignments(told: _Told) -> Iterator[Event]:
    by_id = {row.id: row for row in told.assignments}
    passed_on = {row.predecessor_id for row in told.assignments}
    asked = {ask.assignment_id: told.name(ask.asked_by) for ask in told.asks}
    held = {mark.subject_id for mark in told.marks if mark.details.get("state") == "held"}
    for row in told.assignments:
        who, by = told.name(row.doctor_id), told.acted(row.created_by, row.doctor_id)
        if row.release_kind is ReleaseKind.UNDONE and not row.tentative:
            yield Event(row.created_at, EventKind.UNDONE, who, by, source=row.source)
            continue
        taken = Event(
            row.created_at,
            EventKind.TAKEN,
            who,
            by,
            other=asked.get(row.id),
            automatic=row.created_by is None,
            source=row.source,
            held=row.id in held,
        )
        if row.tentative:
            if row.released_at is not None:
                yield _ended(told, row, row.released_at)
            continue
        before = None if row.predecessor_id is None else by_id.get(row.predecessor_id)
        if before is not None:
            taken = replace(
                taken,
                other=told.name(before.doctor_id),
                release=before.release_kind,
                reason=before.release_reason,
                reason_known_to=frozenset({before.doctor_id, row.doctor_id}),
            )
        yield taken
        if row.release_kind in _PASSED_ON and row.id in passed_on:
            continue
        if row.released_at is not None:
            yield _ended(told, row, row.released_at)
    for mark in told.marks:
        row_of = by_id.get(mark.subject_id or 0) if mark.subject == "assignment" else None
        if mark.action == "assignment.tentative" and row_of is not None:
            who = told.name(row_of.doctor_id)
            yield Event(mark.at, EventKind.KEPT, who, source=AssignmentSource.INVITATION)
        if mark.action == "assignment.confirmed" and row_of is not None:
            yield Event(
                mark.at,
                EventKind.CONFIRMED,
                told.name(row_of.doctor_id),
                told.name(mark.actor_id),
                automatic=mark.actor_id is None,
            )


def _ended(told: _Told, row: Assignment, at: dt.datetime) -> Event:
    return Event(
        at,
        EventKind.RELEASED,
        told.name(row.doctor_id),
        told.acted(row.released_by, row.doctor_id),
        automatic=row.released_by is None,
        release=row.release_kind,
        days_before=(row.date - local_date(at, told.timezone)).days,
        reason=row.release_reason,
        reason_known_to=frozenset({row.doctor_id}),
        tentative=row.tentative,
    )


def _of_requests(told: _Told) -> Iterator[Event]:
    for row in told.requests:
        known = frozenset({row.doctor_id})
        who, by = told.name(row.doctor_id), told.acted(row.requested_by, row.doctor_id)
        yield Event(
            row.requested_at,
            EventKind.RELEASE_ASKED,
            who,
            by,
            reason=row.reason,
            reason_known_to=known,
            known_to=known,
        )
        kind = _REQUEST_ENDS.get(row.state)
        if kind is not None and row.ended_at is not None:
            yield Event(
                row.ended_at,
                kind,
                who,
                told.acted(row.ended_by, row.doctor_id),
                reason=row.answer_note,
                reason_known_to=known,
                known_to=known,
            )


def _of_swaps(told: _Told) -> Iterator[Event]:
    for row in told.swaps:
        # An offer to all is everybody's to read; one to a colleague is theirs.
        known = None
        if row.to_doctor_id is not None:
            known = frozenset({row.doctor_id, row.to_doctor_id})
        who, other = told.name(row.doctor_id), told.name(row.to_doctor_id)
        by = told.acted(row.offered_by, row.doctor_id)
        yield Event(row.offered_at, EventKind.OFFERED, who, by, other=other, known_to=known)
        kind = _OFFER_ENDS.get(row.state)
        if kind is not None and row.ended_at is not None:
            yield Event(row.ended_at, kind, who, other=other, known_to=known)


def _of_asks(told: _Told) -> Iterator[Event]:
    for row in told.asks:
        known = frozenset({row.doctor_id, row.asked_by})
        who, by = told.name(row.doctor_id), told.name(row.asked_by)
        yield Event(row.asked_at, EventKind.ASKED, who, by, known_to=known)
        if row.state is AskState.DECLINED and row.ended_at is not None:
            yield Event(
                row.ended_at,
                EventKind.ASK_DECLINED,
                who,
                reason=row.answer_note,
                reason_known_to=known,
                known_to=known,
            )


def _of_calls(told: _Told) -> Iterator[Event]:
    for call, doctors in told.calls:
        if call.sent_at is not None:
            yield Event(
                call.sent_at,
                EventKind.CALLED,
                by=told.name(call.sent_by),
                automatic=call.sent_by is None,
                doctors=doctors,
                known_to=NOBODY,
            )
    for at, doctor_id in told.declined:
        who, known = told.name(doctor_id), frozenset({doctor_id})
        yield Event(at, EventKind.CALL_DECLINED, who, known_to=known)


def _of_invitations(told: _Told) -> Iterator[Event]:
    for mark in told.marks:
        kind, doctor_id = _INVITATIONS.get(mark.action), mark.details.get("doctor_id")
        if kind is None or doctor_id is None:
            continue
        who, by = told.name(doctor_id), told.acted(mark.actor_id, doctor_id)
        yield Event(mark.at, kind, who, by, known_to=frozenset({doctor_id}))


def _read(session: Session, practice: Practice, need_id: int) -> _Told:
    need = session.scalars(
        sa.select(Need).where(Need.id == need_id, Need.practice_id == practice.id)
    ).one_or_none()
    if need is None:
        raise NotFound("need_not_found")
    of_need = sa.select(Assignment.id).where(Assignment.need_id == need.id)
    told = _Told(
        need=need,
        timezone=practice.timezone,
        assignments=session.scalars(
            sa.select(Assignment).where(Assignment.need_id == need.id).order_by(Assignment.id)
        ).all(),
        marks=session.scalars(
            sa.select(AuditEvent)
            .where(
                sa.or_(
                    sa.and_(AuditEvent.subject == "need", AuditEvent.subject_id == need.id),
                    sa.and_(AuditEvent.subject == "assignment", AuditEvent.subject_id.in_(of_need)),
                )
            )
            .order_by(AuditEvent.sequence)
        ).all(),
        requests=session.scalars(
            sa.select(ReleaseRequest)
            .where(ReleaseRequest.assignment_id.in_(of_need))
            .order_by(ReleaseRequest.id)
        ).all(),
        swaps=session.scalars(
            sa.select(Swap).where(Swap.assignment_id.in_(of_need)).order_by(Swap.id)
        ).all(),
        asks=session.scalars(sa.select(Ask).where(Ask.need_id == need.id).order_by(Ask.id)).all(),
        calls=_calls(session, need),
        declined=_declined(session, need),
    )
    people = {user_id for user_id in told.people() if user_id is not None}
    names = session.scalars(sa.select(User).where(User.id.in_(people)))
    return replace(told, names={user.id: user.name for user in names})


def _calls(session: Session, need: Need) -> list[tuple[Call, int]]:
    """The calls for a need, each with how many doctors were asked about it."""
    asked = (
        sa.select(sa.func.count())
        .select_from(InvitationDay)
        .join(Invitation, Invitation.id == InvitationDay.invitation_id)
        .where(
            Invitation.call_id == Call.id,
            InvitationDay.need_id == need.id,
            Invitation.sent_at.is_not(None),
        )
        .correlate(Call)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(Call, asked)
        .join(CallDay, CallDay.call_id == Call.id)
        .where(CallDay.need_id == need.id)
        .order_by(Call.id)
    )
    return [(call, doctors) for call, doctors in rows]


def _declined(session: Session, need: Need) -> list[tuple[dt.datetime, int]]:
    """When which doctors answered a call that they cannot come."""
    rows = session.scalars(
        sa.select(InvitationDay)
        .where(InvitationDay.need_id == need.id, InvitationDay.declined_at.is_not(None))
        .options(joinedload(InvitationDay.invitation))
        .order_by(InvitationDay.id)
    )
    return [(row.declined_at, row.invitation.doctor_id) for row in rows if row.declined_at]
