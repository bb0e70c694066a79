"""Who is one person: a pure function of evidence and of what people decided, never of order or time.

A token joins the clusters it touches only if no limit, no veto, no cannot-link and no size would break;
otherwise it is in conflict and keeps together only records that nobody is identified by. What is
blocked, generic (on too many subjects) or shared (on too many identified people) joins nothing, so a
value turning generic splits what it had joined. Evidence that nobody vouches for joins nothing and
counts towards nothing, but for devices: those it joins, and never makes generic, so that nobody parts a
stranger from the stranger's browser; a record that claims to be another than a device's owner stays out.
Birth dates and names never join: two different ones stand against joining by anything weaker, unless the other agrees.
The label is the lowest subject number, hence the same evidence gives the same people in any order of
arrival. Protection only ever splits.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from cdp.identity.rules.belief import CROWD, usable
from cdp.identity.rules.clusters import BIRTH_DATE, DENIED, Clusters
from cdp.identity.rules.evidence import (
    MAX_CLUSTER,
    Conflict,
    Evidence,
    Known,
    Link,
    Mark,
    Partition,
    TokenKey,
    cap,
    links,
)
from cdp.policy.terms import Namespace

__all__ = [
    "BIRTH_DATE",
    "CROWD",
    "DENIED",
    "MAX_CLUSTER",
    "Conflict",
    "Evidence",
    "Known",
    "Link",
    "Mark",
    "Partition",
    "TokenKey",
    "cap",
    "join",
    "links",
    "resolve",
    "trace",
]


def resolve(known: Known, namespaces: Mapping[str, Namespace]) -> Partition:
    """Return the partition of the subjects into people (identity.md 4.3, steps 1-4)."""
    return trace(known, namespaces)[0]


def trace(known: Known, namespaces: Mapping[str, Namespace]) -> tuple[Partition, list[Evidence]]:
    """Return the partition, and the evidence that was believed, to be told why."""
    believed, unbelieved = usable(sorted(set(known.evidence)), namespaces, known.blocked)
    partition = join(known, believed, namespaces)
    return replace(partition, states={**unbelieved, **partition.states}), believed


def join(known: Known, believed: list[Evidence], namespaces: Mapping[str, Namespace]) -> Partition:
    """Return the partition that evidence makes of which all is believed, and the states of what is in conflict.

    What is believed of a record hangs on all who share a device, whoever they are joined with; this does not.
    """
    subjects = sorted({row.subject for row in known.evidence} | known.subjects)
    clusters = Clusters(subjects, known, believed, namespaces)
    for first, second in sorted(clusters.must):
        clusters.join_by_hand(first, second)
    states = {key: "conflict" for key, seen in _in_order(believed, namespaces) if not clusters.join(key, seen)}
    return Partition(clusters.people(), states, clusters.conflicts)


def _in_order(rows: list[Evidence], namespaces: Mapping[str, Namespace]) -> list[tuple[TokenKey, dict[int, int]]]:
    """Sort tokens by strength: the priority of their namespace, then the value, in one order under every index key."""
    seen: dict[TokenKey, dict[int, int]] = defaultdict(dict)
    order: dict[TokenKey, tuple[int, str, bytes, bytes]] = {}
    for row in rows:
        key = row.namespace, row.token
        known = seen[key]
        known[row.subject] = max(row.seen, known.get(row.subject, 0))
        order[key] = namespaces[row.namespace].priority, row.namespace, row.value, row.token
    return sorted(seen.items(), key=lambda entry: order[entry[0]])
