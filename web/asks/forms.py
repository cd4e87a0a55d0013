"""Forms of questions to doctors; how long words may be is the service's to say."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, TextAreaField

from web.forms import RefusableForm


class AskForm(RefusableForm):
    """A question to one doctor about one need."""

    message = TextAreaField(_l("Message"))
    need_id = HiddenField()
    doctor_id = HiddenField()
    proposal_id = HiddenField()
    next = HiddenField()


class AnswerForm(RefusableForm):
    """A word with the answer."""

    # In one line, Enter would press the form's first button, which is the yes.
    words = TextAreaField(_l("A word with your answer"))
