"""Forms of week patterns, of publishing and of a practice's own dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, IntegerField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired

from scheduler.calendars.models import HolidayKind
from scheduler.core.permissions import Role
from scheduler.people.models import Room
from scheduler.roster.models import WeekPattern
from scheduler.roster.patterns import Slot
from scheduler.roster.rules import DEFAULT_NEED_ROLES, Period
from web.forms import RefusableForm
from web.labels import PRIORITY_NAMES, ROLE_NAMES

DATE_MISSING: Final = _l("Give a date.")
# What stands in one cell of the week: the periods of its needs.
PERIOD_CHOICES: Final = (
    SelectChoice("", _l("Nobody")),
    SelectChoice("day", _l("Whole day")),
    SelectChoice("am", _l("Morning")),
    SelectChoice("pm", _l("Afternoon")),
    SelectChoice("am+pm", _l("Two half-days")),
)
DEFAULT_ROLES: Final = ",".join(DEFAULT_NEED_ROLES)


class PublishForm(RefusableForm):
    """What to publish: a pattern and a period. Sent by GET for the preview."""

    pattern = SelectField(_l("Week pattern"), coerce=int)
    start = DateField(_l("First day"), validators=[InputRequired(DATE_MISSING)])
    end = DateField(_l("Last day"), validators=[InputRequired(DATE_MISSING)])

    def offer(self, patterns: Sequence[WeekPattern]) -> None:
        self.pattern.choices = [SelectChoice(pattern.id, pattern.name) for pattern in patterns]


class ConfirmForm(PublishForm):
    """The preview, confirmed: `version` is that of the pattern that was shown."""

    version = IntegerField(validators=[InputRequired()])


class HolidayForm(RefusableForm):
    """Dates that the practice adds to the calendar."""

    name = StringField(_l("Name"))
    start = DateField(_l("First day"), validators=[InputRequired(DATE_MISSING)])
    end = DateField(_l("Last day"), validators=[InputRequired(DATE_MISSING)])
    kind = SelectField(
        _l("What they are"),
        choices=[
            SelectChoice(
                HolidayKind.CLOSED.value, _l("The practice is closed: nothing is published")
            ),
            SelectChoice(
                HolidayKind.SCHOOL.value, _l("School holidays: shown, and published as usual")
            ),
        ],
    )


_PARTS: Final = ("period", "priority", "roles")


class PatternForm(RefusableForm):
    """The head of a week pattern; `pattern_form` adds the cells of its week."""

    name = StringField(_l("Name"))
    version = HiddenField()
    rooms: Sequence[Room] = ()

    def shown_version(self) -> int:
        """The version of the pattern that the page showed; 0, which none has, for nonsense."""
        shown = str(self.version.data)
        return int(shown) if shown.isdecimal() and len(shown) < 10 else 0

    def cell(self, room: Room, weekday: int) -> dict[str, Any]:
        """The three fields of one room on one weekday."""
        return {part: self[_field(part, room.id, weekday)] for part in _PARTS}

    def slots(self) -> Iterator[Slot]:
        """The needs that the filled cells ask for."""
        for room in self.rooms:
            for weekday in range(7):
                cell = self.cell(room, weekday)
                for period in filter(None, str(cell["period"].data).split("+")):
                    roles = tuple(Role(role) for role in cell["roles"].data.split(","))
                    yield Slot(room.id, weekday, Period(period), int(cell["priority"].data), roles)


def pattern_form(rooms: Sequence[Room], pattern: WeekPattern | None) -> PatternForm:
    """The form of a week of these rooms, filled with a pattern where there is one."""
    fields: dict[str, Any] = {"rooms": rooms}
    values: dict[str, object] = {}
    if pattern is not None:
        values = {"name": pattern.name, "version": pattern.version} | _values(pattern)
    for room in rooms:
        for weekday in range(7):
            roles = str(values.get(_field("roles", room.id, weekday), DEFAULT_ROLES))
            fields |= _cell_fields(room.id, weekday, roles)
    form: PatternForm = type("WeekForm", (PatternForm,), fields)(data=values)
    return form


def _field(part: str, room_id: int, weekday: int) -> str:
    return f"{part}_{room_id}_{weekday}"


def _cell_fields(room_id: int, weekday: int, roles: str) -> dict[str, Any]:
    return {
        _field("period", room_id, weekday): SelectField(choices=PERIOD_CHOICES, default=""),
        _field("priority", room_id, weekday): SelectField(
            choices=[SelectChoice(str(number), name) for number, name in PRIORITY_NAMES.items()],
            default="1",
        ),
        _field("roles", room_id, weekday): SelectField(
            choices=_role_choices(roles), default=DEFAULT_ROLES
        ),
    }


def _role_choices(present: str) -> list[SelectChoice]:
    """The usual choices, and what the pattern says where that is something else."""
    usual = {DEFAULT_ROLES: _l("Any doctor"), Role.INTERN.value: ROLE_NAMES[Role.INTERN]}
    if present not in usual:
        names = [str(ROLE_NAMES[Role(role)]) for role in present.split(",")]
        usual[present] = ", ".join(names)
    return [SelectChoice(roles, name) for roles, name in usual.items()]


def _values(pattern: WeekPattern) -> dict[str, object]:
    found: dict[str, object] = {}
    for slot in pattern.slots:
        period = _field("period", slot.room_id, slot.weekday)
        both = found.get(period) in ("am", "pm")
        found[period] = "am+pm" if both else slot.period.value
        found[_field("priority", slot.room_id, slot.weekday)] = str(slot.priority)
        found[_field("roles", slot.room_id, slot.weekday)] = ",".join(slot.roles)
    return found
