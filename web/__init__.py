"""The web application: one blueprint folder per room of `scheduler` that has a face."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from scheduler.core.database import Database
from scheduler.core.errors import BadSettings
from scheduler.core.settings import Settings
from web import database, errors, identity, localisation, navigation, security
from web.extensions import csrf, limiter

AREAS = (
    "home",
    "auth",
    "account",
    "roster",
    "needs",
    "availabilities",
    "proposals",
    "calendars",
)
LARGEST_REQUEST = 2 * 1024 * 1024
SESSION_LIFETIME = dt.timedelta(hours=12)


def create_app(settings: Settings, storage: Database | None = None) -> Flask:
    """The application for an installation.

    `storage` is the database to use where one is open already. Raises `BadSettings` without a
    secret key.
    """
    if settings.secret_key is None:
        raise BadSettings(variable="RELAIS_SECRET_KEY", reason="required outside a demonstration")
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="relais",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
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
    errors.init_app(app)
    for area in AREAS:
        app.register_blueprint(import_module(f"web.{area}.views").blueprint)
    return app
