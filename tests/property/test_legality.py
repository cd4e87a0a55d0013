"""The rules at the moment of claiming, against the engine's own reading of the same rules."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.permissions import Role
from scheduler.engine import broken_rules, parse_problem
from scheduler.roster import legality
from scheduler.roster.legality import Opening, RoleSpan, Standing, Stay
from scheduler.roster.rules import Period

FIRST, LAST = dt.date(2026, 11, 16), dt.date(2026, 12, 13)
# The horizon holds every week and month of these days whole: the engine sees what the rules see.
HORIZON = dt.date(2026, 10, 26), dt.date(2027, 1, 3)

DAYS = st.dates(FIRST, LAST)
PERIODS = st.sampled_from(list(Period))
PRACTICES = st.sampled_from([1, 2])
STAYS = st.lists(st.tuples(PRACTICES, DAYS, PERIODS), max_size=14)
LIMITS = st.fixed_dictionaries(
    {
        "max_half_days_per_week": st.none() | st.integers(0, 10),
        "max_half_days_per_month": st.none() | st.integers(0, 24),
        "max_consecutive_days": st.none() | st.integers(1, 6),
    }
)


def days(half_days: int | None) -> float | None:
    return None if half_days is None else half_days / 2


@given(STAYS, PRACTICES, DAYS, PERIODS, LIMITS)
def test_a_claim_is_refused_exactly_where_the_engine_sees_a_breach(
    taken: list[tuple[int, dt.date, Period]],
    practice: int,
    day: dt.date,
    period: Period,
    limits: dict[str, int | None],
) -> None:
    everything = [*taken, (practice, day, period)]
    raw: dict[str, Any] = {
        "format": "relais-roster/1",
        "start": HORIZON[0].isoformat(),
        "end": HORIZON[1].isoformat(),
        "practices": [
            {"id": str(number), "rooms": [str(room) for room in range(len(everything))]}
            for number in (1, 2)
        ],
        "doctors": [
            {
                "id": "d",
                "role": "replacement",
                "practices": ["1", "2"],
                "max_days_per_week": days(limits["max_half_days_per_week"]),
                "max_days_per_month": days(limits["max_half_days_per_month"]),
                "max_consecutive_days": limits["max_consecutive_days"],
            }
        ],
        "needs": [
            {
                "id": str(number),
                "practice": str(where),
                "room": str(number),
                "date": date.isoformat(),
                "period": part.value,
            }
            for number, (where, date, part) in enumerate(everything)
        ],
        "availabilities": [
            {
                "doctor": "d",
                "date": day.isoformat(),
                "period": "day",
                "preference": "wanted",
            }
        ],
        "fixed": [{"need": str(number), "doctor": "d"} for number in range(len(taken))],
    }
    problem = parse_problem(raw)
    breaches = broken_rules(problem, [*problem.fixed, (str(len(taken)), "d")])
    first, last = legality.reach(day, limits["max_consecutive_days"])
    standing = Standing(
        1,
        (RoleSpan(Role.REPLACEMENT, dt.date(2020, 1, 1), None),),
        stays=tuple(
            Stay(where, "", date, part) for where, date, part in taken if first <= date <= last
        ),
        **limits,
    )
    opening = Opening(practice, day, period, frozenset({Role.REPLACEMENT}))
    names = {
        "already_working": "one_place",
        "elsewhere_that_day": "one_place",
        "week_limit": "week_cap",
        "month_limit": "month_cap",
        "consecutive_limit": "consecutive",
    }
    refused = {names[refusal.code] for refusal in legality.check(opening, standing)}
    assert refused == {breach.rule for breach in breaches}
