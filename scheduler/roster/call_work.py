"""What the worker does for calls: it finds weeks that lack doctors, and sends what is due.

Each use case deals with one practice a call and says whether there was one: several would be
locked in an order of their own.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.core import outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import SYSTEM
from scheduler.people.models import Practice
from scheduler.roster import assignments, call_queries
from scheduler.roster.call_queries import Week
from scheduler.roster.call_rules import LOOK_AGAIN, Invitee, is_quiet, is_thin
from scheduler.roster.call_waves import (
    finish,
    prepare,
    ranked,
    refresh,
    send_next,
    tell_unanswered,
)
from scheduler.roster.models import Assignment, Call, CallDay, CallWatch, Need
from scheduler.roster.rules import AssignmentState, CallState, NeedState, monday_of

BATCH: Final = 50
_WEEK: Final = dt.timedelta(weeks=1)


def find_thin_weeks(session: UnitOfWork) -> int:
    """Look at the coming weeks of one practice; each has its turn once an hour, not at night.

    A week below the minimum gets a call, prepared for its titulars to send, who are told once; a
    prepared one follows what changes, and goes when its week recovers. Returns how many practices
    it looked at: 0 when no turn has come.
    """
    practice = _next_practice(session)
    if practice is None:
        return 0
    assignments.hold(session, practice.id, [])
    today = local_date(session.now(), practice.timezone)
    this_week = monday_of(today)
    last = this_week + practice.call_weeks_ahead * _WEEK
    weeks = call_queries.weeks_between(session, practice, this_week, last + dt.timedelta(days=6))
    calls = _latest_calls(session, practice, this_week)
    for monday in sorted({*weeks, *calls}):
        week, call = weeks.get(monday, Week(monday)), calls.get(monday)
        # A week that has begun is only looked at where its call waits to be sent.
        if monday > this_week or (call is not None and call.state is CallState.PREPARED):
            _look_at(session, practice, week, call)
    return 1


def advance_calls(session: UnitOfWork) -> int:
    """Send the waves that are due in one practice, and end the calls whose days are filled or
    over, or whose week has its minimum; nothing at night but what is urgent. After the last wave
    the titulars are told of what stays open. Returns how many calls that were."""
    for timezone in session.scalars(sa.select(Practice.timezone).distinct()).all():
        due = _due(session, timezone)
        if not due:
            continue
        assignments.hold(session, due[0].practice_id, [])
        moved = call_queries.whole(
            session, sa.select(Call).where(Call.id.in_([call.id for call in due])), lock=True
        )
        for call in moved:
            if call.state in call_queries.OPEN_STATES:
                _move(session, call)
        return len(moved)
    return 0


def _next_practice(session: UnitOfWork) -> Practice | None:
    """A practice whose turn has come, its turn taken."""
    now = session.now()
    loud = [
        timezone
        for timezone in session.scalars(sa.select(Practice.timezone).distinct())
        if not is_quiet(now, timezone)
    ]
    practice = session.scalars(
        sa.select(Practice)
        .outerjoin(CallWatch, CallWatch.practice_id == Practice.id)
        .where(
            Practice.timezone.in_(loud),
            sa.or_(CallWatch.looked_at.is_(None), CallWatch.looked_at <= now - LOOK_AGAIN),
        )
        .order_by(CallWatch.looked_at, Practice.id)
        .limit(1)
    ).one_or_none()
    if practice is None:
        return None
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(CallWatch)
        .values(practice_id=practice.id, looked_at=now)
        .on_conflict_do_update(index_elements=["practice_id"], set_={"looked_at": now})
    )
    return practice


def _latest_calls(session: UnitOfWork, practice: Practice, first: dt.date) -> dict[dt.date, Call]:
    """The newest call of each week from `first` on, by its Monday; absences have their own."""
    newest = (
        sa.select(sa.func.max(Call.id))
        .where(Call.practice_id == practice.id, Call.monday >= first, ~Call.urgent)
        .group_by(Call.monday)
    )
    found = call_queries.whole(session, sa.select(Call).where(Call.id.in_(newest)), lock=True)
    return {call.monday: call for call in found}


def _look_at(session: UnitOfWork, practice: Practice, week: Week, call: Call | None) -> None:
    thin = bool(week.open_needs) and is_thin(week.wanted, week.with_doctor, practice.weekly_minimum)
    if not thin:
        if call is not None and call.state is CallState.PREPARED:
            finish(session, SYSTEM, call, CallState.ENDED)
        return
    if call is not None and call.state is CallState.SENT:
        # Its waves are out, and days have come that it does not ask about.
        if call.has_other_wave or not _new_days(session, call, week):
            return
        finish(session, SYSTEM, call, CallState.ENDED, quietly=True)
    invitees = ranked(session, practice, week.open_needs)
    if call is not None and call.state is CallState.PREPARED:
        refresh(session, call, week.open_needs, invitees)
    elif call is None or _changed(session, call, week, invitees):
        made = prepare(session, practice, week.open_needs, invitees)
        outbox.post(
            session,
            cause=f"call.prepared:{made.id}",
            recipient_ids=assignments.titulars_of(session, practice.id),
            kind="call.prepared",
            call_id=made.id,
        )


def _changed(session: UnitOfWork, call: Call, week: Week, invitees: list[Invitee]) -> bool:
    """Whether a week is another than when its last call ended: in its days, or in who could come
    on them."""
    known = {invitation.doctor_id for invitation in call.invitations}
    return bool(_new_days(session, call, week)) or any(
        one.doctor_id not in known for one in invitees
    )


def _new_days(session: UnitOfWork, call: Call, week: Week) -> set[int]:
    """The open needs of the week that a call did not ask about, or that were given back since."""
    since = call.sent_at or call.prepared_at
    open_ids = {need.id for need in week.open_needs}
    freed = call_queries.freed_at(session, open_ids)
    asked = {day.need_id for day in call.days}
    return {
        need_id
        for need_id in open_ids
        if need_id not in asked or (need_id in freed and freed[need_id] > since)
    }


def _due(session: UnitOfWork, timezone: str) -> list[Call]:
    """The calls of one practice in a time zone that have something to do now."""
    now = session.now()
    still_open = (
        sa.select(CallDay.id)
        .join(Need, Need.id == CallDay.need_id)
        .outerjoin(
            Assignment,
            sa.and_(Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED),
        )
        .where(
            CallDay.call_id == Call.id,
            Need.state == NeedState.PUBLISHED,
            Need.date >= local_date(now, timezone),
            Assignment.id.is_(None),
        )
        .exists()
    )
    statement = (
        sa.select(Call)
        .join(Call.practice)
        .where(
            Practice.timezone == timezone,
            sa.or_(
                sa.and_(Call.state == CallState.SENT, Call.next_wave_at <= now),
                sa.and_(Call.state.in_(call_queries.OPEN_STATES), ~still_open),
            ),
        )
        .order_by(Call.practice_id, Call.id)
        .limit(BATCH)
    )
    if is_quiet(now, timezone):
        statement = statement.where(Call.urgent)
    found = list(session.scalars(statement))
    return [call for call in found if call.practice_id == found[0].practice_id]


def _move(session: UnitOfWork, call: Call) -> None:
    days = call_queries.days_of(session, [call])[call.id]
    if not any(day.is_open for day in days):
        taken = call.state is CallState.SENT and any(day.holder is not None for day in days)
        state = CallState.FILLED if taken else CallState.ENDED
        finish(session, SYSTEM, call, state, quietly=not taken)
    elif call.next_wave_at is None or call.next_wave_at > session.now():
        return
    elif _has_enough(session, call):
        finish(session, SYSTEM, call, CallState.FILLED)
    elif call.has_other_wave:
        send_next(session, SYSTEM, call)
    else:
        tell_unanswered(session, call)


def _has_enough(session: UnitOfWork, call: Call) -> bool:
    """Whether the week of a call has its minimum by now; a day lost today is lost all the same."""
    practice, sunday = call.practice, call.monday + dt.timedelta(days=6)
    weeks = call_queries.weeks_between(session, practice, call.monday, sunday)
    week = weeks.get(call.monday, Week(call.monday))
    thin = is_thin(week.wanted, week.with_doctor, practice.weekly_minimum)
    return not (call.urgent or thin)
