"""Records of provisions and receipts: on which terms data went out, what stays of the erased, where data came from."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provision_terms",
        sa.Column("policy", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recipient", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("purpose", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("name_ja", sqltypes.AutoString(), nullable=False),
        sa.Column("name_en", sqltypes.AutoString(), nullable=False),
        sa.Column("address", sqltypes.AutoString(), nullable=False),
        sa.Column("representative", sqltypes.AutoString(), nullable=False),
        sa.Column("role", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("country", sqltypes.AutoString(length=2), nullable=False),
        sa.Column("contract", sqltypes.AutoString(), nullable=False),
        sa.Column("route", sqltypes.AutoString(length=24), nullable=False),
        sa.Column("items", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("policy", "recipient", "purpose", name=op.f("pk_provision_terms")),
    )
    with op.batch_alter_table("provision_terms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provision_terms_route"), ["route"], unique=False)
    op.create_table(
        "provision_subject",
        sa.Column("erased", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("consents", sqltypes.AutoString(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("until", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("erased", name=op.f("pk_provision_subject")),
    )
    with op.batch_alter_table("provision_subject", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provision_subject_until"), ["until"], unique=False)
    op.create_table(
        "provision_point",
        sa.Column("erased", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("namespace", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("erased", "namespace", "token", name=op.f("pk_provision_point")),
    )
    with op.batch_alter_table("provision_point", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provision_point_token"), ["token"], unique=False)
    op.create_table(
        "source_origin",
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("obtained_from", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("since", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("notice_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_origin")),
    )
    op.create_table(
        "received_record",
        sa.Column("id", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("provider", sqltypes.AutoString(), nullable=False),
        sa.Column("address", sqltypes.AutoString(), nullable=False),
        sa.Column("representative", sqltypes.AutoString(), nullable=False),
        sa.Column("acquired", sqltypes.AutoString(), nullable=False),
        sa.Column("seen", sqltypes.AutoString(), nullable=False),
        sa.Column("route", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("filing", sqltypes.AutoString(), nullable=False),
        sa.Column("items", sqltypes.AutoString(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("confirmed_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_record")),
    )
    with op.batch_alter_table("received_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_received_record_source"), ["source"], unique=False)
    with op.batch_alter_table("disclosure", schema=None) as batch_op:
        batch_op.add_column(sa.Column("review_at", sqltypes.UTCDateTime(), nullable=True))
        batch_op.create_index("ix_disclosure_review_at_opened_at", ["review_at", "opened_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("disclosure", schema=None) as batch_op:
        batch_op.drop_index("ix_disclosure_review_at_opened_at")
        batch_op.drop_column("review_at")
    for table in ("received_record", "source_origin", "provision_point", "provision_subject", "provision_terms"):
        op.drop_table(table)
