"""Who is calling, once the token was believed: a client of one recipient, for purposes, with scopes."""

from dataclasses import dataclass

SCOPES: dict[str, str] = {
    "audience:read": "Count and list people of an audience, as far as each may be reached",
    "audience:write": "Define audiences",
    "journey:read": "Read journeys and list people of a stage",
    "profile:read": "Look one person up",
    "consent:write": "Record and withdraw consent",
    "decision:read": "Have decisions and refusals explained",
    "identity:review": "See why records are one person, and decide what was held",
    "ingest:write": "See and run connectors",
    "request:write": "Bring the requests of data subjects",
    "admin:*": "Everything, and a vouched identity in requests of data subjects",
}

DEFAULT_SCOPES = ("audience:read", "journey:read", "profile:read")
"""What an MA tool needs."""

EVERYTHING = "admin:*"


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind a request. Its scopes say what it may try; the gate says what it gets."""

    client_id: str
    recipient: str
    purposes: frozenset[str]
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the token carries the scope, or everything."""
        return scope in self.scopes or EVERYTHING in self.scopes
