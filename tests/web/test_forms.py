"""What a form says of a value that it cannot read."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import Babel, force_locale
from werkzeug.datastructures import MultiDict
from wtforms import DateField, IntegerField, RadioField, SelectMultipleField

from web.forms import RefusableForm


class Kinds(RefusableForm):
    class Meta(RefusableForm.Meta):
        csrf = False

    one = RadioField(choices=["red", "green"])
    some = SelectMultipleField(choices=["red", "green"])
    day = DateField()
    number = IntegerField()


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.secret_key = "only that of a test"
    translations = "../../web/translations"
    Babel(app, default_translation_directories=translations)
    return app


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (
            "fr",
            {
                "one": "Choisissez l’une des options proposées.",
                "some": "Choisissez parmi les options proposées.",
                "day": "Indiquez une date, comme 24/12/2026.",
                "number": "Donnez un nombre entier.",
            },
        ),
        (
            "en",
            {
                "one": "Choose one of the options offered.",
                "some": "Choose among the options offered.",
                "day": "Give a date, such as 24/12/2026.",
                "number": "Give a whole number.",
            },
        ),
    ],
)
def test_a_value_that_cannot_be_meant_is_told_what_would_do(
    app: Flask, locale: str, said: dict[str, str]
) -> None:
    sent = MultiDict({"one": "blue", "some": "blue", "day": "soon", "number": "many"})
    with app.test_request_context(method="POST"), force_locale(locale):
        form = Kinds(formdata=sent)
        assert not form.validate()
        assert {name: str(errors[-1]) for name, errors in form.errors.items()} == said
