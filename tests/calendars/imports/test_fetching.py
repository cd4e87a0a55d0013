"""Addresses that users give: where they may lead, and where never."""

from __future__ import annotations

import datetime as dt
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scheduler.calendars.fetching import (
    MOST_BYTES,
    MOST_REDIRECTS,
    Address,
    Fetcher,
    checked,
    is_public,
)
from scheduler.core.errors import InvalidInput

HOST = "calendar.test"
CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"
HOME = ip_address("127.0.0.1")
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A web server of one page, which remembers what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answer: Answer = lambda handler: send(handler, CALENDAR)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.path, dict(self.headers)))
                server.answer(self)

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if tls is not None:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def address(self, path: str = "/a.ics", scheme: str = "http") -> str:
        return f"{scheme}://{HOST}:{self.port}{path}"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def send(
    handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers: str
) -> None:
    handler.send_response(status)
    names = {"Content_Type": "text/calendar", "Content_Length": str(len(content)), **headers}
    for name, value in names.items():
        if value:
            handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def home(_host: str, _port: int) -> Sequence[Address]:
    return [HOME]


def fetcher(**options: Any) -> Fetcher:
    """Follows names to this machine, which no other fetcher may."""
    options = {"resolver": home, "permits": lambda _: True, "allow_http": True, **options}
    return Fetcher(**options)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "0.0.0.0",  # noqa: S104 - an address to be refused
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a01:203",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001::1",
        "2001:db8::1",
    ],
)
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07::1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://calendar.test/a.ics", "calendar_address_scheme"),
        ("ftp://calendar.test/a.ics", "calendar_address_scheme"),
        ("file:///etc/passwd", "calendar_address_scheme"),
        ("calendar.test/a.ics", "calendar_address_scheme"),
        ("https://user@calendar.test/a.ics", "calendar_address_credentials"),
        ("https://user:secret@calendar.test/a.ics", "calendar_address_credentials"),
        ("https:///a.ics", "calendar_address_unreadable"),
        ("https://calendar.test:70000/", "calendar_address_unreadable"),
        ("https://calendar.test:0/", "calendar_address_unreadable"),
        ("https://[::1/", "calendar_address_unreadable"),
        ("https://calendar.test/a b", "calendar_address_unreadable"),
        ("https://calendar.test/a\r\nHost: b", "calendar_address_unreadable"),
        ("https://" + "a" * 70 + ".test/", "calendar_address_unreadable"),
        ("https://calendar.test/" + "a" * 2000, "calendar_address_unreadable"),
    ],
)
def test_addresses_that_cannot_be_meant_are_refused(address: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(address)
    assert refused.value.code == code
    assert refused.value.facts["field"] == "address"


def test_an_address_is_tidied() -> None:
    assert checked(" webcal://calendar.test/a.ics#x ") == "https://calendar.test/a.ics"
    assert checked("HTTPS://calendar.test") == "https://calendar.test/"
    assert checked("http://calendar.test/a?b=c", allow_http=True) == "http://calendar.test/a?b=c"


def test_what_an_address_answers_comes_with_its_marks(server: Server) -> None:
    server.answer = lambda handler: send(
        handler, CALENDAR, ETag='"one"', Last_Modified="Sun, 29 Nov 2026 08:00:00 GMT"
    )
    found = fetcher().fetch(server.address())
    assert found.content == CALENDAR
    assert (found.etag, found.last_modified) == ('"one"', "Sun, 29 Nov 2026 08:00:00 GMT")
    ((path, headers),) = server.asked
    assert (path, headers["Host"]) == ("/a.ics", f"{HOST}:{server.port}")
    assert "Cookie" not in headers
    server.answer = lambda handler: send(handler, b"", 304, Content_Type="", ETag='"one"')
    again = fetcher().fetch(server.address(), etag='"one"', last_modified="yesterday")
    assert again.content is None
    assert server.asked[-1][1]["If-None-Match"] == '"one"'
    assert server.asked[-1][1]["If-Modified-Since"] == "yesterday"


@pytest.mark.parametrize("places", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1", "8.8.8.8"]])
def test_a_name_that_leads_into_a_private_network_is_refused(
    server: Server, places: list[str]
) -> None:
    careful = fetcher(
        resolver=lambda _host, _port: [ip_address(place) for place in places], permits=is_public
    )
    with pytest.raises(InvalidInput, match="calendar_address_private"):
        careful.fetch(server.address())
    assert server.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "localhost"])
