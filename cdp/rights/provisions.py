"""Provisions to third parties, as their record answers (APPI 29): for a recipient, for a page, and for the erased.

Keeps, when somebody is erased, what the record needs to say whose data it was, and says so in the certificate.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select
from sqlmodel import Session, col

from cdp import gate, identity, policy
from cdp.errors import Problem
from cdp.gate.kept import Kept
from cdp.gate.model import Disclosed
from cdp.gate.pruning import Pruned
from cdp.rights import reach, steps
from cdp.rights.model import Concerned, SubjectRequest
from cdp.rights.reach import Points

WHY = {
    "name": {
        "en": "Act on the Protection of Personal Information, Article 29(2): who provides data to a third party keeps "
        "the record of it, with whose data it was, for three years. The name is sealed and used for nothing else.",
        "ja": "個人情報保護法29条2項：第三者提供の記録（本人を特定するに足りる事項を含む）は3年間保存します。"
        "氏名は封じて保管し、ほかの用途には用いません。",
    },
    "reference": {
        "en": "The record that data were provided stays without any name. A keyed reference lets us answer you, or "
        "defend a claim, if you bring the identifier (GDPR 17(3)(e)); nobody can be read off it.",
        "ja": "第三者提供の記録は氏名なしで残ります。識別子をご提示いただいた場合に限り照合できる鍵付きの参照だけを残し"
        "（GDPR 17条3項(e)）、そこから本人を読み取ることはできません。",
    },
}
"""Form in which something stays → why, for the person."""


def keep(
    session: Session, request: str, subjects: Sequence[int], at: datetime, points: Points | None = None
) -> list[dict[str, Any]]:
    """Keep what records of provisions need of people who are being erased; returns it as the certificate tells it.

    `points` are given where the identifiers themselves are gone already.
    """
    since = gate.kept.begin_of_time(policy.of(session), at)
    if not gate.provision.recorded(session, gate.given(session, subjects, since)):
        return []
    found = []
    for person, own in _by_person(session, subjects).items():
        provisions = gate.provision.recorded(session, gate.given(session, own, since))
        known = reach.points_of(session, own) if points is None else points
        stays = gate.kept.keep(session, person, own, known, provisions, request)
        found += [_certified(stays)] if stays else []
    return found


def _certified(kept: Kept) -> dict[str, Any]:
    form = "name" if kept.named else "reference"
    return {
        "record": "provision to third parties",
        "recipients": list(kept.recipients),
        "provisions": kept.provisions,
        "form": form,
        "until": kept.until.date().isoformat(),
        "why": WHY[form],
    }


def _by_person(session: Session, subjects: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for subject, person in sorted(identity.people_of(session, subjects).items()):
        found[person].append(subject)
    return found


@dataclass(frozen=True, slots=True)
class Listed:
    """One page that a recipient was handed, as its record says; who is on it is asked for by itself."""

    disclosure: str
    at: datetime
    recipient: str
    name_ja: str
    name_en: str
    address: str
    representative: str
    country: str
    purpose: str
    channel: str
    fields: str
    people: int
    article: str
    """Of the APPI, where it wants this provision on record; else empty."""
    ground_ja: str
    ground_en: str
    handed_over: bool
    client: str
    policy: int
    ledger_entry: str


def listed(
    session: Session,
    recipient: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    only_recorded: bool = False,
) -> Iterator[Listed]:
    """Yield every page in order of time: to this recipient, from `since` on, before `until`."""
    query = select(Disclosed).order_by(col(Disclosed.opened_at), col(Disclosed.id))
    if recipient:
        query = query.where(col(Disclosed.recipient) == recipient)
    if since is not None:
        query = query.where(col(Disclosed.opened_at) >= since)
    if until is not None:
        query = query.where(col(Disclosed.opened_at) < until)
    with session.scalars(query.execution_options(yield_per=500)) as pages:
        for some in pages.partitions():
            lines = _lines(session, list(some))
            yield from (line for line in lines if line.article or not only_recorded)


def _lines(session: Session, pages: Sequence[Disclosed]) -> Iterator[Listed]:
    terms = gate.provision.terms_of(session, {(one.policy, one.recipient, one.purpose) for one in pages})
    for one in pages:
        said = terms.get((one.policy, one.recipient, one.purpose))
        door = gate.provision.ROUTES.get(gate.provision.route_of(said, policy.of(session), one))
        yield Listed(
            disclosure=one.id,
            at=one.handed_over_at or one.opened_at,
            recipient=one.recipient,
            name_ja=said.name_ja if said else "",
            name_en=said.name_en if said else "",
            address=said.address if said else "",
            representative=said.representative if said else "",
            country=said.country if said else "",
            purpose=one.purpose,
            channel=one.channel,
            fields=one.fields,
            people=one.count,
            article=door.article if door else "",
            ground_ja=door.ja if door else "",
            ground_en=door.en if door else "",
            handed_over=one.handed_over_at is not None,
            client=one.client,
            policy=one.policy,
            ledger_entry=one.entry,
        )


@dataclass(frozen=True, slots=True)
class Whose:
    """One subject on a page, and what leads to whose it is."""

    subject: int
    state: str
    """held | named | reference | nobody: a person we hold; erased, and the name or the reference stays; else gone."""
    person: int | None
    until: datetime | None = None


def whose(session: Session, disclosure: str) -> list[Whose]:
    """Return whose data a page held, as far as anything leads to them; raises Problem 404 for no such page."""
    page = session.get(Disclosed, disclosure)
    if page is None:
        raise Problem(404, "unknown_disclosure", "There is no such disclosure, or its time on record is over.")
    numbers = list(BitMap64.deserialize(page.people))
    held = identity.people_of(session, numbers)
    kept = {one.erased: one for one in gate.kept.of(session, numbers)}
    return [_whose(number, held.get(number), kept) for number in numbers]


def _whose(number: int, person: int | None, kept: dict[int, Any]) -> Whose:
    if person is not None:
        return Whose(number, "held", person)
    one = kept.get(number)
    if one is None:
        return Whose(number, "nobody", None)
    return Whose(number, "reference" if one.sealed is None else "named", None, one.until)


def names_on(session: Session, disclosure: str, at: datetime) -> dict[int, dict[str, Any]]:
    """Open the names that stay of erased people on a page, for the authority that asks; on record as a disclosure."""
    numbers = [one.subject for one in whose(session, disclosure) if one.state == "named"]
    return gate.kept.open_names(session, gate.kept.of(session, numbers), at)


def traced(session: Session, namespace: str, point: bytes, at: datetime) -> list[dict[str, Any]]:
    """Return what was provided of somebody who was erased, for whoever brings an identifier that they had."""
    numbers = [one.erased for one in gate.kept.find(session, [(namespace, point)]) if one.until > at]
    disclosed = gate.provision.recorded(session, gate.given(session, numbers)) if numbers else []
    terms = gate.provision.terms_of(session, map(gate.provision.key_of, disclosed))
    return [
        {"at": one.at, "disclosure": one.id, "recipient": one.recipient, "purpose": one.purpose, "fields": one.fields}
        | {"address": said.address if (said := terms.get(gate.provision.key_of(one))) else ""}
        for one in disclosed
    ]


def prune(session: Session, at: datetime, limit: int) -> Pruned:
    """End the records whose time is over, but for people with an open request; see `gate.pruning`."""
    return gate.pruning.prune(session, at, limit, _asking(session))


def rehearse(session: Session, at: datetime, limit: int = 1000) -> Pruned:
    """Say what `prune` would do with all that is due; changes nothing."""
    asking, total = _asking(session), Pruned(0, "", 0, 0, 0)
    while True:
        some = gate.pruning.rehearse(session, at, limit, asking, total.last)
        total = Pruned(
            total.pages + some.pages,
            some.last,
            total.deleted + some.deleted,
            total.narrowed + some.narrowed,
            total.references + some.references,
        )
        if some.pages < limit:
            return total


def _asking(session: Session) -> set[int]:
    """Return the subjects with an open request, whose answer may need every record."""
    query = select(col(Concerned.subject)).join(SubjectRequest, col(SubjectRequest.id) == col(Concerned.request))
    return set(session.scalars(query.where(col(SubjectRequest.state).in_(steps.OPEN))))
