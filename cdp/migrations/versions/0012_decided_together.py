"""What a decision carries with it: those who would have been parted by its joining, taken back with it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLE = "identity_override"


def upgrade() -> None:
    with op.batch_alter_table(_TABLE, schema=None) as batch_op:
        batch_op.add_column(sa.Column("part_of", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f(f"ix_{_TABLE}_part_of"), ["part_of"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table(_TABLE, schema=None) as batch_op:
        batch_op.drop_index(batch_op.f(f"ix_{_TABLE}_part_of"))
        batch_op.drop_column("part_of")
