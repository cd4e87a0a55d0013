"""What makes synchronisation possible: a number for each change of a calendar.

Calendars are made of the roster as it is; nothing there knows of clients. So whenever a client
asks, what is true now is compared with what was true when somebody last asked, and each
difference gets the next number. The numbers stand in the database: they survive restarts, and
several processes share them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.calendars.caldav.members import Shown
from scheduler.calendars.models import DavCollection, DavKind, DavMember
from scheduler.core.database import UnitOfWork
from scheduler.core.deliveries import insert_new

_SCHEME: Final = "urn:uuid:"
# Of a number that the database can hold.
MOST_DIGITS: Final = 10


def collection_of(session: UnitOfWork, doctor_id: int, kind: DavKind) -> DavCollection:
    """A doctor's calendar, made when it is first asked for."""
    wanted = sa.select(DavCollection).where(
        DavCollection.doctor_id == doctor_id, DavCollection.kind == kind
    )
    found = session.scalars(wanted).one_or_none()
    if found is not None:
        return found
    insert_new(
        session,
        DavCollection,
        [
            {
                "uid": str(uuid.uuid4()),
                "doctor_id": doctor_id,
                "kind": kind,
                "sequence": 0,
                "changed_at": session.now(),
                "properties": {},
            }
        ],
    )
    return session.scalars(wanted).one()


def resets_in(session: Session, collection: DavCollection) -> dict[str, int]:
    """How often each member had to be read anew, where it had."""
    rows = session.execute(
        sa.select(DavMember.href, DavMember.resets).where(
            DavMember.collection_id == collection.id, DavMember.resets > 0
        )
    )
    return dict(rows.all())


def lock(session: UnitOfWork, collection: DavCollection) -> None:
    """Let one request at a time number the changes of a calendar."""
    session.refresh(collection, with_for_update=True)


def note_truth(session: UnitOfWork, collection: DavCollection, members: Iterable[Shown]) -> None:
    """Number what changed since somebody last asked. The calendar must be locked."""
    now = {member.href: member.etag for member in members}
    known = dict(
        session.execute(
            sa.select(DavMember.href, DavMember.etag).where(
                DavMember.collection_id == collection.id
            )
        ).all()
    )
    changed: dict[str, str | None] = {
        href: etag for href, etag in now.items() if known.get(href) != etag
    }
    changed |= {href: None for href, etag in known.items() if etag is not None and href not in now}
    if not changed:
        return
    _write(session, collection, changed, known)


def reset(session: UnitOfWork, collection: DavCollection, href: str) -> None:
    """Make clients read a member anew, or learn that there is none, whatever they believe."""
    lock(session, collection)
    member = session.get(DavMember, (collection.id, href), populate_existing=True)
    if member is None or member.etag is None:
        _write(session, collection, {href: None}, {} if member is None else {href: None})
        return
    # Its entity tag is another from here on, which the next request finds and numbers.
    member.resets += 1
    session.flush()


def _write(
    session: UnitOfWork,
    collection: DavCollection,
    changed: Mapping[str, str | None],
    known: Mapping[str, str | None],
) -> None:
    collection.sequence += 1
    collection.changed_at = session.now()
    session.flush()
    rows: list[dict[str, Any]] = [
        {
            "collection_id": collection.id,
            "href": href,
            "etag": etag,
            "sequence": collection.sequence,
        }
        for href, etag in sorted(changed.items())
    ]
    old = [row for row in rows if row["href"] in known]
    new = [{**row, "resets": 0} for row in rows if row["href"] not in known]
    if old:
        session.execute(sa.update(DavMember), old)
    if new:
        session.execute(sa.insert(DavMember), new)


def token_of(collection: DavCollection) -> str:
    """The token of a calendar as it stands now."""
    return f"{_SCHEME}{collection.uid}#{collection.sequence}"


def changed_since(session: Session, collection: DavCollection, token: str) -> list[str]:
    """What changed or went since a token; raises `ValueError` for one that was never given."""
    prefix, _, number = token.partition("#")
    if prefix != f"{_SCHEME}{collection.uid}" or not number.isdecimal():
        raise ValueError("not a token of this calendar")
    if len(number) > MOST_DIGITS or int(number) > collection.sequence:
        raise ValueError("a token from the future")
    return list(
        session.scalars(
            sa.select(DavMember.href)
            .where(DavMember.collection_id == collection.id, DavMember.sequence > int(number))
            .order_by(DavMember.href)
        )
    )
