"""Forms of offers and takeovers; how long words may be is the service's to say."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TextAreaField

from web.forms import RefusableForm, row_id


def _day(value: str | int | None) -> int:
    """The number of a day; 0 for none."""
    return row_id(str(value)) or 0


class OfferForm(RefusableForm):
    """A word with an offer, and the colleague's day wanted in return, where one is."""

    # In one line, Enter would press the form's first button, which offers to all.
    message = TextAreaField(_l("A word to your colleagues"))
    in_return = SelectField(
        _l("A day of theirs in return"), coerce=_day, default=0, validate_choice=False
    )

    def offer(self, days: Iterable[tuple[int, str]]) -> OfferForm:
        """The days that can be chosen in return."""
        self.in_return.choices = [(0, _l("Choose a day")), *days]
        return self


class TakeOverForm(RefusableForm):
    """Why a colleague's day is taken over."""

    reason = StringField(_l("Reason"))
