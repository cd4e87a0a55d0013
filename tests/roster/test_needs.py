"""Week patterns, publishing from them and withdrawing, on both databases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import pytest
import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, RuleBroken
from scheduler.core.permissions import Actor, Role
from scheduler.people.models import Practice, User
from scheduler.roster import claiming, needs, patterns
from scheduler.roster.models import Need, WeekPattern
from scheduler.roster.needs import Publication
from scheduler.roster.patterns import Slot
from scheduler.roster.rules import AssignmentState, NeedState, Period
from tests.factories import House
from tests.support import at_once, count_queries

MONDAY = dt.date(2026, 11, 30)
SUNDAY = dt.date(2026, 12, 6)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2")


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR)


def slot(
    practice: Practice, weekday: int, period: Period = Period.DAY, room: int = 0, **more: object
) -> Slot:
    return Slot(practice.rooms[room].id, weekday, period, **more)  # type: ignore[arg-type]


def save(
    house: House,
    user: User,
    practice: Practice,
    *slots: Slot,
    name: str = "Semaine",
    pattern_id: int | None = None,
    version: int | None = None,
) -> WeekPattern:
    actor = house.actor(user)
    with house.database.transaction() as session:
        return patterns.save_pattern(
            session, actor, practice, pattern_id, name, slots, version=version
        )


def publish(
    house: House,
    user: User,
    practice: Practice,
    pattern: WeekPattern,
    start: dt.date = MONDAY,
    end: dt.date = SUNDAY,
    skip: Mapping[dt.date, str] | None = None,
    version: int | None = None,
) -> Publication:
    actor = house.actor(user)
    with house.database.transaction() as session:
        return needs.publish_needs(
            session,
            actor,
            practice,
            pattern_id=pattern.id,
            start=start,
            end=end,
            skip=skip or {},
            version=version,
        )


def published(database: Database) -> list[tuple[dt.date, str]]:
    with database.session() as session:
        rows = session.execute(
            sa.select(Need.date, Need.period)
            .where(Need.state == NeedState.PUBLISHED)
            .order_by(Need.date, Need.room_id, Need.period)
        )
        return [(date, period.value) for date, period in rows]


def slots_of(database: Database, pattern: WeekPattern) -> list[tuple[int, int, str, int]]:
    with database.session() as session:
        found = session.get_one(WeekPattern, pattern.id)
        session.refresh(found, ["slots"])
        return [(row.room_id, row.weekday, row.period.value, row.priority) for row in found.slots]


def actions(database: Database) -> list[str]:
    with database.session() as session:
        assert audit.verify(session).fault is None
        return list(
            session.scalars(sa.select(audit.AuditEvent.action).order_by(audit.AuditEvent.sequence))
        )


def test_a_pattern_is_saved_and_changed(house: House, practice: Practice, titular: User) -> None:
    room = practice.rooms[0].id
    made = save(
        house, titular, practice, slot(practice, 0), slot(practice, 1, Period.AM), name=" Été  26 "
    )
    assert (made.name, made.version) == ("Été 26", 1)
    # A whole day becomes a half-day, a half-day gets another priority, a new one comes.
    changed = save(
        house,
        titular,
        practice,
        slot(practice, 0, Period.PM),
        slot(practice, 1, Period.AM, priority=3),
        slot(practice, 1, Period.PM),
        name="Été 26",
        pattern_id=made.id,
        version=1,
    )
    assert changed.version == 2
    assert slots_of(house.database, made) == [
        (room, 0, "pm", 1),
        (room, 1, "am", 3),
        (room, 1, "pm", 1),
    ]
    assert actions(house.database) == ["pattern.saved", "pattern.saved"]


def test_two_titulars_edit_one_pattern(house: House, practice: Practice, titular: User) -> None:
    other = house.member(practice, Role.TITULAR)
    made = save(house, titular, practice, slot(practice, 0))
    save(house, titular, practice, slot(practice, 1), pattern_id=made.id, version=1)
    with pytest.raises(Conflict, match="pattern_changed"):
        save(house, other, practice, slot(practice, 2), pattern_id=made.id, version=1)
    assert [row[1] for row in slots_of(house.database, made)] == [1]


def test_two_titulars_save_at_the_same_moment(
    house: House, practice: Practice, titular: User
) -> None:
    made = save(house, titular, practice, slot(practice, 0))

    def saving(weekday: int) -> Callable[[], None]:
        def act() -> None:
            save(house, titular, practice, slot(practice, weekday), pattern_id=made.id, version=1)

        return act

    raised = at_once(*(saving(weekday) for weekday in range(6)))
    assert raised.count(None) == 1
    assert all(error is None or isinstance(error, Conflict) for error in raised)
    assert len(slots_of(house.database, made)) == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [("  ", "pattern_name_missing"), ("x" * 81, "pattern_name_too_long")],
)
def test_a_pattern_has_a_name(
    house: House, practice: Practice, titular: User, name: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        save(house, titular, practice, slot(practice, 0), name=name)
    assert (caught.value.code, caught.value.facts["field"]) == (code, "name")


def test_names_are_unique_in_a_practice(house: House, practice: Practice, titular: User) -> None:
    made = save(house, titular, practice, slot(practice, 0))
    with pytest.raises(Conflict, match="pattern_name_taken"):
        save(house, titular, practice, slot(practice, 1))
    # Its own name is no obstacle, and other practices have names of their own.
    save(house, titular, practice, slot(practice, 1), pattern_id=made.id)
    elsewhere = house.practice()
    save(house, house.member(elsewhere, Role.TITULAR), elsewhere, slot(elsewhere, 0))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"weekday": 7}, "slot_impossible"),
        ({"weekday": -1}, "slot_impossible"),
        ({"priority": 0}, "slot_impossible"),
        ({"priority": 4}, "slot_impossible"),
        ({"roles": ()}, "slot_impossible"),
        ({"roles": (Role.SECRETARY,)}, "slot_impossible"),
        ({"room_id": 999}, "slot_impossible"),
    ],
)
def test_impossible_slots_are_refused(
    house: House, practice: Practice, titular: User, change: dict[str, object], code: str
) -> None:
    values = {"room_id": practice.rooms[0].id, "weekday": 0, "period": Period.DAY} | change
    with pytest.raises(InvalidInput, match=code):
        save(house, titular, practice, Slot(**values))  # type: ignore[arg-type]


def test_a_pattern_needs_slots_that_do_not_overlap(
    house: House, practice: Practice, titular: User
) -> None:
    with pytest.raises(InvalidInput, match="pattern_empty"):
        save(house, titular, practice)
    with pytest.raises(InvalidInput, match="slots_overlap"):
        save(house, titular, practice, slot(practice, 0), slot(practice, 0, Period.PM))
    save(house, titular, practice, slot(practice, 0), slot(practice, 0, room=1))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TITULAR])
def test_only_titulars_edit_publish_and_withdraw(
    house: House, practice: Practice, titular: User, role: Role
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY))
    need = house.need(practice, MONDAY)
    other = house.member(practice, role)
    actor = house.actor(other)
    with house.database.session() as session:
        with pytest.raises(Forbidden):
            patterns.save_pattern(session, actor, practice, None, "x", [slot(practice, 0)])
        with pytest.raises(Forbidden):
            patterns.delete_pattern(session, actor, practice, pattern.id)
        with pytest.raises(Forbidden):
            needs.withdraw_need(session, actor, need.id)
        for act in (needs.preview_needs, needs.publish_needs):
            with pytest.raises(Forbidden):
                act(
                    session,
                    actor,
                    practice,
                    pattern_id=pattern.id,
                    start=MONDAY,
                    end=SUNDAY,
                    skip={},
                )


def test_a_pattern_of_another_practice_is_not_there(
    house: House, practice: Practice, titular: User
) -> None:
    foreign = house.pattern(house.practice(), (0, Period.DAY))
    with pytest.raises(NotFound, match="pattern_not_found"):
        publish(house, titular, practice, foreign)
    with pytest.raises(NotFound, match="pattern_not_found"):
        save(house, titular, practice, slot(practice, 0), pattern_id=foreign.id)


def test_deleting_a_pattern_keeps_its_days(house: House, practice: Practice, titular: User) -> None:
    pattern = house.pattern(practice, (0, Period.DAY))
    publish(house, titular, practice, pattern)
    with house.database.transaction() as session:
        patterns.delete_pattern(session, house.actor(titular), practice, pattern.id)
    assert published(house.database) == [(MONDAY, "day")]
    assert actions(house.database)[-1] == "pattern.deleted"


def test_publishing_follows_the_pattern_and_skips_holidays(
    house: House, practice: Practice, titular: User
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY), (1, Period.AM), (4, Period.PM))
    skip = {
        dt.date(2026, 12, 8): "Immaculée Conception",  # a Tuesday of the pattern
        dt.date(2026, 12, 9): "Fermé",  # a Wednesday: nothing to skip
    }
    made = publish(house, titular, practice, pattern, MONDAY, dt.date(2026, 12, 9), skip)
    assert (made.created, made.existing) == (4, 0)
    assert made.skipped == {dt.date(2026, 12, 8): "Immaculée Conception"}
    assert published(house.database) == [
        (MONDAY, "day"),
        (dt.date(2026, 12, 1), "am"),
        (dt.date(2026, 12, 4), "pm"),
        (dt.date(2026, 12, 7), "day"),
    ]


def test_what_a_need_carries(house: House, practice: Practice, titular: User) -> None:
    pattern = save(
        house, titular, practice, slot(practice, 0, priority=2, roles=(Role.INTERN,), room=1)
    )
    publish(house, titular, practice, pattern)
    with house.database.session() as session:
        need = session.scalars(sa.select(Need)).one()
    assert (need.room_id, need.priority, need.roles) == (practice.rooms[1].id, 2, ["intern"])
    assert (need.published_by, need.published_at) == (titular.id, house.database.clock.now())
    assert (need.practice_id, need.version) == (practice.id, 1)


def test_publishing_twice_changes_nothing(house: House, practice: Practice, titular: User) -> None:
    pattern = house.pattern(practice, (0, Period.DAY), (1, Period.AM))
    assert publish(house, titular, practice, pattern).created == 2
    again = publish(house, titular, practice, pattern)
    assert (again.created, again.existing) == (0, 2)
    assert len(published(house.database)) == 2
    assert actions(house.database) == ["needs.published"]


@pytest.mark.parametrize(
    ("there", "wanted", "created"),
    [
        (Period.AM, Period.DAY, 0),
        (Period.DAY, Period.PM, 0),
        (Period.AM, Period.PM, 1),
    ],
)
def test_a_half_day_taken_by_another_need_counts_as_existing(
    house: House, practice: Practice, titular: User, there: Period, wanted: Period, created: int
) -> None:
    house.need(practice, MONDAY, there)
    made = publish(house, titular, practice, house.pattern(practice, (0, wanted)))
    assert (made.created, made.existing) == (created, 1 - created)


def test_the_index_has_the_last_word_on_what_is_new(
    house: House, practice: Practice, titular: User
) -> None:
    """A need that appears after the plan was made is left alone, and counted as existing."""
    pattern = house.pattern(practice, (0, Period.DAY), (1, Period.DAY))
    actor = house.actor(titular)
    with house.database.session() as session:
        plan = needs.preview_needs(
            session, actor, practice, pattern_id=pattern.id, start=MONDAY, end=SUNDAY, skip={}
        )
    assert plan.created == 2
    house.need(practice, MONDAY, Period.PM)
    with house.database.transaction() as session:
        made = needs._write(session, actor, practice, plan)
    assert (made.created, made.existing) == (1, 1)


def test_withdrawn_days_are_published_anew(house: House, practice: Practice, titular: User) -> None:
    house.need(practice, MONDAY, state=NeedState.WITHDRAWN)
    made = publish(house, titular, practice, house.pattern(practice, (0, Period.DAY)))
    assert made.created == 1


def test_the_preview_writes_nothing_and_says_the_same(
    house: House, practice: Practice, titular: User
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY), (1, Period.AM))
    house.need(practice, MONDAY)
    with house.database.transaction() as session:
        seen = needs.preview_needs(
            session,
            house.actor(titular),
            practice,
            pattern_id=pattern.id,
            start=MONDAY,
            end=SUNDAY,
            skip={},
        )
    assert len(published(house.database)) == 1
    assert seen == publish(house, titular, practice, pattern)


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("2026-11-22", "2026-12-31", "period_past"),
        ("2026-12-02", "2026-12-01", "period_reversed"),
        ("2026-12-01", "2027-12-01", "period_too_long"),
        ("2028-11-24", "2028-11-30", "period_too_far"),
        ("9999-12-31", "9999-12-31", "period_too_far"),
    ],
)
def test_periods_that_cannot_be(
    house: House, practice: Practice, titular: User, start: str, end: str, code: str
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY))
    with pytest.raises(InvalidInput, match=code):
        publish(
            house,
            titular,
            practice,
            pattern,
            dt.date.fromisoformat(start),
            dt.date.fromisoformat(end),
        )


def test_a_year_is_published_in_few_statements(
    house: House, practice: Practice, titular: User
) -> None:
    pattern = house.pattern(practice, *((weekday, Period.AM) for weekday in range(7)))
    with count_queries(house.database) as short:
        publish(house, titular, practice, pattern)
    with count_queries(house.database) as long:
        made = publish(
            house, titular, practice, pattern, dt.date(2026, 12, 7), dt.date(2027, 12, 6)
        )
    assert made.created == 365
    # Doctors are asked month by month: what grows is two looks a month, and nothing with the days.
    assert len(long) - len(short) <= 2 * 12


def test_a_pattern_that_changed_since_the_preview(
    house: House, practice: Practice, titular: User
) -> None:
    made = save(house, titular, practice, slot(practice, 0))
    save(house, titular, practice, slot(practice, 1), pattern_id=made.id)
    with pytest.raises(Conflict, match="pattern_changed"):
        publish(house, titular, practice, made, version=1)
    assert publish(house, titular, practice, made, version=2).created == 1


def test_titulars_publish_the_same_period_at_once(
    house: House, practice: Practice, titular: User
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY), (1, Period.DAY))
    results: list[int] = []

    def act() -> None:
        results.append(publish(house, titular, practice, pattern).created)

    assert at_once(*[act] * 8) == [None] * 8
    assert sorted(results) == [0] * 7 + [2]
    assert len(published(house.database)) == 2
    assert actions(house.database) == ["needs.published"]


def withdraw(house: House, user: User, need: Need) -> Need:
    actor = house.actor(user)
    with house.database.transaction() as session:
        return needs.withdraw_need(session, actor, need.id)


def test_a_day_is_withdrawn(house: House, practice: Practice, titular: User) -> None:
    need = house.need(practice, MONDAY)
    house.assignment(need, house.member(practice, Role.REPLACEMENT), AssignmentState.RELEASED)
    assert withdraw(house, titular, need).version == need.version + 1
    assert published(house.database) == []
    assert actions(house.database) == ["need.withdrawn"]
    with pytest.raises(Conflict, match="need_withdrawn"):
        withdraw(house, titular, need)


def test_an_assigned_day_is_not_withdrawn(house: House, practice: Practice, titular: User) -> None:
    doctor = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    need = house.need(practice, MONDAY)
    house.assignment(need, doctor)
    with pytest.raises(Conflict) as caught:
        withdraw(house, titular, need)
    assert caught.value.code == "need_assigned"
    assert caught.value.facts == {"who": "Anne Petit", "date": MONDAY}


def test_a_past_day_is_not_withdrawn(house: House, practice: Practice, titular: User) -> None:
    with pytest.raises(RuleBroken, match="need_past"):
        withdraw(house, titular, house.need(practice, house.today - dt.timedelta(days=1)))


def test_other_practices_days_are_not_there(house: House, practice: Practice) -> None:
    stranger = house.member(house.practice(), Role.TITULAR)
    with pytest.raises(NotFound, match="need_not_found"):
        withdraw(house, stranger, house.need(practice, MONDAY))


def test_withdrawing_and_claiming_at_once(house: House, practice: Practice, titular: User) -> None:
    doctor = house.actor(house.member(practice, Role.REPLACEMENT))
    owner = house.actor(titular)
    for offset in range(6):
        need = house.need(practice, MONDAY + dt.timedelta(days=offset))
        raised = at_once(claims(house, doctor, need), withdrawing(house, owner, need))
        assert raised.count(None) == 1
        (error,) = (error for error in raised if error is not None)
        assert isinstance(error, Conflict)
        assert error.code in ("need_withdrawn", "need_assigned")


def claims(house: House, actor: Actor, need: Need) -> Callable[[], None]:
    def act() -> None:
        with house.database.transaction() as session:
            claiming.claim(session, actor, need.id)

    return act


def withdrawing(house: House, actor: Actor, need: Need) -> Callable[[], None]:
    def act() -> None:
        with house.database.transaction() as session:
            needs.withdraw_need(session, actor, need.id)

    return act
