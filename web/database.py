"""The request's transaction: one session, committed once when the answer is a success."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import Flask, Response, current_app, g

from scheduler.core.database import Database, UnitOfWork
from scheduler.core.settings import Settings


def database() -> Database:
    return cast(Database, current_app.extensions["relais.database"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["relais.settings"])


def session() -> UnitOfWork:
    """The session of the request under way, opened when first asked for."""
    if "session" not in g:
        g.session = database().session()
    return cast(UnitOfWork, g.session)


def release() -> None:
    """Let go of the database while something slow is done. Nothing may have been written yet."""
    if "session" in g:
        g.session.rollback()


def after_commit(act: Callable[[], object]) -> None:
    """Do `act` once the request's transaction has been committed, and only then."""
    g.setdefault("after_commit", []).append(act)


def init_app(app: Flask) -> None:
    @app.after_request
    def finish(response: Response) -> Response:
        if "session" in g:
            if response.status_code < 400:
                g.session.commit()
                for act in g.pop("after_commit", []):
                    act()
            else:
                g.session.rollback()
        return response

    @app.teardown_request
    def close(_error: BaseException | None) -> None:
        opened = g.pop("session", None)
        if opened is not None:
            opened.close()
