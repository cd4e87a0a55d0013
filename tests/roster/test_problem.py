"""From the database to the engine's problem."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Role
from scheduler.engine import parse_problem
from scheduler.people.models import Practice
from scheduler.roster.models import Proposal, ProposalLine, WeeklyAvailability
from scheduler.roster.problem import build_problem
from scheduler.roster.rules import (
    AssignmentState,
    LineState,
    NeedState,
    Period,
    Preference,
    ProposalState,
)
from tests.factories import House
from tests.support import count_queries

MONDAY = dt.date(2026, 12, 7)
SUNDAY = dt.date(2026, 12, 13)
DAY = dt.timedelta(days=1)


def problem_of(
    house: House, practice: Practice, start: dt.date = MONDAY, end: dt.date = SUNDAY
) -> dict[str, Any]:
    """The problem, which the engine must always accept."""
    with house.database.session() as session:
        found = build_problem(session, session.get_one(Practice, practice.id), start, end)
    parse_problem(found)
    return found


def by_id(problem: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in problem[key]}


def test_an_empty_practice_makes_a_problem(house: House) -> None:
    problem = problem_of(house, house.practice())
    assert problem["doctors"] == problem["needs"] == problem["fixed"] == []


def test_a_practice_without_rooms_makes_a_problem(house: House) -> None:
    practice = house.practice()
    with house.database.transaction() as session:
        session.delete(session.merge(practice.rooms[0]))
    house.member(practice, Role.REPLACEMENT)
    assert problem_of(house, practice)["doctors"]


def test_needs_doctors_and_availabilities(house: House) -> None:
    practice = house.practice("Salle 1", "Salle 2", weekly_minimum=3)
    doctor = house.member(
        practice,
        Role.REPLACEMENT,
        doctor={
            "gender": "F",
            "max_half_days_per_week": 5,
            "max_half_days_per_month": 20,
            "max_consecutive_days": 3,
        },
    )
    need = house.need(practice, MONDAY, Period.AM, room=1, priority=2, roles=["replacement"])
    house.need(practice, MONDAY + DAY, state=NeedState.WITHDRAWN)
    house.need(practice, SUNDAY + DAY)
    house.available(doctor, MONDAY)
    house.available(doctor, MONDAY + DAY, period=Period.AM, preference=Preference.POSSIBLE)
    house.available(doctor, MONDAY + DAY, period=Period.PM, preference=Preference.LAST_RESORT)
    house.available(doctor, SUNDAY + DAY)
    problem = problem_of(house, practice)
    here, who = f"p{practice.id}", f"d{doctor.id}"
    assert problem["practices"] == [
        {"id": here, "rooms": [f"r{room.id}" for room in practice.rooms], "weekly_minimum": 3}
    ]
    assert problem["doctors"] == [
        {
            "id": who,
            "role": "replacement",
            "practices": [here],
            "gender": "F",
            "max_days_per_week": 2.5,
            "max_days_per_month": 10,
            "max_days_total": None,
            "max_consecutive_days": 3,
            "credit": 0,
        }
    ]
    assert problem["needs"] == [
        {
            "id": f"n{need.id}",
            "practice": here,
            "room": f"r{practice.rooms[1].id}",
            "date": "2026-12-07",
            "period": "am",
            "priority": 2,
            "roles": ["replacement"],
        }
    ]
    said = [(row["date"], row["period"], row["preference"]) for row in problem["availabilities"]]
    assert said == [
        ("2026-12-07", "day", "wanted"),
        ("2026-12-08", "am", "possible"),
        ("2026-12-08", "pm", "last_resort"),
    ]


def test_repetitions_count_and_exceptions_are_left_out(house: House) -> None:
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT)
    with house.database.transaction() as session:
        session.add(
            WeeklyAvailability(
                doctor_id=doctor.id,
                weekday=3,
                period=Period.DAY,
                preference=Preference.WANTED,
                start=dt.date(2026, 1, 1),
                updated_at=session.now(),
            )
        )
    house.available(doctor, MONDAY + 10 * DAY, preference=None)
    problem = problem_of(house, practice, MONDAY, MONDAY + 20 * DAY)
    assert [row["date"] for row in problem["availabilities"]] == ["2026-12-10", "2026-12-24"]


def test_membership_and_licence_hold_per_day(house: House) -> None:
    practice = house.practice()
    leaver = house.member(practice, Role.REPLACEMENT, until=MONDAY + DAY)
    licensed = house.member(
        practice, Role.REPLACEMENT, doctor={"qualified": False, "licence_until": MONDAY}
    )
    unlicensed = house.member(practice, Role.ASSISTANT, doctor={"qualified": False})
    intern = house.member(practice, Role.INTERN, doctor={"qualified": False})
    house.member(practice, Role.SECRETARY)
    house.member(practice, Role.REPLACEMENT, until=MONDAY - DAY)
    house.member(practice, Role.REPLACEMENT, disabled_at=house.database.clock.now())
    for doctor in (leaver, licensed, unlicensed, intern):
        house.available(doctor, MONDAY, MONDAY + DAY, MONDAY + 2 * DAY)
    problem = problem_of(house, practice)
    assert {item["id"] for item in problem["doctors"]} == {
        f"d{user.id}" for user in (leaver, licensed, unlicensed, intern)
    }
    days: dict[str, list[str]] = {}
    for row in problem["availabilities"]:
        days.setdefault(row["doctor"], []).append(row["date"])
    assert days == {
        f"d{leaver.id}": ["2026-12-07", "2026-12-08"],
        f"d{licensed.id}": ["2026-12-07"],
        f"d{intern.id}": ["2026-12-07", "2026-12-08", "2026-12-09"],
    }


def test_a_change_of_role_is_planned_in_the_longer_one(house: House) -> None:
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT, until=MONDAY + DAY)
    house.member(practice, Role.TITULAR, doctor, since=MONDAY + 2 * DAY)
    house.available(doctor, MONDAY, MONDAY + 2 * DAY)
    problem = problem_of(house, practice)
    assert [item["role"] for item in problem["doctors"]] == ["titular"]
    assert [row["date"] for row in problem["availabilities"]] == ["2026-12-09"]


def test_what_stands_is_fixed_everywhere_and_around(house: House) -> None:
    practice, other = house.practice(), house.practice()
    doctor = house.member(practice, Role.REPLACEMENT, doctor={"max_consecutive_days": 3})
    house.member(other, Role.REPLACEMENT, doctor)
    stranger = house.member(other, Role.REPLACEMENT)
    leaver = house.member(practice, Role.REPLACEMENT, until=MONDAY - DAY)
    inside = house.need(practice, MONDAY)
    later = house.need(practice, dt.date(2026, 12, 29))
    before = house.need(practice, MONDAY - 2 * DAY)
    elsewhere = house.need(other, MONDAY + DAY)
    foreign = house.need(other, MONDAY + 2 * DAY)
    free = house.need(practice, MONDAY + 3 * DAY)
    house.assignment(inside, doctor)
    house.assignment(later, doctor, AssignmentState.HELD)
    house.assignment(before, leaver, AssignmentState.DONE)
    house.assignment(elsewhere, doctor)
    house.assignment(foreign, stranger)
    house.assignment(free, doctor, AssignmentState.RELEASED)
    problem = problem_of(house, practice)
    assert {(pair["need"], pair["doctor"]) for pair in problem["fixed"]} == {
        (f"n{inside.id}", f"d{doctor.id}"),
        (f"n{later.id}", f"d{doctor.id}"),
        (f"n{before.id}", f"d{leaver.id}"),
        (f"n{elsewhere.id}", f"d{doctor.id}"),
    }
    assert f"n{foreign.id}" not in by_id(problem, "needs")
    assert f"n{free.id}" in by_id(problem, "needs")
    practices = by_id(problem, "practices")
    assert practices[f"p{other.id}"]["weekly_minimum"] == 0
    doctors = by_id(problem, "doctors")
    assert doctors[f"d{doctor.id}"]["practices"] == [f"p{practice.id}"]
    assert doctors[f"d{leaver.id}"]["practices"] == []
    # The whole month and the whole weeks, so that limits are counted in full.
    assert (problem["start"], problem["end"]) == ("2026-12-01", "2026-12-31")


def test_credit_counts_each_half_day_once(house: House) -> None:
    practice = house.practice(fairness_window_days=30)
    doctor = house.member(practice, Role.REPLACEMENT)
    start = dt.date(2026, 12, 16)
    house.assignment(house.need(practice, start - 31 * DAY), doctor)
    house.assignment(house.need(practice, start - 30 * DAY), doctor, AssignmentState.DONE)
    house.assignment(house.need(practice, dt.date(2026, 11, 30), Period.AM), doctor)
    # In the month that is planned: fixed, so it is no credit.
    house.assignment(house.need(practice, dt.date(2026, 12, 2)), doctor)
    problem = problem_of(house, practice, start, start + 5 * DAY)
    assert problem["start"] == "2026-12-01"
    assert problem["doctors"][0]["credit"] == 3
    assert len(problem["fixed"]) == 1


def test_previous_is_the_last_roster_shown(house: House, database: Database) -> None:
    practice = house.practice("1", "2", "3")
    doctor = house.member(practice, Role.REPLACEMENT)
    titular = house.member(practice, Role.TITULAR)
    needs = [house.need(practice, MONDAY, room=room) for room in range(3)]
    house.assignment(needs[2], titular)

    def shown(state: ProposalState, *lines: tuple[int, LineState]) -> None:
        with database.transaction() as session:
            proposal = Proposal(
                practice_id=practice.id,
                start=MONDAY,
                end=SUNDAY,
                state=state,
                requested_by=titular.id,
                requested_at=session.now(),
                finished_at=session.now(),
            )
            proposal.lines = [
                ProposalLine(need_id=needs[number].id, doctor_id=doctor.id, state=line_state)
                for number, line_state in lines
            ]
            session.add(proposal)

    assert problem_of(house, practice)["previous"] == []
    shown(ProposalState.READY, (1, LineState.PROPOSED))
    shown(
        ProposalState.READY,
        (0, LineState.PROPOSED),
        (1, LineState.REFUSED),
        (2, LineState.PROPOSED),
    )
    shown(ProposalState.CLOSED, (1, LineState.PROPOSED))
    assert problem_of(house, practice)["previous"] == [
        {"need": f"n{needs[0].id}", "doctor": f"d{doctor.id}"}
    ]
    assert problem_of(house, practice, SUNDAY + DAY, SUNDAY + 2 * DAY)["previous"] == []


def test_the_past_and_today_are_not_planned(house: House, clock: FixedClock) -> None:
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT)
    for day in (house.today - DAY, house.today, house.today + DAY):
        house.need(practice, day)
        house.available(doctor, day)
    problem = problem_of(house, practice, house.today - 5 * DAY, house.today + 5 * DAY)
    assert [need["date"] for need in problem["needs"]] == ["2026-11-24"]
    assert [row["date"] for row in problem["availabilities"]] == ["2026-11-24"]
    with pytest.raises(InvalidInput) as caught:
        problem_of(house, practice, house.today - DAY, house.today)
    assert caught.value.code == "proposal_past"


def test_tomorrow_is_the_practices_own(house: House, clock: FixedClock) -> None:
    clock.move_to(dt.datetime(2026, 11, 23, 23, 30, tzinfo=dt.UTC))
    practice = house.practice(timezone="America/Guadeloupe")
    house.need(practice, dt.date(2026, 11, 24))
    start = dt.date(2026, 11, 1)
    assert len(problem_of(house, practice, start, start + 40 * DAY)["needs"]) == 1


def test_queries_do_not_grow(house: House, database: Database) -> None:
    practice = house.practice("1", "2")

    def grow(count: int) -> None:
        for number in range(count):
            doctor = house.member(practice, Role.REPLACEMENT)
            house.available(doctor, MONDAY, MONDAY + DAY)
            day = MONDAY + len(seen) * 7 * DAY + number * DAY
            house.need(practice, day)
            house.assignment(house.need(practice, day, room=1), doctor)
        seen.append(count)

    def count() -> int:
        end = MONDAY + 90 * DAY
        with count_queries(database) as statements, database.session() as session:
            build_problem(session, session.get_one(Practice, practice.id), MONDAY, end)
        return len(statements)

    seen: list[int] = []
    grow(1)
    few = count()
    grow(5)
    assert count() == few


def test_the_practice_s_limits_cap_those_who_work_here_only(house: House) -> None:
    practice = house.practice(local_half_days_per_week=3, local_half_days_per_month=8)
    free = house.member(practice, Role.REPLACEMENT)
    strict = house.member(practice, Role.ASSISTANT, doctor={"max_half_days_per_week": 2})
    titular = house.member(practice, Role.TITULAR)
    busy = house.member(practice, Role.REPLACEMENT)
    other = house.practice()
    house.member(other, Role.REPLACEMENT, busy)
    house.assignment(house.need(other, MONDAY), busy)
    found = by_id(problem_of(house, practice), "doctors")
    caps = {
        user: (
            found[f"d{user.id}"]["max_days_per_week"],
            found[f"d{user.id}"]["max_days_per_month"],
        )
        for user in (free, strict, titular, busy)
    }
    assert caps == {
        free: (1.5, 4),
        strict: (1, 4),
        titular: (None, None),
        busy: (None, None),
    }
