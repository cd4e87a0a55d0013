"""Calendars of a doctor's that Relais reads: looked at first, kept by a second yes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import PurePath

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.calendars.fetching import MOST_BYTES, Fetched, Fetcher, checked
from scheduler.calendars.imports import rules, sources
from scheduler.calendars.models import SourceUse
from scheduler.calendars.reading import Ignored, Reading
from scheduler.core.errors import InvalidInput, RelaisError
from scheduler.core.permissions import Action, Subject, require
from scheduler.roster import board, claiming
from scheduler.roster.rules import AssignmentSource, AssignmentState
from web.database import release, session, settings
from web.forms import row_id
from web.identity import actor
from web.imports import presenter
from web.imports.drafts import Draft
from web.imports.forms import CLAIM, AddressForm, FileForm
from web.messages import message_for

# Two forms on one page: the names of their fields must differ.
FILE, ADDRESS = "file-", "address-"

blueprint = Blueprint("imports", __name__, url_prefix="/calendars/imports")


@blueprint.before_request
def only_doctors() -> None:
    require(actor(), Action.AVAILABILITY_EDIT, Subject(None, actor().user_id))


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """The calendars that Relais reads for the reader, and how to give it another."""
    return _page()


@blueprint.post("/file")
def look_at_file() -> ResponseReturnValue:
    """Read a file and show what it would change. Nothing is kept yet."""
    form = FileForm(prefix=FILE)
    if not form.validate():
        return _page(file=form), 422
    upload = request.files.get(form.file.name)
    content, name, reading = b"", "", None
    if upload is not None:
        content, name = upload.read(MOST_BYTES + 1), PurePath(upload.filename or "").stem
        upload.close()
    try:
        if not content:
            raise InvalidInput("calendar_file_missing", field="file")
        reading = _read(content)
        if form.use.data == CLAIM:
            return _claim_page(reading, hashlib.sha256(content).hexdigest())
        return _preview_page(reading, SourceUse(form.use.data), reading.name or name)
    except InvalidInput as error:
        error.facts["field"] = "file"
        form.refuse(error)
        return _page(file=form, ignored=reading.ignored if reading else ()), 422


@blueprint.post("/address")
def look_at_address() -> ResponseReturnValue:
    """Fetch a calendar and show what it would change. Nothing is kept yet."""
    form = AddressForm(prefix=ADDRESS)
    if not form.validate():
        return _page(address=form), 422
    try:
        address = checked(form.address.data, allow_http=settings().calendar_http)
        release()
        fetched = _fetcher().fetch(address)
        reading = _read(fetched.content or b"")
        name = form.name.data or reading.name or ""
        return _preview_page(reading, SourceUse(form.use.data), name, address, fetched)
    except InvalidInput as error:
        error.facts["field"] = "address"
        form.refuse(error)
        return _page(address=form), 422


@blueprint.post("/keep")
def keep() -> ResponseReturnValue:
    """Keep what was looked at."""
    try:
        draft = Draft.read(request.form.get("draft", ""), actor().user_id)
        marks = Fetched(None, draft.etag, draft.last_modified)
        sources.keep(
            session(),
            actor(),
            draft.use,
            draft.name,
            draft.said,
            address=draft.address,
            marks=marks,
        )
    except InvalidInput as error:
        return _page(problem=error), 422
    flash(_("Noted. Relais counts with this calendar from now on."), "success")
    return redirect(url_for(".index"))


@blueprint.post("/claim")
def claim() -> ResponseReturnValue:
    """Take the days ticked among those that a file names."""
    need_ids = {number for text in request.form.getlist("need") if (number := row_id(text))}
    if not need_ids:
        error = InvalidInput("board_nothing_ticked")
        return _page(problem=error), 422
    several = claiming.claim_several(
        session(),
        actor(),
        need_ids,
        source=AssignmentSource.FILE,
        key=request.form.get("key", "")[:64] or None,
    )
    # The key makes a page that is loaded again tell the same, and take nothing anew.
    return render_template(
        "imports/claimed.html",
        days=presenter.outcome(several, sources.days_of(session(), need_ids)),
        count=len(several.taken),
    )


@blueprint.post("/<int:source_id>/again")
def read_again(source_id: int) -> ResponseReturnValue:
    """Have a subscription read as soon as can be."""
    sources.read_again(session(), actor(), source_id)
    flash(_("Relais reads it again within a minute."), "info")
    return redirect(url_for(".index"))


@blueprint.post("/<int:source_id>/remove")
def remove(source_id: int) -> ResponseReturnValue:
    """Let go of a calendar and of what it said."""
    sources.remove(session(), actor(), source_id)
    flash(_("Removed. What it said counts no longer."), "success")
    return redirect(url_for(".index"))


def _fetcher() -> Fetcher:
    fetcher: Fetcher = current_app.extensions.get("relais.fetcher") or Fetcher(
        allow_http=settings().calendar_http
    )
    return fetcher


def _read(content: bytes) -> Reading:
    """Read a calendar while nobody waits for the database."""
    terms = sources.terms_of(session(), sources.require_doctor(actor()))
    release()
    return terms.read(content)


def _page(
    *,
    file: FileForm | None = None,
    address: AddressForm | None = None,
    problem: RelaisError | None = None,
    ignored: Collection[Ignored] = (),
) -> str:
    doctor_id = sources.require_doctor(actor())
    kept = sources.sources_of(session(), doctor_id)
    return render_template(
        "imports/index.html",
        file=file or FileForm(formdata=None, prefix=FILE),
        address=address or AddressForm(formdata=None, prefix=ADDRESS),
        problem=message_for(problem) if problem else None,
        ignored=presenter.ignored(ignored),
        kept=[presenter.kept(source, session().now()) for source in kept],
    )


def _preview_page(
    reading: Reading,
    use: SourceUse,
    name: str,
    address: str | None = None,
    fetched: Fetched | None = None,
) -> ResponseReturnValue:
    words = rules.words_of(reading, use)
    if not words and address is None:
        raise InvalidInput(presenter.says_nothing(reading.ignored), field="file")
    effect = sources.preview(session(), actor(), words)
    draft = Draft(
        user_id=sources.require_doctor(actor()),
        use=use,
        name=" ".join(name.split())[: rules.LONGEST_NAME],
        said=rules.half_days(words),
        address=address,
        etag=fetched.etag if fetched else None,
        last_modified=fetched.last_modified if fetched else None,
    )
    return render_template(
        "imports/preview.html",
        draft=draft,
        signed=draft.signed(),
        months=presenter.months(words, effect),
        counts=presenter.counts(effect),
        nothing=not words and message_for(InvalidInput(presenter.says_nothing(reading.ignored))),
        ignored=presenter.ignored(reading.ignored),
    )


def _claim_page(reading: Reading, key: str) -> ResponseReturnValue:
    covered = {(one.date, one.half) for one in reading.half_days if one.preference is not None}
    if not covered:
        raise InvalidInput(presenter.says_nothing(reading.ignored), field="file")
    dates = [day for day, _half in covered]
    found = board.board_between(session(), actor(), min(dates), max(dates))
    days = [
        day
        for day in found.days
        if all((day.date, half) in covered for half in day.period.halves)
        and (day.may_take or (day.held is None and day.refusals))
    ]
    return render_template(
        "imports/claim.html",
        days=presenter.claimable(days),
        key=f"file:{key}"[:64],
        ignored=presenter.ignored(reading.ignored),
        held=AssignmentState.HELD,
    )
