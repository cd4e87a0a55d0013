"""Tables of calendars."""

from scheduler.calendars.models.caldav import (
    DavCollection,
    DavItem,
    DavKind,
    DavMember,
    DevicePassword,
)
from scheduler.calendars.models.feeds import Feed, FeedEvent, FeedKind, Part, Reminder
from scheduler.calendars.models.holidays import HolidayKind, PracticeHoliday
from scheduler.calendars.models.invitations import Answer, CalendarInvitation, Ending
from scheduler.calendars.models.sources import CalendarSource, SourceUse

__all__ = [
    "Answer",
    "CalendarInvitation",
    "CalendarSource",
    "DavCollection",
    "DavItem",
    "DavKind",
    "DavMember",
    "DevicePassword",
    "Ending",
    "Feed",
    "FeedEvent",
    "FeedKind",
    "HolidayKind",
    "Part",
    "PracticeHoliday",
    "Reminder",
    "SourceUse",
]
