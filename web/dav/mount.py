"""Where Radicale stands: under ``/dav/``, before Flask, with what every answer needs.

Calendar programmes speak methods and headers that are no pages: they never meet sessions, cookies
or CSRF. What they are shown is decided by a device password alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

import structlog
from flask import Flask
from flask_babel import force_locale
from limits import RateLimitItem, parse_many

from scheduler.calendars.caldav.application import LARGEST_BODY, Application
from scheduler.core.database import Database
from scheduler.core.errors import RelaisError
from scheduler.core.settings import Settings
from scheduler.people.models import Locale
from web.extensions import limiter
from web.messages import message_for

log = structlog.get_logger(__name__)

PREFIX: Final = "/dav"
# Where programmes look that know nothing but the name of the server (RFC 6764; iOS and macOS also
# look at the principals of other servers).
LOOKED_FOR: Final = frozenset({"/.well-known/caldav", "/.well-known/caldav/"})
LOOKED_FOR_BY_PROPFIND: Final = frozenset({"/", "/principals", "/principals/"})
# Wrong passwords: of one name from one address, and of one address altogether.
PER_NAME: Final = parse_many("10 per minute; 60 per hour")
PER_ADDRESS: Final = parse_many("60 per minute; 600 per hour")

# Radicale believes these, which anybody can send.
_FORGEABLE: Final = (
    "HTTP_X_SCRIPT_NAME",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_REMOTE_ADDR",
    "HTTP_X_REMOTE_USER",
    "REMOTE_USER",
)
_HEADERS: Final = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "private, no-cache"),
)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


class Addresses:
    """Whole addresses of pages, for what is written into calendars."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._base = settings.base_url

    def need(self, slug: str, need_id: int) -> str:
        """The page where a day is taken or given back."""
        return self._to("roster.need", slug=slug, need_id=need_id)

    def availabilities(self) -> str:
        """The page where a doctor says when they can come."""
        return self._to("availabilities.month")

    def devices(self) -> str:
        """The page that explains how to set up a device."""
        return self._to("devices.index")

    def _to(self, endpoint: str, **values: Any) -> str:
        adapter = self._app.url_map.bind("")
        return self._base + adapter.build(endpoint, values)


class Mount:
    """Radicale for the addresses that are its own, Flask for all others."""

    def __init__(self, app: Flask, settings: Settings, database: Database) -> None:
        self._flask: Wsgi = app.wsgi_app
        self._app = app
        self._https = settings.is_https
        self._radicale = Application(database, Addresses(app, settings), self._say)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        method = environ.get("REQUEST_METHOD", "")
        start = self._hardened(start_response)
        if path in LOOKED_FOR or (method == "PROPFIND" and path in LOOKED_FOR_BY_PROPFIND):
            return _redirected(start)
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            return self._dav(environ, start)
        return self._flask(environ, start_response)

    def _dav(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        inner = _inner(environ)
        if inner is None:
            return _plain(start, HTTPStatus.BAD_REQUEST)
        name = _name_in(inner)
        if name is not None and _is_barred(inner, name):
            return _plain(start, HTTPStatus.TOO_MANY_REQUESTS, ("Retry-After", "60"))
        if not _buffer_body(inner):
            return _plain(start, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

        def noting(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            code = int(status[:3])
            if code == HTTPStatus.UNAUTHORIZED and name is not None:
                _note_failure(inner, name)
            if code >= HTTPStatus.BAD_REQUEST:
                log.info("dav.answered", method=inner["REQUEST_METHOD"], status=code)
            return start(status, headers, *rest)

        return self._radicale(inner, noting)

    def _hardened(self, start_response: StartResponse) -> StartResponse:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            known = {name.lower() for name, _value in headers}
            extra = [pair for pair in _HEADERS if pair[0].lower() not in known]
            if self._https:
                extra.append(("Strict-Transport-Security", "max-age=31536000"))
            return start_response(status, [*headers, *extra], *rest)

        return start

    def _say(self, error: RelaisError, locale: Locale) -> str:
        with self._app.app_context(), force_locale(locale.value):
            return str(message_for(error))


def init_app(app: Flask, settings: Settings, database: Database) -> None:
    """Put Radicale before Flask."""
    app.wsgi_app = Mount(app, settings, database)  # type: ignore[method-assign]


def _inner(environ: Environ) -> Environ | None:
    """The environment as Radicale expects it; None for an address that is no text."""
    inner = {key: value for key, value in environ.items() if key not in _FORGEABLE}
    try:
        path = environ["PATH_INFO"].encode("latin-1").decode()
    except UnicodeError:
        return None
    if "\0" in path:
        return None
    inner["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + PREFIX
    inner["PATH_INFO"] = path.removeprefix(PREFIX) or "/"
    authorization = inner.get("HTTP_AUTHORIZATION", "")
    if authorization and _credentials(authorization) is None:
        # Radicale would stumble over what is no name and password.
        del inner["HTTP_AUTHORIZATION"]
    return inner


def _credentials(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, colon, password = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeError):
        return None
    return (name, password) if colon and "\0" not in name + password else None


def _name_in(environ: Environ) -> str | None:
    found = _credentials(environ.get("HTTP_AUTHORIZATION", ""))
    return None if found is None else found[0]


def _keys(environ: Environ, name: str) -> list[tuple[RateLimitItem, tuple[str, str]]]:
    address = str(environ.get("REMOTE_ADDR", ""))
    # Hashed, since limits are stored.
    digest = hashlib.sha256(f"{address}\n{name.strip().lower()}".encode()).hexdigest()
    return [(item, ("dav-name", digest)) for item in PER_NAME] + [
        (item, ("dav-address", address)) for item in PER_ADDRESS
    ]


def _is_barred(environ: Environ, name: str) -> bool:
    if not limiter.enabled:
        return False
    return not all(limiter.limiter.test(item, *key) for item, key in _keys(environ, name))


def _note_failure(environ: Environ, name: str) -> None:
    if limiter.enabled:
        for item, key in _keys(environ, name):
            limiter.limiter.hit(item, *key)


def _buffer_body(environ: Environ) -> bool:
    """Read the body whole, so that one sent in pieces has a length; False where it is too large."""
    length = environ.get("CONTENT_LENGTH") or ""
    chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
    if not length and not chunked:
        return True
    if length and (not length.isdecimal() or int(length) > LARGEST_BODY):
        return False
    size = int(length) if length else LARGEST_BODY + 1
    body = environ["wsgi.input"].read(size)
    if len(body) > LARGEST_BODY:
        return False
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return True


def _redirected(start: StartResponse) -> Iterable[bytes]:
    start("301 Moved Permanently", [("Location", f"{PREFIX}/"), ("Content-Length", "0")])
    return [b""]


def _plain(start: StartResponse, status: HTTPStatus, *headers: tuple[str, str]) -> Iterable[bytes]:
    body = f"{status.phrase}\n".encode()
    line = f"{status.value} {status.phrase}"
    start(line, [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *headers])
    return [body]
