"""The form of a new proposal: one of two usual periods, or dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, RadioField
from wtforms.validators import Optional

from scheduler.core.errors import RelaisError
from scheduler.roster.rules import add_months, month_bounds
from web.forms import RefusableForm
from web.localisation import month_name

MONTH, QUARTER, CUSTOM = "month", "quarter", "custom"


class ProposalForm(RefusableForm):
    """Which days to plan. The dates count only where no usual period is chosen."""

    period = RadioField(_l("Period"))
    start = DateField(_l("First day"), validators=[Optional()])
    end = DateField(_l("Last day"), validators=[Optional()])

    def __init__(self, today: dt.date, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        first = month_bounds(add_months(today, 1))[0]
        last = add_months(first, 2)
        self._usual = {
            MONTH: month_bounds(first),
            QUARTER: (first, month_bounds(last)[1]),
        }
        self.period.choices = [
            (MONTH, month_name(first).capitalize()),
            (QUARTER, _("%(first)s to %(last)s", first=month_name(first), last=month_name(last))),
            (CUSTOM, _("Other dates")),
        ]
        if self.period.data is None:
            self.period.data = MONTH

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Dates are required where they count."""
        valid = bool(super().validate(extra_validators))
        if self.period.data != CUSTOM:
            return valid
        for field in (self.start, self.end):
            if field.data is None and not field.errors:
                field.errors = [_("Give a date.")]
                valid = False
        return valid

    @property
    def dates(self) -> tuple[dt.date, dt.date]:
        """The first and last day that were chosen; to be asked of a valid form."""
        usual = self._usual.get(self.period.data)
        return usual or (self.start.data, self.end.data)

    def field_of(self, error: RelaisError) -> Field:
        """A date that is not shown cannot be blamed: then the choice of period is."""
        named = super().field_of(error) if self.period.data == CUSTOM else None
        return self.period if named is None else named
