"""Whatever happened, the figures agree with one another."""

from __future__ import annotations

import datetime as dt
import statistics as reference

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.roster import statistics
from scheduler.roster.rules import AssignmentSource, ReleaseKind, monday_of
from scheduler.roster.statistics import Facts, NeedRow, Person, Share, TurnRow

START = dt.date(2026, 9, 1)
MOMENTS = st.integers(0, 200_000).map(
    lambda minutes: dt.datetime(2026, 6, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
)
NUMBERS = st.lists(st.floats(0, 400), max_size=40).map(sorted)


@st.composite
def lives(draw: st.DrawFn) -> Facts:
    """Needs, each with some turns that ended and perhaps one that did not."""
    needs, turns = [], []
    for number in range(draw(st.integers(0, 12))):
        date = START + dt.timedelta(days=draw(st.integers(0, 90)))
        half_days = draw(st.sampled_from([1, 2]))
        needs.append(NeedRow(number, date, half_days, draw(MOMENTS)))
        ends = draw(st.lists(st.sampled_from(sorted(ReleaseKind)), max_size=3))
        turns.extend(
            TurnRow(
                number,
                draw(st.integers(1, 5)),
                half_days,
                draw(st.sampled_from(AssignmentSource)),
                draw(MOMENTS),
                draw(st.booleans()),
                end,
                None if end is None else draw(st.integers(-1, 60)),
            )
            for end in [*ends, *draw(st.sampled_from([[], [None]]))]
        )
    people = [Person(number, f"Doctor {number}", draw(st.booleans())) for number in range(1, 6)]
    return Facts(tuple(needs), tuple(turns), tuple(people))


@given(lives())
def test_the_figures_add_up(facts: Facts) -> None:
    whole = statistics.coverage(facts)
    weeks = statistics.coverage_by_week(facts)
    assert whole == Share(
        sum(share.half_days for share in weeks.values()),
        sum(share.filled for share in weeks.values()),
    )
    mondays = list(weeks)
    assert all(monday == monday_of(monday) for monday in mondays)
    assert mondays == [mondays[0] + number * statistics.WEEK for number in range(len(mondays))]
    # What is filled came in through one door and belongs to one doctor.
    assert whole.filled == sum(statistics.doors(facts).values())
    assert whole.filled == sum(row.half_days for row in statistics.days_per_doctor(facts))
    ended = [turn for turn in facts.turns if turn.release in statistics.LATENESS]
    assert sum(statistics.releases(facts).values()) == len(ended)
    assert len(statistics.notices(facts)) <= len(ended)


@given(lives(), st.dates(START, START + dt.timedelta(days=90)))
def test_two_parts_of_the_dates_make_the_whole(facts: Facts, limit: dt.date) -> None:
    before = statistics.coverage(facts, lambda day: day < limit)
    after = statistics.coverage(facts, lambda day: day >= limit)
    whole = statistics.coverage(facts)
    assert before.half_days + after.half_days == whole.half_days
    assert before.filled + after.filled == whole.filled


@given(NUMBERS)
def test_every_value_has_its_class(values: list[float]) -> None:
    classes = statistics.DELAY_CLASSES
    found = statistics.histogram(values, classes)
    assert len(found) == len(classes)
    assert sum(found) == len(values)
    assert sum(found[2:]) == sum(1 for value in values if value >= classes[2])


@given(NUMBERS.filter(lambda values: len(values) > 1))
def test_quartiles_are_those_of_the_standard_library(values: list[float]) -> None:
    found = statistics.quartiles(values)
    assert found is not None
    expected = reference.quantiles(values, n=4, method="inclusive")
    assert [found.low, found.median, found.high] == pytest.approx(expected)
