"""The rules of law, place and limits, one by one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from scheduler.core.permissions import Role
from scheduler.roster import legality
from scheduler.roster.legality import Lift, Opening, Replaced, RoleSpan, Standing, Stay
from scheduler.roster.rules import Period

THURSDAY = dt.date(2026, 11, 26)
HERE, THERE = 1, 2
REPLACEMENT = (RoleSpan(Role.REPLACEMENT, dt.date(2020, 1, 1), None),)
OPENING = Opening(
    HERE, THURSDAY, Period.DAY, frozenset({Role.REPLACEMENT, Role.ASSISTANT, Role.TITULAR})
)


def day(offset: int) -> dt.date:
    return THURSDAY + dt.timedelta(days=offset)


def stay(offset: int, period: Period = Period.DAY, practice: int = HERE) -> Stay:
    return Stay(practice, f"Cabinet {practice}", day(offset), period)


def codes(standing: Standing, opening: Opening = OPENING) -> list[str]:
    return [refusal.code for refusal in legality.check(opening, standing)]


def test_a_qualified_replacement_may() -> None:
    assert codes(Standing(1, REPLACEMENT)) == []


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (day(-1), day(1), []),
        (day(0), day(0), []),
        (day(1), None, ["not_member_that_day", "role_not_accepted"]),
        (day(-9), day(-1), ["not_member_that_day", "role_not_accepted"]),
    ],
)
def test_membership_counts_on_the_day_itself(
    since: dt.date, until: dt.date | None, expected: list[str]
) -> None:
    assert codes(Standing(1, (RoleSpan(Role.REPLACEMENT, since, until),))) == expected


def test_the_role_must_be_asked_for() -> None:
    spans = (RoleSpan(Role.INTERN, day(-9), None),)
    assert codes(Standing(1, spans)) == ["role_not_accepted"]
    for_interns = Opening(HERE, THURSDAY, Period.DAY, frozenset({Role.INTERN}))
    assert codes(Standing(1, spans), for_interns) == []


def test_a_secretary_is_no_doctor() -> None:
    spans = (RoleSpan(Role.SECRETARY, day(-9), None),)
    assert "not_member_that_day" in codes(Standing(1, spans))


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (day(0), []),
        (day(300), []),
        (day(-1), ["licence_ended"]),
        (None, ["licence_missing"]),
    ],
)
@pytest.mark.parametrize("role", [Role.REPLACEMENT, Role.ASSISTANT])
def test_a_licence_covers_the_day(role: Role, until: dt.date | None, expected: list[str]) -> None:
    spans = (RoleSpan(role, day(-9), None),)
    assert codes(Standing(1, spans, qualified=False, licence_until=until)) == expected


@pytest.mark.parametrize("role", [Role.TITULAR, Role.INTERN])
def test_titulars_and_interns_need_no_licence(role: Role) -> None:
    opening = Opening(HERE, THURSDAY, Period.DAY, frozenset({role, Role.REPLACEMENT}))
    spans = (RoleSpan(role, day(-9), None),)
    assert codes(Standing(1, spans, qualified=False), opening) == []


def test_an_intern_with_a_replacement_s_role_needs_a_licence_to_replace() -> None:
    spans = (RoleSpan(Role.INTERN, day(-9), None), *REPLACEMENT)
    assert codes(Standing(1, spans, qualified=False)) == ["licence_missing"]


@pytest.mark.parametrize(
    ("taken", "wanted", "expected"),
    [
        (stay(0), Period.DAY, ["already_working"]),
        (stay(0), Period.AM, ["already_working"]),
        (stay(0, Period.AM), Period.DAY, ["already_working"]),
        (stay(0, Period.AM), Period.AM, ["already_working"]),
        (stay(0, Period.AM), Period.PM, []),
        (stay(0, Period.AM, THERE), Period.PM, ["elsewhere_that_day"]),
        (stay(0, Period.AM, THERE), Period.AM, ["already_working"]),
        (stay(1, Period.DAY, THERE), Period.DAY, []),
    ],
)
def test_one_place_at_a_time(taken: Stay, wanted: Period, expected: list[str]) -> None:
    opening = Opening(HERE, THURSDAY, wanted, OPENING.roles)
    assert codes(Standing(1, REPLACEMENT, stays=(taken,)), opening) == expected


@pytest.mark.parametrize(
    ("stays", "limit", "expected"),
    [
        ((stay(-3), stay(-2, Period.AM)), 5, []),
        ((stay(-3), stay(-2, Period.AM)), 4, ["week_limit"]),
        ((stay(-4), stay(4)), 2, []),  # the Sunday before and the Monday after
        ((stay(3, practice=THERE),), 2, ["week_limit"]),  # other practices count
        ((), 1, ["week_limit"]),
        ((), 0, ["week_limit"]),
    ],
)
def test_the_limit_of_a_week(stays: tuple[Stay, ...], limit: int, expected: list[str]) -> None:
    assert codes(Standing(1, REPLACEMENT, max_half_days_per_week=limit, stays=stays)) == expected


@pytest.mark.parametrize(
    ("stays", "limit", "expected"),
    [
        ((stay(-25), stay(4)), 6, []),
        ((stay(-25), stay(4)), 5, ["month_limit"]),
        ((stay(-26), stay(5)), 2, []),  # 31 October and 1 December
    ],
)
def test_the_limit_of_a_month(stays: tuple[Stay, ...], limit: int, expected: list[str]) -> None:
    assert codes(Standing(1, REPLACEMENT, max_half_days_per_month=limit, stays=stays)) == expected


@pytest.mark.parametrize(
    ("offsets", "limit", "expected"),
    [
        ((-1, 1), 3, []),
        ((-1, 1), 2, ["consecutive_limit"]),
        ((-2, 2), 1, []),
        ((-3, -2, -1), 3, ["consecutive_limit"]),
        ((1, 2, 3), 3, ["consecutive_limit"]),
        ((-3, -2, 1, 2), 3, []),
    ],
)
def test_the_limit_of_days_in_a_row(
    offsets: tuple[int, ...], limit: int, expected: list[str]
) -> None:
    stays = tuple(stay(offset) for offset in offsets)
    assert codes(Standing(1, REPLACEMENT, max_consecutive_days=limit, stays=stays)) == expected


def test_half_days_of_one_date_are_one_day_in_a_row() -> None:
    opening = Opening(HERE, THURSDAY, Period.PM, OPENING.roles)
    standing = Standing(1, REPLACEMENT, max_consecutive_days=1, stays=(stay(0, Period.AM),))
    assert codes(standing, opening) == []


def test_only_limits_are_the_doctor_s_own_to_lift() -> None:
    standing = Standing(
        1,
        REPLACEMENT,
        qualified=False,
        max_half_days_per_week=1,
        max_half_days_per_month=1,
        max_consecutive_days=1,
        stays=(stay(-1), stay(0)),
    )
    own = {refusal.code: refusal.own for refusal in legality.check(OPENING, standing)}
    assert own == {
        "licence_missing": False,
        "already_working": False,
        "week_limit": True,
        "month_limit": True,
        "consecutive_limit": True,
    }


def test_a_limit_refuses_with_the_least_that_would_do() -> None:
    standing = Standing(
        1,
        REPLACEMENT,
        max_half_days_per_week=2,
        max_half_days_per_month=5,
        max_consecutive_days=2,
        stays=(stay(-2, Period.AM), stay(-1), stay(1), stay(4)),
    )
    needed = {refusal.code: refusal.needed for refusal in legality.check(OPENING, standing)}
    assert needed == {"week_limit": 3.5, "month_limit": 4.5, "consecutive_limit": 4}


@pytest.mark.parametrize(
    ("lifts", "expected"),
    [
        ((Lift("week_limit", 2),), []),
        ((Lift("week_limit", 1.5),), ["week_limit"]),
        ((Lift("month_limit", 9),), ["week_limit"]),
        ((), ["week_limit"]),
    ],
)
def test_a_yes_lifts_one_limit_as_far_as_it_goes(
    lifts: tuple[Lift, ...], expected: list[str]
) -> None:
    standing = Standing(1, REPLACEMENT, max_half_days_per_week=2, stays=(stay(-1),), lifts=lifts)
    assert codes(standing) == expected


@pytest.mark.parametrize(
    ("offset", "others", "expected"),
    [
        (-1, (-2,), []),  # The day that was agreed to takes no other day's place,
        (-1, (-2, -3), ["week_limit"]),  # makes room for one and no more,
        (-4, (-1,), ["week_limit"]),  # and in its own week only.
    ],
)
def test_a_lifted_day_counts_beside_the_limit(
    offset: int, others: tuple[int, ...], expected: list[str]
) -> None:
    lifted = replace(stay(offset), lifts=(Lift("week_limit", 3),))
    stays = (lifted, *(stay(other) for other in others))
    standing = Standing(1, REPLACEMENT, max_half_days_per_week=2, stays=stays)
    assert codes(standing) == expected


@pytest.mark.parametrize(
    ("offsets", "lifted", "expected"),
    [
        ((-2, -1), -1, []),
        ((-3, -2, -1), -1, ["consecutive_limit"]),
        ((-2, -1, 2, 3), 3, ["consecutive_limit"]),
    ],
)
def test_a_lifted_run_is_the_one_with_the_day_in_it(
    offsets: tuple[int, ...], lifted: int, expected: list[str]
) -> None:
    stays = tuple(
        replace(stay(offset), lifts=(Lift("consecutive_limit", 3),) if offset == lifted else ())
        for offset in offsets
    )
    assert codes(Standing(1, REPLACEMENT, max_consecutive_days=2, stays=stays)) == expected


@pytest.mark.parametrize(
    ("on", "row", "expected"),
    [
        ("2026-11-26", None, ("2026-11-01", "2026-12-02")),
        ("2026-11-01", None, ("2026-10-26", "2026-11-30")),
        # A yes may have made the run longer than the usual limit.
        ("2026-11-15", 20, ("2026-10-15", "2026-12-16")),
        ("2026-11-15", 40, ("2026-10-06", "2026-12-25")),
    ],
)
def test_reach_holds_week_month_and_run(
    on: str, row: int | None, expected: tuple[str, str]
) -> None:
    first, last = legality.reach(dt.date.fromisoformat(on), row)
    assert (first.isoformat(), last.isoformat()) == expected


TITULAR = (RoleSpan(Role.TITULAR, dt.date(2020, 1, 1), None),)
COVERED, UNCOVERED = (Replaced(7, "Anne Petit", covered) for covered in (True, False))


@pytest.mark.parametrize(
    ("replaced", "spans", "expected"),
    [
        (None, REPLACEMENT, []),
        (COVERED, REPLACEMENT, []),
        (UNCOVERED, REPLACEMENT, ["derogation_missing"]),
        (UNCOVERED, (RoleSpan(Role.ASSISTANT, day(-9), None),), ["derogation_missing"]),
        # A titular works in their own name, and so does whoever is a titular too.
        (UNCOVERED, TITULAR, []),
        (UNCOVERED, (*REPLACEMENT, *TITULAR), []),
    ],
)
def test_the_replaced_doctor_s_derogation_covers_the_day(
    replaced: Replaced | None, spans: tuple[RoleSpan, ...], expected: list[str]
) -> None:
    assert codes(Standing(1, spans), replace(OPENING, replaced=replaced)) == expected


@pytest.mark.parametrize(
    ("stays", "expected"),
    [
        ((), []),
        ((stay(-1),), []),
        ((stay(-1), stay(1, Period.AM)), ["local_week_limit"]),
        # Days in another practice, and in another week, do not count here.
        ((stay(-1), stay(1, practice=THERE), stay(-2, practice=THERE)), []),
        ((stay(-1), stay(-7), stay(4)), []),
    ],
)
def test_the_practice_limits_a_doctor_s_week(stays: tuple[Stay, ...], expected: list[str]) -> None:
    opening = replace(OPENING, local_half_days_per_week=4)
    assert codes(Standing(1, REPLACEMENT, stays=stays), opening) == expected
    assert codes(Standing(1, TITULAR, stays=stays), opening) == []


@pytest.mark.parametrize(
    ("stays", "expected"),
    [
        ((stay(-3), stay(-10)), []),
        ((stay(-3), stay(-10), stay(2, Period.PM)), ["local_month_limit"]),
        ((stay(-3), stay(-10), stay(5)), []),
    ],
)
def test_the_practice_limits_a_doctor_s_month(stays: tuple[Stay, ...], expected: list[str]) -> None:
    opening = replace(OPENING, local_half_days_per_month=6)
    assert codes(Standing(1, REPLACEMENT, stays=stays), opening) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, []),
        (legality.WARNED_FROM_DAYS - 2, []),
        (legality.WARNED_FROM_DAYS - 1, ["replacement_near_three_months"]),
        (legality.THREE_MONTHS_DAYS - 2, ["replacement_near_three_months"]),
        (legality.THREE_MONTHS_DAYS - 1, ["replacement_reached_three_months"]),
    ],
)
def test_three_months_of_replacing_one_doctor_are_warned_of(days: int, expected: list[str]) -> None:
    standing = Standing(1, REPLACEMENT, replacing={7: days, 8: 500})
    opening = replace(OPENING, replaced=COVERED)
    assert [warning.code for warning in legality.warn(opening, standing)] == expected
    assert codes(standing, opening) == []
    assert legality.warn(OPENING, standing) == []
    assert legality.warn(opening, replace(standing, spans=TITULAR)) == []


def test_a_doctor_s_word_lifts_their_own_limits_and_no_rule() -> None:
    standing = Standing(
        1, REPLACEMENT, qualified=False, max_half_days_per_week=2, stays=(stay(-1),)
    )
    refusals = legality.check(OPENING, standing)
    assert [refusal.code for refusal in refusals] == ["licence_missing", "week_limit"]
    lifts = legality.lifted(refusals, ["licence_missing", "week_limit", "month_limit"])
    assert lifts == (Lift("week_limit", 2),)
    assert codes(replace(standing, lifts=lifts)) == ["licence_missing"]
