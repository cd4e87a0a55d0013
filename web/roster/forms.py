"""Forms of the roster."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField

from web.forms import RefusableForm


class ReleaseForm(RefusableForm):
    """Why a day is given back; how long and whether it is needed is the service's to say."""

    reason = StringField(_l("Reason"))
    on_behalf = BooleanField(_l("The doctor is on the phone and asks for it"))
