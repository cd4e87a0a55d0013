"""Fetching a calendar from an address that a user gave, without becoming their tool.

The name is resolved once, every address it has must be a public one, and the connection is made
to the very address that was judged: a name that answers otherwise a second time gains nothing.
Each redirection is judged like the first address. There is one deadline for the whole, not one a
packet.
"""

from __future__ import annotations

import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import urllib3
from urllib3.exceptions import HTTPError

from scheduler.core.errors import InvalidInput

SECONDS: Final = 10.0
MOST_BYTES: Final = 1024 * 1024
MOST_REDIRECTS: Final = 5
LONGEST_ADDRESS: Final = 2000
# What a server calls a calendar. Many say text or nothing in particular.
MEDIA_TYPES: Final = frozenset(
    {
        "",
        "text/calendar",
        "application/calendar",
        "application/ics",
        "text/x-vcalendar",
        "text/plain",
        "application/octet-stream",
        "binary/octet-stream",
    }
)
_CHUNK: Final = 16 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PORTS: Final = {"https": 443, "http": 80}

# Public by the tables of the standard library, yet a way to somewhere else: translations of IPv4
# (RFC 6052, 8215, 3056, 4380), and what carriers share (RFC 6598).
_ROUNDABOUT: Final = tuple(
    ip_network(network)
    for network in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "100.64.0.0/10",
        "192.88.99.0/24",
        "::/96",
    )
)

Address = IPv4Address | IPv6Address
# The addresses of a host's name; raises `OSError` where it has none.
Resolver = Callable[[str, int], Sequence[Address]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered; `content` None where nothing has changed since the marks given."""

    content: bytes | None
    etag: str | None
    last_modified: str | None


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, by the registries of IANA."""
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address.scope_id):
        return False
    if any(address in network for network in _ROUNDABOUT if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a name, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(entry[4][0]) for entry in found]


