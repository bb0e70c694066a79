"""This product's own resolver on the benchmark's records: the one place where the two meet.

As in production, component by component over what may join; the tokens are kept in memory and their key in the run.
The attributes are at hand here, for rules that read them.
"""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Sequence

from cdp import deployment as deploying
from cdp.identity import rules
from cdp.identity.normalise import canonical
from cdp.identity.rules import Evidence
from cdp.ops.bench.matching.forest import join_by
from cdp.ops.bench.matching.record import Record, Told
from cdp.policy.terms import Policy
from cdp.settings import read_settings


def resolved(records: Sequence[Record], told: Told) -> list[int]:
    """Decide who is one person by the rules and policies of this deployment."""
    terms, key = deploying.load_policy(read_settings()), secrets.token_bytes(32)
    evidence = [_evidence(terms, key, number, record) for number, record in enumerate(records)]
    people = list(range(len(records)))
    for done, component in enumerate(_components(terms, evidence)):
        rows = [row for number in component for row in evidence[number]]
        people_of = rules.resolve(rows, (), terms.namespaces).people
        for number in component:
            people[number] = people_of.get(number, number)
        if done % 1000 == 0:
            told(component[0], len(records))
    return people


def _evidence(terms: Policy, key: bytes, number: int, record: Record) -> list[Evidence]:
    found = []
    for one in record.identifiers:
        name = canonical(terms, one.namespace, one.value, one.scope, record.region, one.verified)
        if name is not None:
            token = hashlib.blake2b(
                f"{name.namespace}\0{name.scope}\0{name.value}".encode(), key=key, digest_size=16
            ).digest()
            found.append(Evidence(number, name.namespace, token, name.scope, name.verified))
    return found


def _components(terms: Policy, evidence: Sequence[Sequence[Evidence]]) -> list[list[int]]:
    """Return the records that are connected by what may join; those that nothing joins to another are left out."""
    marks = [
        [(row.namespace, row.token) for row in rows if rules.links(terms.namespaces.get(row.namespace), row)]
        for rows in evidence
    ]
    found: dict[int, list[int]] = defaultdict(list)
    for number, root in enumerate(join_by(marks)):
        found[root].append(number)
    return [component for component in found.values() if len(component) > 1]
