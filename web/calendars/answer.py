"""A calendar over HTTP: conditional requests, and gzip for whoever takes it."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable

from flask import Response, request
from werkzeug.http import is_resource_modified

FILE_NAME = "relais.ics"


def answer(
    etag: str, changed_at: dt.datetime, packed: Callable[[], bytes], *, name: str = FILE_NAME
) -> Response:
    """The calendar, or 304 without asking for it where the client has it already.

    `packed` gives it compressed, as most clients take it.

    The tag is weak: one calendar has two bodies, plain and compressed, that say the same, and
    whoever compresses on the way may not keep a strong one.
    """
    response = Response(mimetype="text/calendar")
    response.set_etag(etag, weak=True)
    response.last_modified = changed_at
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.vary.add("Accept-Encoding")
    if not is_resource_modified(
        request.environ, etag, last_modified=changed_at.replace(microsecond=0)
    ):
        response.status_code = 304
        return response
    if _takes_gzip():
        response.data = packed()
        response.content_encoding = "gzip"
    else:
        response.data = gzip.decompress(packed())
    return response


def _takes_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0
