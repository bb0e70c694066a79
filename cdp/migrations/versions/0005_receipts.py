"""The hash of the notice that was shown, kept with each consent record."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        # What was recorded before stays without one: today's text does not prove what was shown then.
        batch_op.add_column(
            sa.Column("notice_sha256", sqltypes.AutoString(length=64), nullable=False, server_default="")
        )


def downgrade() -> None:
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.drop_column("notice_sha256")