def checked(address: str, *, allow_http: bool = False) -> str:
    """An address as it is fetched: https for webcal, without fragment.

    Raises `InvalidInput` for an address that is not https (or http where `allow_http`), names a
    user or a password, or cannot be read.
    """
    text = address.strip()
    if len(text) > LONGEST_ADDRESS or not text.isprintable() or " " in text:
        raise InvalidInput("calendar_address_unreadable", field="address")
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
        host.encode("idna")
    except ValueError:
        raise InvalidInput("calendar_address_unreadable", field="address") from None
    scheme = {"webcal": "https", "webcals": "https"}.get(parts.scheme.lower(), parts.scheme.lower())
    if scheme != "https" and not (allow_http and scheme == "http"):
        raise InvalidInput("calendar_address_scheme", field="address")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("calendar_address_credentials", field="address")
    if not host or port == 0:
        raise InvalidInput("calendar_address_unreadable", field="address")
    return urlunsplit(SplitResult(scheme, parts.netloc, parts.path or "/", parts.query, ""))


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How addresses are fetched; `resolver`, `permits` and `context` are there to be tested."""

    allow_http: bool = False
    seconds: float = SECONDS
    resolver: Resolver = resolve
    permits: Callable[[Address], bool] = is_public
    context: ssl.SSLContext | None = None

    def fetch(
        self, address: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Fetched:
        """What an address answers to a question for what changed since the marks of last time.

        Raises `InvalidInput` whose code says what is wrong: with the address, the place it leads
        to, the connection or the answer. Never follows anything into a network that is not
        public.
        """
        headers = {
            "Accept": "text/calendar, */*;q=0.1",
            "Accept-Encoding": "identity",
            "User-Agent": "Relais",
        }
        if etag is not None:
            headers["If-None-Match"] = etag
        if last_modified is not None:
            headers["If-Modified-Since"] = last_modified
        with _Deadline(self.seconds) as deadline:
            for _ in range(MOST_REDIRECTS + 1):
                address = checked(address, allow_http=self.allow_http)
                answer = self._ask(address, headers, deadline)
                if isinstance(answer, Fetched):
                    return answer
                address = _joined(address, answer)
        raise InvalidInput("calendar_fetch_redirects", most=MOST_REDIRECTS)

    def _ask(self, address: str, headers: dict[str, str], deadline: _Deadline) -> Fetched | str:
        """One request; the answer, or where it says to look instead."""
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or _PORTS[parts.scheme]
        place = self._place(host, port)
        pool = self._pool(parts.scheme, str(place), port, host)
        deadline.watch(pool)
        target = urlunsplit(("", "", parts.path, parts.query, ""))
        try:
            response = pool.urlopen(
                "GET",
                target,
                headers={**headers, "Host": parts.netloc},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(total=self.seconds),
            )
            if response.status in _REDIRECTS:
                return response.headers.get("Location", "")
            return _read(response, deadline)
        except (HTTPError, OSError, ValueError, zlib.error):
            raise deadline.error() from None
        finally:
            pool.close()

    def _place(self, host: str, port: int) -> Address:
        """The address to speak to, once all that the name has are found to be public ones."""
        try:
            found = self.resolver(host, port)
        except (OSError, ValueError):
            raise InvalidInput("calendar_fetch_unreachable", field="address") from None
        if not found:
            raise InvalidInput("calendar_fetch_unreachable", field="address")
        if not all(self.permits(one) for one in found):
            raise InvalidInput("calendar_address_private", field="address")
        return found[0]

    def _pool(self, scheme: str, place: str, port: int, host: str) -> urllib3.HTTPConnectionPool:
        if scheme == "http":
            return urllib3.HTTPConnectionPool(place, port, maxsize=1)
        return urllib3.HTTPSConnectionPool(
            place,
            port,
            maxsize=1,
            # The certificate is the name's, although the connection is the address's.
            server_hostname=host,
            assert_hostname=host,
            cert_reqs="CERT_REQUIRED",
            ssl_context=self.context or ssl.create_default_context(),
        )


class _Deadline:
    """One end for a whole fetch: when it comes, the connection under way is shut."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._socket: socket.socket | None = None
        self.over = False

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()

    def watch(self, pool: urllib3.HTTPConnectionPool) -> None:
        """Shut the connections of this pool when time is up."""
        make = pool.ConnectionCls
        deadline = self

        class Watched(make):  # type: ignore[misc, valid-type]
            def connect(self) -> None:
                super().connect()
                deadline.hold(self.sock)

        pool.ConnectionCls = Watched

    def hold(self, connection: socket.socket | None) -> None:
        with self._lock:
            self._socket = connection
            over = self.over
        if over:
            self._end()

    def error(self) -> InvalidInput:
        """What is said of a connection that broke."""
        code = "calendar_fetch_slow" if self.over else "calendar_fetch_unreachable"
        return InvalidInput(code, field="address")

    def _end(self) -> None:
        with self._lock:
            self.over = True
            connection = self._socket
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _joined(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:
        raise InvalidInput("calendar_address_unreadable", field="address") from None


def _read(response: urllib3.BaseHTTPResponse, deadline: _Deadline) -> Fetched:
    marks = {
        "etag": _mark(response.headers.get("ETag"), 255),
        "last_modified": _mark(response.headers.get("Last-Modified"), 64),
    }
    if response.status == 304:
        return Fetched(None, **marks)
    if response.status != 200:
        raise InvalidInput("calendar_fetch_status", field="address", status=response.status)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in MEDIA_TYPES:
        raise InvalidInput("calendar_fetch_type", field="address", kind=kind[:80])
    unpack = _unpacking(response.headers.get("Content-Encoding", ""))
    content = bytearray()
    while True:
        chunk = response.read(_CHUNK)
        if deadline.over:
            raise deadline.error()
        if not chunk:
            return Fetched(bytes(content), **marks)
        content += unpack(chunk, MOST_BYTES + 1 - len(content))
        if len(content) > MOST_BYTES:
            raise InvalidInput("calendar_fetch_big", field="address", most=MOST_BYTES)


def _unpacking(encoding: str) -> Callable[[bytes, int], bytes]:
    """How the bytes of an answer are unpacked, never beyond a limit; some pack them unasked."""
    if encoding.strip().lower() in ("", "identity"):
        return lambda chunk, _most: chunk
    if encoding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress
    raise InvalidInput("calendar_fetch_type", field="address", kind=encoding[:80])


def _mark(value: str | None, longest: int) -> str | None:
    return value if value and len(value) <= longest and value.isprintable() else None
