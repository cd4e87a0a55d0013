"""The form of a new device."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from scheduler.calendars.devices import LONGEST_NAME
from web.forms import RefusableForm


class DeviceForm(RefusableForm):
    """What its owner calls a device."""

    name = StringField(
        _l("Name of the device"),
        [
            InputRequired(_l("Give the device a name.")),
            Length(max=LONGEST_NAME, message=_l("This is too long for a name.")),
        ],
    )
