"""What the forms of every area share."""

from __future__ import annotations

import secrets
from typing import Final

from flask import Flask, g, request
from flask_wtf import FlaskForm
from wtforms import Field

from scheduler.core.errors import RelaisError
from web.messages import message_for

ONCE: Final = "once"
_LONGEST_ONCE: Final = 64


def init_app(app: Flask) -> None:
    """Let templates put `once()` into a form whose command must not be carried out twice."""
    app.jinja_env.globals[ONCE] = once


def once() -> str:
    """A word that is this page's own: every form of one page carries the same."""
    if ONCE not in g:
        setattr(g, ONCE, secrets.token_urlsafe(12))
    return str(getattr(g, ONCE))


def sent_once() -> str | None:
    """The word of the page that a form was sent from, which tells a repeated command."""
    return request.form.get(ONCE, "")[:_LONGEST_ONCE] or None


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
