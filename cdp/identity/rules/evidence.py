"""The values that resolution decides over: what was seen, what people said of it, and who is one person."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from cdp.policy.terms import Namespace

MAX_CLUSTER = 2000
"""Subjects in one person; a token that would make more is in conflict, one on more is generic."""

TokenKey = tuple[str, bytes]
"""(namespace, token)"""


class Evidence(NamedTuple):
    """A subject was seen with an identifier."""

    subject: int
    namespace: str
    token: bytes
    scope: str = ""
    verified: bool = False
    value: bytes = b""
    """Names the value for as long as it is known, whichever key its token is of: values are taken in this order."""
    seen: int = 0
    """The month it was last seen in, by the source's clock, as `date.toordinal` of its first day."""


class Mark(NamedTuple):
    """What a subject's birth date or name comes to under a key: it never joins, and stands against joining."""

    subject: int
    namespace: str
    value: int


class Link(NamedTuple):
    """A person's word on two subjects."""

    kind: str
    """must | cannot"""
    subject: int
    other: int


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that resolution rests on, beside the configuration."""

    evidence: tuple[Evidence, ...] | list[Evidence]
    marks: tuple[Mark, ...] | list[Mark] = ()
    links: Set[Link] | tuple[Link, ...] | list[Link] = ()
    blocked: Set[TokenKey] = frozenset()
    """What somebody said means nobody, or everybody: it joins nothing."""
    subjects: Set[int] = frozenset()
    """Who is there beside: subjects of whom no evidence counts now."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a token joined none of those who are identified on it."""

    rule: str
    """limit | veto | cannot | size | weight"""
    namespace: str = ""
    """Of which namespace there would be too many values, where the rule is limit or veto."""
    people: tuple[int, ...] = ()
    """First subject of every cluster that the token touched."""
    together: frozenset[int] = frozenset()
    """Subjects of nobody identified that it joined all the same."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Who is who, and which identifiers could not be believed."""

    people: Mapping[int, int]
    """subject → person, total over the subjects of the evidence."""
    states: Mapping[TokenKey, str]
    """generic | shared | conflict, of tokens that are not simply active."""
    conflicts: Mapping[TokenKey, Conflict] = field(default_factory=dict)


def cap(term: Namespace) -> int:
    """Return on how many subjects a value may be before it is generic."""
    return term.max_degree or MAX_CLUSTER


def links(term: Namespace | None, row: Evidence) -> bool:
    """Whether this kind of evidence may join people at all."""
    return term is not None and term.role == "link" and (row.verified or not term.verified_only)
