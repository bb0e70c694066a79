"""Every table of the first version."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client",
        sa.Column("client_id", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("name", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("recipient", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("purposes", sqltypes.AutoString(), nullable=False),
        sa.Column("scopes", sqltypes.AutoString(), nullable=False),
        sa.Column("method", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=True),
        sa.Column("public_key", sqltypes.AutoString(), nullable=True),
        sa.Column("created_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client")),
        sa.UniqueConstraint("name", name=op.f("uq_client_name")),
    )
    op.create_table(
        "consent_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("namespace", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("channel", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("status", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("act", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("notice", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("notice_version", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("language", sqltypes.AutoString(length=8), nullable=False),
        sa.Column("method", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("evidence", sqltypes.AutoString(length=8), nullable=False),
        sa.Column("sealed_evidence", sa.LargeBinary(), nullable=True),
        sa.Column("actor", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("brand", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("event_time", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("received_time", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("valid_until", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("confirm_digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_record")),
        sa.UniqueConstraint("record", name=op.f("uq_consent_record_record")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_consent_record_confirm_digest"), "consent_record", ["confirm_digest"], unique=False)
    op.create_index(op.f("ix_consent_record_subject"), "consent_record", ["subject"], unique=False)
    op.create_index(op.f("ix_consent_record_token"), "consent_record", ["token"], unique=False)
    op.create_table(
        "disclosure",
        sa.Column("id", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("recipient", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("client", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("purpose", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("channel", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("fields", sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("audience", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("policy", sa.Integer(), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("opened_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("deadline", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("state", sqltypes.AutoString(length=8), nullable=False),
        sa.Column("handed_over_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("entry", sqltypes.AutoString(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure")),
    )
    op.create_index(op.f("ix_disclosure_recipient"), "disclosure", ["recipient"], unique=False)
    op.create_index("ix_disclosure_state_deadline", "disclosure", ["state", "deadline"], unique=False)
    op.create_table(
        "dropped",
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sqltypes.AutoString(length=160), nullable=False),
        sa.Column("reason", sqltypes.AutoString(length=48), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", "what", "reason", name=op.f("pk_dropped")),
    )
    op.create_table(
        "fact",
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("kind", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("received_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sqltypes.AutoString(length=3), nullable=True),
        sa.Column("item", sqltypes.AutoString(length=128), nullable=True),
        sa.Column("channel", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_fact")),
    )
    op.create_index("ix_fact_kind_at", "fact", ["kind", "at"], unique=False)
    op.create_index("ix_fact_subject_kind_at", "fact", ["subject", "kind", "at"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("client", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=False),
        sa.Column("until", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_until"), "idempotency", ["until"], unique=False)
    op.create_table(
        "identifier",
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("namespace", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("scope", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("suppression_token", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("normaliser", sa.Integer(), nullable=False),
        sa.Column("first_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "namespace", "token", name=op.f("pk_identifier")),
    )
    op.create_index("ix_identifier_namespace_token", "identifier", ["namespace", "token"], unique=False)
    op.create_index(op.f("ix_identifier_suppression_token"), "identifier", ["suppression_token"], unique=False)
    op.create_table(
        "identity_override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(length=8), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("other_subject", sa.Integer(), nullable=False),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.Column("actor", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_override")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_identity_override_other_subject"), "identity_override", ["other_subject"], unique=False)
    op.create_index(op.f("ix_identity_override_subject"), "identity_override", ["subject"], unique=False)
    op.create_table(
        "keyring_mark",
        sa.Column("keyring", sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("keyring", name=op.f("pk_keyring_mark")),
    )
    op.create_table(
        "ledger_checkpoint",
        sa.Column("origin", sqltypes.AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "size", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("act", sqltypes.AutoString(length=40), nullable=False),
        sa.Column("header", sqltypes.AutoString(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("tree_index", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("entry", name=op.f("uq_ledger_entry_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ledger_entry_act"), "ledger_entry", ["act"], unique=False)
    op.create_index("ix_ledger_entry_tree_index", "ledger_entry", ["tree_index"], unique=True)
    op.create_table(
        "objection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(length=24), nullable=False),
        sa.Column("purpose", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("lifted_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_objection_subject"), "objection", ["subject"], unique=False)
    op.create_table(
        "permission",
        sa.Column("person", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.Integer(), nullable=False),
        sa.Column("laws", sa.Integer(), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("erasing", sa.Boolean(), nullable=False),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.Column("holds_until", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("next_change_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("settled_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_permission")),
    )
    op.create_index("ix_permission_next_change_at", "permission", ["next_change_at"], unique=False)
    op.create_index("ix_permission_policy", "permission", ["policy"], unique=False)
    op.create_table(
        "person",
        sa.Column("person", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("country", sqltypes.AutoString(length=2), nullable=False),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("birth_day", sqltypes.AutoString(length=5), nullable=True),
        sa.Column("customer_since", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("first_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("t01", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("t02", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("t03", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("t04", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("t05", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("t06", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("t07", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("t08", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("n01", sa.Float(), nullable=True),
        sa.Column("n02", sa.Float(), nullable=True),
        sa.Column("n03", sa.Float(), nullable=True),
        sa.Column("n04", sa.Float(), nullable=True),
        sa.Column("n05", sa.Float(), nullable=True),
        sa.Column("n06", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_n01"), "person", ["n01"], unique=False)
    op.create_index(op.f("ix_person_n02"), "person", ["n02"], unique=False)
    op.create_index(op.f("ix_person_t01"), "person", ["t01"], unique=False)
    op.create_index(op.f("ix_person_t02"), "person", ["t02"], unique=False)
    op.create_index(op.f("ix_person_t03"), "person", ["t03"], unique=False)
    op.create_index(op.f("ix_person_t04"), "person", ["t04"], unique=False)
    op.create_table(
        "person_alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("old_person", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("from_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("to_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_alias")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_person_alias_old_person"), "person_alias", ["old_person"], unique=False)
    op.create_index(op.f("ix_person_alias_person"), "person_alias", ["person"], unique=False)
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("digest", name=op.f("uq_policy_version_digest")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "received",
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "digest", name=op.f("pk_received")),
    )
    op.create_index(op.f("ix_received_at"), "received", ["at"], unique=False)
    op.create_table(
        "revoked_token",
        sa.Column("jti", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("until", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_revoked_token")),
    )
    op.create_index(op.f("ix_revoked_token_until"), "revoked_token", ["until"], unique=False)
    op.create_table(
        "source",
        sa.Column("name", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("type", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("settings", sqltypes.AutoString(), nullable=False),
        sa.Column("sealed_credentials", sa.LargeBinary(), nullable=True),
        sa.Column("key_digest", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("removed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_source_key_digest")),
    )
    op.create_table(
        "stage",
        sa.Column("person", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journey", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("stage", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("since", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("until", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("cause", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("person", "journey", name=op.f("pk_stage")),
    )
    op.create_index("ix_stage_journey_stage", "stage", ["journey", "stage"], unique=False)
    op.create_index("ix_stage_until", "stage", ["until"], unique=False)
    op.create_table(
        "subject",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("first_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("residence_default", sqltypes.AutoString(length=2), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("erasing", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_subject")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_subject_fingerprint")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_subject_person"), "subject", ["person"], unique=False)
    op.create_table(
        "subject_key",
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tree", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_subject_key")),
    )
    op.create_table(
        "subject_request",
        sa.Column("id", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("right", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("requester", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("law", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=True),
        sa.Column("holders", sa.LargeBinary(), nullable=True),
        sa.Column("client", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.Column("state", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("steps", sqltypes.AutoString(), nullable=False),
        sa.Column("points", sqltypes.AutoString(), nullable=False),
        sa.Column("certificate", sqltypes.AutoString(), nullable=True),
        sa.Column("package", sa.LargeBinary(), nullable=True),
        sa.Column("package_owner", sa.Integer(), nullable=True),
        sa.Column("package_until", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("received_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("due_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("completed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject_request")),
    )
    op.create_index(op.f("ix_subject_request_state"), "subject_request", ["state"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("namespace", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("reason", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("brand", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("lifted_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("lifted_by", sqltypes.AutoString(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_suppression_namespace_token", "suppression", ["namespace", "token"], unique=False)
    op.create_table(
        "token",
        sa.Column("namespace", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("state", sqltypes.AutoString(length=16), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "token", name=op.f("pk_token")),
    )
    op.create_table(
        "trait",
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("clear", sqltypes.AutoString(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "name", name=op.f("pk_trait")),
    )
    op.create_table(
        "transition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("journey", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("from_stage", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("to_stage", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("cause", sa.LargeBinary(), nullable=True),
        sa.Column("rule", sqltypes.AutoString(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transition")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transition_journey_at", "transition", ["journey", "at"], unique=False)
    op.create_index(op.f("ix_transition_person"), "transition", ["person"], unique=False)
    op.create_table(
        "used_assertion",
        sa.Column("client", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("jti", sqltypes.AutoString(length=128), nullable=False),
        sa.Column("until", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client", "jti", name=op.f("pk_used_assertion")),
    )
    op.create_index(op.f("ix_used_assertion_until"), "used_assertion", ["until"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_used_assertion_until"), table_name="used_assertion")
    op.drop_table("used_assertion")
    op.drop_index(op.f("ix_transition_person"), table_name="transition")
    op.drop_index("ix_transition_journey_at", table_name="transition")
    op.drop_table("transition")
    op.drop_table("trait")
    op.drop_table("token")
    op.drop_index("ix_suppression_namespace_token", table_name="suppression")
    op.drop_table("suppression")
    op.drop_index(op.f("ix_subject_request_state"), table_name="subject_request")
    op.drop_table("subject_request")
    op.drop_table("subject_key")
    op.drop_index(op.f("ix_subject_person"), table_name="subject")
    op.drop_table("subject")
    op.drop_index("ix_stage_until", table_name="stage")
    op.drop_index("ix_stage_journey_stage", table_name="stage")
    op.drop_table("stage")
    op.drop_table("source")
    op.drop_index(op.f("ix_revoked_token_until"), table_name="revoked_token")
    op.drop_table("revoked_token")
    op.drop_index(op.f("ix_received_at"), table_name="received")
    op.drop_table("received")
    op.drop_table("policy_version")
    op.drop_index(op.f("ix_person_alias_person"), table_name="person_alias")
    op.drop_index(op.f("ix_person_alias_old_person"), table_name="person_alias")
    op.drop_table("person_alias")
    op.drop_index(op.f("ix_person_t04"), table_name="person")
    op.drop_index(op.f("ix_person_t03"), table_name="person")
    op.drop_index(op.f("ix_person_t02"), table_name="person")
    op.drop_index(op.f("ix_person_t01"), table_name="person")
    op.drop_index(op.f("ix_person_n02"), table_name="person")
    op.drop_index(op.f("ix_person_n01"), table_name="person")
    op.drop_table("person")
    op.drop_index("ix_permission_policy", table_name="permission")
    op.drop_index("ix_permission_next_change_at", table_name="permission")
    op.drop_table("permission")
    op.drop_index(op.f("ix_objection_subject"), table_name="objection")
    op.drop_table("objection")
    op.drop_index("ix_ledger_entry_tree_index", table_name="ledger_entry")
    op.drop_index(op.f("ix_ledger_entry_act"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_table("ledger_checkpoint")
    op.drop_table("keyring_mark")
    op.drop_index(op.f("ix_identity_override_subject"), table_name="identity_override")
    op.drop_index(op.f("ix_identity_override_other_subject"), table_name="identity_override")
    op.drop_table("identity_override")
    op.drop_index(op.f("ix_identifier_suppression_token"), table_name="identifier")
    op.drop_index("ix_identifier_namespace_token", table_name="identifier")
    op.drop_table("identifier")
    op.drop_index(op.f("ix_idempotency_until"), table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_index("ix_fact_subject_kind_at", table_name="fact")
    op.drop_index("ix_fact_kind_at", table_name="fact")
    op.drop_table("fact")
    op.drop_table("dropped")
    op.drop_index("ix_disclosure_state_deadline", table_name="disclosure")
    op.drop_index(op.f("ix_disclosure_recipient"), table_name="disclosure")
    op.drop_table("disclosure")
    op.drop_index(op.f("ix_consent_record_token"), table_name="consent_record")
    op.drop_index(op.f("ix_consent_record_subject"), table_name="consent_record")
    op.drop_index(op.f("ix_consent_record_confirm_digest"), table_name="consent_record")
    op.drop_table("consent_record")
    op.drop_table("client")
