"""The WSGI application: Radicale's protocol, with what it cannot know put before and after it."""

from __future__ import annotations

import io
import logging
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast

import sqlalchemy as sa
import structlog
from radicale import config, httputils, pathutils, types, xmlutils
from radicale.app import Application as Radicale

from scheduler.calendars.caldav import availabilities, checks, refusals
from scheduler.calendars.caldav.auth import Auth
from scheduler.calendars.caldav.refusals import Refusal, Stale
from scheduler.calendars.caldav.rights import CALENDAR_DEPTH, Rights
from scheduler.calendars.caldav.storage import LONGEST_PROPERTY, PROPERTIES, Storage
from scheduler.calendars.caldav.visit import Links, Visits
from scheduler.calendars.models import DavKind
from scheduler.calendars.reading import Hours, Reading, Unreadable, read
from scheduler.calendars.rules import window_around
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, InvalidInput, RelaisError, RuleBroken
from scheduler.people.models import Locale, Practice
from scheduler.roster.availability_rules import last_day_to_plan
from scheduler.roster.board import practice_ids_of

log = structlog.get_logger(__name__)

LARGEST_BODY: Final = 1024 * 1024
MOST_OCCURRENCES: Final = 1000
DAV_HEADER: Final = "1, 3, calendar-access"
WRITING: Final = frozenset({DavKind.MY_DAYS, DavKind.AVAILABILITIES})

# What Radicale raises, of all places, over a request that makes no sense.
_SENSELESS: Final = (
    AssertionError,
    IndexError,
    KeyError,
    RecursionError,
    RuntimeError,
    ValueError,
)
_WRITES: Final = frozenset({"PUT", "DELETE", "MOVE"})

Environ = dict[str, Any]
Response = types.WSGIResponse
# The sentence of an error, in a language.
Say = Callable[[RelaisError, Locale], str]

# What Radicale refuses by itself, by status.
_OWN_REFUSALS: Final[Mapping[int, Callable[[], RelaisError]]] = {
    HTTPStatus.BAD_REQUEST: partial(InvalidInput, "calendar_event_broken"),
    HTTPStatus.CONFLICT: partial(Conflict, "calendar_uid_known"),
    HTTPStatus.PRECONDITION_FAILED: Stale,
}


