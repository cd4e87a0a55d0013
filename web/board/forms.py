"""What the open days board is filtered by. It stands in the address and nowhere else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
)
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from scheduler.people.queries import PracticeRef
from scheduler.roster.board import OpenDay
from scheduler.roster.queries import FURTHEST_MONTHS
from scheduler.roster.rules import add_months, monday_of, month_bounds
from web.labels import weekday_names

# What is shown first is what a thumb can still scroll through.
FOUR_WEEKS, THIS_MONTH, NEXT_MONTH, QUARTER = "weeks", "month", "next", "quarter"
PRESETS: Final[dict[str, Any]] = {
    FOUR_WEEKS: _l("4 weeks"),
    THIS_MONTH: _l("This month"),
    NEXT_MONTH: _l("Next month"),
    QUARTER: _l("3 months"),
}
LIST, CALENDAR = "list", "calendar"


class FilterForm(FlaskForm):
    """Sent by GET: nothing is changed by it, so it has no token."""

    class Meta:
        csrf = False

    period = HiddenField()
    view = HiddenField()
    start = DateField(_l("From"), name="from", validators=[Optional()])
    end = DateField(_l("To"), name="to", validators=[Optional()])
    practice = SelectField(_l("Practice"), validate_choice=False)
    weekday = SelectMultipleField(
        _l("Days of the week"),
        coerce=int,
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    all = BooleanField(_l("Show the days that I cannot take, and why"))

    def offer(self, practices: Sequence[PracticeRef]) -> None:
        """Let the reader choose among these practices, and the days of the week."""
        self.practice.choices = [
            SelectChoice("", _("All my practices")),
            *(SelectChoice(practice.slug, practice.name) for practice in practices),
        ]
        self.weekday.choices = [
            SelectChoice(number, name) for number, name in enumerate(weekday_names("EEEE"))
        ]


@dataclass(frozen=True, slots=True)
class Filters:
    """What is shown: the dates from `start` to `end`, both included, of one practice or of all,
    on some days of the week or on all (none named).

    `preset` is the name of the period, None where the reader chose its dates.
    """

    start: dt.date
    end: dt.date
    preset: str | None
    practice: PracticeRef | None = None
    weekdays: frozenset[int] = frozenset()
    all: bool = False
    view: str = LIST

    def shows(self, day: OpenDay) -> bool:
        """Whether a day is of the practice and the weekdays asked for."""
        here = self.practice is None or day.practice.id == self.practice.id
        return here and (not self.weekdays or day.date.weekday() in self.weekdays)

    @property
    def narrowed(self) -> bool:
        """Whether there is more to see in the same dates."""
        return self.practice is not None or bool(self.weekdays)

    def href(self, endpoint: str = "board.index", **values: Any) -> str:
        """An address of the board with these filters kept."""
        return url_for(endpoint, **self._arguments(), **values)

    def but(self, **changes: Any) -> Filters:
        """The same with something else."""
        return replace(self, **changes)

    def _arguments(self) -> dict[str, Any]:
        dates: dict[str, Any] = {"period": self.preset}
        if self.preset is None:
            dates = {"from": self.start.isoformat(), "to": self.end.isoformat()}
        elif self.preset == FOUR_WEEKS:
            dates = {}
        return dates | {
            "practice": self.practice.slug if self.practice else None,
            "weekday": sorted(self.weekdays),
            "all": 1 if self.all else None,
            "view": CALENDAR if self.view == CALENDAR else None,
        }


def preset_dates(preset: str, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and last date of a named period, from today on."""
    if preset == FOUR_WEEKS:
        return today, monday_of(today) + dt.timedelta(weeks=5, days=-1)
    if preset == THIS_MONTH:
        return today, month_bounds(today)[1]
    if preset == NEXT_MONTH:
        return month_bounds(add_months(today, 1))
    return today, add_months(today, 3)


def read(form: FilterForm, practices: Sequence[PracticeRef], today: dt.date) -> Filters:
    """The filters that the address asks for; what cannot be meant is as if it were not there.

    Days of the past are not shown, nor any after the last that can be published.
    """
    usable = form.validate()
    preset = form.period.data if form.period.data in PRESETS else FOUR_WEEKS
    start, end = preset_dates(preset, today)
    chosen = usable and (form.start.data or form.end.data)
    if chosen:
        furthest = add_months(today, FURTHEST_MONTHS)
        start = min(max(form.start.data or today, today), furthest)
        end = min(form.end.data or add_months(start, 3), furthest)
        if end < start:
            form.end.errors = [_("The last day comes before the first.")]
            end, start = preset_dates(FOUR_WEEKS, today)[::-1]
            chosen = False
    return Filters(
        start=start,
        end=end,
        preset=None if chosen else preset,
        practice=next((each for each in practices if each.slug == form.practice.data), None),
        weekdays=frozenset(form.weekday.data or ()) & frozenset(range(7)),
        all=bool(form.all.data),
        view=CALENDAR if form.view.data == CALENDAR else LIST,
    )
