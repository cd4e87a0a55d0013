"""What people change of how they are told: numbers that are proved, devices, and what stops."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.deliveries import Channel
from scheduler.core.errors import InvalidInput, NotFound, TooMany
from scheduler.core.outbox import OutboxMessage
from scheduler.core.settings import Settings
from scheduler.notify import service
from scheduler.notify.models import Device, Phone
from scheduler.notify.rules import CODE_LIFETIME, CODE_PAUSE, MOST_DEVICES, Choice, Group, Hours
from scheduler.notify.stopping import read_stop, stop_address
from scheduler.people.models import User
from tests.conftest import SECRET_KEY
from tests.factories import House
from tests.notify.support import BrowserKeys
from tests.support import audited

SETTINGS = Settings(base_url="https://relais.example", secret_key=SECRET_KEY)
NUMBER = "06 12 34 56 78"
KEYS = BrowserKeys()

Do = Callable[..., Any]


@pytest.fixture
def lea(house: House) -> User:
    return house.user()


@pytest.fixture
def do(house: House) -> Do:
    def act(who: User, use_case: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with house.database.transaction() as session:
            return use_case(session, house.actor(who), *arguments, **options)

    return act


def phone_of(house: House, user: User) -> Phone | None:
    with house.database.session() as session:
        return session.get(Phone, user.id)


def code_of(house: House, user: User) -> str:
    phone = phone_of(house, user)
    assert phone is not None
    assert phone.code is not None
    return phone.code


def endpoints(house: House, user: User) -> list[str]:
    with house.database.session() as session:
        return list(
            session.scalars(
                sa.select(Device.endpoint).where(Device.user_id == user.id).order_by(Device.id)
            )
        )


def test_a_number_counts_once_its_code_is_typed(house: House, do: Do, lea: User) -> None:
    do(lea, service.set_phone, NUMBER)
    code = code_of(house, lea)
    with pytest.raises(InvalidInput, match="code_wrong"):
        do(lea, service.verify_phone, "x" + code)
    do(lea, service.verify_phone, f" {code[:3]} {code[3:]} ")
    phone = phone_of(house, lea)
    assert phone is not None
    assert (phone.number, phone.code) == ("+33612345678", None)
    assert phone.verified_at is not None
    # A code is typed once, and a number that is proved stays so.
    with pytest.raises(NotFound):
        do(lea, service.verify_phone, code)
    assert do(lea, service.set_phone, NUMBER).verified_at == phone.verified_at
    assert audited(house.database) == ["phone.given", "phone.verified"]


def test_codes_run_out_and_come_one_a_minute(
    house: House, do: Do, lea: User, clock: FixedClock
) -> None:
    do(lea, service.set_phone, NUMBER)
    with pytest.raises(TooMany):
        do(lea, service.set_phone, NUMBER)
    code = code_of(house, lea)
    clock.advance(CODE_LIFETIME + dt.timedelta(seconds=1))
    with pytest.raises(InvalidInput, match="code_expired"):
        do(lea, service.verify_phone, code)
    do(lea, service.set_phone, NUMBER)
    clock.advance(CODE_PAUSE)
    do(lea, service.set_phone, "06 12 34 56 79")
    with house.database.session() as session:
        assert session.scalar(sa.select(sa.func.count(OutboxMessage.id))) == 3


def test_another_number_has_to_be_proved_again(
    house: House, do: Do, lea: User, clock: FixedClock
) -> None:
    do(lea, service.set_phone, NUMBER)
    do(lea, service.verify_phone, code_of(house, lea))
    clock.advance(CODE_PAUSE)
    assert do(lea, service.set_phone, "06 12 34 56 79").verified_at is None
    do(lea, service.remove_phone)
    assert phone_of(house, lea) is None
    with pytest.raises(NotFound):
        do(lea, service.remove_phone)


def test_what_is_no_mobile_gets_no_code(house: House, do: Do, lea: User) -> None:
    with pytest.raises(InvalidInput, match="phone_invalid"):
        do(lea, service.set_phone, "0899 70 00 00")
    assert phone_of(house, lea) is None


def device(do: Do, user: User, endpoint: str) -> Device:
    found = do(
        user,
        service.add_device,
        endpoint=endpoint,
        p256dh=KEYS.p256dh,
        auth=KEYS.auth,
        name="Firefox",
    )
    assert isinstance(found, Device)
    return found


def test_a_device_belongs_to_whoever_allowed_it_last(house: House, do: Do, lea: User) -> None:
    hugo, address = house.user(), "https://web.push.apple.com/1"
    device(do, lea, address)
    found = device(do, hugo, address)
    assert (endpoints(house, lea), endpoints(house, hugo)) == ([], [address])
    with pytest.raises(NotFound):
        do(lea, service.remove_device, found.id)
    do(hugo, service.remove_device, found.id)
    assert endpoints(house, hugo) == []


def test_the_oldest_of_many_devices_is_forgotten(
    house: House, do: Do, lea: User, clock: FixedClock
) -> None:
    for number in range(MOST_DEVICES + 2):
        device(do, lea, f"https://web.push.apple.com/{number}")
        clock.advance(dt.timedelta(minutes=1))
    assert endpoints(house, lea) == [
        f"https://web.push.apple.com/{number}" for number in range(2, MOST_DEVICES + 2)
    ]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://10.0.0.1/push",
        "https://10.0.0.1\\.fcm.googleapis.com/push",
        "http://fcm.googleapis.com/push",
        "https://fcm.googleapis.com/" + "x" * 1024,
    ],
)
def test_nothing_but_a_push_service_is_kept(house: House, do: Do, lea: User, endpoint: str) -> None:
    with pytest.raises(InvalidInput, match="push_unknown"):
        device(do, lea, endpoint)
    assert endpoints(house, lea) == []


def test_a_signed_address_stops_the_e_mails_of_its_groups(house: House, do: Do, lea: User) -> None:
    everything = Choice(frozenset(Channel))
    choices = dict.fromkeys((Group.DAYS, Group.OFFERS, Group.QUESTIONS), everything)
    do(lea, service.save, Hours(), choices)
    address = stop_address(SETTINGS, lea.id, [Group.OFFERS, Group.DAYS])
    user_id, groups = read_stop(SETTINGS, address.rpartition("/")[2])
    assert (user_id, set(groups)) == (lea.id, {Group.DAYS, Group.OFFERS})
    for _ in range(2):
        with house.database.transaction() as session:
            service.stop_emails(session, user_id, groups)
    found = do(lea, service.preferences).choices
    assert found[Group.DAYS].channels == {Channel.SMS, Channel.PUSH}
    assert found[Group.OFFERS].channels == {Channel.SMS, Channel.PUSH}
    assert found[Group.QUESTIONS] == everything
    assert audited(house.database) == ["notifications.saved", "emails.stopped", "emails.stopped"]


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "x" + token])
def test_an_address_of_nobody_s_making_stops_nothing(
    lea: User, change: Callable[[str], str]
) -> None:
    token = stop_address(SETTINGS, lea.id, [Group.DAYS]).rpartition("/")[2]
    other = Settings(secret_key="another key, as long as it has to be to be one")
    for settings, found in ((SETTINGS, change(token)), (other, token)):
        with pytest.raises(NotFound):
            read_stop(settings, found)


def test_what_is_told_of_the_account_itself_is_not_stopped(lea: User) -> None:
    token = stop_address(SETTINGS, lea.id, [Group.DAYS, Group.ACCOUNT]).rpartition("/")[2]
    with pytest.raises(NotFound):
        read_stop(SETTINGS, token)
