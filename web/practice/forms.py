"""Forms of a practice's page, one a section; what values may be is the services' to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    Field,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from scheduler.core.errors import RelaisError
from scheduler.people.models import ClaimPolicy, HoldOutcome, Member, User
from scheduler.people.practices import RANGES
from scheduler.people.replacements import MonthOfReplacement
from web.forms import RefusableForm
from web.labels import day_count
from web.localisation import month_name

NOBODY: Final = 0
NO_LIMIT: Final = 0
NUMBER_MISSING: Final = _l("Give a whole number.")
DATE_MISSING: Final = _l("Give a date.")


class WholeNumber(IntegerField):
    """A number that must be given, with a sentence of our own for what is none."""

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, validators=[InputRequired(NUMBER_MISSING)], **options)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(str(NUMBER_MISSING)) from None


class SettingsForm(RefusableForm):
    """Some of the settings: each field is named like the setting it changes."""

    def changes(self) -> dict[str, Any]:
        """What to change, by the names of `PracticeSettings`."""
        return {field.short_name: field.data for field in self if field.type != "CSRFTokenField"}


class ClaimsForm(SettingsForm):
    """How claims are accepted."""

    claim_policy = RadioField(
        _l("When a doctor takes a day"),
        coerce=ClaimPolicy,
        choices=[
            SelectChoice(ClaimPolicy.AT_ONCE.value, _l("it is theirs at once")),
            SelectChoice(ClaimPolicy.HELD.value, _l("it is held until a titular confirms it")),
            SelectChoice(
                ClaimPolicy.TRUSTED.value,
                _l("it is theirs at once if the practice trusts them, and held otherwise"),
            ),
        ],
    )
    hold_hours = WholeNumber(_l("Hours that a titular has to decide"))
    hold_outcome = RadioField(
        _l("When nobody has decided in time"),
        coerce=HoldOutcome,
        choices=[
            SelectChoice(HoldOutcome.CONFIRM.value, _l("the day is the doctor’s")),
            SelectChoice(HoldOutcome.FREE.value, _l("the day is to fill again")),
        ],
    )


class TrustedForm(RefusableForm):
    """The doctors whom the practice trusts."""

    trusted = SelectMultipleField(
        _l("Trusted doctors"),
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        # Who left while the page was open is left as they are.
        validate_choice=False,
    )

    def offer(self, members: Iterable[Member]) -> None:
        self.trusted.choices = [SelectChoice(member.id, member.user.name) for member in members]


class LimitsForm(SettingsForm):
    """The lock date, and how much one doctor and one week may have."""

    lock_days = WholeNumber(_l("Lock date, in days before the day"))
    weekly_minimum = WholeNumber(_l("Days a week with a doctor, at the least"))
    local_half_days_per_week = SelectField(_l("At the most, for one doctor in a week"), coerce=int)
    local_half_days_per_month = SelectField(
        _l("At the most, for one doctor in a month"), coerce=int
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in (self.local_half_days_per_week, self.local_half_days_per_month):
            lowest, highest = RANGES[field.short_name]
            field.choices = [
                SelectChoice(NO_LIMIT, _("No limit")),
                *(SelectChoice(half, day_count(half)) for half in range(lowest, highest + 1)),
            ]

    def changes(self) -> dict[str, Any]:
        limits = ("local_half_days_per_week", "local_half_days_per_month")
        return {
            name: value or None if name in limits else value
            for name, value in super().changes().items()
        }


class CallsForm(SettingsForm):
    """When the worker prepares a call for volunteers, and how fast its waves follow."""

    call_weeks_ahead = WholeNumber(_l("Weeks ahead"))
    call_wave_hours = WholeNumber(_l("Hours between two waves"))


class DerogationRuleForm(SettingsForm):
    """Whether days need a derogation."""

    derogation_required = BooleanField(
        _l("A day can be taken only where a derogation of the replaced doctor covers it")
    )


class PublicForm(SettingsForm):
    """The page that patients read."""

    public_address = StringField(_l("Address"))
    public_page = BooleanField(_l("The page can be read by everybody"))


class ReplacedForm(RefusableForm):
    """Who is replaced in each month; `replaced_form` adds the months."""

    months: Sequence[MonthOfReplacement] = ()

    def of(self, month: MonthOfReplacement) -> Field:
        return self[_month_field(month)]

    def chosen(self) -> dict[Any, int | None]:
        return {month.month: self.of(month).data or None for month in self.months}

    def field_of(self, error: RelaisError) -> Field | None:
        found = [month for month in self.months if month.month == error.facts.get("month")]
        return self.of(found[0]) if found else None


def replaced_form(
    months: Sequence[MonthOfReplacement], titulars: Iterable[User], **options: Any
) -> ReplacedForm:
    """The form of these months, offering the titulars and whoever is replaced already."""
    offered = {user.id: user.name for user in titulars}
    offered |= {month.doctor.id: month.doctor.name for month in months if month.doctor}
    choices = [SelectChoice(NOBODY, _("Nobody yet"))]
    choices += [SelectChoice(number, name) for number, name in offered.items()]
    fields: dict[str, Any] = {"months": months}
    for month in months:
        fields[_month_field(month)] = SelectField(
            month_name(month.month).capitalize(),
            coerce=int,
            choices=choices,
            default=month.doctor.id if month.doctor else NOBODY,
        )
    form: ReplacedForm = type("MonthsForm", (ReplacedForm,), fields)(**options)
    return form


class DerogationForm(RefusableForm):
    """A derogation to note."""

    doctor = SelectField(_l("Replaced doctor"), coerce=int)
    since = DateField(_l("First day"), validators=[InputRequired(DATE_MISSING)])
    until = DateField(_l("Last day"), validators=[InputRequired(DATE_MISSING)])
    reference = StringField(_l("Reference of the decision"))

    def offer(self, titulars: Iterable[User]) -> None:
        self.doctor.choices = [SelectChoice(user.id, user.name) for user in titulars]


class MembersForm(RefusableForm):
    """One field for each of some members; `what` is how services name the field of an error."""

    what = ""

    def chosen(self) -> dict[int, Any]:
        """What was said, by member id."""
        return {
            int(field.short_name.rpartition("_")[2]): field.data
            for field in self
            if field.type != "CSRFTokenField"
        }

    def field_of(self, error: RelaisError) -> Field | None:
        return self._fields.get(f"{self.what}_{error.facts.get('member')}")


def supervisors_form(
    interns: Iterable[Member], titulars: Iterable[User], **options: Any
) -> MembersForm:
    """Whom each intern reaches."""
    choices = [SelectChoice(NOBODY, _("Nobody yet"))]
    choices += [SelectChoice(user.id, user.name) for user in titulars]
    known = {choice.value for choice in choices}
    fields: dict[str, Any] = {"what": "supervisor"}
    for intern in interns:
        reached = intern.supervisor_id if intern.supervisor_id in known else None
        fields[f"supervisor_{intern.id}"] = SelectField(
            intern.user.name, coerce=int, choices=choices, default=reached or NOBODY
        )
    form: MembersForm = type("SupervisorsForm", (MembersForm,), fields)(**options)
    return form


def professions_form(members: Iterable[Member], **options: Any) -> MembersForm:
    """What each member who is no doctor does in the house."""
    fields: dict[str, Any] = {"what": "profession"}
    for member in members:
        fields[f"profession_{member.id}"] = StringField(
            member.user.name, default=member.profession or ""
        )
    form: MembersForm = type("ProfessionsForm", (MembersForm,), fields)(**options)
    return form


def _month_field(month: MonthOfReplacement) -> str:
    return f"month_{month.month:%Y_%m}"
