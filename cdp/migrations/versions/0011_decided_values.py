"""What a decision holds for, row by row: each can be taken back alone, and moves with the key of the index."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLE = "identity_override_value"
_LEFT = 8


def upgrade() -> None:
    made = op.create_table(
        _TABLE,
        sa.Column("override", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("namespace", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("override", "namespace", "token", "subject", name=op.f(f"pk_{_TABLE}")),
    )
    with op.batch_alter_table(_TABLE, schema=None) as batch_op:
        for name in ("token", "subject"):
            batch_op.create_index(batch_op.f(f"ix_{_TABLE}_{name}"), [name], unique=False)
    _write_down_what_was_decided(made)
    with op.batch_alter_table("identity_override", schema=None) as batch_op:
        batch_op.drop_column("kin")


def _write_down_what_was_decided(made: sa.Table) -> None:
    """Write what older decisions hold for. Whose evidence an `expire` set aside is known by what is set aside now."""
    rows: set[tuple[int, str, bytes, int]] = set()
    for decision, kind, subject, namespace, token, kin in op.get_bind().execute(sa.text(_DECIDED)):
        others = [one.partition(":") for one in kin.split()]
        for name, value in [(namespace, bytes(token)), *((one[0], bytes.fromhex(one[2])) for one in others)]:
            rows.add((decision, name, value, subject if kind == "retract" else 0))
            if kind == "expire":
                who = op.get_bind().execute(sa.text(_LEFT_BY), {"name": name, "token": value, "left": _LEFT})
                rows.update((decision, name, value, subject) for (subject,) in who)
    columns = ("override", "namespace", "token", "subject")
    if rows:
        op.bulk_insert(made, [dict(zip(columns, row, strict=True)) for row in sorted(rows)])


_DECIDED = """
SELECT id, kind, subject, namespace, token, kin FROM identity_override WHERE kind NOT IN ('must', 'cannot')
"""
_LEFT_BY = "SELECT subject FROM identifier WHERE namespace = :name AND token = :token AND (aside & :left) > 0"


def downgrade() -> None:
    with op.batch_alter_table("identity_override", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kin", sqltypes.AutoString(), nullable=False, server_default=""))
    with op.batch_alter_table("identity_override", schema=None) as batch_op:
        batch_op.alter_column("kin", server_default=None)
    op.drop_table(_TABLE)
