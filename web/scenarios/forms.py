"""The forms of a scenario: each changes one thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import (
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
)
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from scheduler.roster.rules import Period
from scheduler.roster.scenario_rules import (
    LONGEST_WEEK,
    Change,
    FurtherRoom,
    NoWeeklyCap,
    OneMoreDoctor,
)
from web.forms import RefusableForm
from web.labels import PERIOD_NAMES, day_count, weekday_names

CHOOSE_DAY: Final = _l("Choose a day of the week.")
ANYBODY: Final = 0
NO_LIMIT: Final = 0
MOST_HALF_DAYS: Final = 2 * int(LONGEST_WEEK)


def _weekdays() -> list[SelectChoice]:
    return [SelectChoice(number, name) for number, name in enumerate(weekday_names("EEEE"))]


class ChangeForm(RefusableForm):
    """What the three have in common: the change that was asked for, once the form is valid."""

    @property
    def change(self) -> Change:
        raise NotImplementedError


class RoomForm(ChangeForm):
    """One room more on a day of the week."""

    weekday = SelectField(_l("Day of the week"), coerce=int, validators=[InputRequired(CHOOSE_DAY)])
    period = RadioField(
        _l("Period"),
        choices=[SelectChoice(period.value, PERIOD_NAMES[period]) for period in Period],
        default=Period.DAY.value,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weekday.choices = _weekdays()
        if self.period.data is None:
            self.period.data = Period.DAY.value

    @property
    def change(self) -> FurtherRoom:
        return FurtherRoom(self.weekday.data, Period(self.period.data))


class DoctorForm(ChangeForm):
    """One doctor more, on some days of the week."""

    weekdays = SelectMultipleField(
        _l("Days when this doctor comes"),
        coerce=int,
        validators=[InputRequired(CHOOSE_DAY)],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    half_days = SelectField(_l("At the most, each week"), coerce=int, default=NO_LIMIT)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weekdays.choices = _weekdays()
        self.half_days.choices = [
            SelectChoice(NO_LIMIT, _l("No limit")),
            *(SelectChoice(number, day_count(number)) for number in range(1, MOST_HALF_DAYS + 1)),
        ]

    @property
    def change(self) -> OneMoreDoctor:
        limit = self.half_days.data
        weekdays = tuple(sorted(set(self.weekdays.data)))
        return OneMoreDoctor(weekdays, limit / 2 if limit else None)


class LimitForm(ChangeForm):
    """No limit of days a week, for one doctor or for all."""

    doctor = SelectField(_l("For whom"), coerce=int)

    def offer(self, doctors: Iterable[tuple[int, str]]) -> None:
        """Offer everybody, and each of these doctors (user id and name)."""
        self.doctor.choices = [
            SelectChoice(ANYBODY, _l("All doctors")),
            *(SelectChoice(user_id, name) for user_id, name in doctors),
        ]

    @property
    def change(self) -> NoWeeklyCap:
        return NoWeeklyCap(self.doctor.data or None)


FORMS: Final[dict[str, type[ChangeForm]]] = {
    "room": RoomForm,
    "doctor": DoctorForm,
    "limit": LimitForm,
}
