"""Headers that every answer carries."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from flask import Flask, Response, abort, request

POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "img-src 'self' data:",
    )
)


def init_app(app: Flask, *, https: bool) -> None:
    @app.before_request
    def refuse_nul() -> None:
        # No text of a person holds it, PostgreSQL cannot keep it, and other parts stop reading.
        if "\0" in unquote(request.full_path):
            abort(404)
        if any("\0" in value for values in request.form.listvalues() for value in values):
            abort(400)

    @app.after_request
    def harden(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"
        )
        if https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint != "static":
            # Shared computers at a front desk: nothing stays behind in the browser's cache.
            headers.setdefault("Cache-Control", "private, no-store")
        return response
