"""Forms of calls for volunteers; how long words may be is the service's to say."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, TextAreaField
from wtforms.validators import InputRequired, NumberRange

from scheduler.roster.rules import Wave
from web.forms import RefusableForm


class SendForm(RefusableForm):
    """The words that go with a call; whom it reaches is ticked in the list itself."""

    message = TextAreaField(_l("A few words"))


class NextWaveForm(RefusableForm):
    """Which wave the page showed as the last that left, so that none is sent twice."""

    after = IntegerField(validators=[InputRequired(), NumberRange(0, max(Wave))])