class Application(Radicale):
    """Radicale over the roster: no files, no pages, no sharing, no hooks, no bodies in a log."""

    def __init__(self, database: Database, links: Links, say: Say) -> None:
        self.visits = Visits(database, links)
        self._links = links
        self._say = say
        # Every request would be a line there, with its address; ours are logged elsewhere.
        logging.getLogger("radicale").setLevel(logging.CRITICAL + 1)
        super().__init__(_configuration(self.visits))
        self._calendars = cast(Storage, self._storage)

    def __call__(
        self, environ: types.WSGIEnviron, start_response: types.WSGIStartResponse
    ) -> Iterable[bytes]:
        visit = self.visits.begin(environ.get("HTTP_USER_AGENT", ""))
        # Bodies are UTF-8 (RFC 5545, 3.1.4); Radicale would stumble over a charset it cannot read.
        environ = {**environ, "CONTENT_TYPE": environ.get("CONTENT_TYPE", "").split(";")[0]}

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if visit.busy and status.startswith("500"):
                log.error("dav.database_unavailable")
                # A phone tries again later what is only busy; a fault it would give up on.
                status, headers = "503 Service Unavailable", [*headers, ("Retry-After", "10")]
            return start_response(status, headers, *rest)

        return super().__call__(environ, cast(types.WSGIStartResponse, start))

    # --- what devices ask -----------------------------------------------------------------------

    def do_OPTIONS(self, *args: Any) -> Response:  # noqa: N802 - the names are Radicale's
        status, headers, answer, xml = super().do_OPTIONS(*args)
        return status, {**dict(headers), "DAV": DAV_HEADER}, answer, xml

    def do_PROPFIND(self, *args: Any) -> Response:  # noqa: N802
        # Radicale lets go of its lock before it writes what it found.
        with self.visits.transaction():
            response = self._guarded("PROPFIND", super().do_PROPFIND, *args)
        if response[0] >= HTTPStatus.BAD_REQUEST:
            return response
        return response[0], {**dict(response[1]), "DAV": DAV_HEADER}, response[2], response[3]

    def do_REPORT(self, *args: Any) -> Response:  # noqa: N802
        return self._guarded("REPORT", super().do_REPORT, *args)

    def do_GET(self, *args: Any) -> Response:  # noqa: N802
        path = args[2]
        if not pathutils.strip_path(path) or path.startswith("/."):
            # A browser that lost its way: the page that explains this address.
            return HTTPStatus.FOUND, {"Location": self._links.devices()}, None, None
        return self._guarded("GET", super().do_GET, *args)

    def do_POST(self, *_args: Any) -> Response:  # noqa: N802
        return httputils.METHOD_NOT_ALLOWED

    def do_PUT(self, *args: Any) -> Response:  # noqa: N802
        response = self._guarded("PUT", self._put, *args)
        remark = self.visits.current.remark
        if remark is not None:
            self._tell(Refusal(remark, self._kind_at(args[2]), _href_of(args[2]), "PUT"), done=True)
        if response[0] >= HTTPStatus.BAD_REQUEST or self._kind_at(args[2]) is not DavKind.MY_DAYS:
            return response
        # What stands there now is written by Relais: the client has to read it (RFC 9110, 9.3.4).
        headers = {name: value for name, value in dict(response[1]).items() if name != "ETag"}
        return response[0], headers, response[2], response[3]

    def do_DELETE(self, *args: Any) -> Response:  # noqa: N802
        response = self._guarded("DELETE", super().do_DELETE, *args)
        answer = self.visits.current.answer
        if answer is None:
            return response
        return self._refused(Refusal(answer, self._kind_at(args[2]), _href_of(args[2]), "DELETE"))

    def do_MOVE(self, *args: Any) -> Response:  # noqa: N802
        return self._guarded("MOVE", super().do_MOVE, *args)

    def do_MKCOL(self, *args: Any) -> Response:  # noqa: N802
        return self._guarded("MKCOL", self._fixed, *args)

    def do_MKCALENDAR(self, *args: Any) -> Response:  # noqa: N802
        return self._guarded("MKCALENDAR", self._fixed, *args)

    def do_PROPPATCH(self, *args: Any) -> Response:  # noqa: N802
        return self._guarded("PROPPATCH", self._proppatch, *args)

    # --- how ------------------------------------------------------------------------------------

    def _put(self, environ: Environ, base_prefix: str, path: str, *rest: Any) -> Response:
        """Read the event in a child process before anything else touches it."""
        kind = self._kind_at(path)
        if kind in WRITING and _href_of(path):
            content = httputils.read_raw_request_body(self.configuration, environ)
            environ["wsgi.input"] = io.BytesIO(content)
            visit = self.visits.current
            visit.body = httputils.decode_request(self.configuration, environ, content)
            checks.check_text(visit.body)
            try:
                visit.readings = self._readings(content, kind)
            except Unreadable as error:
                raise checks.of_an_event(error) from error
            checks.check_readable(visit.readings.values())
        return super().do_PUT(environ, base_prefix, path, *rest)

    def _readings(self, content: bytes, kind: DavKind | None) -> dict[int, Reading]:
        """What an event says by the opening hours of each practice of the doctor.

        No transaction is open while a child process reads.
        """
        with self.visits.transaction() as visit:
            today = visit.today
            if kind is DavKind.AVAILABILITIES:
                places = [availabilities.home(visit)]
            else:
                places = list(
                    visit.unit.scalars(
                        sa.select(Practice)
                        .where(Practice.id.in_(practice_ids_of(visit.actor)))
                        .order_by(Practice.id)
                    )
                )
        window = window_around(today)
        last = last_day_to_plan(today) if kind is DavKind.AVAILABILITIES else window.end
        known: dict[tuple[str, Hours], Reading] = {}
        found: dict[int, Reading] = {}
        for place in places:
            hours = Hours(place.am_start, place.am_end, place.pm_start, place.pm_end)
            key = (place.timezone, hours)
            if key not in known:
                known[key] = read(
                    content, start=window.start, end=last, timezone=place.timezone, hours=hours
                )
            found[place.id] = known[key]
        return found

    def _fixed(self, *_args: Any) -> Response:
        raise RuleBroken("calendar_fixed")

    def _proppatch(self, environ: Environ, base_prefix: str, path: str, *rest: Any) -> Response:
        """Keep a client's own name, colour and order of a calendar; refuse all else together."""
        kind = self._kind_at(path)
        if kind is None or _href_of(path):
            raise RuleBroken("calendar_fixed")
        asked = xmlutils.props_from_request(self._read_xml_request_body(environ, rest[-1]))
        fit = {
            name: name in PROPERTIES and len(value or "") <= LONGEST_PROPERTY
            for name, value in asked.items()
        }
        if all(fit.values()):
            with self.visits.transaction():
                self._calendars.calendar(kind).choose(asked)
        answer = _property_answer(xmlutils.make_href(base_prefix, path), fit)
        headers = {"DAV": DAV_HEADER, "Content-Type": f"text/xml; charset={self._encoding}"}
        return HTTPStatus.MULTI_STATUS, headers, self._xml_response(answer, rest[-1]), None

    def _guarded(self, act: str, method: Callable[..., Response], *args: Any) -> Response:
        """Do what is asked; what cannot be becomes an answer, a message, and the truth again."""
        environ, _base_prefix, path = args[:3]
        if self.visits.current.caller is None:
            return httputils.NOT_ALLOWED
        seen = environ.get("HTTP_IF_MATCH", "")
        try:
            response = method(*args)
        except RelaisError as error:
            return self._refused(Refusal(error, self._kind_at(path), _href_of(path), act, seen))
        except _SENSELESS as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.warning(
                "dav.senseless",
                act=act,
                error=type(error).__name__,
                where=f"{where.filename}:{where.lineno}",
            )
            response = httputils.BAD_REQUEST
        refusal = self._own_refusal(response[0], path)
        if refusal is None:
            return response
        if act not in _WRITES and "xml" in dict(response[1]).get("Content-Type", ""):
            # It says by itself what is wrong, such as a token that was never given.
            return response
        return self._refused(Refusal(refusal, self._kind_at(path), _href_of(path), act, seen))

    def _own_refusal(self, status: int, path: str) -> RelaisError | None:
        """What Radicale means by a status of its own at an address."""
        if status != HTTPStatus.FORBIDDEN:
            known = _OWN_REFUSALS.get(status)
            return None if known is None else known()
        parts = [part for part in pathutils.strip_path(path).split("/") if part]
        own = not parts or parts[0] == str(self.visits.current.doctor_id)
        if not own or (len(parts) >= CALENDAR_DEPTH and self._kind_at(path) is None):
            return RuleBroken("calendar_not_yours")
        if not _href_of(path):
            return RuleBroken("calendar_fixed")
        return RuleBroken("calendar_read_only")

    def _kind_at(self, path: str) -> DavKind | None:
        """Which of the caller's own calendars an address is in."""
        caller = self.visits.current.caller
        parts = pathutils.strip_path(path).split("/")
        if caller is None or len(parts) < CALENDAR_DEPTH or parts[0] != str(caller.user_id):
            return None
        return DavKind(parts[1]) if parts[1] in list(DavKind) else None

    def _tell(self, refusal: Refusal, *, done: bool = False) -> None:
        with self.visits.transaction() as visit:
            refusals.tell(visit, refusal, self._say(refusal.error, visit.locale), done=done)

    def _refused(self, refusal: Refusal) -> Response:
        visit = self.visits.current
        sentence = self._say(refusal.error, visit.locale)
        if _is_lost(refusal):
            self._tell(refusal)
            if refusal.kind is not None and refusal.href:
                with self.visits.transaction():
                    self._calendars.calendar(refusal.kind).reset(refusal.href)
        body = refusals.body_of(refusal.error, sentence, visit.locale.value)
        headers = {"Content-Type": "application/xml; charset=utf-8"}
        return int(refusals.status_of(refusal.error)), headers, body, None


