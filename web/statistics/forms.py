"""The period to look at, sent by GET."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateField
from wtforms.validators import InputRequired

from web.forms import RefusableForm


class DatesForm(RefusableForm):
    """A period of one's own choice."""

    class Meta:
        csrf = False

    start = DateField(_l("First day"), validators=[InputRequired(_l("Give a date."))])
    end = DateField(_l("Last day"), validators=[InputRequired(_l("Give a date."))])
