"""Which evidence may be believed: not what is blocked, generic, shared, crowded, or another's word about a device."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Set

from cdp.identity.rules.evidence import Evidence, TokenKey, cap, links
from cdp.policy.terms import Namespace

CROWD = 1000
"""Unproven records on one device that are too many to believe in any but the device's own (see `crowding`)."""

_Names = set[tuple[str, str, bytes]]
"""(namespace, scope, token)"""


def usable(
    rows: list[Evidence], namespaces: Mapping[str, Namespace], blocked: Set[TokenKey]
) -> tuple[list[Evidence], dict[TokenKey, str]]:
    """Return what may link, and the states of the tokens that drop out as generic or shared."""
    linking = [
        row for row in rows if links(namespaces.get(row.namespace), row) and (row.namespace, row.token) not in blocked
    ]
    degrees = Counter((row.namespace, row.token) for row in linking if row.verified)
    states = {key: "generic" for key, degree in degrees.items() if degree > cap(namespaces[key[0]])}
    # What is generic proves nobody the owner of a device, either: it is to all the rest as if it were blocked.
    linking = [row for row in linking if (row.namespace, row.token) not in states]
    linking = agreeing(rows, linking, namespaces)
    linking = uncrowded(rows, linking)
    states.update(dict.fromkeys(_shared(linking, namespaces), "shared"))
    return [row for row in linking if (row.namespace, row.token) not in states], states


def agreeing(rows: list[Evidence], linking: list[Evidence], namespaces: Mapping[str, Namespace]) -> list[Evidence]:
    """Keep out of a device's records those that claim, unproven, to be someone other than the device's owner.

    Of claims alone no two may differ. A claim keeps out its own record, and never a proven one.
    """
    proven, claimed = _names(linking, namespaces, True), _names(rows, namespaces, False)
    owners: dict[TokenKey, _Names] = defaultdict(set)
    claims: dict[TokenKey, _Names] = defaultdict(set)
    for row in linking:
        owners[row.namespace, row.token] |= proven.get(row.subject, set())
        claims[row.namespace, row.token] |= claimed.get(row.subject, set())

    def agrees(row: Evidence) -> bool:
        own, key = claimed.get(row.subject, set()) - proven.get(row.subject, set()), (row.namespace, row.token)
        return not own or not _differ(own, owners[key] or claims[key])

    return [row for row in linking if namespaces[row.namespace].verified_only or agrees(row)]


def uncrowded(rows: list[Evidence], linking: list[Evidence]) -> list[Evidence]:
    """Keep of a crowd of unproven records on one value those that name nothing else beside it."""
    unproven = Counter((row.namespace, row.token) for row in linking if not row.verified)
    crowded = {key for key, count in unproven.items() if count > CROWD}
    if not crowded:
        return linking
    named = Counter(row.subject for row in rows)
    return [
        row for row in linking if row.verified or (row.namespace, row.token) not in crowded or named[row.subject] == 1
    ]


def _names(rows: list[Evidence], namespaces: Mapping[str, Namespace], verified: bool) -> dict[int, _Names]:
    """Return by subject the identifiers of which each person has one."""
    found: dict[int, _Names] = defaultdict(set)
    for row in rows:
        term = namespaces.get(row.namespace)
        if term is not None and term.unique and (row.verified or not term.verified_only) == verified:
            found[row.subject].add((row.namespace, row.scope, row.token))
    return found


def _differ(one: _Names, other: _Names) -> bool:
    """Whether two sets name different people: another value of the same kind."""
    return any(mine[:2] == theirs[:2] and mine != theirs for mine in one for theirs in other)


def _shared(rows: list[Evidence], namespaces: Mapping[str, Namespace]) -> set[TokenKey]:
    """Find tokens whose own records name more than `max_unique` different people."""
    proofs: dict[int, _Names] = defaultdict(set)
    for row in rows:
        if namespaces[row.namespace].unique:
            proofs[row.subject].add((row.namespace, row.scope, row.token))
    seen: dict[TokenKey, dict[tuple[str, str], set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        if not namespaces[row.namespace].unique:
            for namespace, scope, token in proofs.get(row.subject, ()):
                seen[row.namespace, row.token][namespace, scope].add(token)
    return {key for key, people in seen.items() if max(map(len, people.values())) > namespaces[key[0]].max_unique}
