"""« Jours libres »: the days to fill that a doctor could take, to be read only."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.calendars import rules
from scheduler.calendars.caldav.members import Fact, Shown, shown
from scheduler.calendars.caldav.visit import Visit
from scheduler.calendars.days import place_of, titled
from scheduler.people.models import Practice
from scheduler.roster.board import practice_ids_of
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, Half, NeedState


def members(visit: Visit, resets: dict[str, int]) -> list[Shown]:
    """Every day that nobody has and that is open to one of the doctor's roles, from today on.

    Those at which the doctor is elsewhere already are left out.
    """
    last = rules.window_around(visit.today).end
    busy = _busy(visit)
    found = visit.unit.scalars(
        sa.select(Need)
        .outerjoin(
            Assignment,
            sa.and_(Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED),
        )
        .where(
            Need.practice_id.in_(practice_ids_of(visit.actor)),
            Need.state == NeedState.PUBLISHED,
            Need.date.between(visit.today, last),
            Assignment.id.is_(None),
        )
        .options(joinedload(Need.room), joinedload(Need.practice))
        .order_by(Need.date, Need.id)
    )
    return [
        _member(visit, need, resets)
        for need in found
        if _is_open_to(visit, need)
        and not any((need.date, half) in busy for half in need.period.halves)
    ]


def _is_open_to(visit: Visit, need: Need) -> bool:
    return any(role.value in need.roles for role in visit.actor.roles_in(need.practice_id))


def _busy(visit: Visit) -> set[tuple[object, Half]]:
    rows = visit.unit.execute(
        sa.select(Assignment.date, Assignment.period).where(
            Assignment.doctor_id == visit.doctor_id,
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date >= visit.today,
        )
    )
    return {(date, half) for date, period in rows for half in period.halves}


def _member(visit: Visit, need: Need, resets: dict[str, int]) -> Shown:
    practice = need.practice
    start, end = rules.hours_of(practice, need.date, need.period)
    link = visit.links.need(practice.slug, need.id)
    uid = need_uid(practice, need)
    href = f"{uid}.ics"
    fact = Fact(
        uid=uid,
        sequence=need.version - 1 + practice.version - 1,
        changed_at=need.published_at,
        start=start,
        end=end,
        summary=titled(
            f"{visit.words['to_fill']} · {practice.name} · {need.room.name}",
            need.period,
            visit.words,
            all_day=False,
        ),
        location=place_of(need),
        url=link,
        # Not every programme shows the address of an event, all show its notes.
        description=link,
        tentative=True,
        transparent=True,
    )
    return shown(href, fact, resets.get(href, 0))


def need_uid(practice: Practice, need: Need) -> str:
    """The UID of a day to fill, as in the feeds."""
    origin = f"relais:{practice.slug}:{practice.created_at.isoformat()}:need:{need.id}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, origin))
