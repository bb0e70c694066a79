"""Identity that can be explained and undone: when evidence was seen, what it says apart, cases, moves, holds."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _text(name: str, length: int = 0, server_default: str | None = None) -> sa.Column[str]:
    kind = sqltypes.AutoString(length=length or None)
    return sa.Column(name, kind, nullable=False, server_default=server_default)


def upgrade() -> None:
    for table in ("identifier", "corrected_identifier"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("seen", sa.Integer(), nullable=False, server_default="0"))
            batch_op.add_column(sa.Column("aside", sa.Integer(), nullable=False, server_default="0"))
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column("seen", server_default=None)
            batch_op.alter_column("aside", server_default=None)
    _see_what_is_there()
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.add_column(_text("rule", 16, server_default=""))
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.alter_column("rule", server_default=None)
    with op.batch_alter_table("identity_override", schema=None) as batch_op:
        batch_op.add_column(_text("namespace", 32, server_default=""))
        batch_op.add_column(sa.Column("token", sa.LargeBinary(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(_text("kin", server_default=""))
        batch_op.add_column(sa.Column("case_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("identity_override", schema=None) as batch_op:
        batch_op.alter_column("namespace", server_default=None)
        batch_op.alter_column("token", server_default=None)
        batch_op.alter_column("kin", server_default=None)
        batch_op.create_index(batch_op.f("ix_identity_override_case_id"), ["case_id"], unique=False)
    _make_tables()


def _see_what_is_there() -> None:
    """Count older evidence as seen in the month that it first came: nobody knows better."""
    first = "first_at"
    if op.get_bind().dialect.name == "sqlite":
        month = f"CAST(julianday(date({first}, 'start of month')) - 1721424.5 AS INTEGER)"
    else:
        month = f"CAST(date_trunc('month', {first})::date - DATE '0001-01-01' AS INTEGER) + 1"
    for table in ("identifier", "corrected_identifier"):
        op.execute(f"UPDATE {table} SET seen = {month}")  # noqa: S608 - names of this file


def _make_tables() -> None:
    op.create_table(
        "identity_mark",
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        _text("namespace", 32),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "namespace", name=op.f("pk_identity_mark")),
    )
    op.create_table(
        "person_move",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        _text("cause", 64),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_person_move")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "identity_case",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("rule", 16),
        _text("severity", 8),
        _text("namespace", 32),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        _text("source", 64),
        sa.Column("hold_id", sa.Integer(), nullable=True),
        _text("state", 8),
        sa.Column("opened_at", sqltypes.UTCDateTime(), nullable=False),
        _text("action", 8),
        _text("actor"),
        sa.Column("closed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_case")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "source_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("source", 64),
        sa.Column("since", sqltypes.UTCDateTime(), nullable=False),
        _text("reason"),
        sa.Column("released_at", sqltypes.UTCDateTime(), nullable=True),
        _text("released_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_hold")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "join_rate",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("source", 64),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("joins", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_rate")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "identity_config",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("digest", 64),
        _text("contents"),
        sa.Column("taken_up_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("rebuilt_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_config")),
        sqlite_autoincrement=True,
    )
    for table, columns in _INDEXES.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for names in columns:
                batch_op.create_index(batch_op.f(f"ix_{table}_{names[0]}"), list(names), unique=False)
    op.create_index("ix_join_rate_source_at", "join_rate", ["source", "at"], unique=False)
    op.create_index("ix_identity_case_value", "identity_case", ["namespace", "token"], unique=False)


_INDEXES = {
    "person_move": (("at",), ("subject",)),
    "identity_case": (("state",),),
    "source_hold": (("source",),),
    "identity_config": (("digest",),),
}


def downgrade() -> None:
    for table in ("identity_config", "join_rate", "source_hold", "identity_case", "person_move", "identity_mark"):
        op.drop_table(table)
    with op.batch_alter_table("identity_override", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_override_case_id"))
        for name in ("namespace", "token", "kin", "case_id"):
            batch_op.drop_column(name)
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.drop_column("rule")
    for table in ("identifier", "corrected_identifier"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in ("seen", "aside"):
                batch_op.drop_column(name)
