"""Tables of the identity graph: evidence, overrides by people, and what resolution found in the way."""

from datetime import datetime
from enum import IntFlag

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, SQLModel


class Aside(IntFlag):
    """Why evidence does not count. Each is set and taken back by itself, so that no reason hides another."""

    EXPIRED = 1
    """Not seen for too long; seen again, it counts again."""
    HELD = 2
    """Its source is on hold."""
    RETRACTED = 4
    """Somebody said that the subject was not seen with it."""
    LEFT = 8
    """Somebody said that the value left those who had it."""
    ROLE = 16
    """It is a role mailbox by its local part (info@ …): whoever reads it now, not whose it is."""


class Identifier(SQLModel, table=True):
    """Evidence: a subject was seen with this identifier. The token finds; the sealed value is compared."""

    __tablename__ = "identifier"
    __table_args__ = (Index("ix_identifier_namespace_token", "namespace", "token"),)

    subject: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    namespace: str = Field(primary_key=True, max_length=32)
    """For example `email`, `phone`, `crm_id`, `line_uid`, `anonymous_id`."""
    scope: str = Field(default="", max_length=64)
    """The system or provider that gave the value, where limits count per scope."""
    token: bytes = Field(primary_key=True)
    """Blind index of scope and normalised value under the epoch's key."""
    epoch: int
    """Of the key that its token is of: at every instant one for all who have the value (see `epochs`)."""
    suppression_token: bytes = Field(default=b"", index=True)
    """The same value under the suppression key: joins `suppression` without opening anything."""
    sealed: bytes
    """Sealed under the subject's key: JSON `{"value": as normalised, "scope": …}`."""
    verified: bool = False
    normaliser: int = 1
    first_at: datetime
    seen: int = 0
    """First day of the month that it was last seen in, by the source's clock, as `date.toordinal`."""
    aside: int = 0
    """Why it does not count now, bits of `Aside`; 0 = it counts."""


class IdentityMark(SQLModel, table=True):
    """What a subject's birth date or name comes to under a key: it joins nobody, and stands against joining.

    Names are kept as one byte: enough to tell most apart, and shared by so many that it names nobody.
    """

    __tablename__ = "identity_mark"

    subject: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    namespace: str = Field(primary_key=True, max_length=32)
    """For example `birth_date`, `kana_name`."""
    value: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: datetime
    ref: bytes = b""
    """Digest of the message that said so: of two statements of one instant the greater wins."""


class CorrectedIdentifier(SQLModel, table=True):
    """Evidence that a person had removed or added, as it was: what may not come back, and what can be restored."""

    __tablename__ = "corrected_identifier"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    request: str = Field(max_length=32, index=True)
    """The subject request that it was done for."""
    at: datetime
    removed: bool
    """True: was taken from the subject. False: was given to it."""
    subject: int = Field(index=True)
    namespace: str = Field(max_length=32)
    token: bytes
    scope: str = Field(default="", max_length=64)
    epoch: int
    suppression_token: bytes = Field(index=True)
    sealed: bytes
    """Still sealed as the identifier that it was."""
    verified: bool
    normaliser: int
    first_at: datetime
    seen: int = 0
    aside: int = 0


class Token(SQLModel, table=True):
    """One row per identifier token: what two processes that bring the same identifier lock, in token order."""

    __tablename__ = "token"

    namespace: str = Field(primary_key=True, max_length=32)
    token: bytes = Field(primary_key=True)
    state: str = Field(default="active", max_length=16)
    """active, generic (too many subjects), shared (too many unique ids), conflict, blocked"""
    rule: str = Field(default="", max_length=16)
    """Which rule made the conflict: limit | veto | cannot | size | weight."""


class Override(SQLModel, table=True):
    """A person's word on two subjects, on a value, or on a piece of evidence. Revoked, never deleted."""

    __tablename__ = "identity_override"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=8)
    """must | cannot (two subjects) · block | shared | expire (a value) · retract (what a subject was seen with) ·
    hold (what a source brought while it was on hold; revoked = released)"""
    subject: int = Field(default=0, index=True)
    other_subject: int = Field(default=0, index=True)
    namespace: str = Field(default="", max_length=32)
    token: bytes = b""
    case_id: int | None = Field(default=None, index=True)
    """The case that it decided."""
    part_of: int | None = Field(default=None, index=True)
    """The decision that it came with, and is taken back with: who was one person with either stays so."""
    reason: str
    actor: str
    at: datetime
    revoked_at: datetime | None = None


