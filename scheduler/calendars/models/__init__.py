"""Tables of calendars."""

from scheduler.calendars.models.feeds import Feed, FeedKind
from scheduler.calendars.models.holidays import HolidayKind, PracticeHoliday

__all__ = ["Feed", "FeedKind", "HolidayKind", "PracticeHoliday"]
