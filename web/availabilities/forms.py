"""Forms of availabilities: days tapped, a stretch of days, a weekly repetition."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    Field,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import DateField
from wtforms.validators import InputRequired, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from scheduler.roster.rules import Period, Preference
from web.forms import RefusableForm

NONE: Final = "none"

PERIODS: Final = (
    SelectChoice(Period.DAY.value, _l("Whole day")),
    SelectChoice(Period.AM.value, _l("Morning")),
    SelectChoice(Period.PM.value, _l("Afternoon")),
)
PREFERENCES: Final = (
    SelectChoice(Preference.WANTED.value, _l("wanted")),
    SelectChoice(Preference.POSSIBLE.value, _l("possible")),
    SelectChoice(Preference.LAST_RESORT.value, _l("last resort")),
)

# Any Monday will do to name the days of the week.
_MONDAY: Final = dt.date(2026, 11, 23)


def weekday_name(weekday: int, pattern: str = "EEEE") -> str:
    """The name of a day of the week (0 is Monday) in the reader's language."""
    return format_date(_MONDAY + dt.timedelta(days=weekday), pattern)


def weekday_choices() -> list[SelectChoice]:
    return [SelectChoice(weekday, weekday_name(weekday)) for weekday in range(7)]


def preference_of(value: str) -> Preference | None:
    """The preference of a form's value; ``none`` takes back what was said."""
    return None if value == NONE else Preference(value)


class DaysField(Field):
    """One name given any number of times, each an ISO date."""

    data: list[dt.date]

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        try:
            self.data = [dt.date.fromisoformat(value) for value in valuelist]
        except ValueError:
            self.data = []
            raise ValueError(_("There is no such date.")) from None


class DaysForm(RefusableForm):
    """Days tapped or drawn over. Without a preference they move one step on."""

    day = DaysField()
    period = SelectField(choices=PERIODS, default=Period.DAY.value)
    preference = SelectField(
        choices=[SelectChoice("", ""), *PREFERENCES, SelectChoice(NONE, "")], default=""
    )


class RangeForm(RefusableForm):
    """The same answer for every such weekday of a stretch of days."""

    start = DateField(_l("From"), validators=[InputRequired(_l("Give the first day."))])
    end = DateField(_l("Up to and including"), validators=[InputRequired(_l("Give the last day."))])
    weekdays = SelectMultipleField(
        _l("Days of the week"),
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[InputRequired(_l("Choose at least one day of the week."))],
    )
    period = RadioField(_l("Part of the day"), choices=PERIODS, default=Period.DAY.value)
    preference = RadioField(
        _l("Answer"),
        choices=[*PREFERENCES, SelectChoice(NONE, _l("I cannot come"))],
        default=Preference.WANTED.value,
    )

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, prefix="range-", **values)
        self.weekdays.choices = weekday_choices()


class ExceptForm(RefusableForm):
    """The same answer for every day of a stretch, but for some days of the week and some dates."""

    start = DateField(_l("From"), validators=[InputRequired(_l("Give the first day."))])
    end = DateField(_l("Up to and including"), validators=[InputRequired(_l("Give the last day."))])
    weekdays = SelectMultipleField(
        _l("Never on"),
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    without = DaysField(_l("Nor on"), default=list)
    period = RadioField(_l("Part of the day"), choices=PERIODS, default=Period.DAY.value)
    preference = RadioField(_l("Answer"), choices=PREFERENCES, default=Preference.POSSIBLE.value)

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, prefix="except-", **values)
        self.weekdays.choices = weekday_choices()


class NoteForm(RefusableForm):
    """A few words about one day."""

    day = DateField(_l("Day"), validators=[InputRequired(_l("Give the day."))])
    text = StringField(_l("Note"))

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, prefix="note-", **values)


class AnswerForm(RefusableForm):
    """All is said of a month; nothing of it is possible; or more is to come after all."""

    answer = SelectField(choices=[SelectChoice(value, "") for value in ("all", "none", "open")])


class CopyForm(RefusableForm):
    """Which of the days already answered a copy may change."""

    change = DaysField(default=list)


class WeeklyForm(RefusableForm):
    """An answer that comes again every week, or every n-th."""

    weekday = SelectField(_l("Day of the week"), coerce=int)
    interval_weeks = SelectField(
        _l("How often"),
        coerce=int,
        choices=[
            SelectChoice(1, _l("every week")),
            SelectChoice(2, _l("every second week")),
            SelectChoice(3, _l("every third week")),
            SelectChoice(4, _l("every fourth week")),
        ],
        default=1,
    )
    period = RadioField(_l("Part of the day"), choices=PERIODS, default=Period.DAY.value)
    preference = RadioField(_l("Answer"), choices=PREFERENCES, default=Preference.WANTED.value)
    start = DateField(_l("Beginning on"), validators=[InputRequired(_l("Give the first day."))])
    end = DateField(
        _l("Until"),
        description=_l("Leave it empty to go on until you end it."),
        validators=[Optional()],
    )

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, prefix="weekly-", **values)
        self.weekday.choices = weekday_choices()

    def validate_end(self, field: Field) -> None:
        if field.data and self.start.data and field.data < self.start.data:
            raise ValidationError(_("The last day comes before the first."))


class EndForm(RefusableForm):
    """The last day of a repetition."""

    end = DateField(validators=[InputRequired()])
