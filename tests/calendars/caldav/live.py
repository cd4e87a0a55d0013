"""A running Relais on loopback, for programmes that know only its address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Serves without writing a line for every request."""

    def log(self, *_arguments: object) -> None:
        pass


@contextmanager
def serving(application: Callable[..., Any]) -> Iterator[str]:
    """A WSGI application on a port of its own, and its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def serving_app(app: Flask) -> Any:
    """The whole of Relais, with what stands before Flask."""
    return serving(app.wsgi_app)
