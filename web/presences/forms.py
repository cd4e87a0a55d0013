"""Forms of presences; what the dates may be is the service's to say."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField
from wtforms.validators import InputRequired, Optional

from scheduler.roster.rules import Period
from web.forms import RefusableForm
from web.labels import PERIOD_NAMES, weekday_names

ABSENT = "absent"


class WeeklyForm(RefusableForm):
    """A member is there every such weekday."""

    weekday = SelectField(_l("Weekday"), coerce=int)
    period = SelectField(_l("When"))
    every = SelectField(_l("How often"), coerce=int)
    since = DateField(_l("From"), validators=[InputRequired(_l("Choose a date."))])
    until = DateField(_l("Until"), validators=[Optional()])

    def with_choices(self, every: dict[int, str]) -> WeeklyForm:
        """The form with its lists in the reader's language."""
        self.weekday.choices = list(enumerate(weekday_names("EEEE")))
        self.period.choices = [(period.value, name) for period, name in PERIOD_NAMES.items()]
        self.every.choices = list(every.items())
        return self


class DateForm(RefusableForm):
    """What holds on one date, whatever the weeks say."""

    date = DateField(_l("Date"), validators=[InputRequired(_l("Choose a date."))])
    what = SelectField(_l("What holds then"))

    def with_choices(self) -> DateForm:
        self.what.choices = [
            (ABSENT, _l("Not there")),
            *((period.value, PERIOD_NAMES[period]) for period in Period),
        ]
        return self

    @property
    def chosen(self) -> Period | None:
        return None if self.what.data == ABSENT else Period(self.what.data)
