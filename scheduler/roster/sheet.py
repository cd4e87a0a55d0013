"""The sheet on the door: who is there, half-day by half-day, for patients.

It names doctors, the other professionals and what the practice says on days without a doctor;
no telephone number of anybody, nothing of any patient.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from scheduler.core.permissions import Role
from scheduler.people.models import Practice
from scheduler.roster import presence_queries, queries, week_queries
from scheduler.roster.presence_queries import Present
from scheduler.roster.queries import Entry
from scheduler.roster.rules import AssignmentState, Half, Period, days_between
from scheduler.roster.week_queries import DoctorFacts

SATURDAY: Final = 5
# Who is in the house to be seen by patients: a secretary is at the desk, a viewer only reads.
SEEN_ROLES: Final = frozenset({Role.NURSE})


@dataclass(frozen=True, slots=True)
class Consultation:
    """A doctor in a room. `titled` doctors are called « Dr »; None names nobody, since a day that
    is held may still change."""

    room: str
    name: str | None
    titled: bool
    intern: bool


@dataclass(frozen=True, slots=True)
class Attendance:
    """Another professional, for the whole day or a half of it."""

    name: str
    profession: str | None
    role: Role
    period: Period


@dataclass(frozen=True, slots=True)
class SheetDay:
    """One date of the sheet.

    `open` tells whether the house would have a doctor on it, and `advice` where urgent patients
    go when it has none, or an intern alone.
    """

    date: dt.date
    open: bool
    consultations: Mapping[Half, tuple[Consultation, ...]]
    attendances: tuple[Attendance, ...]
    advice: str | None

    @property
    def without_doctor(self) -> bool:
        return not any(self.consultations.values())

    @property
    def shown(self) -> bool:
        """Whether there is anything to say of it: a day off is left out, but for what it says."""
        return self.open or bool(self.attendances) or self.advice is not None


def sheet_between(
    session: Session, practice: Practice, start: dt.date, end: dt.date
) -> list[SheetDay]:
    """The sheet of a practice from `start` to `end`, both included, read from the database."""
    entries = queries.roster_between(session, practice.id, start, end)
    return sheet_of(
        entries,
        week_queries.doctors_on(session, entries),
        presence_queries.presences_between(session, practice.id, start, end),
        presence_queries.advice_of(session, practice.id),
        start,
        end,
    )


def sheet_of(
    entries: Sequence[Entry],
    doctors: Mapping[int, DoctorFacts],
    presences: Iterable[Present],
    advice: Mapping[int, str],
    start: dt.date,
    end: dt.date,
) -> list[SheetDay]:
    """The sheet from what was read already."""
    by_date: dict[dt.date, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_date[entry.date].append(entry)
    others: dict[dt.date, list[Attendance]] = defaultdict(list)
    for present in presences:
        if present.role in SEEN_ROLES:
            others[present.date].append(
                Attendance(present.name, present.profession, present.role, present.period)
            )
    found = []
    for date in days_between(start, end):
        needed = by_date[date]
        halves = {
            half: tuple(
                _consultation(entry, doctors)
                for entry in needed
                if half in entry.period.halves and not entry.uncovered
            )
            for half in Half
        }
        found.append(
            SheetDay(
                date=date,
                open=bool(needed) or date.weekday() < SATURDAY,
                consultations=halves,
                attendances=tuple(others[date]),
                advice=advice.get(date.weekday())
                if len(queries.halves_without_doctor(needed, date)) == len(Half)
                else None,
            )
        )
    return found


def _consultation(entry: Entry, doctors: Mapping[int, DoctorFacts]) -> Consultation:
    intern = entry.role is Role.INTERN
    if entry.state is AssignmentState.HELD:
        return Consultation(entry.room, None, titled=False, intern=False)
    doctor = doctors.get(entry.doctor_id or 0)
    # Only who has defended the thesis bears the title.
    titled = doctor is not None and doctor.qualified and not intern
    return Consultation(entry.room, entry.doctor, titled=titled, intern=intern)
