"""The open days board: what is to fill in all of a doctor's practices, to be taken in one tap.

A doctor chooses among days, not among practices: the addresses name none. The filters stand in
the address, of the forms too, so that they are kept whatever is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import (
    Blueprint,
    flash,
    get_template_attribute,
    redirect,
    render_template,
    request,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.calendars.holidays import holiday_calendars
from scheduler.core.errors import Conflict, InvalidInput, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Subject, require
from scheduler.people.models import Practice
from scheduler.people.queries import PracticeRef
from scheduler.roster import board, claiming, taken_days
from scheduler.roster.availability_queries import own_days
from scheduler.roster.board import Licence, Place
from scheduler.roster.claiming import Several
from scheduler.roster.legality import OWN_LIMITS
from scheduler.roster.models import Assignment
from scheduler.roster.rules import add_months
from web.board import presenter
from web.board.forms import FilterForm, Filters, read
from web.database import session
from web.forms import row_id, sent_key
from web.identity import actor, identity, today
from web.localisation import current_locale, short_date
from web.messages import message_for

blueprint = Blueprint("board", __name__, url_prefix="/board")

MOST_AT_ONCE = 60


@dataclass(frozen=True)
class Outcome:
    """What became of an act that did not wholly succeed, to be told above the days.

    `places` say which days were not to be had; the open days nearest to `instead` are offered.
    """

    problem: RelaisError | None = None
    several: Several | None = None
    places: Mapping[int, Place] = field(default_factory=dict)
    instead: Place | None = None


@blueprint.before_request
def only_doctors() -> None:
    require(actor(), Action.NEED_CLAIM, Subject(None, actor().user_id))


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """The days to fill, as a list and as a calendar."""
    return _page()


@blueprint.post("/claim")
def claim() -> ResponseReturnValue:
    """Take one day; who comes second reads who was first, and which days are near."""
    need_id = row_id(request.form.get("need")) or 0
    passing = set(request.form.getlist("passing")) & OWN_LIMITS
    try:
        taken = claiming.claim(session(), actor(), need_id, passing=passing, key=sent_key())
    except (Conflict, RuleBroken) as error:
        place = board.places_of(session(), actor(), [need_id]).get(need_id)
        return _page(Outcome(error, instead=place)), 409
    flash(_with_undo(taken), "success")
    return redirect(_filters().href())


@blueprint.post("/claim-several")
def claim_several() -> ResponseReturnValue:
    """Take all the days ticked that are free; the others are listed with the reason."""
    need_ids = {row_id(text) or 0 for text in request.form.getlist("need")}
    if not need_ids:
        return _page(Outcome(InvalidInput("board_nothing_ticked"))), 422
    if len(need_ids) > MOST_AT_ONCE:
        return _page(Outcome(InvalidInput("board_too_many", most=MOST_AT_ONCE))), 422
    several = claiming.claim_several(session(), actor(), need_ids, key=sent_key())
    if not several.refused:
        count = len(several.taken)
        sentence = ngettext(
            "%(num)d day taken. Thank you.", "%(num)d days taken. Thank you.", count
        )
        flash(sentence, "success")
        return redirect(_filters().href())
    places = board.places_of(session(), actor(), several.refused)
    outcome = Outcome(several=several, places=places, instead=next(iter(places.values()), None))
    return _page(outcome), 200 if several.taken else 409


@blueprint.post("/undo/<int:assignment_id>")
def undo(assignment_id: int) -> ResponseReturnValue:
    """Give back what was taken minutes ago, as if it had never been taken."""
    try:
        undone = claiming.undo(session(), actor(), assignment_id)
    except (Conflict, RuleBroken) as error:
        return _page(Outcome(error)), 409
    flash(_("Undone: %(date)s is free again.", date=short_date(undone.date)), "info")
    return redirect(_filters().href())


def _filters(form: FilterForm | None = None) -> Filters:
    return read(form or FilterForm(request.args), _practices(), today())


def _practices() -> list[PracticeRef]:
    """The reader's practices where they are a doctor."""
    here = board.practice_ids_of(actor())
    return [practice for practice in identity().practices if practice.id in here]


