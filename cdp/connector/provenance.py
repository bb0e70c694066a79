"""Where each source's data come from, and whether a third party that provides them was confirmed (APPI 30).

Declared when a source is added. Of a source that a third party provides nothing may be used before somebody has
confirmed who that is and how they acquired the data: `unconfirmed_sources` names those whose people must wait.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from cdp import ledger
from cdp.connector.model import ReceivedRecord, SourceOrigin
from cdp.errors import FieldError, Problem
from cdp.ids import new_id

SUBJECT, THIRD_PARTY, PUBLIC = "subject", "third_party", "public"

ORIGINS = (SUBJECT, THIRD_PARTY, PUBLIC)

ROUTES = ("consent", "opt_out")

LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider confirmed."""

    provider: str
    address: str
    representative: str
    """Empty for a natural person."""
    acquired: str
    seen: str
    route: str
    filing: str = ""
    is_company: bool = True


def declare(session: Session, source: str, obtained_from: str, at: datetime) -> bool:
    """Keep whom a source has its data from; returns whether that is news. Another origin is confirmed anew."""
    origin = session.get(SourceOrigin, source)
    if origin is None:
        session.add(SourceOrigin(source=source, obtained_from=obtained_from, since=at))
        return obtained_from != SUBJECT
    if origin.obtained_from == obtained_from:
        return False
    origin.obtained_from, origin.since, origin.confirmed, origin.notice_at = obtained_from, at, False, None
    session.add(origin)
    return True


def confirm(
    session: Session, source: str, receipt: Receipt, items: Sequence[str], received_on: date, at: datetime
) -> str:
    """Record what the provider confirmed and return the record's id.

    Raises Problem 409 for a source that no third party provides, 422 naming what is missing in the receipt.
    """
    origin = _third_party(session, source)
    check(receipt)
    name, said = new_id(), {key: value for key, value in asdict(receipt).items() if key != "is_company"}
    row = {**said, "id": name, "source": source, "items": " ".join(items)}
    session.add(ReceivedRecord(**row, received_on=received_on, confirmed_at=at))
    origin.confirmed = True
    session.add(origin)
    ledger.note(session, "source.confirmed", {"source": source, "record": name, "route": receipt.route}, at)
    return name


def doubt(session: Session, source: str, at: datetime) -> None:
    """Take a confirmation back: from now on nothing of the source may be used. Raises Problem 409 as `confirm`."""
    origin = _third_party(session, source)
    origin.confirmed = False
    session.add(origin)
    ledger.note(session, "source.doubted", {"source": source}, at)


def note_notice(session: Session, source: str, told_at: datetime, at: datetime) -> None:
    """Keep when the people of a source were told where their data come from (GDPR 14(3)).

    Raises Problem 409 for a source that has its data from the people themselves, 422 for an instant to come.
    """
    origin = session.get(SourceOrigin, source)
    if origin is None or origin.obtained_from == SUBJECT:
        raise Problem(409, "not_from_others", "The people themselves give these data: there is nothing to tell them.")
    if told_at > at:
        raise Problem(422, "not_told_yet", "Give an instant that has passed: when the people were told.")
    origin.notice_at = told_at
    session.add(origin)
    ledger.note(session, "source.notice", {"source": source, "told_at": told_at.isoformat()}, at)


def unconfirmed_sources(session: Session) -> set[str]:
    """Return the sources that a third party provides and that nobody has confirmed; removed ones too."""
    query = select(col(SourceOrigin.source)).where(
        col(SourceOrigin.obtained_from) == THIRD_PARTY, col(SourceOrigin.confirmed).is_(False)
    )
    return set(session.scalars(query))


def opt_out_sources(session: Session) -> set[str]:
    """Return the sources whose newest record says opt-out: their data may not be given on by opt-out (APPI 27(2))."""
    rows = session.execute(
        select(col(ReceivedRecord.source), col(ReceivedRecord.route)).order_by(col(ReceivedRecord.confirmed_at))
    )
    newest = {source: route for source, route in rows}  # noqa: C416 - of a row, which is no pair to the type checker
    return {source for source, route in newest.items() if route == "opt_out"}


def origins(session: Session) -> dict[str, SourceOrigin]:
    """Return what is declared of each source."""
    return {one.source: one for one in session.scalars(select(SourceOrigin))}


def records(session: Session, sources: Sequence[str]) -> list[ReceivedRecord]:
    """Return what providers of these sources confirmed, oldest first."""
    query = select(ReceivedRecord).where(col(ReceivedRecord.source).in_(list(sources)))
    return list(session.scalars(query.order_by(col(ReceivedRecord.confirmed_at), col(ReceivedRecord.id))))


def forget(session: Session, sources: Sequence[str], before: datetime) -> int:
    """Delete records of these sources that were made before; the confirmation itself stands. Returns how many."""
    old = (col(ReceivedRecord.source).in_(list(sources)), col(ReceivedRecord.confirmed_at) < before)
    return int(session.execute(delete(ReceivedRecord).where(*old)).rowcount)  # type: ignore[attr-defined]


def check(receipt: Receipt) -> None:
    """Raise Problem 422 that names everything missing in a receipt (APPI 30(1), rule 22)."""
    wrong = [
        FieldError(f"/{name}", "This is needed.")
        for name in ("provider", "address", "acquired", "seen")
        if not getattr(receipt, name).strip()
    ]
    wrong += [
        FieldError(f"/{name}", f"At most {LONGEST} characters.")
        for name, value in asdict(receipt).items()
        if isinstance(value, str) and len(value) > LONGEST
    ]
    if receipt.is_company and not receipt.representative.strip():
        wrong.append(FieldError("/representative", "A company is represented by somebody: name them."))
    if receipt.route not in ROUTES:
        wrong.append(FieldError("/route", f"One of {', '.join(ROUTES)}."))
    if receipt.route == "opt_out" and not receipt.filing.strip():
        wrong.append(FieldError("/filing", "The number under which the commission publishes the opt-out (27(2), (4))."))
    if wrong:
        raise Problem(422, "invalid_receipt", "The record of a receipt is not complete; see errors.", wrong)


def _third_party(session: Session, source: str) -> SourceOrigin:
    origin = session.get(SourceOrigin, source)
    if origin is None or origin.obtained_from != THIRD_PARTY:
        told = "No third party provides this source: declare it with obtained_from=third_party."
        raise Problem(409, "not_from_a_third_party", told)
    return origin
