"""The message that says what a phone hides."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as QueueTimeout

from scheduler.core.database import Database, UnitOfWork
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify import composer
from scheduler.people.models import Locale, Practice, User
from scheduler.roster.rules import Period
from tests.calendars.caldav.conftest import MY_DAYS, Device, all_day
from tests.factories import House

TUESDAY = dt.date(2026, 12, 8)


@pytest.mark.parametrize("locale", list(Locale))
def test_the_doctor_reads_what_could_not_be_why_and_what_is_near(
    phone: Device,
    house: House,
    practice: Practice,
    doctor: User,
    database: Database,
    settings: Settings,
    locale: Locale,
) -> None:
    with database.transaction() as session:
        session.get_one(User, doctor.id).locale = locale
    first = house.member(practice, Role.REPLACEMENT)
    house.assignment(house.need(practice, TUESDAY), first)
    house.need(practice, TUESDAY + dt.timedelta(days=1), room=1)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY, "Privé"))
    with database.session() as session:
        (message,) = session.scalars(sa.select(OutboxMessage))
        letter = composer(settings)(session, message)
    assert "2026" in letter.subject
    assert first.name in letter.text
    assert "Salle 2" in letter.text
    assert "/board/" in letter.text
    assert "Privé" not in letter.text


@pytest.mark.parametrize("locale", list(Locale))
def test_what_was_done_in_another_way_is_not_told_as_a_refusal(
    phone: Device,
    house: House,
    practice: Practice,
    doctor: User,
    database: Database,
    settings: Settings,
    locale: Locale,
) -> None:
    with database.transaction() as session:
        session.get_one(User, doctor.id).locale = locale
    house.need(practice, TUESDAY, Period.AM)
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY)).status_code == 201
    with database.session() as session:
        (message,) = session.scalars(
            sa.select(OutboxMessage).where(OutboxMessage.kind == "calendar.refused")
        )
        letter = composer(settings)(session, message)
    assert {"fr": "remarque", "en": "remark"}[locale.value] in letter.subject
    assert {"fr": "que le matin", "en": "the morning only"}[locale.value] in letter.text
    for word in ("pas pu", "could not"):
        assert word not in letter.subject + letter.text


def test_a_database_that_is_busy_is_no_fault_of_the_telephone(
    phone: Device, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A phone tries again later what is only busy; a fault it would give up on."""

    def busy() -> UnitOfWork:
        raise QueueTimeout("no connection in time")

    monkeypatch.setattr(database, "session", busy)
    answer = phone.put(MY_DAYS, "a.ics", all_day("a", dt.date(2026, 12, 3)))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
