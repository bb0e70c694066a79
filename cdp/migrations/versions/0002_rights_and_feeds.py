"""Feeds of changes, corrections, and whom a request is about as rows that can be found."""

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap64
from sqlmodel.sql import sqltypes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "corrected_identifier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("namespace", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("suppression_token", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("normaliser", sa.Integer(), nullable=False),
        sa.Column("first_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrected_identifier")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("corrected_identifier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_corrected_identifier_request"), ["request"], unique=False)
        batch_op.create_index(batch_op.f("ix_corrected_identifier_subject"), ["subject"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_corrected_identifier_suppression_token"), ["suppression_token"], unique=False
        )

    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("name", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("request", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("corrected_to", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("source", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("was_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("clear", sqltypes.AutoString(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_correction_request"), ["request"], unique=False)
        batch_op.create_index(batch_op.f("ix_correction_subject"), ["subject"], unique=False)

    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("listed", sqltypes.AutoString(length=160), nullable=False),
        sa.Column("purpose", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("recipient", sqltypes.AutoString(length=64), nullable=False),
        sa.Column("channel", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("pruned", sa.BigInteger(), nullable=False),
        sa.Column("filled", sa.Boolean(), nullable=False),
        sa.Column("policy", sa.Integer(), nullable=False),
        sa.Column("as_of", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("read_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint(
            "listed", "purpose", "recipient", "channel", name=op.f("uq_feed_listed_purpose_recipient_channel")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feed_member",
        sa.Column("feed", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("pseudonym", sqltypes.AutoString(length=64), nullable=True),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("cause", sqltypes.AutoString(length=16), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "position", name=op.f("pk_feed_member")),
    )
    with op.batch_alter_table("feed_member", schema=None) as batch_op:
        batch_op.create_index("ix_feed_member_feed_person", ["feed", "person"], unique=True)
        batch_op.create_index("ix_feed_member_person", ["person"], unique=False)
        batch_op.create_index("ix_feed_member_present_at", ["present", "at"], unique=False)

    op.create_table(
        "request_subject",
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request", sqltypes.AutoString(length=32), nullable=False),
        sa.Column("unproved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "request", name=op.f("pk_request_subject")),
    )
    with op.batch_alter_table("request_subject", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_subject_request"), ["request"], unique=False)

    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cause", sqltypes.AutoString(length=32), nullable=False, server_default=""))

    with op.batch_alter_table("subject_request", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked", sqltypes.AutoString(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("sealed_words", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("words_owner", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("waits_for", sqltypes.AutoString(length=16), nullable=False, server_default=""))
    with op.batch_alter_table("permission", schema=None) as batch_op:
        batch_op.add_column(sa.Column("collect", sa.LargeBinary(), nullable=True))
    _bitmaps_to_rows()
    _name_what_waits()
    with op.batch_alter_table("subject_request", schema=None) as batch_op:
        batch_op.drop_column("people")
        batch_op.drop_column("holders")


def downgrade() -> None:
    with op.batch_alter_table("subject_request", schema=None) as batch_op:
        batch_op.add_column(sa.Column("holders", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("people", sa.LargeBinary(), nullable=True))
    _rows_to_bitmaps()
    with op.batch_alter_table("permission", schema=None) as batch_op:
        batch_op.drop_column("collect")
    with op.batch_alter_table("subject_request", schema=None) as batch_op:
        batch_op.drop_column("waits_for")
        batch_op.drop_column("words_owner")
        batch_op.drop_column("sealed_words")
        batch_op.drop_column("asked")

    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.drop_column("cause")

    with op.batch_alter_table("request_subject", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_subject_request"))

    op.drop_table("request_subject")
    with op.batch_alter_table("feed_member", schema=None) as batch_op:
        batch_op.drop_index("ix_feed_member_present_at")
        batch_op.drop_index("ix_feed_member_person")
        batch_op.drop_index("ix_feed_member_feed_person")

    op.drop_table("feed_member")
    op.drop_table("feed")
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_correction_subject"))
        batch_op.drop_index(batch_op.f("ix_correction_request"))

    op.drop_table("correction")
    with op.batch_alter_table("corrected_identifier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_corrected_identifier_suppression_token"))
        batch_op.drop_index(batch_op.f("ix_corrected_identifier_subject"))
        batch_op.drop_index(batch_op.f("ix_corrected_identifier_request"))

    op.drop_table("corrected_identifier")


_REQUEST = sa.table(
    "subject_request",
    sa.column("id", sa.String),
    sa.column("right", sa.String),
    sa.column("state", sa.String),
    sa.column("verified", sa.Boolean),
    sa.column("waits_for", sa.String),
    sa.column("asked", sa.String),
    sa.column("people", sa.LargeBinary),
    sa.column("holders", sa.LargeBinary),
)
_CONCERNED = sa.table(
    "request_subject",
    sa.column("subject", sa.Integer),
    sa.column("request", sa.String),
    sa.column("unproved", sa.Boolean),
)


def _bitmaps_to_rows() -> None:
    connection = op.get_bind()
    query = sa.select(_REQUEST.c.id, _REQUEST.c.people, _REQUEST.c.holders).where(_REQUEST.c.people.is_not(None))
    for request, people, holders in connection.execute(query).all():
        unproved = _numbers(holders)
        rows = [
            {"subject": subject, "request": request, "unproved": subject in unproved}
            for subject in sorted(_numbers(people) | unproved)
        ]
        if rows:
            connection.execute(sa.insert(_CONCERNED), rows)


def _name_what_waits() -> None:
    """Requests of unknown senders waited for an identity, and corrections for staff to do them, without saying so."""
    is_open = _REQUEST.c.state.in_(("received", "in_progress"))
    correcting = _REQUEST.c.right.in_(("rectification", "appi_34"))
    for which, values in (
        (_REQUEST.c.verified.is_(False), {"waits_for": "verification"}),
        (_REQUEST.c.verified & correcting, {"waits_for": "decision"}),
        (correcting, {"asked": '{"by_hand": true}'}),
    ):
        op.get_bind().execute(sa.update(_REQUEST).where(is_open, which).values(values))


def _rows_to_bitmaps() -> None:
    connection = op.get_bind()
    people: dict[str, BitMap64] = {}
    holders: dict[str, BitMap64] = {}
    for subject, request, unproved in connection.execute(sa.select(_CONCERNED)).all():
        people.setdefault(request, BitMap64()).add(subject)
        if unproved:
            holders.setdefault(request, BitMap64()).add(subject)
    for request, numbers in people.items():
        unproved = holders.get(request)
        values = {"people": numbers.serialize(), "holders": unproved.serialize() if unproved else None}
        connection.execute(sa.update(_REQUEST).where(_REQUEST.c.id == request).values(values))


def _numbers(blob: bytes | None) -> BitMap64:
    return BitMap64.deserialize(blob) if blob else BitMap64()
