"""The words of a question to a doctor, of its answer and of its end."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.people.models import User
from scheduler.roster.asks import Question
from scheduler.roster.models import Ask, Need
from scheduler.roster.rules import AskCode, AskState, Period
from web.labels import PERIOD_NAMES, day_count
from web.localisation import written, written_moment

STATES: Final[dict[AskState, tuple[Any, str]]] = {
    AskState.OPEN: (_l("Waits for an answer"), "amber"),
    AskState.ACCEPTED: (_l("Answered yes"), "accent"),
    AskState.DECLINED: (_l("Answered no"), "neutral"),
    AskState.LAPSED: (_l("No longer needed"), "neutral"),
    AskState.WITHDRAWN: (_l("Taken back"), "neutral"),
}
LIMITS: Final[dict[AskCode, Any]] = {
    AskCode.RAISE_WEEKLY_CAP: _l("It would make %(days)s that week."),
    AskCode.RAISE_MONTHLY_CAP: _l("It would make %(days)s that month."),
    AskCode.RAISE_CONSECUTIVE: _l("It would make %(days)s in a row."),
}


def where(need: Need) -> list[tuple[str, str]]:
    """Day, room and part of the day, as terms and descriptions."""
    return [
        (_("Day"), written(need.date, "EEEE d MMMM y")),
        (_("Room"), need.room.name),
        (_("When"), str(PERIOD_NAMES[Period(need.period)])),
    ]


def limit(code: AskCode, to: float | None) -> str | None:
    """What the day would make of the doctor's week, month or run of days, where it is much."""
    if to is None or code not in LIMITS:
        return None
    return str(LIMITS[code]) % {"days": day_count(round(2 * to))}


def prepared(question: Question, asker: str) -> str:
    """A message to start from, in the language of the doctor."""
    need = question.need
    with force_locale(question.doctor.locale.value):
        words = [
            _("Hello %(name)s,", name=question.doctor.given_name),
            _(
                "Could you come to %(practice)s on %(day)s (%(room)s, %(period)s)?",
                practice=need.practice.name,
                day=written(need.date, "EEEE d MMMM"),
                room=need.room.name,
                period=str(PERIOD_NAMES[Period(need.period)]).lower(),
            ),
        ]
        raised = limit(question.code, question.limit_to)
        if raised:
            words.append(raised)
        words.append(_("Thank you, %(name)s", name=asker))
    return "\n".join(words)


def asked_at(ask: Ask) -> str:
    """« lundi 23 novembre à 10 h », in the house's time zone."""
    return written_moment(ask.asked_at, "EEEE d MMMM, HH:mm")


def outcome(state: AskState, doctor: User, holder: str | None, *, own: bool) -> str:
    """How a question ended, in a sentence; `holder` has the day now."""
    if state is AskState.ACCEPTED:
        return _("You said yes.") if own else _("%(who)s said yes.", who=doctor.name)
    if state is AskState.DECLINED:
        return _("You said no.") if own else _("%(who)s said no.", who=doctor.name)
    if state is AskState.WITHDRAWN:
        return _("The question was taken back.")
    if holder is not None and holder != doctor.name:
        return _("%(who)s has the day.", who=holder)
    return _("The day is filled, over, or no longer to fill.")


def listed(ask: Ask, state: AskState) -> dict[str, Any]:
    """A line of the list of questions."""
    word, tone = STATES[state]
    return {
        "ask": ask,
        "day": written(ask.need.date, "EEE d MMM y"),
        "place": f"{ask.practice.name} · {ask.need.room.name}",
        "asker": ask.asker.name,
        "state": word,
        "tone": tone,
    }
