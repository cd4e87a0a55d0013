"""Values and pure functions of questions to doctors: what a yes lifts, and what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from scheduler.roster.legality import (
    CONSECUTIVE_LIMIT,
    MONTH_LIMIT,
    WEEK_LIMIT,
    Lift,
    Refusal,
)
from scheduler.roster.models import Ask
from scheduler.roster.rules import AskCode

LONGEST_MESSAGE: Final = 500
LONGEST_NOTE: Final = 255
# Which limit a doctor is asked to pass.
LIMITS: Final[Mapping[AskCode, str]] = {
    AskCode.RAISE_WEEKLY_CAP: WEEK_LIMIT,
    AskCode.RAISE_MONTHLY_CAP: MONTH_LIMIT,
    AskCode.RAISE_CONSECUTIVE: CONSECUTIVE_LIMIT,
}


def lift(code: AskCode, to: float | None) -> Lift | None:
    """What a yes to such a question lifts, up to `to` days; None where it lifts no limit."""
    if to is None or code not in LIMITS:
        return None
    return Lift(LIMITS[code], to)


def lift_of(ask: Ask) -> Lift | None:
    """What a yes to the question lifts."""
    return lift(ask.code, ask.limit_to)


def raise_for(refusals: Sequence[Refusal]) -> tuple[AskCode, float] | None:
    """The question that would remove what stands against a doctor: its code and limit in days.

    None where nothing does, where more than one rule does, or where it is not the doctor's to
    lift.
    """
    if len(refusals) != 1:
        return None
    refusal, to = refusals[0], refusals[0].needed
    found = (code for code, limit in LIMITS.items() if limit == refusal.code)
    return None if to is None else next(((code, to) for code in found), None)
