"""What people's answers rest on, so that a change of words decides nobody again; who is due, by an index."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DIGESTS = ("traits", "rules", "journeys")


def upgrade() -> None:
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        for name in _DIGESTS:
            batch_op.add_column(sa.Column(name, sqltypes.AutoString(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("taken_up_at", sqltypes.UTCDateTime(), nullable=True))
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        for name in _DIGESTS:
            batch_op.alter_column(name, server_default=None)
    op.drop_index("ix_permission_policy", table_name="permission")
    op.create_index("ix_permission_policy", "permission", ["policy", "person"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_permission_policy", table_name="permission")
    op.create_index("ix_permission_policy", "permission", ["policy"], unique=False)
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        for name in (*_DIGESTS, "taken_up_at"):
            batch_op.drop_column(name)
