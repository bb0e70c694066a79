"""Three kinds of no: a refusal is a value, a caller's mistake is a problem, a fault is raised.

No message here ever carries a person's value: messages name fields and reasons, never contents.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no with its reason; the reasons are a closed set kept by the package that refuses."""

    reason: str
    where: str = ""
    """A JSON pointer or a field name; never a value."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a request: where, and what to do about it."""

    pointer: str
    detail: str


class Problem(Exception):
    """A caller's mistake, or a no that does not depend on a person (RFC 9457).

    `type` is the stable end of the problem's URN, for example `unknown_purpose`.
    """

    def __init__(
        self,
        status: int,
        type: str,
        detail: str,
        errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(type)
        self.status = status
        self.type = type
        self.detail = detail
        self.errors = errors or []
        self.headers = headers or {}
        self.extra = extra or {}


class Unavailable(Exception):
    """Something that answers depend on is out of reach: 503, and never data."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class StartRefused(Exception):
    """The product may not start; the message is one sentence that says what to do."""


class KeyDestroyed(Exception):
    """The key of this subject was punctured: expected after erasure, and final."""


class KeyUnavailable(Unavailable):
    """The key store cannot be read now."""


class CiphertextCorrupt(Exception):
    """A sealed value was moved, altered or truncated."""