def test_numbers_for_this_machine_are_seen_through(server: Server, host: str) -> None:
    """Whatever the system itself understands by them."""
    with pytest.raises(InvalidInput) as refused:
        Fetcher(allow_http=True).fetch(f"http://{host}:{server.port}/a.ics")
    assert refused.value.code in ("calendar_address_private", "calendar_fetch_unreachable")
    assert server.asked == []


def test_a_name_is_resolved_once(server: Server) -> None:
    """A name that answers with a public address first and a private one later gains nothing."""
    answers = iter([[HOME], [ip_address("10.0.0.1")]])
    found = fetcher(
        resolver=lambda _host, _port: next(answers), permits=lambda one: one == HOME
    ).fetch(server.address())
    assert found.content == CALENDAR
    assert next(answers) == [ip_address("10.0.0.1")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_judged_like_the_first_address(server: Server, status: int) -> None:
    inside = {"inside.test": ip_address("10.0.0.1")}
    careful = fetcher(
        resolver=lambda host, _port: [inside.get(host, HOME)], permits=lambda one: one == HOME
    )
    server.answer = lambda handler: send(handler, b"", status, Location="http://inside.test/secret")
    with pytest.raises(InvalidInput, match="calendar_address_private"):
        careful.fetch(server.address())
    assert len(server.asked) == 1


def test_the_same_name_is_judged_again_after_a_redirection(server: Server) -> None:
    answers = iter([[HOME], [ip_address("169.254.169.254")]])
    careful = fetcher(resolver=lambda _host, _port: next(answers), permits=lambda one: one == HOME)
    server.answer = lambda handler: send(handler, b"", 302, Location="/b.ics")
    with pytest.raises(InvalidInput, match="calendar_address_private"):
        careful.fetch(server.address())
    assert [path for path, _headers in server.asked] == ["/a.ics"]


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("file:///etc/passwd", "calendar_address_scheme"),
        ("gopher://calendar.test/", "calendar_address_scheme"),
        ("http://a:b@calendar.test/", "calendar_address_credentials"),
        ("http://[::1/", "calendar_address_unreadable"),
    ],
)
def test_a_redirection_to_what_cannot_be_meant_is_refused(
    server: Server, location: str, code: str
) -> None:
    server.answer = lambda handler: send(handler, b"", 302, Location=location)
    with pytest.raises(InvalidInput) as refused:
        fetcher().fetch(server.address())
    assert refused.value.code == code
    assert len(server.asked) == 1


def test_redirections_are_followed_and_end_somewhere(server: Server) -> None:
    def turn(handler: BaseHTTPRequestHandler) -> None:
        step = int(handler.path.rpartition("/")[2])
        if step == 0:
            send(handler, CALENDAR)
        else:
            send(handler, b"", 302, Location=f"/{step - 1}")

    server.answer = turn
    assert fetcher().fetch(server.address(f"/{MOST_REDIRECTS}")).content == CALENDAR
    with pytest.raises(InvalidInput, match="calendar_fetch_redirects"):
        fetcher().fetch(server.address(f"/{MOST_REDIRECTS + 1}"))


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (200, "text/html; charset=utf-8", "calendar_fetch_type"),
        (200, "application/json", "calendar_fetch_type"),
        (404, "text/calendar", "calendar_fetch_status"),
        (500, "text/calendar", "calendar_fetch_status"),
        (206, "text/calendar", "calendar_fetch_status"),
    ],
)
def test_what_is_no_calendar_is_refused(server: Server, status: int, kind: str, code: str) -> None:
    server.answer = lambda handler: send(handler, CALENDAR, status, Content_Type=kind)
    with pytest.raises(InvalidInput, match=code):
        fetcher().fetch(server.address())