def _is_lost(refusal: Refusal) -> bool:
    """Whether the doctor wished something that now will not be.

    A client that puts an event a second time, since the first answer was lost, wishes nothing;
    and no calendar programme of theirs writes at an address that is not theirs.
    """
    if refusal.act not in _WRITES or refusal.kind is None:
        return False
    return not isinstance(refusal.error, Stale) or bool(refusal.seen)


def _href_of(path: str) -> str:
    parts = pathutils.strip_path(path).split("/")
    return parts[2] if len(parts) == 3 else ""


def _property_answer(href: str, fit: Mapping[str, bool]) -> ET.Element:
    """The answer to a PROPPATCH, which is done wholly or not at all (RFC 4918, 9.2)."""
    root = ET.Element(xmlutils.make_clark("D:multistatus"))
    response = ET.SubElement(root, xmlutils.make_clark("D:response"))
    ET.SubElement(response, xmlutils.make_clark("D:href")).text = href
    done = all(fit.values())
    for name, fits in fit.items():
        code = 200 if done else 424 if fits else 403
        propstat = ET.SubElement(response, xmlutils.make_clark("D:propstat"))
        prop = ET.SubElement(propstat, xmlutils.make_clark("D:prop"))
        ET.SubElement(prop, xmlutils.make_clark("D:resourcetype" if name == "tag" else name))
        status = ET.SubElement(propstat, xmlutils.make_clark("D:status"))
        status.text = xmlutils.make_response(code)
    return root


def _configuration(visits: Visits) -> config.Configuration:
    configuration = config.load()
    configuration.update(
        {
            "server": {
                # Twice of it, since Radicale takes four fifths of this for the largest event.
                "max_content_length": 2 * LARGEST_BODY,
                "max_resource_size": LARGEST_BODY,
                "delay_on_error": 0,
                "validate_user_value": "none",
                "validate_path_value": "none",
                "max_vevent_rrule_occurrence": MOST_OCCURRENCES,
            },
            # A wrong password costs the caller its allowance instead of our thread a second.
            "auth": {"type": partial(Auth, visits), "delay": 0, "realm": "Relais"},
            "rights": {
                "type": Rights,
                "permit_delete_collection": False,
                "permit_overwrite_collection": False,
            },
            "storage": {"type": partial(Storage, visits)},
            "web": {"type": "none"},
            "sharing": {"type": "none"},
            "hook": {"type": "none"},
            "logging": {"bad_put_request_content": False, "mask_passwords": True},
        },
        "Relais",
    )
    return configuration
