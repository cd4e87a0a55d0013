"""The web application: one blueprint folder per room of `scheduler` that has a face."""

from __future__ import annotations

import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from scheduler.core.database import Database
from scheduler.core.errors import BadSettings
from scheduler.core.settings import Settings
from scheduler.people.service import LONGEST_SESSION
from web import database, errors, forms, identity, localisation, navigation, security
from web.dav import mount
from web.extensions import csrf, limiter
from web.forms import HIGHEST_ROW

log = structlog.get_logger(__name__)

AREAS = (
    "home",
    "auth",
    "absences",
    "account",
    "asks",
    "board",
    "roster",
    "needs",
    "practice",
    "availabilities",
    "answers",
    "calendar_invitations",
    "calls",
    "candidates",
    "decisions",
    "desk",
    "documents",
    "presences",
    "invitations",
    "public",
    "proposals",
    "scenarios",
    "statistics",
    "swaps",
    "calendars",
    "devices",
    "imports",
    "notifications",
    "mailbox",
)
LARGEST_REQUEST = 2 * 1024 * 1024


class RowId(IntegerConverter):
    """The number of a row in an address; larger ones than any row has lead nowhere (404)."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=HIGHEST_ROW)


class Application(Flask):
    """Flask, but that an address never stands in a log: a feed's is a secret."""

    def log_exception(self, exc_info: Any) -> None:
        log.error(
            "request.failed",
            method=request.method,
            endpoint=request.endpoint,
            trace="".join(traceback.format_exception(*exc_info)),
        )


def create_app(settings: Settings, storage: Database | None = None) -> Flask:
    """The application for an installation.

    `storage` is the database to use where one is open already. Raises `BadSettings` without a
    secret key.
    """
    if settings.secret_key is None:
        raise BadSettings(variable="RELAIS_SECRET_KEY", reason="required outside a demonstration")
    app = Application(__name__)
    app.url_map.converters["int"] = RowId
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="relais",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        PERMANENT_SESSION_LIFETIME=LONGEST_SESSION,
        # Else the answer to a page that asks by itself could bring a session back after sign-out.
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        # The token lives as long as the session it belongs to.
        WTF_CSRF_TIME_LIMIT=None,
        # Said here, since the one limiter keeps what an application before this one was told.
        RATELIMIT_ENABLED=True,
        RATELIMIT_STORAGE_URI=settings.ratelimit_storage,
        RATELIMIT_HEADERS_ENABLED=True,
        HTMX_AVAILABLE=(Path(__file__).parent / "static/vendor/htmx.min.js").exists(),
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["relais.settings"] = settings
    app.extensions["relais.database"] = storage or Database(settings.database_url)
    mount.init_app(app, settings, app.extensions["relais.database"])
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    csrf.init_app(app)
    limiter.init_app(app)
    # Its after_request hooks run last to first: headers are set after the commit.
    security.init_app(app, https=settings.is_https)
    database.init_app(app)
    identity.init_app(app)
    localisation.init_app(app)
    navigation.init_app(app)
    forms.init_app(app)
    errors.init_app(app)
    for area in AREAS:
        app.register_blueprint(import_module(f"web.{area}.views").blueprint)
    return app
