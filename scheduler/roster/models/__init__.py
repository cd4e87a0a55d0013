"""Tables of the roster."""

from scheduler.roster.models.asks import Ask
from scheduler.roster.models.assignments import Assignment, ReleaseRequest, Swap
from scheduler.roster.models.availabilities import Availability, WeeklyAvailability
from scheduler.roster.models.calls import Call, CallDay, Invitation
from scheduler.roster.models.needs import Need, WeekPattern, WeekPatternSlot
from scheduler.roster.models.proposals import Computed, Proposal, ProposalLine, Scenario

__all__ = [
    "Ask",
    "Assignment",
    "Availability",
    "Call",
    "CallDay",
    "Computed",
    "Invitation",
    "Need",
    "Proposal",
    "ProposalLine",
    "ReleaseRequest",
    "Scenario",
    "Swap",
    "WeekPattern",
    "WeekPatternSlot",
    "WeeklyAvailability",
]
