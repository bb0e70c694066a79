"""The law behind a refusal, in one line for a terminal."""

from cdp.gate import reasons
from cdp.policy.terms import Law


def ground(code: str, law: Law) -> str:
    """Return the law, the article and the remedy of a refusal's code."""
    found = reasons.reason(code, law=law)
    return f"{found.law} {found.article} → {found.remedy_en}"
