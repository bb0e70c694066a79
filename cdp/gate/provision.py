"""Provision to third parties as its record must tell it: to whom, what, and on which ground (APPI 29, rules 19-21).

A page's row says who got which fields of whom, when. What the policy said of the recipient then is kept once per
version of the policy, since its files may say something else by the time that somebody asks. Which consent a
provision rested on is found in the records of consent, which are never changed, as of that instant.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, tuple_
from sqlmodel import Session, col

from cdp import consent, policy
from cdp.consent.model import ConsentRecord
from cdp.consent.rules import Said, effective
from cdp.db import chunked, insert_ignoring
from cdp.gate.decide import allowed_fields
from cdp.gate.given import Given
from cdp.gate.laws import provision
from cdp.gate.laws.rule import Declared, declared_use
from cdp.gate.model import Disclosed, ProvisionTerms
from cdp.policy.processing import field_title
from cdp.policy.terms import Law, Policy, Use

MONTHS = 36
"""How long a record is kept where no law pack says otherwise (APPI 29(2), rule 21)."""

Key = tuple[int, str, str]
"""(policy, recipient, purpose)."""

_KEPT = select(col(ProvisionTerms.policy)).where(
    col(ProvisionTerms.policy) == bindparam("policy"),
    col(ProvisionTerms.recipient) == bindparam("recipient"),
    col(ProvisionTerms.purpose) == bindparam("purpose"),
)
"""Whether terms are kept already: asked for every page, so built once."""


@dataclass(frozen=True, slots=True)
class Route:
    """By which door data went to a third party."""

    article: str
    ja: str
    en: str


ROUTES: Mapping[str, Route] = {
    "consent": Route("27(1)", "本人の同意を得ている", "the person consented"),
    "opt_out": Route("27(2)", "届出済みのオプトアウトによる", "by an opt-out that was filed"),
    "consent_abroad": Route(
        "28(1)", "外国にある第三者への提供について本人の同意を得ている", "the person consented to provision abroad"
    ),
}


def months(terms: Policy) -> int:
    """Return how many months a record of a provision is kept."""
    pack = terms.packs.get(Law.APPI)
    return int(pack.values.get("provision_record_months", MONTHS)) if pack else MONTHS


def route(terms: Policy, use: Use) -> str:
    """Return one of ROUTES for a use whose provision the APPI wants recorded; empty for any other."""
    declared = declared_use(terms, use)
    if declared is None or Law.APPI not in terms.packs or not provision.is_recorded(declared):
        return ""
    return _door(declared)


def _door(declared: Declared) -> str:
    """Tell the doors apart."""
    if provision.route(declared) == "opt_out":
        return "opt_out"
    ground = declared.recipient.transfer(Law.APPI)
    return "consent_abroad" if ground is not None and ground.kind == "jp_consent" else "consent"


def keep_terms(session: Session, number: int, recipient: str, purpose: str, channel: str, at: datetime) -> None:
    """Keep on which terms this recipient gets data under this version of the policy, the first time that it does."""
    terms = policy.of(session)
    use = terms.find_use(purpose, recipient, channel)
    if use is None or number < 0:
        return
    key = {"policy": number, "recipient": recipient, "purpose": purpose}
    if session.connection().execute(_KEPT, key).first() is not None:
        return
    to = terms.recipients[recipient]
    fields = allowed_fields(terms, use)
    row = {
        **key,
        "name_ja": to.title_ja,
        "name_en": to.title_en,
        "address": to.address,
        "representative": to.representative,
        "role": to.role,
        "country": to.country,
        "contract": to.contract,
        "route": route(terms, use),
        "items": json.dumps({one: [field_title(terms, one, how) for how in ("ja", "en")] for one in fields}),
        "at": at,
    }
    insert_ignoring(session, ProvisionTerms, [row])


def terms_of(session: Session, keys: Iterable[Key]) -> dict[Key, ProvisionTerms]:
    """Load the terms of these disclosures; one from before terms were kept has none."""
    found: dict[Key, ProvisionTerms] = {}
    columns = tuple_(col(ProvisionTerms.policy), col(ProvisionTerms.recipient), col(ProvisionTerms.purpose))
    for some in chunked(sorted(set(keys)), 300):
        for row in session.scalars(select(ProvisionTerms).where(columns.in_(some))):
            found[row.policy, row.recipient, row.purpose] = row
    return found


def recorded(session: Session, disclosed: Sequence[Given]) -> list[Given]:
    """Return those of the disclosures that the APPI wants on record."""
    terms, now = terms_of(session, map(key_of, disclosed)), policy.of(session)
    return [one for one in disclosed if route_of(terms.get(key_of(one)), now, one)]


def route_of(terms: ProvisionTerms | None, now: Policy, one: Given | Disclosed) -> str:
    """Return the route as it was kept; of one from before terms were kept, as the policy has it now."""
    if terms is not None:
        return terms.route
    use = now.find_use(one.purpose, one.recipient, one.channel)
    return route(now, use) if use else ""


def key_of(one: Given) -> Key:
    """Return by what the terms of a disclosure are found."""
    return one.policy, one.recipient, one.purpose


def consents(session: Session, subjects: Sequence[int], provisions: Sequence[Given]) -> dict[str, str]:
    """Return the consent record that each provision rested on, by disclosure; one that cannot be found is left out."""
    said = [one for some in consent.said_by(session, subjects).values() for one in some]
    orders = {one.id: _order(said, one) for one in provisions}
    names = _names(session, {order for order in orders.values() if order is not None})
    return {disclosure: names[order] for disclosure, order in orders.items() if order in names}


def _order(said: Sequence[Said], one: Given) -> int | None:
    known = [word for word in said if word.received <= one.opened_at]
    holds = (
        effective(known, one.purpose, one.channel, token, one.opened_at)
        for token in sorted({b"", *(word.token for word in known)})
    )
    return max((state.order for state in holds if state and state.status == "given"), default=None)


def _names(session: Session, orders: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in chunked(sorted(orders)):
        query = select(col(ConsentRecord.id), col(ConsentRecord.record)).where(col(ConsentRecord.id).in_(some))
        found.update((row[0], row[1]) for row in session.execute(query))
    return found


def shown(one: Given, terms: ProvisionTerms | None, now: Policy, record: str | None) -> dict[str, Any] | None:
    """Return what the record of a provision says beside the disclosure's own row; None where none is wanted."""
    name = route_of(terms, now, one)
    if not name:
        return None
    door = ROUTES[name]
    titles: dict[str, list[str]] = json.loads(terms.items) if terms else {}
    return {
        "law": "APPI",
        "article": "29",
        "route": {"code": name, "article": door.article, "ja": door.ja, "en": door.en},
        "items": [
            {"field": field, "ja": titles.get(field, [field, field])[0], "en": titles.get(field, [field, field])[1]}
            for field in one.fields
        ],
        "consent_record": record,
    }
