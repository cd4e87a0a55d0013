"""Invitations by mail, and days held for who may come"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ANSWERS = ("needs-action", "accepted", "tentative", "declined")
ENDINGS = ("taken", "withdrawn", "need_withdrawn", "given_back", "refused", "past")
REFERENCES = (
    ("need_id", "need"),
    ("doctor_id", "user_account"),
    ("invited_by", "user_account"),
    ("assignment_id", "assignment"),
)


def _one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    with op.batch_alter_table("assignment") as batch:
        batch.add_column(
            sa.Column("tentative", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.create_check_constraint(
            op.f("ck_assignment_tentative"), "NOT tentative OR state IN ('held', 'released')"
        )
    with op.batch_alter_table("assignment") as batch:
        batch.alter_column("tentative", server_default=None)
    op.create_table(
        "calendar_invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("need_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("invited_by", sa.Integer(), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("said", sa.String(length=64), nullable=False),
        sa.Column("practice_version", sa.Integer(), nullable=False),
        sa.Column("room", sa.String(length=60), nullable=False),
        sa.Column("answer", _one_of("answer", ANSWERS), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_sequence", sa.Integer(), nullable=True),
        sa.Column("answered_stamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assignment_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", _one_of("ending", ENDINGS), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ending IS NULL)", name=op.f("ck_calendar_invitation_ended")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_calendar_invitation_practice_id_practice"),
            ondelete="CASCADE",
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=op.f(f"fk_calendar_invitation_{column}_{table}"),
            )
            for column, table in REFERENCES
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_invitation")),
        sa.UniqueConstraint("uid", name=op.f("uq_calendar_invitation_uid")),
    )
    op.create_index(
        op.f("ix_calendar_invitation_need_id"), "calendar_invitation", ["need_id"], unique=False
    )
    op.create_index(
        "ix_calendar_invitation_practice_id_ended_at",
        "calendar_invitation",
        ["practice_id", "ended_at"],
        unique=False,
    )
    op.create_index(
        "uq_calendar_invitation_open",
        "calendar_invitation",
        ["need_id", "doctor_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("calendar_invitation")
    with op.batch_alter_table("assignment") as batch:
        batch.drop_constraint(op.f("ck_assignment_tentative"), type_="check")
        batch.drop_column("tentative")
