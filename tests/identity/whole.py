"""The shop's policy with every namespace that has a spelling of its own."""

from cdp.policy.terms import Namespace
from tests.ingest.ground import NAMESPACES, make_policy

WHOLE = make_policy(
    namespaces=NAMESPACES
    | {
        "email_canon": Namespace("email_canon", "link", 4, limit=5, max_degree=60, verified_only=True),
        "phone_fixed": Namespace("phone_fixed", "attribute", 8, max_degree=20, verified_only=True),
    }
)
