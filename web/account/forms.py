"""The forms of an account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired, Length

from scheduler.people.passwords import LONGEST, SHORTEST
from web.forms import RefusableForm


class PasswordForm(RefusableForm):
    """The current password, and twice the new one."""

    current = PasswordField(
        _l("Current password"),
        [
            InputRequired(_l("Type the password you have now.")),
            Length(max=1024, message=_l("This is too long for a password.")),
        ],
    )
    new = PasswordField(
        _l("New password"),
        [InputRequired(_l("Type a new password."))],
        description=_l(
            "From %(shortest)d to %(longest)d characters. Four words in a row make a good one.",
            shortest=SHORTEST,
            longest=LONGEST,
        ),
    )
    repeated = PasswordField(
        _l("New password, once more"),
        [
            InputRequired(_l("Type the new password once more.")),
            EqualTo("new", _l("The two passwords differ.")),
        ],
    )
