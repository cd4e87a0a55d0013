"""Mails made to do harm: read with the limits of every calendar, or refused."""

from __future__ import annotations

import random
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.calendars.reading import Unreadable
from scheduler.calendars.reading.itip import answer, mail_of, read_mail
from tests.calendars.invitations.support import REPLIES

EVENT = (
    "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261123T090000Z\r\nSEQUENCE:{sequence}\r\n"
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:lea@example.org\r\nEND:VEVENT\r\n"
)


def mail(calendar: bytes, kind: str = "text/calendar", **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["To: relais@example.org", f"Content-Type: {kind}", *lines])
    return head.encode() + b"\r\n\r\n" + calendar


def calendar(body: str, method: str = "REPLY") -> bytes:
    return f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\n{body}END:VCALENDAR\r\n".encode()


def test_an_event_is_read_for_what_tells_an_answer() -> None:
    found = read_mail(mail(calendar(EVENT.format(uid="a", sequence=3))))
    (event,) = found.events
    assert (found.method, event.uid, event.sequence) == ("REPLY", "a", 3)
    assert event.stamp is not None
    assert event.stamp.isoformat() == "2026-11-23T09:00:00+00:00"
    assert event.attendees == (("lea@example.org", "ACCEPTED"),)
    assert event.organizer is None


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("SEQUENCE:soon", "sequence", None),
        ("SEQUENCE:-1", "sequence", None),
        ("SEQUENCE:9999999999", "sequence", 2**31 - 1),
        ("SEQUENCE:" + "9" * 5000, "sequence", None),
        ("DTSTAMP:20261399T990000Z", "stamp", None),
        ("DTSTAMP:20261123", "stamp", None),
        ('ORGANIZER;CN="a:b;c":MAILTO:Relais@Example.org', "organizer", "relais@example.org"),
        ("ATTENDEE:http://example.org", "attendees", (("", "NEEDS-ACTION"),)),
    ],
)
def test_odd_values_are_no_values(line: str, field: str, value: object) -> None:
    body = f"BEGIN:VEVENT\r\nUID:a\r\n{line}\r\nEND:VEVENT\r\n"
    (event,) = read_mail(mail(calendar(body))).events
    assert getattr(event, field) == value


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("utf-8", "utf-8"), ("iso-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("zip", "utf-8")],
)
def test_calendars_come_in_many_charsets(charset: str, encoding: str) -> None:
    body = calendar(EVENT.format(uid="a", sequence=0) + "X-NAME:Élodie\r\n")
    content = body.decode().encode(encoding)
    found = read_mail(mail(content, f"text/calendar; charset={charset}; method=REPLY"))
    assert len(found.events) == 1


def test_a_calendar_that_is_only_attached_is_read() -> None:
    message = EmailMessage()
    message.set_content("Bonjour")
    content = calendar(EVENT.format(uid="a", sequence=0))
    message.add_attachment(
        content, maintype="application", subtype="octet-stream", filename="reply.ICS"
    )
    assert read_mail(message.as_bytes()).events[0].uid == "a"


def test_bombs_end_in_a_refusal_or_in_nothing() -> None:
    nested = b"".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode()
        for n in range(3000)
    )
    many = calendar("BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 6000)
    people = calendar(
        "BEGIN:VEVENT\r\nUID:a\r\n" + "ATTENDEE:mailto:a@b.fr\r\n" * 20_000 + "END:VEVENT\r\n"
    )
    long_header = b"To: " + b"a@b.fr, " * 100_000 + b"\r\n\r\nhello"
    for content in (nested, mail(many), mail(people), long_header, b"\r\n" * 500_000):
        try:
            found = read_mail(content)
        except Unreadable:
            continue
        assert len(found.recipients) <= 50
        assert all(len(event.attendees) <= 50 for event in found.events)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(REPLIES.glob("*.eml"))), st.integers(0, 2**32 - 1))
def test_whatever_a_mail_was_made_into_is_read_or_refused(path: Path, seed: int) -> None:
    """The reader itself, in this process: the limits of its own stand around it otherwise."""
    dice = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(dice.randint(1, 30)):
        place = dice.randrange(len(content))
        act = dice.randrange(3)
        if act == 0:
            content[place] = dice.randrange(256)
        elif act == 1:
            del content[place : place + dice.randint(1, 40)]
        else:
            content[place:place] = dice.choice([b"\r\n", b"--", b";", b":", b"\0", b"=\n", b'"'])
        if not content:
            break
    try:
        found = mail_of(answer(bytes(content)))
    except Unreadable:
        return
    assert len(found.events) <= 10
