"""Questions and answers between a process that asks and the one that reads: plain JSON values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any

from scheduler.calendars.reading.faults import Fault
from scheduler.calendars.reading.values import Hours, Ignored, Reading, SaidHalf, Unreadable
from scheduler.roster.rules import Half, Preference


def question(
    start: dt.date, end: dt.date, timezone: str, hours: Hours, own_uids: Collection[str]
) -> dict[str, Any]:
    """What is asked of the reader, besides the file."""
    times = (hours.am_start, hours.am_end, hours.pm_start, hours.pm_end)
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "timezone": timezone,
        "hours": [time.isoformat() for time in times],
        "own_uids": list(own_uids),
    }


def reader_for(asked: Mapping[str, Any]) -> Callable[[bytes], dict[str, Any]]:
    """What answers a question, with the libraries it needs; it raises `Unreadable`."""
    if "itip" in asked:
        from scheduler.calendars.reading import itip

        return itip.answer
    from scheduler.calendars.reading.whole import read_whole

    return lambda content: as_answer(
        read_whole(
            content,
            start=dt.date.fromisoformat(asked["start"]),
            end=dt.date.fromisoformat(asked["end"]),
            timezone=asked["timezone"],
            hours=Hours(*(dt.time.fromisoformat(time) for time in asked["hours"])),
            own_uids=asked["own_uids"],
        )
    )


def as_fault(fault: Unreadable) -> dict[str, Any]:
    """A refusal as plain values."""
    return {"fault": fault.code, "facts": fault.facts}


def as_answer(reading: Reading) -> dict[str, Any]:
    """A reading as plain values, which `reading_of` makes a reading again."""
    return {
        "half_days": [
            (said.date.isoformat(), said.half, said.busy, said.preference, said.summary, said.uid)
            for said in reading.half_days
        ],
        "ignored": [
            (
                each.uid,
                each.code,
                dict(each.facts),
                each.title,
                each.date.isoformat() if each.date else None,
            )
            for each in reading.ignored
        ],
        "name": reading.name,
        "product": reading.product,
    }


def told(answered: Any) -> Mapping[str, Any]:
    """The answer; raises the `Unreadable` that it is, or `ValueError` for what is neither."""
    try:
        if "fault" in answered:
            raise Unreadable(Fault(answered["fault"]), **answered["facts"])
    except (KeyError, TypeError) as error:
        raise ValueError("not an answer of the reader") from error
    found: Mapping[str, Any] = answered
    return found


def reading_of(answered: Mapping[str, Any]) -> Reading:
    """The answer as values; raises `ValueError` for what is none."""
    try:
        return Reading(
            half_days=tuple(
                SaidHalf(
                    date=dt.date.fromisoformat(date),
                    half=Half(half),
                    busy=bool(busy),
                    preference=None if preference is None else Preference(preference),
                    summary=str(summary),
                    uid=str(uid),
                )
                for date, half, busy, preference, summary, uid in answered["half_days"]
            ),
            ignored=tuple(
                Ignored(
                    str(uid),
                    str(code),
                    dict(facts),
                    str(title),
                    None if date is None else dt.date.fromisoformat(date),
                )
                for uid, code, facts, title, date in answered["ignored"]
            ),
            name=answered["name"],
            product=answered["product"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not an answer of the reader") from error
