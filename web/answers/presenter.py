"""What doctors said of a month, in words."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import format_date, format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.roster.availability_answers import AnswerState, DoctorAnswer
from scheduler.roster.availability_queries import ASKED_ROLES
from scheduler.roster.availability_reminders import is_recent
from scheduler.roster.rules import Preference
from web.labels import day_count
from web.localisation import short_date

# The words of a state, the tone of its badge and its shape.
STATES: Final[dict[AnswerState, tuple[Any, str, str]]] = {
    AnswerState.SILENT: (_l("Nothing yet"), "amber", "clock"),
    AnswerState.SAID: (_l("Known in part"), "neutral", "tilde"),
    AnswerState.ANSWERED: (_l("Answered"), "accent", "check"),
    AnswerState.CANNOT: (_l("Cannot come"), "neutral", "minus"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A doctor's line. `days` are texts in the order of `Preference`, then of days taken; empty
    where there are none."""

    name: str
    role: str | None
    phone: str | None
    call: str | None
    word: str
    tone: str
    icon: str
    when: str | None
    days: list[tuple[str, str]]
    notes: list[tuple[str, str]]


def rows(answers: list[DoctorAnswer]) -> list[Row]:
    """The lines of the page, in the order of the answers."""
    return [_row(each) for each in answers]


def _row(answer: DoctorAnswer) -> Row:
    word, tone, icon = STATES[answer.state]
    return Row(
        name=answer.name,
        role=None if answer.role in ASKED_ROLES else answer.role.value,
        phone=answer.phone,
        call=answer.phone.replace(" ", "") if answer.phone else None,
        word=str(word),
        tone=tone,
        icon=icon,
        when=_when(answer),
        days=[
            *(
                (preference.value, _days(answer.half_days.get(preference, 0)))
                for preference in Preference
            ),
            ("taken", _days(answer.taken_half_days)),
        ],
        notes=[(short_date(day), text) for day, text in answer.notes],
    )


def _days(half_days: int) -> str:
    return format_decimal(half_days / 2) if half_days else ""


def _when(answer: DoctorAnswer) -> str | None:
    """When the doctor answered, else when they were last asked to."""
    if answer.answered_at is not None:
        return _("on %(date)s", date=_day(answer.answered_at))
    if answer.reminded_at is not None:
        return _("reminded on %(date)s", date=_day(answer.reminded_at))
    if answer.opened_at is not None and answer.state is AnswerState.SILENT:
        return _("told on %(date)s", date=_day(answer.opened_at))
    return None


def _day(instant: dt.datetime) -> str:
    return short_date(dt.date.fromisoformat(format_date(instant, "yyyy-MM-dd")))


def summary(answers: list[DoctorAnswer]) -> list[str]:
    """How many doctors have come how far, and how many days they offer, in sentences."""
    states = Counter(each.state for each in answers if each.role in ASKED_ROLES)
    done = states[AnswerState.ANSWERED] + states[AnswerState.CANNOT]
    offered = sum(
        each.half_days.get(preference, 0)
        for each in answers
        for preference in (Preference.WANTED, Preference.POSSIBLE)
    )
    found = [
        ngettext("One doctor has answered.", "%(num)d doctors have answered.", done)
        if done
        else _("Nobody has answered yet.")
    ]
    if states[AnswerState.SAID]:
        found.append(
            ngettext(
                "Of one some days are known, and more may come.",
                "Of %(num)d some days are known, and more may come.",
                states[AnswerState.SAID],
            )
        )
    if states[AnswerState.SILENT]:
        found.append(
            ngettext(
                "One has said nothing yet.",
                "%(num)d have said nothing yet.",
                states[AnswerState.SILENT],
            )
        )
    unasked = sum(each.role not in ASKED_ROLES for each in answers)
    if unasked:
        found.append(
            ngettext(
                "One other is listed who is not asked: a titular or an intern.",
                "%(num)d others are listed who are not asked: titulars and interns.",
                unasked,
            )
        )
    if offered:
        found.append(_("Together they would gladly come for %(days)s.", days=day_count(offered)))
    return found


def silent(answers: list[DoctorAnswer]) -> int:
    """How many of those who are asked have said nothing."""
    return sum(each.role in ASKED_ROLES and each.state is AnswerState.SILENT for each in answers)


def to_remind(answers: list[DoctorAnswer], now: dt.datetime) -> int:
    """How many of the silent ones can be reminded now."""
    return sum(
        each.role in ASKED_ROLES
        and each.state is AnswerState.SILENT
        and not is_recent(each.reminded_at, now)
        for each in answers
    )
