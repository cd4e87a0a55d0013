"""Calendars read from outside"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "calendar_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("use", one_of("sourceuse", "availability", "busy"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=2000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("etag", sa.String(length=255), nullable=True),
        sa.Column("last_modified", sa.String(length=64), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(address IS NULL) = (next_at IS NULL)", name=op.f("ck_calendar_source_polled")
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["user_account.id"],
            name=op.f("fk_calendar_source_doctor_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_source")),
    )
    op.create_index(op.f("ix_calendar_source_doctor_id"), "calendar_source", ["doctor_id"])
    op.create_index(op.f("ix_calendar_source_next_at"), "calendar_source", ["next_at"])
    op.create_table(
        "imported_half",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("half", one_of("half", "am", "pm"), nullable=False),
        sa.Column("busy", sa.Boolean(), nullable=False),
        sa.Column(
            "preference", one_of("preference", "wanted", "possible", "last_resort"), nullable=True
        ),
        sa.CheckConstraint("busy = (preference IS NULL)", name=op.f("ck_imported_half_one_fact")),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["user_account.id"],
            name=op.f("fk_imported_half_doctor_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["calendar_source.id"],
            name=op.f("fk_imported_half_source_id_calendar_source"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_half")),
        sa.UniqueConstraint(
            "source_id", "date", "half", name=op.f("uq_imported_half_source_id_date_half")
        ),
    )
    op.create_index("ix_imported_half_doctor_id_date", "imported_half", ["doctor_id", "date"])


def downgrade() -> None:
    op.drop_table("imported_half")
    op.drop_table("calendar_source")
