"""Proposals of who may be one person: runs, and pairs for somebody to decide."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _text(name: str, length: int = 0) -> sa.Column[str]:
    return sa.Column(name, sqltypes.AutoString(length=length or None), nullable=False)


def upgrade() -> None:
    op.create_table(
        "match_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        _text("model_version", 64),
        _text("counts"),
        _text("refusals"),
        _text("state", 9),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_run")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "match_proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        _text("model_version", 64),
        sa.Column("subject_one", sa.Integer(), nullable=False),
        sa.Column("subject_other", sa.Integer(), nullable=False),
        sa.Column("log2_odds", sa.Float(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("band", sa.Float(), nullable=False),
        _text("levels"),
        sa.Column("vetoed", sa.Boolean(), nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        _text("state", 8),
        _text("actor"),
        sa.Column("closed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("decision", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_proposal")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("match_proposal", schema=None) as batch_op:
        for name in _INDEXED:
            batch_op.create_index(batch_op.f(f"ix_match_proposal_{name}"), [name], unique=False)


_INDEXED = ("run", "model_version", "subject_one", "subject_other", "state")


def downgrade() -> None:
    for table in ("match_proposal", "match_run"):
        op.drop_table(table)
