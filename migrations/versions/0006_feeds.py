"""Feeds by subscription: each with a name, a choice and a memory of what it told"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OLD_KINDS = ("personal", "roster")
KINDS = ("personal", "open", "roster")
PARTS = ("confirmed", "held", "duties", "proposed", "open")
REMINDERS = ("none", "morning", "evening", "week")
OLD_PRACTICE = "(kind = 'roster') = (practice_id IS NOT NULL)"
PRACTICE = "kind = 'open' OR (kind = 'roster') = (practice_id IS NOT NULL)"


def one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    op.drop_index("uq_feed_personal", table_name="feed")
    op.drop_index("uq_feed_roster", table_name="feed")
    with op.batch_alter_table("feed") as batch:
        batch.add_column(sa.Column("name", sa.String(length=60), nullable=True))
        batch.add_column(sa.Column("parts", sa.JSON(), nullable=False, server_default="[]"))
        batch.add_column(
            sa.Column("reminder", sa.String(length=32), nullable=False, server_default="none")
        )
        batch.add_column(
            sa.Column("all_day", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.add_column(sa.Column("stale_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("written", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("written_etag", sa.String(length=32), nullable=True))
        batch.drop_constraint(op.f("ck_feed_feedkind"), type_="check")
        batch.drop_constraint(op.f("ck_feed_practice_of_roster"), type_="check")
        batch.create_check_constraint(op.f("ck_feed_feedkind"), one_of("kind", KINDS))
        batch.create_check_constraint(op.f("ck_feed_reminder"), one_of("reminder", REMINDERS))
        batch.create_check_constraint(op.f("ck_feed_practice_of_kind"), PRACTICE)
    # Each goes on showing what it showed, at the address it had.
    op.execute("""UPDATE feed SET parts = '["confirmed", "held"]' WHERE kind = 'personal'""")
    op.execute("""UPDATE feed SET parts = '["confirmed", "held", "open"]' WHERE kind = 'roster'""")
    with op.batch_alter_table("feed") as batch:
        for column in ("parts", "reminder", "all_day"):
            batch.alter_column(column, server_default=None)
    op.create_table(
        "feed_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "part",
            sa.Enum(*PARTS, name="part", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id"],
            ["feed.id"],
            name=op.f("fk_feed_event_feed_id_feed"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_event")),
        sa.UniqueConstraint("feed_id", "uid", name=op.f("uq_feed_event_feed_id_uid")),
    )


def downgrade() -> None:
    op.drop_table("feed_event")
    op.execute("DELETE FROM feed WHERE kind = 'open'")
    # One address for each thing: the one that was made first goes on working.
    op.execute(
        "UPDATE feed SET revoked_at = created_at WHERE revoked_at IS NULL AND EXISTS ("
        " SELECT 1 FROM feed AS older WHERE older.revoked_at IS NULL AND older.id < feed.id"
        " AND older.user_id = feed.user_id AND older.kind = feed.kind"
        " AND coalesce(older.practice_id, 0) = coalesce(feed.practice_id, 0))"
    )
    with op.batch_alter_table("feed") as batch:
        batch.drop_constraint(op.f("ck_feed_practice_of_kind"), type_="check")
        batch.drop_constraint(op.f("ck_feed_reminder"), type_="check")
        batch.drop_constraint(op.f("ck_feed_feedkind"), type_="check")
        batch.create_check_constraint(op.f("ck_feed_feedkind"), one_of("kind", OLD_KINDS))
        batch.create_check_constraint(op.f("ck_feed_practice_of_roster"), OLD_PRACTICE)
        for column in ("name", "parts", "reminder", "all_day", "stale_at"):
            batch.drop_column(column)
        batch.drop_column("written")
        batch.drop_column("written_etag")
    for name, columns, kind in (
        ("uq_feed_personal", ["user_id"], "personal"),
        ("uq_feed_roster", ["user_id", "practice_id"], "roster"),
    ):
        where = sa.text(f"kind = '{kind}' AND revoked_at IS NULL")
        op.create_index(
            name, "feed", columns, unique=True, sqlite_where=where, postgresql_where=where
        )