def _page(outcome: Outcome | None = None) -> str:
    form = FilterForm(request.args)
    form.offer(_practices())
    filters = _filters(form)
    reader_id = actor().user_id
    found = board.board_between(session(), actor(), filters.start, filters.end)
    known = [day.last_doctor for day in found.days if day.last_doctor is not None]
    # From the last doctor on it matters on which days the house was open.
    since = min([filters.start, *known])
    calendars = holiday_calendars(session(), found.practices, since, filters.end, current_locale())
    shown = [day for day in found.days if filters.shows(day)]
    listed = [day for day in shown if filters.all or not day.barred]
    cards = [(day, presenter.card(day, calendars, reader_id, today())) for day in listed]
    many = len(found.practices) > 1
    licence = board.licence_of(session(), actor())
    own = own_days(session(), reader_id or 0, filters.start, filters.end)
    return render_template(
        "board/index.html",
        form=form,
        filters=filters,
        dates=presenter.dates(filters),
        presets=presenter.presets(filters, today()),
        views=presenter.views(filters),
        chosen=presenter.chosen(filters),
        weeks=presenter.weeks(cards),
        months=presenter.months(listed, own, calendars, filters, today()),
        weekdays=presenter.weekday_letters(),
        many=many,
        hidden=len(shown) - len(listed),
        tickable=sum(value["may_take"] for _day, value in cards),
        recent=presenter.recent(taken_days.recent(session(), actor(), today()), many=many),
        outcome=_told(outcome, (card for _day, card in cards)) if outcome else None,
        licence=presenter.licence(licence, filters, today()),
        next_open=None if listed else _next_open(filters, licence),
    )


def _told(outcome: Outcome, cards: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What is said above the days: why not, what was taken all the same, and what is near."""
    told: dict[str, Any] = {"problem": None, "refused": [], "taken": 0, "instead": []}
    if outcome.problem is not None:
        told["problem"] = message_for(outcome.problem)
    if outcome.several is not None:
        told["taken"] = len(outcome.several.taken)
        told["refused"] = presenter.refused(outcome.several.refused, outcome.places, cards)
    if outcome.instead is not None:
        told["instead"] = _instead(outcome.instead)
    return told


def _instead(lost: Place) -> list[dict[str, Any]]:
    """The open days nearest to one that was lost, whatever the filters."""
    start, end = max(today(), add_months(lost.date, -2)), add_months(lost.date, 2)
    found = board.board_between(session(), actor(), start, end)
    calendars = holiday_calendars(session(), found.practices, start, end, current_locale())
    return [
        presenter.card(day, calendars, actor().user_id, today())
        for day in board.nearest(found.days, lost.date, lost.practice_id)
    ]


def _next_open(filters: Filters, licence: Licence | None) -> dict[str, str] | None:
    """The first open day after the dates shown, where these have none, and within the licence."""
    if licence is not None and licence.until is None:
        return None
    until = licence.until if licence is not None else None
    place = filters.practice.id if filters.practice else None
    date = board.next_open(session(), actor(), filters.end, place, until)
    if date is None:
        return None
    there = filters.but(preset=None, start=date, end=add_months(date, 1), weekdays=frozenset())
    return {"date": short_date(date), "href": there.href(_anchor=presenter.anchor(date))}


def _with_undo(taken: Assignment) -> str:
    """The message about a day just taken, with the button of the form in the list of such days."""
    practice = session().get_one(Practice, taken.practice_id)
    confirmers = taken_days.confirmers(session(), practice.id, today()) if taken.held_until else []
    sentence = presenter.taken(taken, practice, confirmers)
    if not claiming.may_undo(session(), actor(), taken):
        return sentence
    words: str = get_template_attribute("board/_taken.html", "taken")(sentence, taken.id)
    return words
