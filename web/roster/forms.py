"""Forms of the roster."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField

from scheduler.core.errors import InvalidInput
from web.messages import message_for


class ReleaseForm(FlaskForm):
    """Why a day is given back; how long and whether it is needed is the service's to say."""

    reason = StringField(_l("Reason"))

    def refuse(self, error: InvalidInput) -> None:
        """Show what the service found wrong beside the field."""
        self.reason.errors = [*self.reason.errors, message_for(error)]
