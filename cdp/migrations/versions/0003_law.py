"""What the law engine reads: what sources declare, when somebody was last active, whose consent of which source."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "origin",
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("establishment", sqltypes.AutoString(length=2), nullable=False),
        sa.Column("offers_to", sqltypes.AutoString(), nullable=False),
        sa.Column("collected_for", sqltypes.AutoString(), nullable=False),
        sa.Column("addresses", sqltypes.AutoString(length=20), nullable=False),
        sa.Column("employees", sa.Boolean(), nullable=False),
        sa.Column("from_opt_out", sa.Boolean(), nullable=False),
        sa.Column("eu_adequacy", sa.Boolean(), nullable=False),
        sa.Column("quarantined", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_origin")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("active_on", sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_column("active_on")
    op.drop_table("origin")
