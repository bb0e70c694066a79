"""How much a public key may say of one device: nobody vouches for it, so nobody may be parted or joined by much of it.

A message names one device; a second one would join two browsers on anybody's word. A device that came
with as many sets of identifiers as its namespace allows is known from then on by itself alone: what
else a message claims is left out, and what the message says still counts for the device.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlmodel import Session, col

from cdp import policy
from cdp.db import chunked
from cdp.identity import graph, places, rules
from cdp.identity.arriving import Arrival, fingerprint
from cdp.identity.model import Identifier
from cdp.identity.normalise import Canonical
from cdp.identity.rules import TokenKey
from cdp.policy.terms import Policy
from cdp.profile.model import Subject


def one_device(terms: Policy, names: Sequence[Canonical]) -> tuple[Canonical, ...]:
    """Return the names without any device but the first."""
    first = _device(terms, names)
    return tuple(name for name in names if name == first or not _links_unproven(terms, name.namespace))


def thin(session: Session, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return the arrivals; of a public key's new sets, those on a crowded device are reduced to the device."""
    if not any(arrival.public for arrival in arrivals):
        return list(arrivals)
    terms, prints = policy.of(session), [fingerprint(session, arrival) for arrival in arrivals]
    known = _known(session, prints)
    devices = [None if name in known else _crowdable(terms, one) for name, one in zip(prints, arrivals, strict=True)]
    found = places.find(session, {device for device in devices if device})
    keys = {device: (device.namespace, place.token) for device, place in found.items()}
    counted, kept = _counted(session, keys.values()), []
    for name, arrival, device in zip(prints, arrivals, devices, strict=True):
        if device is not None and name not in known:
            if counted[keys[device]] >= rules.cap(terms.namespaces[device.namespace]):
                arrival = replace(arrival, names=(device,))
            else:
                counted[keys[device]] += 1
                known.add(name)
        kept.append(arrival)
    return kept


def _crowdable(terms: Policy, arrival: Arrival) -> Canonical | None:
    """Return the device of an arrival that claims more than a device."""
    return _device(terms, arrival.names) if arrival.public and len(arrival.names) > 1 else None


def _device(terms: Policy, names: Iterable[Canonical]) -> Canonical | None:
    return next((name for name in names if _links_unproven(terms, name.namespace)), None)


def _links_unproven(terms: Policy, namespace: str) -> bool:
    term = terms.namespaces.get(namespace)
    return term is not None and term.role == "link" and not term.verified_only


def _known(session: Session, prints: Iterable[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for some in chunked(sorted(set(prints)), graph.MANY):
        query = select(col(Subject.fingerprint)).where(col(Subject.fingerprint).in_(some))
        found.update(bytes(one) for one in session.scalars(query))
    return found


def _counted(session: Session, keys: Iterable[TokenKey]) -> Counter[TokenKey]:
    """Count the sets that each device came with through public keys."""
    found: Counter[TokenKey] = Counter()
    for some in chunked(sorted(keys), graph.MANY):
        query = (
            select(col(Identifier.namespace), col(Identifier.token), func.count())
            .join(Subject, col(Subject.number) == col(Identifier.subject))
            .where(graph.among(Identifier, some), col(Subject.public))
            .group_by(col(Identifier.namespace), col(Identifier.token))
        )
        found.update({(row[0], bytes(row[1])): row[2] for row in session.execute(query)})
    return found
