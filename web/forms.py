"""What the forms of every area share."""

from __future__ import annotations

import secrets
from typing import Final

from flask import Flask, g, request
from flask_wtf import FlaskForm
from wtforms import Field

from scheduler.core.errors import RelaisError
from web.messages import message_for

PAGE_KEY: Final = "page_key"
_LONGEST_KEY: Final = 64


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


class RefusableForm(FlaskForm):
    """A form that can show what the service found wrong beside the field it concerns."""

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
