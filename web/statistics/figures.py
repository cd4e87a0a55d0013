"""The figures of a period: each a chart, a sentence about it, and the same as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import format_decimal, format_percent, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.calendars.holidays import HolidayCalendar
from scheduler.roster import statistics
from scheduler.roster.rules import days_between
from scheduler.roster.statistics import Door, Facts, Lateness, Share
from web.labels import day_count, grammatical_number
from web.localisation import short_date, week_name, written
from web.statistics import charts
from web.statistics.charts import Bar, Column

FRIDAY: Final = 4
DOORS: Final[dict[Door, Any]] = {
    Door.CLAIM: _l("Taken from the open days"),
    Door.PROPOSAL: _l("Accepted proposal"),
    Door.ASK: _l("Answer to a question"),
    Door.CALL: _l("Answer to a call for volunteers"),
    Door.PHONE: _l("By telephone"),
    Door.SWAP: _l("Swap"),
    Door.TAKEOVER: _l("Taken over from a colleague"),
    Door.CALENDAR: _l("From a doctor’s own calendar"),
    Door.TITULAR: _l("A titular, as the last resort"),
}
LATENESS: Final[dict[Lateness, Any]] = {
    Lateness.BEFORE_LOCK: _l("Before the lock date"),
    Lateness.AFTER_LOCK: _l("After it, with a titular’s consent"),
    Lateness.SAME_DAY: _l("On the day itself"),
    Lateness.ABSENCE: _l("Absence"),
    Lateness.TAKEN_AWAY: _l("Freed by a titular or a secretary"),
}


@dataclass(frozen=True)
class Figure:
    """`kind` names the macro of the chart; `head` and `rows` are the table and the CSV file.

    `unit` stands below the numbers of a chart's foot.
    """

    name: str
    title: str
    sentence: str
    kind: str
    chart: dict[str, Any]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[tuple[str, str], ...] = ()
    wide: bool = False
    unit: str = ""
    # The rows of the file, where a machine wants other words than a reader.
    file: tuple[tuple[str, ...], ...] = ()


def all_of(facts: Facts, calendar: HolidayCalendar, today: dt.date) -> list[Figure]:
    """Every figure, in the order of the page."""
    return [
        coverage(facts, calendar, today),
        doctors(facts),
        doors(facts),
        holidays(facts, calendar),
        delays(facts),
        releases(facts),
        notices(facts),
    ]


def headlines(facts: Facts, calendar: HolidayCalendar) -> list[tuple[str, str]]:
    """The few numbers on top, as terms and descriptions."""
    school = statistics.coverage(facts, lambda day: bool(calendar.is_school_holiday(day)))
    delay = statistics.quartiles(statistics.delays(facts))
    return [
        (_("Covered"), percent(statistics.coverage(facts))),
        (_("Covered in school holidays"), percent(school)),
        (_("Half of the days are filled within"), _days(delay.median) if delay else "–"),
        (_("Given back"), format_decimal(sum(statistics.releases(facts).values()))),
    ]


def coverage(facts: Facts, calendar: HolidayCalendar, today: dt.date) -> Figure:
    """How much of each ISO week is filled, with its holidays."""
    weeks = statistics.coverage_by_week(facts)
    items, rows, file = [], [], []
    for monday, share in weeks.items():
        school = _weekday_name(calendar.school, monday)
        public = _weekday_name(calendar.closed, monday)
        marks = [kind for kind, name in (("school", school), ("public", public)) if name]
        name = f"{week_name(monday)} {monday.isocalendar().year}"
        filled = share.percent or 0
        rest = "left" if monday + dt.timedelta(days=6) >= today else "missed"
        parts = (("full", filled), (rest, 100 - filled)) if share.half_days else ()
        words = " · ".join(filter(None, [name, percent(share), school, public]))
        items.append(Column(written(monday, "d MMM"), parts, words, tuple(marks)))
        facts_of = (
            _half(share.half_days),
            _half(share.filled),
            percent(share),
            school or "",
            public or "",
        )
        rows.append((name, short_date(monday), *facts_of))
        file.append((name, monday.isoformat(), *facts_of))
    known = [share.percent for share in weeks.values() if share.percent is not None]
    sentence = ngettext(
        "%(num)d week: from %(low)s to %(high)s covered.",
        "%(num)d weeks: from %(low)s to %(high)s covered.",
        len(known),
        low=format_percent(min(known, default=0) / 100),
        high=format_percent(max(known, default=0) / 100),
    )
    return Figure(
        "coverage",
        _("Coverage per week"),
        sentence,
        "columns",
        charts.columns(
            items, 100, [(value, format_percent(value / 100)) for value in (0, 50, 100)]
        ),
        (
            _("Week"),
            _("Monday"),
            _("Days to fill"),
            _("Days filled"),
            _("Coverage"),
            _("School holidays"),
            _("Public holidays and closed days"),
        ),
        tuple(rows),
        legend=(
            ("full", _("filled")),
            ("left", _("to fill")),
            ("missed", _("not filled")),
            ("school", _("school holidays")),
            ("public", _("public holiday or closed")),
        ),
        file=tuple(file),
        wide=True,
    )


def holidays(facts: Facts, calendar: HolidayCalendar) -> Figure:
    """The coverage in the school holidays, and outside them."""

    def share(answer: bool | None) -> Share:
        return statistics.coverage(facts, lambda day: calendar.is_school_holiday(day) is answer)

    parts = [
        (_("In the school holidays"), share(True)),
        (_("Outside the school holidays"), share(False)),
    ]
    unknown = share(None)
    if unknown.half_days:
        parts.append((_("School holidays not known"), unknown))
    inside, outside = parts[0][1], parts[1][1]
    if inside.percent is None or outside.percent is None:
        sentence = _("There is nothing to compare in this period.")
    else:
        sentence = _(
            "%(inside)s covered in the school holidays, %(outside)s outside them.",
            inside=percent(inside),
            outside=percent(outside),
        )
    return Figure(
        "school-holidays",
        _("In the school holidays and outside"),
        sentence,
        "bars",
        charts.bars(
            [Bar(name, part.percent or 0, percent(part)) for name, part in parts], highest=100
        ),
        (_("Days"), _("Days to fill"), _("Days filled"), _("Coverage")),
        tuple(
            (name, _half(part.half_days), _half(part.filled), percent(part)) for name, part in parts
        ),
    )


def doctors(facts: Facts) -> Figure:
    """The days of each doctor, and how evenly they are spread over the replacements."""
    found = statistics.days_per_doctor(facts)
    pooled = sorted(row.half_days for row in found if row.person.pooled)
    spread = statistics.quartiles(pooled)
    median = band = None
    if spread is None:
        sentence = _("The practice has no replacement or assistant doctor in this period.")
    else:
        median = (spread.median, _("median: %(days)s", days=_days(spread.median / 2)))
        band = (spread.low, spread.high)
        sentence = _(
            "Replacement and assistant doctors: half have at most %(median)s, from %(low)s to "
            "%(high)s for the middle half of them.",
            median=_days(spread.median / 2),
            low=format_decimal(round(spread.low / 2, 1), "#,##0.#"),
            high=_days(spread.high / 2),
        )
    return Figure(
        "doctors",
        _("Days per doctor"),
        sentence,
        "bars",
        charts.bars(
            [
                Bar(
                    row.person.name,
                    row.half_days,
                    day_count(row.half_days),
                    "full" if row.person.pooled else "other",
                )
                for row in found
            ],
            median=median,
            band=band,
        ),
        (_("Doctor"), _("Days"), _("Compared")),
        tuple(
            (row.person.name, _half(row.half_days), _("yes") if row.person.pooled else _("no"))
            for row in found
        ),
        legend=(
            ("full", _("replacement or assistant doctor")),
            ("other", _("titular, intern or former doctor")),
            ("band", _("the middle half")),
            ("median", _("median")),
        ),
    )


def doors(facts: Facts) -> Figure:
    """How the days that are filled were filled."""
    found = statistics.doors(facts)
    whole = sum(found.values())
    rows = [
        (str(DOORS[door]), _half(count), format_percent(count / whole if whole else 0))
        for door, count in found.items()
    ]
    first = max(found, key=lambda door: found[door])
    sentence = _("Nothing is filled in this period.")
    if whole:
        share = format_percent(found[first] / whole)
        sentence = _("Most often: %(door)s (%(share)s).", door=DOORS[first], share=share)
    items = [
        Bar(
            str(DOORS[door]),
            count,
            f"{day_count(count)} · {format_percent(count / whole)}",
            "amber" if door is Door.TITULAR else "full",
        )
        for door, count in found.items()
        if count
    ]
    head = (_("How"), _("Days"), _("Share"))
    return Figure(
        "doors", _("How days were filled"), sentence, "bars", charts.bars(items), head, tuple(rows)
    )


def delays(facts: Facts) -> Figure:
    """How long days stay open after they are published."""
    values = statistics.delays(facts)
    found = statistics.quartiles(values)
    sentence = _("Nothing was filled in this period.")
    if found is not None:
        sentence = _(
            "Half of the days are filled within %(median)s, a quarter within %(low)s and three "
            "quarters within %(high)s.",
            median=_days(found.median),
            low=_days(found.low),
            high=_days(found.high),
        )
    return _histogram(
        "delays",
        _("From publishing to filled"),
        sentence,
        (_("Days from publishing"), _("Days of consultation")),
        statistics.histogram(values, statistics.DELAY_CLASSES),
        statistics.DELAY_CLASSES,
    )


def releases(facts: Facts) -> Figure:
    """How many days were given back, and how late."""
    found = statistics.releases(facts)
    whole = sum(found.values())
    sentence = ngettext("%(num)d day was given back.", "%(num)d days were given back.", whole)
    return Figure(
        "releases",
        _("Given back, and how late"),
        sentence,
        "bars",
        charts.bars(
            [
                Bar(
                    str(LATENESS[lateness]),
                    count,
                    format_decimal(count),
                    "full" if lateness is Lateness.BEFORE_LOCK else "amber",
                )
                for lateness, count in found.items()
            ]
        ),
        (_("When"), _("Days given back")),
        tuple((str(LATENESS[lateness]), str(count)) for lateness, count in found.items()),
    )


def notices(facts: Facts) -> Figure:
    """How many days ahead days are given back."""
    values = statistics.notices(facts)
    found = statistics.quartiles(values)
    sentence = _("Nobody gave a day back in this period.")
    if found is not None:
        sentence = _("Half are given back at least %(days)s ahead.", days=_days(found.median))
    return _histogram(
        "notice",
        _("Days of notice"),
        sentence,
        (_("Days of notice"), _("Days given back")),
        statistics.histogram(values, statistics.NOTICE_CLASSES),
        statistics.NOTICE_CLASSES,
    )


def percent(share: Share) -> str:
    """« 83 % », or a dash where nothing is to fill."""
    return "–" if share.percent is None else format_percent(share.percent / 100)


def _histogram(
    name: str,
    title: str,
    sentence: str,
    head: tuple[str, str],
    counts: Sequence[int],
    classes: Sequence[int],
) -> Figure:
    names = [
        f"{first}+" if last is None else str(first) if last == first else f"{first}–{last}"
        for first, last in zip(classes, [*(begin - 1 for begin in classes[1:]), None], strict=True)
    ]
    ticks = charts.ticks_to(max(counts))
    items = [
        Column(label, (("full", count),), f"{label} · {count}")
        for label, count in zip(names, counts, strict=True)
    ]
    return Figure(
        name,
        title,
        sentence,
        "columns",
        charts.columns(items, ticks[-1][0], ticks),
        head,
        tuple((label, str(count)) for label, count in zip(names, counts, strict=True)),
        unit=head[0],
    )


def _weekday_name(names: Mapping[dt.date, str], monday: dt.date) -> str | None:
    """The first of some named dates from Monday to Friday of a week."""
    week = days_between(monday, monday + dt.timedelta(days=FRIDAY))
    return next((names[day] for day in week if day in names), None)


def _half(half_days: float) -> str:
    return format_decimal(half_days / 2, "#,##0.##")


def _days(days: float) -> str:
    """« 2,5 jours »"""
    rounded = round(days, 1)
    return ngettext(
        "%(days)s day",
        "%(days)s days",
        grammatical_number(rounded),
        days=format_decimal(rounded, "#,##0.#"),
    )
