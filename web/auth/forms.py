"""The form of signing in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, PasswordField
from wtforms.validators import InputRequired, Length

from web.forms import RefusableForm


class SignInForm(RefusableForm):
    """E-mail and password. Whether they fit is not the form's affair."""

    email = EmailField(
        _l("E-mail"),
        [
            InputRequired(_l("Type your e-mail address.")),
            Length(max=254, message=_l("This is too long for an e-mail address.")),
        ],
    )
    password = PasswordField(
        _l("Password"),
        [
            InputRequired(_l("Type your password.")),
            Length(max=1024, message=_l("This is too long for a password.")),
        ],
    )
    next = HiddenField()
