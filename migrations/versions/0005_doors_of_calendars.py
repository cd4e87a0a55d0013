"""The doors of calendars, and the key that makes a repeated claim one"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OLD_SOURCES = ("claim", "proposal", "ask", "call", "phone", "swap", "takeover")
SOURCES = (*OLD_SOURCES, "caldav", "file", "invitation")


def one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    with op.batch_alter_table("assignment") as batch:
        batch.add_column(sa.Column("claim_key", sa.String(length=64), nullable=True))
        batch.create_unique_constraint(op.f("uq_assignment_claim_key"), ["claim_key"])
        batch.drop_constraint(op.f("ck_assignment_assignmentsource"), type_="check")
        batch.create_check_constraint(
            op.f("ck_assignment_assignmentsource"), one_of("source", SOURCES)
        )


def downgrade() -> None:
    # Whatever came from a calendar was a claim.
    op.execute(
        "UPDATE assignment SET source = 'claim' WHERE source IN ('caldav', 'file', 'invitation')"
    )
    with op.batch_alter_table("assignment") as batch:
        batch.drop_constraint(op.f("ck_assignment_assignmentsource"), type_="check")
        batch.drop_constraint(op.f("uq_assignment_claim_key"), type_="unique")
        batch.drop_column("claim_key")
        batch.create_check_constraint(
            op.f("ck_assignment_assignmentsource"), one_of("source", OLD_SOURCES)
        )
