"""A past decision can be made again, byte for byte, whatever came after it (GDPR 5(2))."""

from dataclasses import asdict, replace
from datetime import date, timedelta

from sqlalchemy import select, update

from cdp import consent, gate, policy, vault
from cdp.db import Database, unsettle
from cdp.gate import history
from cdp.gate.explanation import Explanation
from cdp.gate.model import PolicyVersion, Situated
from cdp.policy.terms import Use
from cdp.profile.model import Subject, Trait
from tests.gate.test_permission import make_person, say


def explained(house: Database, subject: int, at=None) -> Explanation | None:
    with house.snapshot() as session:
        wanted = ("email_marketing", "ma_tool", "email")
        use = policy.of(session).find_use(*wanted) or Use(-1, *wanted)
        person = session.scalar(select(Subject.person).where(Subject.number == subject)) or subject
        now = house.clock.now()
        return gate.explain(session, person, use, at or now, as_of=at, subject=subject)


def written(found: Explanation | None) -> bytes:
    assert found is not None
    return repr(asdict(found)).encode()


def test_what_was_decided_is_decided_again_after_everything_has_changed(house: Database) -> None:
    person = make_person(house, "DE")
    say(house, person, "given")
    then, before = house.clock.now(), written(explained(house, person))
    house.clock.pass_(days=3)
    say(house, person, "withdrawn")
    with house.transaction() as session:
        session.execute(update(Trait).where(Trait.subject == person, Trait.name == "country").values(clear="JP"))
        token = vault.of(session).suppression_token("email", "", "ada@example.com")
        consent.suppress(session, "email", token, "email", "unsubscribe", house.clock.now())
        unsettle(session, [person])
    house.context["policy"] = replace(policy_of(house), digest="another", packs=policy_of(house).packs)
    gate.register_policy(house)
    assert written(explained(house, person)) != before
    assert written(explained(house, person, then)) == before


def test_the_policy_of_that_day_decides_as_its_files_said(house: Database) -> None:
    person = make_person(house, "DE")
    say(house, person, "given")
    then, before = house.clock.now(), explained(house, person)
    house.clock.pass_(days=1)
    stricter, wrong = policy.assemble(
        _with(house, "purposes/email_marketing.yaml", {"recipients": ["staff"], "examples": []}), date(2026, 6, 2)
    )
    assert stricter is not None and [line for line in wrong if "scenarios" not in line and "examples" not in line] == []
    house.context["policy"] = replace(stricter, digest="stricter")
    gate.register_policy(house)
    again = explained(house, person, then)
    assert written(again) == written(before)
    assert again.policy == policy_digest(house, 1)


def test_who_belonged_together_then_is_told_apart_again(house: Database) -> None:
    """Two are joined later: each one's past answer stays its own."""
    ada, ben = make_person(house, "JP"), make_person(house, "JP", ("ben@example.com",))
    say(house, ada, "given")
    say(house, ben, "withdrawn", mail="ben@example.com")
    then = house.clock.now()
    apart = [written(explained(house, one)) for one in (ada, ben)]
    house.clock.pass_(hours=1)
    with house.transaction() as session:
        session.execute(update(Subject).where(Subject.number == ben).values(person=ada))
        unsettle(session, [ada, ben])
    assert [written(explained(house, one, then)) for one in (ada, ben)] == apart
    assert written(explained(house, ben)) != apart[1]


def test_only_what_changed_is_kept_and_it_goes_with_the_person(house: Database) -> None:
    person = make_person(house)
    for _ in range(3):
        with house.transaction() as session:
            unsettle(session, [person])
    assert kept(house, person) == 1
    say(house, person, "given")
    assert kept(house, person) == 2
    with house.transaction() as session:
        assert gate.holder.forget(session, [person]) > 0
    assert kept(house, person) == 0


def test_a_situation_that_time_alone_changed_is_worked_out_anew(house: Database) -> None:
    person = make_person(house)
    say(house, person, "given", valid_until=house.clock.now() + timedelta(days=1))
    house.clock.pass_(days=2)
    then = house.clock.now()
    house.clock.pass_(days=1)
    with house.snapshot() as session:
        assert history.find(session, person, then) is None
    found = explained(house, person, then)
    assert found is not None and found.decision.first_refusal == "expired"


def policy_of(house: Database):
    return house.context["policy"]


def policy_digest(house: Database, number: int) -> str:
    with house.snapshot() as session:
        return session.get(PolicyVersion, number).digest


def kept(house: Database, person: int) -> int:
    with house.snapshot() as session:
        return len(session.scalars(select(Situated.id).where(Situated.person == person)).all())


def _with(house: Database, path: str, said: dict):
    from cdp.policy.documents import overlaid

    return overlaid(policy_of(house).documents, {path: said})
