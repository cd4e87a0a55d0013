"""From a named error to an HTTP status and a sentence: once, here."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import structlog
from flask import Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as QueueTimeout
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from scheduler.core import errors
from web.messages import message_for
from web.redirects import local_target

log = structlog.get_logger(__name__)

STATUS: Final[dict[type[errors.RelaisError], int]] = {
    errors.InvalidInput: 422,
    errors.NotSignedIn: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RuleBroken: 409,
    errors.TooMany: 429,
    errors.BadSettings: 500,
}


def status_of(error: errors.RelaisError) -> int:
    """The HTTP status of an error: that of the nearest of its classes in `STATUS`."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def answer(status: int, message: str, code: str) -> ResponseReturnValue:
    """The error as JSON, as a fragment for a partial update, or as a page of its own."""
    if wants_json():
        return jsonify(error={"code": code, "message": message}), status
    if request.headers.get("HX-Request"):
        return render_template("errors/fragment.html", message=message), status
    return render_template(
        "errors/page.html", status=status, message=message, back=_page_before()
    ), status


def _page_before() -> str | None:
    """The page of this site that the reader came from, where it is another one than this."""
    before = urlsplit(request.referrer or "")
    target = local_target(before.path, "") if before.netloc == request.host else ""
    return target if target not in ("", "/", request.path) else None


def init_app(app: Flask) -> None:
    @app.errorhandler(errors.RelaisError)
    def named(error: errors.RelaisError) -> ResponseReturnValue:
        _roll_back()
        return answer(status_of(error), str(message_for(error)), error.code)

    @app.errorhandler(StaleDataError)
    def stale(_error: StaleDataError) -> ResponseReturnValue:
        _roll_back()
        return answer(409, _("Somebody else changed this meanwhile. Look again."), "stale")

    @app.errorhandler(OperationalError)
    @app.errorhandler(QueueTimeout)
    def busy(error: OperationalError | QueueTimeout) -> ResponseReturnValue:
        _expect_no_database()
        cause = error.orig if isinstance(error, OperationalError) else error
        log.error("database.unavailable", error=type(cause).__name__)
        return answer(503, _("The database is busy. Try again in a moment."), "busy")

    @app.errorhandler(DataError)
    def unthinkable(error: DataError) -> ResponseReturnValue:
        _roll_back()
        log.warning("database.refused_value", error=type(error.orig).__name__)
        return answer(422, _("This value cannot be meant."), "invalid_input")

    @app.errorhandler(CSRFError)
    def forged(_error: CSRFError) -> ResponseReturnValue:
        return answer(400, _("This form is too old. Go back, reload and send it again."), "csrf")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status >= 500:
            _expect_no_database()
        _roll_back()
        if status < 400:
            return error.get_response()
        unknown = _("This cannot be done.")
        sentences = {
            401: _("Sign in first."),
            403: _("This is not for your role."),
            404: _("There is no such page."),
            405: _("This cannot be done here."),
            413: _("This is too large."),
            429: _("Too many attempts. Wait a minute and try again."),
            500: _("Something went wrong on our side. It has been noted."),
        }
        body = answer(status, sentences.get(status, unknown), error.name.lower())
        response = app.make_response(body)
        for name, value in error.get_headers(request.environ):
            if name.lower() in ("retry-after", "allow"):
                response.headers[name] = value
        return response


def _roll_back() -> None:
    if "session" in g:
        g.session.rollback()


def _expect_no_database() -> None:
    """Answer as to nobody in particular: to ask who is reading might fail a second time."""
    g.without_reader = True
    opened = g.pop("session", None)
    if opened is not None:
        opened.invalidate()
