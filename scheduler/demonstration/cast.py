"""The people of the demonstration cabinet and their habits. All of them are invented."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from scheduler.core.permissions import Role
from scheduler.people.models import Gender
from scheduler.roster.rules import Period, Preference

F, M = Gender.FEMALE, Gender.MALE
MON, TUE, WED, THU, FRI, SAT = range(6)
WANTED, POSSIBLE, LAST_RESORT = Preference
DOMAIN: Final = "nieul.example"


@dataclass(frozen=True, slots=True)
class Weekly:
    """A day of the week on which somebody comes, every so many weeks."""

    weekday: int
    preference: Preference = WANTED
    period: Period = Period.DAY
    every: int = 1
    # Which of the alternating weeks, counted from the first one.
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Away:
    """Days from today between which somebody does not come."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the house. Limits are in days; `now_and_then` is the share of other weekdays
    on which a doctor happens to be free, with `mood` as the preference."""

    given: str
    family: str
    role: Role
    gender: Gender | None = None
    weekly: tuple[Weekly, ...] = ()
    now_and_then: float = 0.0
    mood: Preference = POSSIBLE
    away: tuple[Away, ...] = ()
    qualified: bool = True
    # Years after the last 15 November on which the licence ends, None for no licence.
    licence: int | None = None
    days_per_week: float | None = None
    days_per_month: float | None = None
    days_in_a_row: int | None = None
    phone: str | None = field(default=None)

    @property
    def email(self) -> str:
        plain = str.maketrans("éèêëïîôç ", "eeeeiioc-")
        return f"{self.given}.{self.family}@{DOMAIN}".lower().translate(plain)


def titular(given: str, family: str, gender: Gender, weekday: int) -> Person:
    """A titular has a practice of their own and comes only when nobody else can."""
    return Person(
        given,
        family,
        Role.TITULAR,
        gender,
        weekly=(Weekly(weekday, LAST_RESORT, every=2),),
        days_per_week=1,
    )


CAST: Final = (
    titular("Hélène", "Marchand", F, MON),
    titular("Philippe", "Gautreau", M, TUE),
    titular("Sophie", "Brochard", F, THU),
    titular("Antoine", "Rivalland", M, FRI),
    # Comes every Thursday, whatever happens.
    Person("Léa", "Guérin", Role.REPLACEMENT, F, weekly=(Weekly(THU),)),
    Person(
        "Thomas",
        "Pelletier",
        Role.REPLACEMENT,
        M,
        weekly=(Weekly(MON), Weekly(TUE, POSSIBLE)),
        days_per_week=2,
        days_per_month=6,
    ),
    Person(
        "Camille",
        "Arnaud",
        Role.REPLACEMENT,
        F,
        weekly=(Weekly(TUE, every=2), Weekly(FRI, POSSIBLE, every=2, shift=1)),
        days_per_month=4,
    ),
    # The licence ran out last 15 November and was not renewed.
    Person(
        "Julien",
        "Bossard",
        Role.REPLACEMENT,
        M,
        weekly=(Weekly(FRI), Weekly(WED, POSSIBLE)),
        qualified=False,
        licence=0,
        days_per_week=1,
    ),
    # Away for six weeks.
    Person(
        "Inès",
        "Chevalier",
        Role.REPLACEMENT,
        F,
        weekly=(Weekly(FRI), Weekly(MON, POSSIBLE, every=2)),
        away=(Away(7, 48),),
        days_per_month=5,
    ),
    Person("Maxime", "Robin", Role.REPLACEMENT, M, now_and_then=0.18, days_per_month=4),
    # The adjoint of the house, on a licence.
    Person(
        "Clara",
        "Fonteneau",
        Role.ASSISTANT,
        F,
        weekly=(Weekly(MON, POSSIBLE), Weekly(THU, POSSIBLE)),
        qualified=False,
        licence=1,
        days_per_week=2,
        days_in_a_row=2,
    ),
    Person(
        "Nicolas",
        "Texier",
        Role.REPLACEMENT,
        M,
        weekly=(Weekly(WED, LAST_RESORT), Weekly(FRI, LAST_RESORT, every=2)),
        days_per_month=3,
    ),
    Person(
        "Manon",
        "Rousselot",
        Role.REPLACEMENT,
        F,
        weekly=(Weekly(TUE, POSSIBLE, every=2, shift=1), Weekly(FRI, POSSIBLE, every=2)),
        days_per_week=1,
    ),
    Person("Bastien", "Girardeau", Role.REPLACEMENT, M, now_and_then=0.25, days_per_month=5),
    Person(
        "Sarah",
        "Benali",
        Role.REPLACEMENT,
        F,
        weekly=(Weekly(MON, every=2, shift=1), Weekly(TUE, every=2, shift=1)),
        days_in_a_row=3,
    ),
    Person(
        "Quentin",
        "Moreau",
        Role.REPLACEMENT,
        M,
        now_and_then=0.12,
        mood=WANTED,
        days_per_month=3,
        days_in_a_row=2,
    ),
    # Mornings only.
    Person(
        "Élodie",
        "Papin",
        Role.REPLACEMENT,
        F,
        weekly=(Weekly(WED, period=Period.AM), Weekly(SAT, POSSIBLE, Period.AM, every=2)),
    ),
    Person(
        "Hugo",
        "Lambert",
        Role.REPLACEMENT,
        M,
        weekly=(Weekly(SAT, period=Period.AM, every=2, shift=1),),
        now_and_then=0.1,
        mood=LAST_RESORT,
        qualified=False,
        licence=1,
    ),
    Person("Pauline", "Jaulin", Role.INTERN, F, weekly=(Weekly(TUE),), qualified=False),
    Person("Martine", "Charrier", Role.SECRETARY, phone="02 51 00 00 01"),
    Person("Virginie", "Blanchet", Role.NURSE, phone="02 51 00 00 02"),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One need of the cabinet's ordinary week; `room` counts from 0."""

    weekday: int
    period: Period
    room: int = 0
    priority: int = 1
    roles: tuple[Role, ...] = (Role.REPLACEMENT, Role.ASSISTANT, Role.TITULAR)


ROOMS: Final = ("Salle 1", "Salle 2")
ORDINARY_WEEK: Final = (
    Slot(MON, Period.DAY),
    Slot(TUE, Period.DAY),
    Slot(TUE, Period.DAY, room=1, priority=2, roles=(Role.INTERN,)),
    Slot(WED, Period.AM, priority=2),
    Slot(WED, Period.PM, priority=3),
    Slot(THU, Period.DAY),
    Slot(THU, Period.DAY, room=1, priority=2),
    Slot(FRI, Period.DAY),
    Slot(SAT, Period.AM, priority=3),
)


def last_licence_day(today: dt.date) -> dt.date:
    """The last 15 November before `today`, on which licences end."""
    this_year = dt.date(today.year, 11, 15)
    return this_year if this_year < today else this_year.replace(year=today.year - 1)
