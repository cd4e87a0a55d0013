"""Free and busy times without events: VFREEBUSY, and VAVAILABILITY (RFC 7953)."""

from __future__ import annotations

import datetime as dt
from typing import Final

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.entries import Entry, entry_of, period_of
from scheduler.calendars.reading.expanding import happenings
from scheduler.calendars.reading.faults import Reason, Refused
from scheduler.calendars.reading.halves import HalfDays, Slot, preference_in
from scheduler.calendars.reading.lines import Part
from scheduler.calendars.reading.times import Moment, duration_of, later, moment_of
from scheduler.calendars.reading.values import Ignored
from scheduler.calendars.reading.zones import Zones
from scheduler.roster.rules import Preference

LOWEST_RANK: Final = 10


def say_free_busy(part: Part, uid: str, zones: Zones, halves: HalfDays) -> None:
    """Say the periods of a VFREEBUSY; raises `Refused` where there is none within the window."""
    lines = [line for line in part.all("FREEBUSY") if line.value]
    if sum(line.value.count(",") + 1 for line in lines) > limits.MOST_PERIODS:
        raise Refused(Reason.TOO_MANY_DATES, most=limits.MOST_PERIODS)
    free: set[Slot] = set()
    busy: set[Slot] = set()
    for line in lines:
        is_free = line.parameters.get("FBTYPE", "").upper() == "FREE"
        for text in line.value.split(","):
            start, end = period_of(text, line.parameters.get("TZID"), zones)
            for touched in halves.touched(start, end):
                if not is_free:
                    busy.add(touched.slot)
                elif touched.enough:
                    free.add(touched.slot)
    if not free and not busy:
        raise Refused(Reason.NOTHING_SAID)
    for slot in free | busy:
        preference = Preference.WANTED if slot in free else None
        halves.say(slot, uid, "", busy=slot in busy, preference=preference)


class Offered:
    """A VAVAILABILITY: the doctor has time when one of its AVAILABLE says so, else not."""

    def __init__(self, part: Part, uid: str, zones: Zones) -> None:
        self.uid = uid
        self._ignored: list[Ignored] = []
        self._span = _span(part, zones)
        priority = part.text("PRIORITY")
        # 1 outranks 9, and 0 or nothing is the lowest.
        self.rank = int(priority) if priority in tuple("123456789") else LOWEST_RANK
        self._series: dict[str, list[Entry]] = {}
        for inner in part.parts:
            self._take(inner, zones)

    def _take(self, part: Part, zones: Zones) -> None:
        if part.kind != "AVAILABLE":
            return
        uid = part.text("UID", limits.LONGEST_UID)
        try:
            entry = entry_of(part, zones, cancelled=False)
        except Refused as refused:
            self._ignored.append(
                Ignored(
                    uid, refused.reason.value, refused.facts, part.text("SUMMARY"), part.written_on
                )
            )
        else:
            self._series.setdefault(uid or f"\0{len(self._series)}", []).append(entry)

    def say(self, halves: HalfDays) -> list[Ignored]:
        """Say its half-days, save those that one of a higher rank has decided."""
        window = halves.window
        start = max(self._span[0] or window.first_instant, window.first_instant)
        end = min(self._span[1] or window.last_instant, window.last_instant)
        decided = {
            touched.slot for touched in halves.touched(start, end) if halves.decide(touched.slot)
        }
        if not decided:
            raise Refused(Reason.OUTSIDE_DATES)
        offered = self._offered(halves, decided)
        for slot in decided:
            title = offered.get(slot)
            busy, preference = title is None, None if title is None else preference_in(title)
            halves.say(slot, self.uid, title or "", busy=busy, preference=preference)
        return self._ignored

    def _offered(self, halves: HalfDays, decided: set[Slot]) -> dict[Slot, str]:
        """The half-days of which AVAILABLE covers enough, with the title that says so."""
        offered: dict[Slot, str] = {}
        for entries in self._series.values():
            for happening in happenings(entries, halves.window):
                halves.count()
                if happening.entry.cancelled:
                    continue
                for touched in halves.touched(happening.start, happening.end):
                    if touched.enough and touched.slot in decided:
                        offered.setdefault(touched.slot, happening.entry.title)
        return offered


def _span(part: Part, zones: Zones) -> tuple[dt.datetime | None, dt.datetime | None]:
    """From when and until when a VAVAILABILITY holds; None for always."""
    first, last = part.first("DTSTART"), part.first("DTEND")
    start = _instant(moment_of(first, zones), zones) if first else None
    end = _instant(moment_of(last, zones), zones) if last else None
    if end is None and start is not None and part.first("DURATION"):
        end = _instant(later(start, duration_of(part.text("DURATION"))), zones)
    return start, end


def _instant(moment: Moment, zones: Zones) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.combine(moment, dt.time(), zones.floating)
