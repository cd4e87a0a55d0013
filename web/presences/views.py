"""When the nurse and the other professionals are there: their weeks, and single dates."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.core.errors import Forbidden, InvalidInput
from scheduler.core.permissions import Action, Subject, can, require
from scheduler.roster import presence_queries, presences
from scheduler.roster.models import WeeklyPresence
from scheduler.roster.rules import Period
from web.database import session
from web.identity import actor, practice, practice_blueprint, today
from web.labels import PERIOD_NAMES, ROLE_NAMES, weekday_names
from web.localisation import parse_date, short_date
from web.presences.forms import DateForm, WeeklyForm

blueprint = practice_blueprint("presences", __name__)


@blueprint.get("/presences/")
def index() -> ResponseReturnValue:
    """Whose presences the reader may say, with what is said so far."""
    return _page()


@blueprint.post("/presences/<int:member_id>/weekly")
def add_weekly(member_id: int) -> ResponseReturnValue:
    """There every such weekday."""
    form = _weekly_form()
    if not form.validate():
        return _page(member_id, weekly=form), 422
    try:
        presences.add_weekly(
            session(),
            actor(),
            member_id,
            form.weekday.data,
            Period(form.period.data),
            form.since.data,
            form.until.data,
            every=form.every.data,
        )
    except InvalidInput as error:
        form.refuse(error)
        return _page(member_id, weekly=form), 422
    flash(_("It is noted."), "success")
    return redirect(_back(member_id))


@blueprint.post("/presences/weekly/<int:presence_id>/remove")
def remove_weekly(presence_id: int) -> ResponseReturnValue:
    """No longer there on such a weekday."""
    member = presences.remove_weekly(session(), actor(), presence_id)
    flash(_("It is noted."), "success")
    return redirect(_back(member.id))


@blueprint.post("/presences/<int:member_id>/dates")
def set_date(member_id: int) -> ResponseReturnValue:
    """There, or not, on one date."""
    form = DateForm(prefix=f"d{member_id}").with_choices()
    if not form.validate():
        return _page(member_id, dated=form), 422
    try:
        presences.set_exception(session(), actor(), member_id, form.date.data, form.chosen)
    except InvalidInput as error:
        form.refuse(error)
        return _page(member_id, dated=form), 422
    flash(_("It is noted."), "success")
    return redirect(_back(member_id))


@blueprint.post("/presences/<int:member_id>/dates/<date>/clear")
def clear_date(member_id: int, date: str) -> ResponseReturnValue:
    """As every week, on that date."""
    presences.clear_exception(session(), actor(), member_id, parse_date(date))
    flash(_("It is noted."), "success")
    return redirect(_back(member_id))


def _weekly_form() -> WeeklyForm:
    member_id = (request.view_args or {}).get("member_id")
    return WeeklyForm(prefix=f"w{member_id}").with_choices(_often())


def _often() -> dict[int, str]:
    return {1: _("Every week")} | {
        number: ngettext("Every %(num)d week", "Every %(num)d weeks", number)
        for number in (2, 3, 4)
    }


def _back(member_id: int) -> str:
    return url_for(".index", _anchor=f"member-{member_id}")


def _page(
    refused: int | None = None,
    weekly: WeeklyForm | None = None,
    dated: DateForm | None = None,
) -> str:
    members = presence_queries.others_of(session(), actor(), practice().id, today())
    own = Subject(practice().id, actor().user_id)
    require(actor(), Action.PRESENCE_EDIT, own)
    if refused is not None and refused not in {member.id for member in members}:
        raise Forbidden(action=Action.PRESENCE_EDIT.value)
    rows, exceptions = presence_queries.rows_of(
        session(), [member.id for member in members], today()
    )
    cards = [
        {
            "id": member.id,
            "name": member.user.name,
            "what": member.profession or str(ROLE_NAMES[member.role]),
            "weekly": [(row.id, _weekly_words(row)) for row in rows.get(member.id, [])],
            "dates": [
                (each.date.isoformat(), short_date(each.date), _period(each.period))
                for each in exceptions.get(member.id, [])
            ],
            "weekly_form": weekly
            if weekly and refused == member.id
            else WeeklyForm(
                formdata=None, prefix=f"w{member.id}", data={"since": today()}
            ).with_choices(_often()),
            "date_form": dated
            if dated and refused == member.id
            else DateForm(formdata=None, prefix=f"d{member.id}").with_choices(),
        }
        for member in members
    ]
    return render_template(
        "presences/index.html",
        cards=cards,
        may_write_advice=can(actor(), Action.ADVICE_EDIT, Subject(practice().id)),
    )


def _weekly_words(row: WeeklyPresence) -> str:
    """« Jeudi, matin, toutes les 2 semaines, du 3 sept. au 17 déc. »"""
    words = [weekday_names("EEEE")[row.weekday].capitalize(), str(PERIOD_NAMES[row.period]).lower()]
    if row.interval_weeks > 1:
        words.append(_often()[row.interval_weeks].lower())
    if row.start > today() or row.interval_weeks > 1:
        words.append(_("from %(date)s", date=short_date(row.start)))
    if row.end is not None:
        words.append(_("until %(date)s", date=short_date(row.end)))
    return ", ".join(words)


def _period(period: Period | None) -> str:
    return str(PERIOD_NAMES[period]) if period else _("Not there")
