"""Claims that are held, releases, swaps, calls, presences, duties, replaced doctors, notices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SOURCES = ("claim", "proposal", "ask", "call", "phone", "swap", "takeover")
RELEASES = (
    "undone",
    "early",
    "granted",
    "emergency",
    "absence",
    "taken_away",
    "expired",
    "refused",
    "swapped",
    "taken_over",
    "untaken",
)
MESSAGES = ("pending", "sending", "sent", "failed", "uncertain", "silenced")
OLD_MESSAGES = ("pending", "sending", "sent", "failed", "uncertain")
TABLES = (
    "availability_answer",
    "availability_note",
    "availability_prompt",
    "call",
    "call_watch",
    "derogation",
    "duty",
    "kept_letter",
    "notify_choice",
    "notify_device",
    "notify_phone",
    "notify_profile",
    "outbox_delivery",
    "replaced_doctor",
    "urgent_advice",
    "invitation",
    "outbox_delivery_part",
    "presence_exception",
    "weekly_presence",
    "call_day",
    "invitation_day",
    "release_request",
    "swap",
)


def one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


NEW_PRACTICE = {
    "claimpolicy": one_of("claim_policy", ("at_once", "held", "trusted")),
    "holdoutcome": one_of("hold_outcome", ("confirm", "free")),
    "hold_hours": "hold_hours BETWEEN 1 AND 336",
    "lock_days": "lock_days BETWEEN 0 AND 90",
    "local_week": "local_half_days_per_week BETWEEN 1 AND 14",
    "local_month": "local_half_days_per_month BETWEEN 1 AND 62",
    "call_weeks_ahead": "call_weeks_ahead BETWEEN 1 AND 26",
    "call_wave_hours": "call_wave_hours BETWEEN 1 AND 168",
}


def upgrade() -> None:
    _assignments()
    _members()
    _practices()
    _messages()
    _new_tables()


def _assignments() -> None:
    # Nobody was there to decide on a held day: it stands.
    op.execute("UPDATE assignment SET state = 'confirmed' WHERE state = 'held'")
    with op.batch_alter_table("assignment") as batch:
        batch.add_column(sa.Column("created_by", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("lifts", sa.JSON(), nullable=False, server_default="[]"))
        batch.add_column(sa.Column("predecessor_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("supervisor_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("released_by", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("release_kind", sa.String(length=32), nullable=True))
        for column in ("created_by", "released_by", "supervisor_id"):
            name = op.f(f"fk_assignment_{column}_user_account")
            batch.create_foreign_key(name, "user_account", [column], ["id"])
        batch.create_foreign_key(
            op.f("fk_assignment_predecessor_id_assignment"),
            "assignment",
            ["predecessor_id"],
            ["id"],
        )
        batch.create_index(op.f("ix_assignment_predecessor_id"), ["predecessor_id"], unique=False)
        batch.drop_constraint(op.f("ck_assignment_assignmentsource"), type_="check")
        batch.create_check_constraint(
            op.f("ck_assignment_assignmentsource"), one_of("source", SOURCES)
        )
        batch.create_check_constraint(
            op.f("ck_assignment_releasekind"), one_of("release_kind", RELEASES)
        )
        batch.create_check_constraint(
            op.f("ck_assignment_held"), "(state = 'held') = (held_until IS NOT NULL)"
        )
        batch.create_check_constraint(
            op.f("ck_assignment_released"), "(state = 'released') = (released_at IS NOT NULL)"
        )
    # Who took and who released a day stood in the audit chain; how, in what is known of it.
    for column, action in (("created_by", "claimed"), ("released_by", "released")):
        op.execute(
            f"UPDATE assignment SET {column} = (SELECT max(actor_id) FROM audit_event"  # noqa: S608 - constants
            f" WHERE subject = 'assignment' AND subject_id = assignment.id"
            f" AND action = 'assignment.{action}'"
            f" AND actor_id IN (SELECT id FROM user_account))"
        )
    op.execute("UPDATE assignment SET created_by = doctor_id WHERE created_by IS NULL")
    op.execute(
        "UPDATE assignment SET release_kind = CASE WHEN released_by = doctor_id"
        " OR released_by IS NULL THEN 'early' ELSE 'taken_away' END WHERE state = 'released'"
    )
    op.execute(
        "UPDATE assignment SET source = 'phone' WHERE source = 'claim' AND created_by <> doctor_id"
    )
    op.execute(
        "UPDATE assignment SET source = 'ask' WHERE source IN ('claim', 'phone')"
        " AND id IN (SELECT assignment_id FROM ask WHERE assignment_id IS NOT NULL)"
    )
    _lifts()


def _lifts() -> None:
    """The limit that a yes to a question passed now stands with the day itself."""
    limits = {
        "raise_weekly_cap": "week_limit",
        "raise_monthly_cap": "month_limit",
        "raise_consecutive": "consecutive_limit",
    }
    ask = sa.table(
        "ask", sa.column("assignment_id"), sa.column("code"), sa.column("limit_half_days")
    )
    assignment = sa.table("assignment", sa.column("id"), sa.column("lifts", sa.JSON()))
    connection = op.get_bind()
    asked = sa.select(ask.c.assignment_id, ask.c.code, ask.c.limit_half_days).where(
        ask.c.assignment_id.is_not(None), ask.c.limit_half_days.is_not(None)
    )
    for assignment_id, code, half_days in connection.execute(asked).all():
        lift = {"code": limits[code], "to": half_days / 2}
        connection.execute(
            sa.update(assignment).where(assignment.c.id == assignment_id).values(lifts=[lift])
        )


def _members() -> None:
    with op.batch_alter_table("member") as batch:
        batch.add_column(
            sa.Column("trusted", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch.add_column(sa.Column("supervisor_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("profession", sa.String(length=60), nullable=True))
        batch.create_foreign_key(
            op.f("fk_member_supervisor_id_user_account"), "user_account", ["supervisor_id"], ["id"]
        )


def _practices() -> None:
    numbers = {
        "hold_hours": "48",
        "lock_days": "7",
        "call_weeks_ahead": "4",
        "call_wave_hours": "24",
    }
    with op.batch_alter_table("practice") as batch:
        for name, default in (("claim_policy", "at_once"), ("hold_outcome", "confirm")):
            batch.add_column(
                sa.Column(name, sa.String(length=32), nullable=False, server_default=default)
            )
        for name, default in numbers.items():
            batch.add_column(
                sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text(default))
            )
        for name in ("local_half_days_per_week", "local_half_days_per_month"):
            batch.add_column(sa.Column(name, sa.Integer(), nullable=True))
        for name, default in (("derogation_required", sa.true()), ("public_page", sa.false())):
            batch.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=default))
        batch.add_column(sa.Column("public_address", sa.String(length=64), nullable=True))
        batch.create_unique_constraint(op.f("uq_practice_public_address"), ["public_address"])
        for name, text in NEW_PRACTICE.items():
            batch.create_check_constraint(op.f(f"ck_practice_{name}"), text)


def _messages() -> None:
    # Each delivery counts its own attempts; what was under way is not sent a second time.
    with op.batch_alter_table("outbox_message") as batch:
        batch.drop_column("attempts")
        batch.drop_constraint(op.f("ck_outbox_message_messagestate"), type_="check")
        batch.create_check_constraint(
            op.f("ck_outbox_message_messagestate"), one_of("state", MESSAGES)
        )


def _new_tables() -> None:
    op.create_table(
        "availability_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["user_account.id"],
            name=op.f("fk_availability_answer_doctor_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_answer")),
        sa.UniqueConstraint(
            "doctor_id", "month", name=op.f("uq_availability_answer_doctor_id_month")
        ),
    )
    op.create_table(
        "availability_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["user_account.id"],
            name=op.f("fk_availability_note_doctor_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_note")),
        sa.UniqueConstraint("doctor_id", "date", name=op.f("uq_availability_note_doctor_id_date")),
    )
    op.create_table(
        "availability_prompt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["user_account.id"],
            name=op.f("fk_availability_prompt_doctor_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_availability_prompt_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_prompt")),
        sa.UniqueConstraint(
            "practice_id",
            "doctor_id",
            "month",
            name=op.f("uq_availability_prompt_practice_id_doctor_id_month"),
        ),
    )
    with op.batch_alter_table("availability_prompt", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_availability_prompt_doctor_id"), ["doctor_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_availability_prompt_due_at"), ["due_at"], unique=False)

    op.create_table(
        "call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("monday", sa.Date(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "prepared",
                "sent",
                "filled",
                "ended",
                "dismissed",
                name="callstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("next_wave_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.Integer(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("wave BETWEEN 0 AND 3", name=op.f("ck_call_wave")),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_call_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["sent_by"], ["user_account.id"], name=op.f("fk_call_sent_by_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index("ix_call_state_next_wave_at", ["state", "next_wave_at"], unique=False)
        batch_op.create_index(
            "uq_call_week",
            ["practice_id", "monday"],
            unique=True,
            sqlite_where=sa.text("state IN ('prepared', 'sent') AND NOT urgent"),
            postgresql_where=sa.text("state IN ('prepared', 'sent') AND NOT urgent"),
        )

    op.create_table(
        "call_watch",
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_call_watch_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("practice_id", name=op.f("pk_call_watch")),
    )
    op.create_table(
        "derogation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=True),
        sa.CheckConstraint("until >= since", name=op.f("ck_derogation_dates")),
        sa.ForeignKeyConstraint(
            ["doctor_id"], ["user_account.id"], name=op.f("fk_derogation_doctor_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_derogation_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_derogation")),
    )
    with op.batch_alter_table("derogation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_derogation_doctor_id"), ["doctor_id"], unique=False)
        batch_op.create_index(
            "ix_derogation_practice_id_doctor_id", ["practice_id", "doctor_id"], unique=False
        )

    op.create_table(
        "duty",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["doctor_id"], ["user_account.id"], name=op.f("fk_duty_doctor_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_duty_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
        sa.UniqueConstraint("practice_id", "date", name=op.f("uq_duty_practice_id_date")),
    )
    with op.batch_alter_table("duty", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_duty_doctor_id"), ["doctor_id"], unique=False)

    op.create_table(
        "kept_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "email",
                "sms",
                "push",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=250), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=True),
        sa.Column("stop", sa.String(length=500), nullable=True),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient_id"],
            ["user_account.id"],
            name=op.f("fk_kept_letter_recipient_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_letter")),
    )
    with op.batch_alter_table("kept_letter", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_kept_letter_recipient_id"), ["recipient_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_kept_letter_sent_at"), ["sent_at"], unique=False)

    op.create_table(
        "notify_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "event_group",
            sa.Enum(
                "days",
                "questions",
                "offers",
                "openings",
                "decisions",
                "absences",
                "reminders",
                "account",
                name="group",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("email", sa.Boolean(), nullable=False),
        sa.Column("sms", sa.Boolean(), nullable=False),
        sa.Column("push", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_notify_choice_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "event_group", name=op.f("pk_notify_choice")),
    )
    op.create_table(
        "notify_device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.String(length=1024), nullable=False),
        sa.Column("p256dh", sa.String(length=128), nullable=False),
        sa.Column("auth", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_notify_device_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_device")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_notify_device_endpoint")),
    )
    with op.batch_alter_table("notify_device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notify_device_user_id"), ["user_id"], unique=False)

    op.create_table(
        "notify_phone",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=6), nullable=True),
        sa.Column("code_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_notify_phone_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notify_phone")),
    )
    op.create_table(
        "notify_profile",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("quiet_start", sa.Time(), nullable=True),
        sa.Column("quiet_end", sa.Time(), nullable=True),
        sa.Column("quiet_email", sa.Boolean(), nullable=False),
        sa.Column("urgent_sms", sa.Boolean(), nullable=False),
        sa.Column("digest_at", sa.Time(), nullable=False),
        sa.CheckConstraint(
            "(quiet_start IS NULL) = (quiet_end IS NULL)",
            name=op.f("ck_notify_profile_both_quiet_hours"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_notify_profile_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notify_profile")),
    )
    op.create_table(
        "outbox_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "email",
                "sms",
                "push",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("digest_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "sending",
                "sent",
                "failed",
                "uncertain",
                name="deliverystate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["recipient_id"],
            ["user_account.id"],
            name=op.f("fk_outbox_delivery_recipient_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_delivery")),
        sa.UniqueConstraint(
            "recipient_id",
            "channel",
            "target",
            "digest_for",
            name=op.f("uq_outbox_delivery_recipient_id_channel_target_digest_for"),
        ),
    )
    with op.batch_alter_table("outbox_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_delivery_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "replaced_doctor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["user_account.id"],
            name=op.f("fk_replaced_doctor_doctor_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_replaced_doctor_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replaced_doctor")),
        sa.UniqueConstraint(
            "practice_id", "month", name=op.f("uq_replaced_doctor_practice_id_month")
        ),
    )
    with op.batch_alter_table("replaced_doctor", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_replaced_doctor_doctor_id"), ["doctor_id"], unique=False
        )

    op.create_table(
        "urgent_advice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_urgent_advice_weekday")),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_urgent_advice_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urgent_advice")),
        sa.UniqueConstraint(
            "practice_id", "weekday", name=op.f("uq_urgent_advice_practice_id_weekday")
        ),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column(
            "preference",
            sa.Enum(
                "wanted",
                "possible",
                "last_resort",
                name="preference",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("half_days", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sent",
                "accepted",
                "declined",
                "obsolete",
                name="invitationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("half_days >= 0", name=op.f("ck_invitation_half_days")),
        sa.CheckConstraint("wave BETWEEN 1 AND 3", name=op.f("ck_invitation_wave")),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_invitation_call_id_call"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"], ["user_account.id"], name=op.f("fk_invitation_doctor_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("call_id", "doctor_id", name=op.f("uq_invitation_call_id_doctor_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_invitation_uid")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_doctor_id"), ["doctor_id"], unique=False)

    op.create_table(
        "outbox_delivery_part",
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["outbox_delivery.id"],
            name=op.f("fk_outbox_delivery_part_delivery_id_outbox_delivery"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["outbox_message.id"],
            name=op.f("fk_outbox_delivery_part_message_id_outbox_message"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "message_id", name=op.f("pk_outbox_delivery_part")),
    )
    with op.batch_alter_table("outbox_delivery_part", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outbox_delivery_part_message_id"), ["message_id"], unique=False
        )

    op.create_table(
        "presence_exception",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column(
            "period",
            sa.Enum(
                "am",
                "pm",
                "day",
                name="period",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_presence_exception_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_presence_exception_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_exception")),
        sa.UniqueConstraint("member_id", "date", name=op.f("uq_presence_exception_member_id_date")),
    )
    with op.batch_alter_table("presence_exception", schema=None) as batch_op:
        batch_op.create_index(
            "ix_presence_exception_practice_id_date", ["practice_id", "date"], unique=False
        )

    op.create_table(
        "weekly_presence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column(
            "period",
            sa.Enum(
                "am",
                "pm",
                "day",
                name="period",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("interval_weeks", sa.Integer(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.CheckConstraint(
            '"end" IS NULL OR "end" >= start', name=op.f("ck_weekly_presence_dates")
        ),
        sa.CheckConstraint(
            "interval_weeks BETWEEN 1 AND 8", name=op.f("ck_weekly_presence_interval_weeks")
        ),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_weekly_presence_weekday")),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_weekly_presence_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_weekly_presence_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_presence")),
    )
    with op.batch_alter_table("weekly_presence", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_weekly_presence_member_id"), ["member_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_weekly_presence_practice_id"), ["practice_id"], unique=False
        )

    op.create_table(
        "call_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("need_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_call_day_call_id_call"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["need_id"], ["need.id"], name=op.f("fk_call_day_need_id_need")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_day")),
        sa.UniqueConstraint("call_id", "need_id", name=op.f("uq_call_day_call_id_need_id")),
    )
    with op.batch_alter_table("call_day", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_day_need_id"), ["need_id"], unique=False)

    op.create_table(
        "invitation_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invitation_id", sa.Integer(), nullable=False),
        sa.Column("need_id", sa.Integer(), nullable=False),
        sa.Column(
            "preference",
            sa.Enum(
                "wanted",
                "possible",
                "last_resort",
                name="preference",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitation.id"],
            name=op.f("fk_invitation_day_invitation_id_invitation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["need.id"], name=op.f("fk_invitation_day_need_id_need")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_day")),
        sa.UniqueConstraint(
            "invitation_id", "need_id", name=op.f("uq_invitation_day_invitation_id_need_id")
        ),
    )
    with op.batch_alter_table("invitation_day", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_day_need_id"), ["need_id"], unique=False)

    op.create_table(
        "release_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "granted",
                "refused",
                "withdrawn",
                "lapsed",
                name="requeststate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("requested_by", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_note", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignment.id"],
            name=op.f("fk_release_request_assignment_id_assignment"),
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["user_account.id"],
            name=op.f("fk_release_request_doctor_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["user_account.id"], name=op.f("fk_release_request_ended_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_release_request_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"],
            ["user_account.id"],
            name=op.f("fk_release_request_requested_by_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_request")),
    )
    with op.batch_alter_table("release_request", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_release_request_assignment_id"), ["assignment_id"], unique=False
        )
        batch_op.create_index(
            "ix_release_request_practice_id_state", ["practice_id", "state"], unique=False
        )
        batch_op.create_index(
            "uq_release_request_open",
            ["assignment_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "swap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("to_doctor_id", sa.Integer(), nullable=True),
        sa.Column("return_id", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=255), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "taken",
                "declined",
                "withdrawn",
                "lapsed",
                "untaken",
                name="swapstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("offered_by", sa.Integer(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.Integer(), nullable=True),
        sa.Column("taken_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "return_id IS NULL OR to_doctor_id IS NOT NULL", name=op.f("ck_swap_in_return")
        ),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_swap_assignment_id_assignment")
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"], ["user_account.id"], name=op.f("fk_swap_doctor_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["offered_by"], ["user_account.id"], name=op.f("fk_swap_offered_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
            name=op.f("fk_swap_practice_id_practice"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["return_id"], ["assignment.id"], name=op.f("fk_swap_return_id_assignment")
        ),
        sa.ForeignKeyConstraint(
            ["taken_by"], ["user_account.id"], name=op.f("fk_swap_taken_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["taken_id"], ["assignment.id"], name=op.f("fk_swap_taken_id_assignment")
        ),
        sa.ForeignKeyConstraint(
            ["to_doctor_id"], ["user_account.id"], name=op.f("fk_swap_to_doctor_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swap")),
    )
    with op.batch_alter_table("swap", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_swap_assignment_id"), ["assignment_id"], unique=False)
        batch_op.create_index("ix_swap_practice_id_state", ["practice_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_swap_to_doctor_id"), ["to_doctor_id"], unique=False)
        batch_op.create_index(
            "uq_swap_open",
            ["assignment_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    with op.batch_alter_table("outbox_message") as batch:
        batch.add_column(
            sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        batch.drop_constraint(op.f("ck_outbox_message_messagestate"), type_="check")
        batch.create_check_constraint(
            op.f("ck_outbox_message_messagestate"), one_of("state", OLD_MESSAGES)
        )
    with op.batch_alter_table("practice") as batch:
        batch.drop_constraint(op.f("uq_practice_public_address"), type_="unique")
        for name in NEW_PRACTICE:
            batch.drop_constraint(op.f(f"ck_practice_{name}"), type_="check")
        for name in (
            "claim_policy",
            "hold_hours",
            "hold_outcome",
            "lock_days",
            "local_half_days_per_week",
            "local_half_days_per_month",
            "derogation_required",
            "call_weeks_ahead",
            "call_wave_hours",
            "public_address",
            "public_page",
        ):
            batch.drop_column(name)
    with op.batch_alter_table("member") as batch:
        batch.drop_constraint(op.f("fk_member_supervisor_id_user_account"), type_="foreignkey")
        for name in ("trusted", "supervisor_id", "profession"):
            batch.drop_column(name)
    # Before doors were told apart, whatever was no proposal was a claim; nothing was held for
    # the clock to decide on.
    op.execute("UPDATE assignment SET source = 'claim' WHERE source NOT IN ('claim', 'proposal')")
    with op.batch_alter_table("assignment") as batch:
        for name in ("held", "released", "releasekind", "assignmentsource"):
            batch.drop_constraint(op.f(f"ck_assignment_{name}"), type_="check")
        batch.drop_index(op.f("ix_assignment_predecessor_id"))
        for column in ("created_by", "released_by", "supervisor_id"):
            batch.drop_constraint(op.f(f"fk_assignment_{column}_user_account"), type_="foreignkey")
        batch.drop_constraint(op.f("fk_assignment_predecessor_id_assignment"), type_="foreignkey")
        for name in (
            "created_by",
            "held_until",
            "lifts",
            "predecessor_id",
            "supervisor_id",
            "released_by",
            "release_kind",
        ):
            batch.drop_column(name)
        batch.create_check_constraint(
            op.f("ck_assignment_assignmentsource"), one_of("source", ("claim", "proposal"))
        )
