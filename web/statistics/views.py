"""How well the days are filled: the page of figures, and each figure as a file."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.calendars.holidays import HolidayCalendar, holiday_calendar
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Subject, require
from scheduler.roster import statistics
from scheduler.roster.statistics import Facts, Span
from web.database import session
from web.identity import actor, practice, practice_blueprint, today
from web.localisation import current_locale, written
from web.statistics import export, figures
from web.statistics.forms import DatesForm

blueprint: Blueprint = practice_blueprint("statistics", __name__)

USUAL = Span.LAST_6


@blueprint.get("/statistics/")
def show() -> ResponseReturnValue:
    """The figures of a period, of the last six months where none is named."""
    require(actor(), Action.STATISTICS_VIEW, Subject(practice().id))
    span, form = _span(), DatesForm(request.args)
    try:
        start, end = _period(span, form)
    except InvalidInput as error:
        if not form.errors:
            form.refuse(error)
        return render_template("statistics/show.html", form=form, tabs=_tabs(span)), 422
    facts, calendar = _read(start, end)
    form.start.data, form.end.data = start, end
    return render_template(
        "statistics/show.html",
        form=form,
        tabs=_tabs(span),
        title=f"{written(start, 'd MMM y')} – {written(end, 'd MMM y')}",
        unknown_from=calendar.school_unknown_from,
        headlines=figures.headlines(facts, calendar),
        figures=figures.all_of(facts, calendar, today()) if facts.needs else [],
        query={"span": span.value, "start": start.isoformat(), "end": end.isoformat()},
    )


@blueprint.get("/statistics/<name>.csv")
def download(name: str) -> ResponseReturnValue:
    """The rows of one figure as a file for a spreadsheet."""
    require(actor(), Action.STATISTICS_VIEW, Subject(practice().id))
    start, end = _period(_span(), DatesForm(request.args))
    facts, calendar = _read(start, end)
    for figure in figures.all_of(facts, calendar, today()):
        if figure.name == name:
            rows = figure.file or figure.rows
            answer = Response(export.written(figure.head, rows), mimetype="text/csv")
            file = f"{practice().slug}-{name}-{start}-{end}.csv"
            answer.headers["Content-Disposition"] = f'attachment; filename="{file}"'
            return answer
    raise NotFound("figure_not_found")


def _read(start: dt.date, end: dt.date) -> tuple[Facts, HolidayCalendar]:
    facts = statistics.read(session(), practice(), start, end)
    # Whole weeks, since a week of the chart is marked whole.
    margin = dt.timedelta(days=6)
    calendar = holiday_calendar(
        session(), practice(), start - margin, end + margin, current_locale()
    )
    return facts, calendar


def _span() -> Span:
    chosen = request.args.get("span", USUAL.value)
    return Span(chosen) if chosen in list(Span) else USUAL


def _period(span: Span, form: DatesForm) -> tuple[dt.date, dt.date]:
    """The dates to look at; `InvalidInput` for those that make no period."""
    if span is not Span.DATES:
        return statistics.bounds(span, today())
    if not form.validate():
        raise InvalidInput("statistics_dates")
    statistics.check_dates(form.start.data, form.end.data)
    return form.start.data, form.end.data


def _tabs(span: Span) -> list[dict[str, object]]:
    names = {
        Span.LAST_3: _("Last 3 months"),
        Span.LAST_6: _("Last 6 months"),
        Span.LAST_12: _("Last 12 months"),
        Span.NEXT_3: _("Next 3 months"),
    }
    return [
        {"label": name, "href": url_for(".show", span=one.value), "current": one is span}
        for one, name in names.items()
    ]
