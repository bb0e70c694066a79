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
        "source_terms",
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("establishment", sqltypes.AutoString(length=2), nullable=False),
        sa.Column("offers_to", sqltypes.AutoString(), nullable=False),
        sa.Column("collected_for", sqltypes.AutoString(), nullable=False),
        sa.Column("addresses", sqltypes.AutoString(length=20), nullable=False),
        sa.Column("employees", sa.Boolean(), nullable=False),
        sa.Column("from_opt_out", sa.Boolean(), nullable=False),
        sa.Column("eu_adequacy", sa.Boolean(), nullable=False),
        sa.Column("quarantined", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_terms")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("active_on", sa.Date(), nullable=True))
    op.create_table(
        "policy_period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_period")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_policy_period_at"), "policy_period", ["at"], unique=False)
    op.create_table(
        "situation_value",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("value", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_situation_value")),
    )
    op.create_table(
        "situated",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("changes_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("subjects", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_situated")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_situated_person_at", "situated", ["person", "at"], unique=False)
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contents", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("day", sa.Date(), nullable=True))
    with op.batch_alter_table("permission", schema=None) as batch_op:
        batch_op.add_column(sa.Column("situation", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.add_column(sa.Column("except_brands", sqltypes.AutoString(), nullable=False, server_default=""))
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("verification", sqltypes.AutoString(length=64), nullable=False, server_default="")
        )


def downgrade() -> None:
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.drop_column("verification")
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.drop_column("except_brands")
    with op.batch_alter_table("permission", schema=None) as batch_op:
        batch_op.drop_column("situation")
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.drop_column("day")
        batch_op.drop_column("contents")
    for table in ("situated", "situation_value", "policy_period"):
        op.drop_table(table)
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_column("active_on")
    op.drop_table("source_terms")
