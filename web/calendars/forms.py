"""The form of a subscription."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice, SelectMultipleField, StringField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from scheduler.calendars.feeds.subscribing import Choice
from scheduler.calendars.models import Feed, FeedKind, Part, Reminder
from scheduler.calendars.rules import LONGEST_NAME, PARTS_OF_KIND
from web.forms import RefusableForm

PARTS: Final[Mapping[FeedKind, Mapping[Part, Any]]] = {
    FeedKind.PERSONAL: {
        Part.CONFIRMED: _l("My confirmed days"),
        Part.HELD: _l("The days held for me, as tentative"),
        Part.DUTIES: _l("My days on call"),
        Part.PROPOSED: _l("The days proposed to me, as tentative"),
    },
    FeedKind.OPEN: {Part.OPEN: _l("The days to fill that I could take")},
    FeedKind.ROSTER: {
        Part.CONFIRMED: _l("Confirmed days, with the doctor’s name"),
        Part.HELD: _l("Days that are held, as tentative"),
        Part.DUTIES: _l("Who is on call"),
        Part.OPEN: _l("Days to fill"),
    },
}
REMINDERS: Final[Mapping[Reminder, Any]] = {
    Reminder.NONE: _l("None"),
    Reminder.MORNING: _l("The same morning"),
    Reminder.EVENING: _l("The evening before"),
    Reminder.WEEK: _l("A week before"),
}
HOURS, ALL_DAY = "hours", "day"


class SubscriptionForm(RefusableForm):
    """What is in a subscription, and how its days stand in a calendar."""

    name = StringField(
        _l("Name in your calendars"),
        [Length(max=LONGEST_NAME, message=_l("This is too long for a name."))],
    )
    parts = SelectMultipleField(
        _l("What is in it"),
        coerce=Part,
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    style = RadioField(
        _l("How the days stand in it"),
        choices=[SelectChoice(HOURS, _l("With hours")), SelectChoice(ALL_DAY, _l("All day"))],
        default=HOURS,
        validate_choice=True,
    )
    reminder = RadioField(
        _l("Reminder"),
        coerce=Reminder,
        choices=[SelectChoice(value, text) for value, text in REMINDERS.items()],
        default=Reminder.NONE,
    )

    def offer(self, kind: FeedKind) -> None:
        """Let the reader choose among what a feed of this kind can have in it."""
        self.parts.choices = [SelectChoice(part, text) for part, text in PARTS[kind].items()]
        if len(PARTS_OF_KIND[kind]) == 1:
            # Nothing to choose, and nothing of it is the reader's own to be reminded of.
            del self.parts
            del self.reminder

    def choice(self) -> Choice:
        """What was chosen."""
        return Choice(
            name=self.name.data or "",
            parts=self.parts.data if "parts" in self else None,
            reminder=self.reminder.data if "reminder" in self else Reminder.NONE,
            all_day=self.style.data == ALL_DAY,
        )


def values(feed: Feed) -> dict[str, Any]:
    """What the form of a subscription holds before it is changed."""
    return {
        "name": feed.name or "",
        "parts": [Part(part) for part in feed.parts],
        "reminder": feed.reminder,
        "style": ALL_DAY if feed.all_day else HOURS,
    }
