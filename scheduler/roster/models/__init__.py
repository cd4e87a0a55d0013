"""Tables of the roster."""

from scheduler.roster.models.asks import Ask
from scheduler.roster.models.assignments import Assignment, ReleaseRequest, Swap
from scheduler.roster.models.availabilities import (
    Availability,
    AvailabilityAnswer,
    AvailabilityNote,
    AvailabilityPrompt,
    ImportedHalf,
    WeeklyAvailability,
)
from scheduler.roster.models.calls import Call, CallDay, CallWatch, Invitation, InvitationDay
from scheduler.roster.models.needs import Need, WeekPattern, WeekPatternSlot
from scheduler.roster.models.presences import PresenceException, UrgentAdvice, WeeklyPresence
from scheduler.roster.models.proposals import Computed, Proposal, ProposalLine, Scenario

__all__ = [
    "Ask",
    "Assignment",
    "Availability",
    "AvailabilityAnswer",
    "AvailabilityNote",
    "AvailabilityPrompt",
    "Call",
    "CallDay",
    "CallWatch",
    "Computed",
    "ImportedHalf",
    "Invitation",
    "InvitationDay",
    "Need",
    "PresenceException",
    "Proposal",
    "ProposalLine",
    "ReleaseRequest",
    "Scenario",
    "Swap",
    "UrgentAdvice",
    "WeekPattern",
    "WeekPatternSlot",
    "WeeklyAvailability",
    "WeeklyPresence",
]
