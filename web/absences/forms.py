"""Forms of absences."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField

from web.forms import RefusableForm


class AbsenceForm(RefusableForm):
    """That a doctor does not come, and why where somebody knows."""

    on_behalf = BooleanField(_l("The doctor has called and said so"))
    reason = StringField(_l("Reason"))
