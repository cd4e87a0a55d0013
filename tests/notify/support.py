"""Small servers of the loopback interface, and the keys of a browser that does not exist."""

from __future__ import annotations

import base64
import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


class Gateway(ThreadingHTTPServer):
    """Notes what is posted to it and answers with `status`, and a `location` where it has one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.status = 201
        self.location: str | None = None
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Visit(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        server = cast(Gateway, self.server)
        server.paths.append(self.path)
        server.headers.append(dict(self.headers))
        server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.send_response(server.status)
        if server.location is not None:
            self.send_header("Location", server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks enough SMTP; `answers` replaces what it says to a command."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.answers: dict[str, str] = {}
        self.heard: list[str] = []
        self.letters: list[bytes] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        server = cast(MailServer, self.server)
        self.say("220 mail.example.org")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            server.heard.append(line)
            command = line.split(" ")[0].upper()
            usual = {
                "EHLO": "250-mail.example.org\r\n250-AUTH PLAIN\r\n250 8BITMIME",
                "AUTH": "235 welcome",
                "DATA": "354 go on",
                "QUIT": "221 bye",
            }
            answer = server.answers.get(command, usual.get(command, "250 ok"))
            if answer == "hang up":
                return
            self.say(answer)
            if command == "DATA" and answer.startswith("354"):
                lines = []
                while (data := self.rfile.readline()) != b".\r\n":
                    lines.append(data.removeprefix(b"."))
                server.letters.append(b"".join(lines))
                self.say(server.answers.get("END", "250 queued"))
            if command == "QUIT":
                return


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            found.shutdown()
            thread.join()


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def vapid_key() -> str:
    """A fresh key, as `RELAIS_VAPID_PRIVATE_KEY` holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    return encoded(
        key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )


class BrowserKeys:
    """The keys of one subscription."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.secret = os.urandom(16)

    @property
    def p256dh(self) -> str:
        public = self.private.public_key()
        return encoded(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    @property
    def auth(self) -> str:
        return encoded(self.secret)
