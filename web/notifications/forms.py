"""Forms of notifications: what to be told of and how, when, the phone and its code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from scheduler.core.deliveries import Channel
from scheduler.notify.rules import CHOSEN_GROUPS, QUIET_END, QUIET_START, Choice, Group, Hours
from web.forms import RefusableForm

HOURS: Final = [SelectChoice(hour, f"{hour:02d}:00") for hour in range(24)]
LONGEST_NUMBER: Final = 32


def box(group: Group, channel: Channel) -> str:
    """The value of the check box of a group and a channel."""
    return f"{group.value}.{channel.value}"


class PreferencesForm(RefusableForm):
    """One check box a group and channel, one a group for the digest, and the hours."""

    boxes = SelectMultipleField(
        _l("What you are told of"),
        choices=[
            SelectChoice(box(group, channel)) for group in CHOSEN_GROUPS for channel in Channel
        ],
    )
    digests = SelectMultipleField(
        _l("Once a day"), choices=[SelectChoice(group.value) for group in CHOSEN_GROUPS]
    )
    digest_hour = SelectField(_l("Hour of the daily digest"), coerce=int, choices=HOURS)
    quiet = BooleanField(_l("Keep quiet hours"))
    quiet_from = SelectField(_l("Quiet from"), coerce=int, choices=HOURS)
    quiet_to = SelectField(_l("Quiet until"), coerce=int, choices=HOURS)
    quiet_email = BooleanField(_l("E-mails wait as well"))
    urgent_sms = BooleanField(_l("What is urgent also comes by SMS"))

    def show(self, hours: Hours, choices: Mapping[Group, Choice]) -> None:
        """Fill the form with what holds now."""
        self.boxes.data = [
            box(group, channel) for group, choice in choices.items() for channel in choice.channels
        ]
        self.digests.data = [group.value for group, choice in choices.items() if choice.digest]
        start, end = hours.quiet or (QUIET_START, QUIET_END)
        self.digest_hour.data = hours.digest_at.hour
        self.quiet.data = hours.quiet is not None
        self.quiet_from.data, self.quiet_to.data = start.hour, end.hour
        self.quiet_email.data, self.urgent_sms.data = hours.quiet_email, hours.urgent_sms

    def hours(self, before: Hours, offered: Collection[Channel]) -> Hours:
        quiet = (dt.time(self.quiet_from.data), dt.time(self.quiet_to.data))
        return Hours(
            quiet=quiet if self.quiet.data else None,
            quiet_email=self.quiet_email.data,
            urgent_sms=self.urgent_sms.data if Channel.SMS in offered else before.urgent_sms,
            digest_at=dt.time(self.digest_hour.data),
        )

    def choices(
        self, before: Mapping[Group, Choice], offered: Collection[Channel]
    ) -> dict[Group, Choice]:
        """What was chosen; a channel that is not offered keeps what was chosen before."""
        ticked = set(self.boxes.data or [])
        return {
            group: Choice(
                frozenset(
                    channel
                    for channel in Channel
                    if (
                        box(group, channel) in ticked
                        if channel in offered
                        else channel in before[group].channels
                    )
                ),
                digest=group.value in (self.digests.data or []),
            )
            for group in CHOSEN_GROUPS
        }


class PhoneForm(RefusableForm):
    """A number to be proved."""

    phone = StringField(
        _l("Mobile number"),
        [
            InputRequired(_l("Type a telephone number.")),
            Length(max=LONGEST_NUMBER, message=_l("This is no mobile number.")),
        ],
    )


class CodeForm(RefusableForm):
    """The code that was sent to the number."""

    code = StringField(_l("Code"), [InputRequired(_l("Type the code you were sent."))])


GROUP_NAMES: Final[dict[Group, Any]] = {
    Group.DAYS: _l("Your days"),
    Group.QUESTIONS: _l("Questions and calls to you"),
    Group.OFFERS: _l("What colleagues offer"),
    Group.OPENINGS: _l("Days to fill"),
    Group.DECISIONS: _l("What waits for you to decide"),
    Group.ABSENCES: _l("Absences"),
    Group.REMINDERS: _l("Reminders"),
    Group.ACCOUNT: _l("Your account"),
}
GROUP_HINTS: Final[dict[Group, Any]] = {
    Group.DAYS: _l("Days and duties that become yours, are confirmed, or are given back."),
    Group.QUESTIONS: _l("Somebody asks whether you could come."),
    Group.OFFERS: _l("Days offered to you or to all, and swaps."),
    Group.OPENINGS: _l("A period is published or opens, or days are to fill again."),
    Group.DECISIONS: _l("Held days, requests, calls, proposals, and answers to your questions."),
    Group.ABSENCES: _l("Somebody cannot come today."),
    Group.REMINDERS: _l("Your availabilities are still wanted."),
}
CHANNEL_NAMES: Final[dict[Channel, Any]] = {
    Channel.EMAIL: _l("Mail"),
    Channel.SMS: _l("SMS"),
    Channel.PUSH: _l("Push"),
}
