"""What the page of a practice is made of: its members, its months, and a form for each section."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms import Form

from scheduler.core.permissions import DOCTOR_ROLES, Role
from scheduler.people import replacements
from scheduler.people.models import Derogation, Member, Practice, User
from scheduler.people.practices import TRUSTABLE, PracticeSettings
from scheduler.people.queries import members_of
from scheduler.people.replacements import MonthOfReplacement
from scheduler.roster.queries import published_months
from scheduler.roster.rules import month_bounds
from web.identity import today
from web.labels import ROLE_NAMES
from web.localisation import written
from web.practice.forms import (
    CallsForm,
    ClaimsForm,
    DerogationForm,
    DerogationRuleForm,
    LimitsForm,
    MembersForm,
    PublicForm,
    ReplacedForm,
    TrustedForm,
    professions_form,
    replaced_form,
    supervisors_form,
)


@dataclass(frozen=True)
class Page:
    """All that the sections show, loaded once."""

    practice: Practice
    members: list[Member]
    titulars: list[User]
    months: list[MonthOfReplacement]
    derogations: list[Derogation]
    published: set[dt.date]

    @classmethod
    def load(cls, session: Session, practice: Practice) -> Page:
        months = replacements.months_of(session, practice, today())
        last = month_bounds(months[-1].month)[1]
        return cls(
            practice,
            members_of(session, practice.id, today()),
            replacements.titulars_between(session, practice.id, today(), last),
            months,
            replacements.derogations_of(session, practice.id, today()),
            published_months(session, practice.id, today()),
        )

    @property
    def trustable(self) -> list[Member]:
        return self._with(TRUSTABLE)

    @property
    def interns(self) -> list[Member]:
        return self._with({Role.INTERN})

    @property
    def others(self) -> list[Member]:
        """The members who are no doctors."""
        return self._with(set(Role) - DOCTOR_ROLES)

    def forms(self) -> dict[str, Form]:
        """A form for each section, filled with what is kept."""
        settings = asdict(PracticeSettings.of(self.practice))
        kept: dict[str, Any] = {"formdata": None, "data": settings}
        # A select offers numbers only: no limit is none of them.
        limits = {name: value or 0 for name, value in settings.items()}
        trusted = TrustedForm(
            formdata=None,
            prefix="trusted-",
            data={"trusted": [member.id for member in self.trustable if member.trusted]},
        )
        trusted.offer(self.trustable)
        derogation = DerogationForm(formdata=None, prefix="derogation-")
        derogation.offer(self.titulars)
        return {
            "claims": ClaimsForm(prefix="claims-", **kept),
            "trusted": trusted,
            "limits": LimitsForm(prefix="limits-", formdata=None, data=limits),
            "calls": CallsForm(prefix="calls-", **kept),
            "replaced": self.replaced_form(formdata=None),
            "rule": DerogationRuleForm(prefix="rule-", **kept),
            "derogation": derogation,
            "supervisors": self.supervisors_form(formdata=None),
            "professions": self.professions_form(formdata=None),
            "public": PublicForm(prefix="public-", **kept),
        }

    def replaced_form(self, **options: Any) -> ReplacedForm:
        return replaced_form(self.months, self.titulars, prefix="replaced-", **options)

    def supervisors_form(self, **options: Any) -> MembersForm:
        serving = [member.user for member in self._with({Role.TITULAR})]
        return supervisors_form(self.interns, serving, prefix="supervisors-", **options)

    def professions_form(self, **options: Any) -> MembersForm:
        return professions_form(self.others, prefix="professions-", **options)

    def role_of(self, member: Member) -> str:
        return str(ROLE_NAMES[member.role])

    def warning(self, month: MonthOfReplacement) -> str | None:
        """What no derogation covers in a month, or that nobody is named, in a sentence."""
        if month.unnamed and month.month in self.published:
            return _("Days are published, and nobody is named.")
        if not month.uncovered:
            return None
        return _("Without a derogation: %(days)s", days=", ".join(_spans(month.uncovered)))

    def _with(self, roles: Iterable[Role]) -> list[Member]:
        wanted = set(roles)
        return [member for member in self.members if member.role in wanted]


def _spans(spans: Iterable[tuple[dt.date, dt.date]]) -> list[str]:
    """« 21 – 31 déc. », « 1er déc. »"""
    return [
        written(first, "d MMM")
        if first == last
        else f"{written(first, 'd')} – {written(last, 'd MMM')}"
        for first, last in spans
    ]
