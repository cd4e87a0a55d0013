"""Forms of the front desk; how long a text may be is the service's to say."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField
from wtforms.validators import Optional

from web.forms import RefusableForm, RowField


class DutyForm(RefusableForm):
    """Who is on call; nobody where it is empty. `instead_of` is whom the page showed."""

    doctor_id = RowField(validators=[Optional()])
    instead_of = RowField(validators=[Optional()])


class AdviceForm(RefusableForm):
    """What is said to urgent patients on each weekday without a doctor."""

    day_0 = TextAreaField(_l("Monday"))
    day_1 = TextAreaField(_l("Tuesday"))
    day_2 = TextAreaField(_l("Wednesday"))
    day_3 = TextAreaField(_l("Thursday"))
    day_4 = TextAreaField(_l("Friday"))
    day_5 = TextAreaField(_l("Saturday"))
    day_6 = TextAreaField(_l("Sunday"))

    @property
    def by_weekday(self) -> dict[int, str]:
        return {weekday: self[f"day_{weekday}"].data or "" for weekday in range(7)}