@pytest.mark.parametrize("said", ["yes", "no"])
def test_no_answer_is_read_beyond_its_limit(server: Server, said: str) -> None:
    length = str(MOST_BYTES + 1) if said == "yes" else ""
    server.answer = lambda handler: send(handler, b"x" * (MOST_BYTES + 1), Content_Length=length)
    with pytest.raises(InvalidInput, match="calendar_fetch_big"):
        fetcher().fetch(server.address())
    server.answer = lambda handler: send(handler, b"x" * MOST_BYTES)
    assert len(fetcher().fetch(server.address()).content or b"") == MOST_BYTES


def test_a_packed_answer_is_unpacked_within_the_limit(server: Server) -> None:
    server.answer = lambda handler: send(handler, gzip.compress(CALENDAR), Content_Encoding="gzip")
    assert fetcher().fetch(server.address()).content == CALENDAR
    bomb = gzip.compress(b"\0" * (200 * MOST_BYTES))
    server.answer = lambda handler: send(handler, bomb, Content_Encoding="gzip")
    with pytest.raises(InvalidInput, match="calendar_fetch_big"):
        fetcher().fetch(server.address())
    server.answer = lambda handler: send(handler, b"?", Content_Encoding="br")
    with pytest.raises(InvalidInput, match="calendar_fetch_type"):
        fetcher().fetch(server.address())
    server.answer = lambda handler: send(handler, b"not packed", Content_Encoding="gzip")
    with pytest.raises(InvalidInput, match="calendar_fetch_unreachable"):
        fetcher().fetch(server.address())


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_server_that_drips_is_left_at_the_deadline(server: Server, where: str) -> None:
    """Each byte comes in time, the whole never would."""
    done = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        if where == "body":
            handler.send_response(200)
            handler.send_header("Content-Type", "text/calendar")
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        try:
            while not done.wait(0.02):
                handler.wfile.write(b"x")
                handler.wfile.flush()
        except OSError:
            done.set()

    server.answer = drip
    with pytest.raises(InvalidInput, match="calendar_fetch_slow"):
        fetcher(seconds=0.3).fetch(server.address())
    assert done.wait(10)


def test_a_server_that_says_nothing_is_left_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(InvalidInput, match=r"calendar_fetch_(slow|unreachable)"):
            fetcher(seconds=0.3).fetch(f"http://{HOST}:{port}/")


def test_nobody_there_is_one_sentence() -> None:
    def nowhere(_host: str, _port: int) -> Sequence[Address]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(InvalidInput, match="calendar_fetch_unreachable"):
        fetcher(resolver=nowhere).fetch("http://calendar.test/")
    with pytest.raises(InvalidInput, match="calendar_fetch_unreachable"):
        fetcher(resolver=lambda _host, _port: []).fetch("http://calendar.test/")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(InvalidInput, match="calendar_fetch_unreachable"):
        fetcher().fetch(f"http://{HOST}:{port}/")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for `HOST` alone, that nobody else vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_the_certificate_is_the_name_s_and_has_to_be_vouched_for(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = Server(tls)
    trusting = ssl.create_default_context(cafile=str(certificate))
    try:
        found = fetcher(context=trusting).fetch(server.address(scheme="https"))
        assert found.content == CALENDAR
        other = f"https://other.test:{server.port}/a.ics"
        with pytest.raises(InvalidInput, match="calendar_fetch_unreachable"):
            fetcher(context=trusting).fetch(other)
        with pytest.raises(InvalidInput, match="calendar_fetch_unreachable"):
            fetcher().fetch(server.address(scheme="https"))
        assert len(server.asked) == 1
    finally:
        server.close()
