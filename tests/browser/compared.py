"""Scenarios of the furnished cabinet's proposals, computed, failed and waiting."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from scheduler.people.models import User
from scheduler.roster import proposal_work, scenarios, work
from scheduler.roster.models import Proposal
from scheduler.roster.rules import Period
from scheduler.roster.scenario_rules import FurtherRoom, NoWeeklyCap, OneMoreDoctor
from scheduler.roster.scenario_work import SCENARIOS
from tests.factories import House

COMPUTED: Final = (
    FurtherRoom(3, Period.DAY),
    OneMoreDoctor((1, 3, 4), 2),
    NoWeeklyCap(),
)


def compare(house: House, titular: User) -> None:
    """Compare the latest proposal with three scenarios; a fourth one has failed."""
    actor = house.actor(titular)
    with house.database.transaction() as session:
        latest = session.scalars(sa.select(sa.func.max(Proposal.id))).one()
        asked = [
            scenarios.request_scenario(session, actor, latest, change).id for change in COMPUTED
        ]
        failed = scenarios.request_scenario(session, actor, latest, OneMoreDoctor((0,))).id
    for scenario_id in asked:
        with house.database.transaction() as session:
            ticket = work.take(session, SCENARIOS, scenario_id)
            assert ticket is not None
            problem = SCENARIOS.problem(session, scenario_id)
        solution = proposal_work.compute(
            problem, seconds=20, workers=1, progress=lambda _: None, should_stop=lambda: False
        )
        with house.database.transaction() as session:
            assert SCENARIOS.finish(session, ticket, problem, solution)
    with house.database.transaction() as session:
        ticket = work.take(session, SCENARIOS, failed)
        assert ticket is not None
        assert work.fail(session, ticket, work.INTERRUPTED)
