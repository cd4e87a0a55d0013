"""CalDAV: devices and what their calendars hold"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_password",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_by", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_device_password_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_password")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_device_password_secret_hash")),
    )
    op.create_index(op.f("ix_device_password_user_id"), "device_password", ["user_id"])
    op.create_table(
        "dav_collection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "open-days",
                "my-days",
                "availabilities",
                name="davkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["user_account.id"],
            name=op.f("fk_dav_collection_doctor_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dav_collection")),
        sa.UniqueConstraint("doctor_id", "kind", name=op.f("uq_dav_collection_doctor_id_kind")),
        sa.UniqueConstraint("uid", name=op.f("uq_dav_collection_uid")),
    )
    op.create_table(
        "dav_member",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("href", sa.String(length=255), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("resets", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["dav_collection.id"],
            name=op.f("fk_dav_member_collection_id_dav_collection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "href", name=op.f("pk_dav_member")),
    )
    op.create_index(
        op.f("ix_dav_member_collection_id_sequence"), "dav_member", ["collection_id", "sequence"]
    )
    op.create_table(
        "dav_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("href", sa.String(length=255), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=True),
        sa.Column("ends", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignment.id"],
            name=op.f("fk_dav_item_assignment_id_assignment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["dav_collection.id"],
            name=op.f("fk_dav_item_collection_id_dav_collection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dav_item")),
        sa.UniqueConstraint("collection_id", "href", name=op.f("uq_dav_item_collection_id_href")),
        sa.UniqueConstraint("collection_id", "uid", name=op.f("uq_dav_item_collection_id_uid")),
    )
    op.create_index(op.f("ix_dav_item_assignment_id"), "dav_item", ["assignment_id"])


def downgrade() -> None:
    op.drop_table("dav_item")
    op.drop_table("dav_member")
    op.drop_table("dav_collection")
    op.drop_table("device_password")
