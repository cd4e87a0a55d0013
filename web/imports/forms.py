"""The forms that let Relais read a calendar."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import FileField, RadioField, SelectChoice, StringField
from wtforms.validators import DataRequired, Length

from scheduler.calendars.fetching import LONGEST_ADDRESS
from scheduler.calendars.models import SourceUse
from web.forms import RefusableForm

# A file can also be read as days to take: that is a claim, never an import.
CLAIM: Final = "claim"
USES: Final[dict[str, Any]] = {
    SourceUse.BUSY.value: _l("When I am busy elsewhere"),
    SourceUse.AVAILABILITY.value: _l("When I can come"),
}


class FileForm(RefusableForm):
    """A calendar file, and what its events are to be read as."""

    file = FileField(_l("Calendar file (.ics)"))
    use = RadioField(
        _l("What its events say"),
        choices=[
            *(SelectChoice(value, words) for value, words in USES.items()),
            SelectChoice(CLAIM, _l("The days that I take")),
        ],
        default=SourceUse.BUSY.value,
    )


class AddressForm(RefusableForm):
    """The address of a calendar, and what its events are to be read as."""

    address = StringField(
        _l("Address of the calendar"),
        [
            DataRequired(_l("Paste the address that your calendar gives.")),
            Length(max=LONGEST_ADDRESS, message=_l("This is too long for an address.")),
        ],
    )
    name = StringField(
        _l("A name for it"),
        [Length(max=80, message=_l("This is too long for a name."))],
    )
    use = RadioField(
        _l("What its events say"),
        choices=[SelectChoice(value, words) for value, words in USES.items()],
        default=SourceUse.BUSY.value,
    )
