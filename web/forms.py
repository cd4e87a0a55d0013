"""What the forms of every area share."""

from __future__ import annotations

import secrets
from typing import Any, Final

from flask import Flask, g, request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.i18n import Translations
from wtforms import Field, IntegerField

from scheduler.core.errors import RelaisError
from web.messages import message_for

PAGE_KEY: Final = "page_key"
_LONGEST_KEY: Final = 64
_WHOLE_NUMBER: Final = _l("Give a whole number.")
_ONE_OPTION: Final = _l("Choose one of the options offered.")
# WTForms says only that a value is wrong: what is said instead tells what would do.
HELPFUL: Final[dict[str, Any]] = {
    "Not a valid choice.": _ONE_OPTION,
    "Invalid Choice: could not coerce.": _ONE_OPTION,
    "'%(value)s' is not a valid choice for this field.": _l("Choose among the options offered."),
    "Invalid choice(s): one or more data inputs could not be coerced.": _l(
        "Choose among the options offered."
    ),
    "Not a valid integer value.": _WHOLE_NUMBER,
    "Not a valid decimal value.": _l("Give a number."),
    "Not a valid date value.": _l("Give a date, such as 24/12/2026."),
    "Not a valid time value.": _l("Give a time, such as 08:30."),
}
# What the column of a row's number holds.
HIGHEST_ROW: Final = 2**31 - 1


def init_app(app: Flask) -> None:
    """Let templates put `page_key()` into a form whose command must not be carried out twice."""
    app.jinja_env.globals[PAGE_KEY] = page_key


def page_key() -> str:
    """A word that is this page's own: every form of one page carries the same."""
    if PAGE_KEY not in g:
        setattr(g, PAGE_KEY, secrets.token_urlsafe(12))
    return str(getattr(g, PAGE_KEY))


def sent_key() -> str | None:
    """The word of the page that a form was sent from, which tells a repeated command."""
    return request.form.get(PAGE_KEY, "")[:_LONGEST_KEY] or None


def row_id(text: str | None) -> int | None:
    """The number of a row that somebody sent; None for what can be none, however long it is."""
    if not text or len(text) > len(str(HIGHEST_ROW)) or not (text.isascii() and text.isdecimal()):
        return None
    number = int(text)
    return number if 0 < number <= HIGHEST_ROW else None


class RowField(IntegerField):
    """The number of a row; nothing is sent where nothing is chosen."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Anything that can be no row's number is an error of the field."""
        if not valuelist or not valuelist[0]:
            return
        self.data = row_id(valuelist[0])
        if self.data is None:
            raise ValueError(str(_ONE_OPTION))


class _Sentences(Translations):
    """What WTForms says of a value that it cannot read, in the reader's language."""

    def gettext(self, string: str) -> str:
        return str(HELPFUL[string]) if string in HELPFUL else str(super().gettext(string))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        if singular in HELPFUL:
            return str(HELPFUL[singular])
        return str(super().ngettext(singular, plural, n))


class RefusableForm(FlaskForm):
    """A form that can show what the service found wrong beside the field it concerns."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, _form: FlaskForm) -> _Sentences:
            return _Sentences()

    def refuse(self, error: RelaisError) -> None:
        """Add the error's sentence to the field it names, or to the form as a whole."""
        field = self.field_of(error)
        if field is None:
            self.form_errors.append(message_for(error))
        else:
            field.errors = [*field.errors, message_for(error)]

    def field_of(self, error: RelaisError) -> Field | None:
        """The field that an error is about: the one it names, where the form has it."""
        name = str(error.facts.get("field"))
        return self._fields.get(name)
