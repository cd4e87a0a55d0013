"""What the forms of every area share."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import Field

from scheduler.core.errors import RelaisError
from web.messages import message_for


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
