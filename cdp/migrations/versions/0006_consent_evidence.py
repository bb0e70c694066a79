"""What proves the consents of imported lists, kept with its documents, and named by each record that rests on it."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_evidence",
        sa.Column("id", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("bundle", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("cohort", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("purpose", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("channel", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("evidence", sqltypes.AutoString(length=8), nullable=False),
        sa.Column("missing", sqltypes.AutoString(), nullable=False),
        sa.Column("declared", sqltypes.AutoString(), nullable=False),
        sa.Column("signed_by", sqltypes.AutoString(length=200), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("document", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("entry", sqltypes.AutoString(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_evidence")),
    )
    with op.batch_alter_table("consent_evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_evidence_bundle"), ["bundle"], unique=False)
    op.create_table(
        "consent_document",
        sa.Column("sha256", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("media_type", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_consent_document")),
    )
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("evidenced_by", sqltypes.AutoString(length=32), nullable=False, server_default="")
        )


def downgrade() -> None:
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.drop_column("evidenced_by")
    op.drop_table("consent_document")
    with op.batch_alter_table("consent_evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_evidence_bundle"))
    op.drop_table("consent_evidence")
