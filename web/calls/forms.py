"""Forms of calls for volunteers; how long words may be is the service's to say."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField

from web.forms import RefusableForm


class SendForm(RefusableForm):
    """The words that go with a call; whom it reaches is ticked in the list itself."""

    message = TextAreaField(_l("A few words"))
