"""Parts of a problem that share no rule and no term, so that each can be solved alone."""

from __future__ import annotations

from scheduler.engine.model import Problem

Offers = dict[str, dict[str, int]]
"""Open pairs: need id to {doctor id: preference rank}, in the order of the file."""


def components(problem: Problem, offers: Offers) -> list[Offers]:
    """Split the open pairs into independent parts, in the order of their first need.

    Two pairs belong together when they share a doctor (caps, fairness) or a practice and ISO
    week (weekly minimum, mix, alone). Each level is a sum over the parts, so a roster is
    lexicographically optimal exactly when each of its parts is. Needs that nobody can take are
    in no part: they cost the same in every roster.
    """
    parent: dict[object, object] = {}

    def root(node: object) -> object:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for need_id, ranks in offers.items():
        need = problem.needs[need_id]
        for doctor in ranks:
            parent[root(doctor)] = root((need.practice, need.week))
    parts: dict[object, Offers] = {}
    for need_id, ranks in offers.items():
        if ranks:
            need = problem.needs[need_id]
            parts.setdefault(root((need.practice, need.week)), {})[need_id] = ranks
    return list(parts.values())
