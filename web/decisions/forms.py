"""Forms of what waits for a titular's decision."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from web.forms import RefusableForm


class RefusalForm(RefusableForm):
    """Why a held day is not confirmed: the doctor reads it."""

    reason = StringField(_l("Reason"))


class AnswerForm(RefusableForm):
    """A word to the doctor who stays on the day."""

    note = StringField(_l("A word to the doctor"))
