"""The register of breaches: statements that are only ever added."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "breach_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("breach", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("act", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("said", sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.Column("entry", sqltypes.AutoString(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach_statement")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("breach_statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_breach_statement_breach"), ["breach"], unique=False)


def downgrade() -> None:
    op.drop_table("breach_statement")
