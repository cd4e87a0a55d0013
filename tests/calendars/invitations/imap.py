"""A small IMAP4rev1 server (RFC 3501) of the loopback interface: one mailbox, as much of the
protocol as a reader of mails uses."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

SEEN = r"\Seen"


class ImapServer(socketserver.ThreadingTCPServer):
    """Holds mails, each with its flags. `refuse` names commands that it answers with NO, and
    `hang_up` one at which it closes the connection."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails: dict[int, bytes] = {}
        self.flags: dict[int, set[str]] = {}
        self.heard: list[str] = []
        self.refuse: set[str] = set()
        self.hang_up: str | None = None

    @property
    def url(self) -> str:
        return f"imap://relais:s%40cret@127.0.0.1:{self.server_address[1]}/INBOX"

    def receive(self, *mails: bytes) -> None:
        for mail in mails:
            number = len(self.mails) + 1
            self.mails[number] = mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            self.flags[number] = set()

    @property
    def unseen(self) -> list[int]:
        return [number for number, flags in self.flags.items() if SEEN not in flags]


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    def say(self, *parts: bytes) -> None:
        self.wfile.write(b"".join(parts) + b"\r\n")

    def handle(self) -> None:
        server = cast(ImapServer, self.server)
        self.say(b"* OK ready")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            tag, _, rest = line.partition(" ")
            server.heard.append(rest)
            command = " ".join(rest.upper().split(" ")[: 2 if rest.upper()[:4] == "UID " else 1])
            if command == server.hang_up:
                return
            if command in server.refuse:
                self.say(f"{tag} NO not now".encode())
                continue
            self.answer(server, command, rest)
            self.say(f"{tag} OK done".encode())
            if command == "LOGOUT":
                return

    def answer(self, server: ImapServer, command: str, rest: str) -> None:
        if command == "CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1")
        elif command == "SELECT":
            self.say(f"* {len(server.mails)} EXISTS".encode())
        elif command == "LOGOUT":
            self.say(b"* BYE")
        elif command == "UID SEARCH":
            self.say(b" ".join([b"* SEARCH", *(str(one).encode() for one in server.unseen)]))
        elif command == "UID FETCH":
            self.fetch(server, int(rest.split(" ")[2]), rest)
        elif command == "UID STORE":
            found = re.search(r"\((.*)\)", rest)
            assert found is not None
            server.flags[int(rest.split(" ")[2])] |= set(found[1].split())

    def fetch(self, server: ImapServer, number: int, rest: str) -> None:
        mail = server.mails[number]
        start = f"* {number} FETCH (UID {number} "
        if "RFC822.SIZE" in rest:
            self.say(f"{start}RFC822.SIZE {len(mail)})".encode())
        else:
            self.say(f"{start}BODY[] {{{len(mail)}}}\r\n".encode(), mail, b")")


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A server that listens until the block ends."""
    with ImapServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