class OverrideValue(SQLModel, table=True):
    """A value that a decision holds for: its own, and those of the same address (see `kinship`)."""

    __tablename__ = "identity_override_value"

    override: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    namespace: str = Field(primary_key=True, max_length=32)
    token: bytes = Field(primary_key=True, index=True)
    subject: int = Field(default=0, primary_key=True, index=True)
    """Whose evidence of it is set aside; 0 = the value means the same for everybody."""


class Alias(SQLModel, table=True):
    """An earlier person number and where it went, for those who keep our numbers; closed when split again."""

    __tablename__ = "person_alias"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    old_person: int = Field(index=True)
    person: int = Field(index=True)
    from_at: datetime
    to_at: datetime | None = None


class Move(SQLModel, table=True):
    """A subject that went from one person to another: from these every partition of the past can be told."""

    __tablename__ = "person_move"
    __table_args__ = {"sqlite_autoincrement": True}

    seq: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    subject: int = Field(index=True)
    before: int
    after: int
    cause: str = Field(max_length=64)
    """arrival · decision:n · revoked:n · erasure · expiry · rebuild …"""


class IdentityCase(SQLModel, table=True):
    """A value that was not believed, or a source that joined too much: held until somebody has looked."""

    __tablename__ = "identity_case"
    __table_args__ = (Index("ix_identity_case_value", "namespace", "token"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    rule: str = Field(max_length=16)
    """limit | veto | cannot | size | weight | generic | shared | breaker"""
    severity: str = Field(max_length=8)
    """notice: nothing to do unless somebody asks · review: a person should decide · alarm: today"""
    namespace: str = Field(default="", max_length=32)
    token: bytes = b""
    source: str = Field(default="", max_length=64)
    hold_id: int | None = None
    """The hold of the source that it is about."""
    state: str = Field(default="open", max_length=8, index=True)
    """open | decided | gone (the evidence changed)"""
    opened_at: datetime
    action: str = Field(default="", max_length=8)
    actor: str = ""
    closed_at: datetime | None = None


class SourceHold(SQLModel, table=True):
    """A source whose new evidence joins nobody until somebody has looked (a circuit breaker)."""

    __tablename__ = "source_hold"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=64, index=True)
    since: datetime
    reason: str
    released_at: datetime | None = None
    released_by: str = ""


class JoinRate(SQLModel, table=True):
    """How many records a batch of a source held, and how many people they made one: only ever added to."""

    __tablename__ = "join_rate"
    __table_args__ = (Index("ix_join_rate_source_at", "source", "at"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=64)
    at: datetime
    records: int
    joins: int


class IdentityConfig(SQLModel, table=True):
    """One content of `policies/identifiers.yaml` that people were resolved under."""

    __tablename__ = "identity_config"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(max_length=64, index=True)
    contents: str
    """JSON of the namespaces."""
    taken_up_at: datetime
    rebuilt_at: datetime | None = None
    """When everybody had been resolved under it; until then some are as the one before had them."""


class MatchRun(SQLModel, table=True):
    """One look for people who may be one: how many were compared, and why nothing was published where nothing was."""

    __tablename__ = "match_run"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    model_version: str = Field(max_length=64)
    counts: str
    """JSON: what was counted, people and bands; nobody is named."""
    refusals: str
    """JSON: [[reason, where], …]: where is a comparison and its step, or a figure."""
    state: str = Field(max_length=9)
    """published | refused"""


class MatchProposal(SQLModel, table=True):
    """Two clusters that may be one person, for somebody to decide: levels of comparisons, no value and no token."""

    __tablename__ = "match_proposal"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    run: int = Field(index=True)
    model_version: str = Field(max_length=64, index=True)
    subject_one: int = Field(index=True)
    """Lowest subject of its cluster at the time, as is the other."""
    subject_other: int = Field(index=True)
    log2_odds: float
    probability: float
    band: float
    levels: str
    """JSON: comparison → step that the two reached."""
    vetoed: bool
    sampled: bool = False
    """Drawn at random from the surest: people's word on these says how right the model is."""
    state: str = Field(default="open", max_length=8, index=True)
    """open | accepted | declined | gone (the clusters are others by now, or a later run does not find them)"""
    actor: str = ""
    closed_at: datetime | None = None
    decision: int | None = None
    """The override that joined them."""
