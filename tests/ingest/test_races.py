"""Two processes that bring the same people at once: one person each, and nothing lost."""

import random
import threading
import time
from collections.abc import Callable

from sqlalchemy import func
from sqlmodel import col, select

from cdp import consent, ingest, vault
from cdp.connector.kit import Claim, Item
from cdp.db import Database
from cdp.gate.model import Permission
from cdp.identity.model import Identifier, Token
from cdp.profile.model import Fact, Person, Subject
from tests.ingest.ground import CRM, NOW, SITE, claims, email, partition, rows, viewed

PEOPLE = 20


def together(*jobs: Callable[[], None]) -> None:
    """Run the jobs at once and fail with the first error of any."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], None]) -> None:
        try:
            barrier.wait()
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if errors:
        raise errors[0]


def said(seed: int, copy: int) -> list[Item]:
    """Everything about everybody, in an order of its own, from another set of identifiers each."""
    items = [
        item
        for number in range(PEOPLE)
        for item in (
            viewed(
                *claims(user_id=f"user-{number}", anonymous_id=f"device-{number}-{copy}"), message=f"{copy}a{number}"
            ),
            viewed(*claims(anonymous_id=f"device-{number}-{copy}"), message=f"{copy}b{number}"),
            viewed(email(f"p{number}@people.example"), *claims(user_id=f"user-{number}"), message=f"same{number}"),
        )
    ]
    random.Random(seed).shuffle(items)
    return items


def test_the_same_new_identifiers_in_two_processes_make_one_person_each(shop: Database) -> None:
    for round_ in range(3):
        copies = range(2 * round_, 2 * round_ + 2)
        together(*(lambda copy=copy: ingest.take(shop, SITE, said(copy, copy), NOW, group=7) for copy in copies))
    with shop.snapshot() as session:
        assert len(partition(session)) == PEOPLE
        assert session.exec(select(func.count()).select_from(Fact)).one() == PEOPLE * (6 * 2 + 1)
        assert {row.person for row in rows(session, Person)} == {row.person for row in rows(session, Subject)}
        assert 0 not in {row.person for row in rows(session, Subject)}
        used = set(session.exec(select(Identifier.namespace, Identifier.token)).all())
        assert used == set(session.exec(select(Token.namespace, Token.token)).all())


def test_chains_that_grow_from_both_ends_close_into_one_person(shop: Database) -> None:
    def link(number: int) -> Item:
        return viewed(
            *claims(anonymous_id=f"d{number}"),
            Claim("phone", f"09012345{number:03d}", verified=True),
            message=f"x{number}",
        )

    def step(number: int) -> Item:
        return viewed(
            *claims(anonymous_id=f"d{number}"),
            Claim("phone", f"09012345{number + 1:03d}", verified=True),
            message=f"y{number}",
        )

    ends = [link(0), step(0)], [link(1), step(1)]
    together(*(lambda some=some: ingest.take(shop, SITE, some, NOW, group=1) for some in ends))
    with shop.snapshot() as session:
        assert len(partition(session)) == 1


def test_nobody_joins_a_person_after_the_erasure_has_looked(shop: Database) -> None:
    """The first step of an erasure locks the tokens, looks, silences and marks: who comes later stays out."""
    address, seen = "eve@people.example", set[int]()
    ingest.take(shop, CRM, [bring(address, 0)], NOW)

    def import_more() -> None:
        for number in range(1, 25):
            ingest.take(shop, CRM, [bring(address, number)], NOW)

    def stop() -> None:
        time.sleep(0.05)
        with shop.transaction() as session:
            keys = vault.of(session)
            name, silent = keys.token("email", "", address), keys.suppression_token("email", "", address)
            session.exec(select(Token).where(col(Token.token) == name).with_for_update()).all()
            seen.update(session.exec(select(Identifier.subject).where(col(Identifier.token) == name)).all())
            consent.suppress(session, "email", silent, "*", "erasure", NOW)
            for row in session.exec(select(Permission).where(col(Permission.person).in_(seen))).all():
                row.erasing = True
                session.add(row)

    together(import_more, stop)
    with shop.snapshot() as session:
        name = vault.of(session).token("email", "", address)
        assert seen == set(session.exec(select(Identifier.subject).where(col(Identifier.token) == name)).all())


def bring(address: str, number: int) -> Item:
    return viewed(email(address), Claim("note", f"n{number}"), message=f"{number}")
