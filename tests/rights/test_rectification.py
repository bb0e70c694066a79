"""What a person had put right stands, and everything that rests on it follows at once."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from cdp import identity, ingest, rights, vault
from cdp.connector.kit import Claim, Item, SourceConfig
from cdp.errors import Problem
from cdp.gate.model import Permission
from cdp.gate.standing import load
from cdp.identity import Canonical, correcting, places
from cdp.identity.model import Aside, Identifier
from cdp.ledger.model import LedgerEntry
from cdp.profile.model import Person, Subject, Trait
from cdp.rights.model import SubjectRequest
from tests.rights.conftest import Grounds

CRM = SourceConfig(
    name="crm",
    traits=("birthday", "country", "full_name", "tier"),
    purposes=("service_delivery",),
    residence_default="JP",
)
OTHER = dataclasses.replace(CRM, name="other")
ADA, NEW = "ada@example.com", "ada.new@example.com"


def import_row(
    grounds: Grounds, *, source: SourceConfig = CRM, mail: str = ADA, crm: str = "C1", **traits: Any
) -> ingest.Report:
    """Let a file say this of Ada, at this instant."""
    grounds.brought += 1
    claims = (Claim("email", mail, verified=True), Claim("crm_id", crm, source.name, verified=True))
    item = Item(at=grounds.clock.now(), claims=claims, message_id=f"r{grounds.brought}", traits=traits)
    report = ingest.take(grounds.database, source, [item], grounds.clock.now())
    assert report.accepted == 1, report.refused
    return report


def rectify(
    grounds: Grounds, traits: Mapping[str, Any] | None = None, *changes: Mapping[str, Any], **asked: Any
) -> SubjectRequest:
    grounds.clock.pass_(hours=1)
    with grounds.database.transaction() as session:
        received = rights.receive(
            session,
            "rectification",
            ("email", "", ADA),
            "subject",
            "desk",
            "",
            grounds.clock.now(),
            verified=True,
            asked=rights.Asked(**asked),
            corrections=rights.read(grounds.policy, traits or {}, changes),
        )
    done = rights.advance(grounds, received.id)
    grounds.clock.pass_(hours=1)
    return done


def counted(request: SubjectRequest, step: str = "correct") -> dict[str, Any]:
    return next(entry["counts"] for entry in json.loads(request.steps) if entry["step"] == step)


def profile(grounds: Grounds, mail: str = ADA) -> Person:
    with grounds.database.snapshot() as session:
        return session.get_one(Person, grounds.person(mail))


def named(mail: str, **more: Any) -> dict[str, Any]:
    return {"type": "email", "value": mail, **more}


def test_a_corrected_birthday_makes_a_child_a_child_in_the_same_transaction(grounds: Grounds) -> None:
    import_row(grounds, birthday="1990-05-05")
    done = rectify(grounds, {"birthday": "2017-05-05"})
    assert (done.state, counted(done)["traits"]) == ("completed", 1)
    assert (profile(grounds).birth_year, profile(grounds).birth_day) == (2017, "05-05")
    with grounds.database.snapshot() as session:
        assert load(session, [1], grounds.clock.now())[1].standing.age == 9


def test_a_corrected_country_changes_the_laws(grounds: Grounds) -> None:
    import_row(grounds, country="JP")
    before = permission(grounds).laws
    rectify(grounds, {"country": "DE"})
    assert profile(grounds).country == "DE"
    assert permission(grounds).laws != before


def permission(grounds: Grounds) -> Permission:
    with grounds.database.snapshot() as session:
        return session.get_one(Permission, grounds.person(ADA))


def test_tomorrows_import_of_the_stale_value_changes_nothing_and_is_counted(grounds: Grounds) -> None:
    import_row(grounds, birthday="1990-05-05", tier="gold")
    rectify(grounds, {"birthday": "2017-05-05", "tier": "silver"})
    for source in (CRM, OTHER):
        grounds.clock.pass_(days=1)
        report = import_row(grounds, source=source, birthday="1990-05-05", tier="gold")
        assert report.dropped["field:birthday", "corrected"] == report.dropped["field:tier", "corrected"] == 1
    assert (profile(grounds).birth_year, profile(grounds).t03) == (2017, "silver")


def test_what_was_said_before_the_correction_does_not_overtake_it_however_late_it_comes(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    earlier = grounds.clock.now()
    rectify(grounds, {"tier": "silver"})
    now, grounds.clock.instant = grounds.clock.instant, earlier + timedelta(minutes=1)
    report = import_row(grounds, source=OTHER, tier="platinum")
    grounds.clock.instant = now
    assert report.dropped["field:tier", "corrected"] == 1
    assert profile(grounds).t03 == "silver"


def test_a_third_value_of_the_source_counts_and_ends_the_correction(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    rectify(grounds, {"tier": "silver"})
    assert not import_row(grounds, tier="platinum").dropped
    grounds.clock.pass_(days=1)
    assert profile(grounds).t03 == "platinum"
    assert not import_row(grounds, tier="gold").dropped, "the source has moved on and may say anything again"
    assert profile(grounds).t03 == "gold"


def test_a_source_that_falls_silent_does_not_take_the_correction_away(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    rectify(grounds, {"tier": "silver"})
    assert import_row(grounds, tier=None).dropped["field:tier", "corrected"] == 1
    assert profile(grounds).t03 == "silver"


def test_records_that_join_the_person_later_do_not_bring_the_stale_value_back(grounds: Grounds) -> None:
    import_row(grounds, source=OTHER, mail="desk@example.com", crm="D9", country="FR", tier="gold")
    grounds.clock.pass_(hours=1)
    import_row(grounds, tier="gold", country="JP")
    rectify(grounds, {"tier": "silver", "country": "DE"})
    with grounds.database.transaction() as session:
        identity.must(session, 1, grounds.person(ADA), "same", "staff", grounds.clock.now())
    assert (profile(grounds).country, profile(grounds).t03) == ("DE", "silver")


def test_a_trait_may_be_added_and_deleted(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    rectify(grounds, {"language": "ja", "tier": None})
    assert (profile(grounds).t02, profile(grounds).t03) == ("ja", None)


def test_a_rectification_can_be_taken_back_whole(grounds: Grounds) -> None:
    import_row(grounds, birthday="1990-05-05", tier="gold")
    grounds.bring("shared@example.com", user="u1")
    before, rows = profile(grounds), statements(grounds)
    done = rectify(
        grounds,
        {"birthday": "2017-05-05", "tier": "silver", "language": "ja"},
        {"replace": named(ADA), "by": named(NEW, verified=True)},
    )
    assert grounds.person(NEW) == 1
    with grounds.database.transaction() as session:
        at, asked = grounds.clock.now(), rights.Asked(revokes=done.id)
        undo = rights.receive_for(session, "rectification", [1], "staff", "desk", "", at, verified=True, asked=asked)
    assert rights.advance(grounds, undo.id).state == "completed"
    assert (profile(grounds), statements(grounds)) == (before, rows)
    assert (grounds.person(ADA), grounds.person(NEW)) == (1, None)


def statements(grounds: Grounds) -> list[tuple[Any, ...]]:
    with grounds.database.snapshot() as session:
        query = select(Trait.subject, Trait.name, Trait.clear, Trait.sealed, Trait.at, Trait.source, Trait.ref)
        return sorted(tuple(row) for row in session.execute(query))


def test_only_staff_take_a_rectification_back_and_only_one_of_the_same_person(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    import_row(grounds, mail="ben@example.com", crm="C2", tier="gold")
    done = rectify(grounds, {"tier": "silver"})
    for person, requester, kind in ((1, "subject", "staff_only"), (2, "staff", "nothing_to_revoke")):
        with grounds.database.transaction() as session, pytest.raises(Problem) as refused:
            asked = rights.Asked(revokes=done.id)
            at = grounds.clock.now()
            rights.receive_for(session, "rectification", [person], requester, "", "", at, verified=True, asked=asked)
        assert refused.value.type == kind


def test_values_wait_sealed_and_stand_nowhere_else(grounds: Grounds) -> None:
    import_row(grounds, full_name="Wrong Name")
    with grounds.database.transaction() as session:
        corrections = rights.read(grounds.policy, {"full_name": "Ada Kawaguchi"}, [{"add": named(NEW)}])
        received = rights.receive(
            session, "rectification", ("email", "", ADA), "subject", "desk", "", grounds.clock.now(),
            corrections=corrections,
        )  # fmt: skip
    assert received.waits_for == "verification"
    assert "Kawaguchi" not in repr(corrections)
    with grounds.database.snapshot() as session:
        kept = session.get_one(SubjectRequest, received.id)
        assert kept.sealed_words
        text = repr(kept.model_dump()) + "".join(session.scalars(select(col(LedgerEntry.header))))
    assert "Kawaguchi" not in text
    assert NEW not in text
    assert rights.advance(grounds, received.id).state == "received", "nobody knows yet who asks"
    with grounds.database.transaction() as session:
        rights.verify(session, received.id, grounds.clock.now())
    done = rights.advance(grounds, received.id)
    assert (done.state, done.sealed_words) == ("completed", None)


def test_an_erasure_takes_the_words_that_wait(grounds: Grounds) -> None:
    import_row(grounds, full_name="Wrong Name")
    with grounds.database.transaction() as session:
        corrections = rights.read(grounds.policy, {"full_name": "Ada Kawaguchi"}, [])
        received = rights.receive_for(
            session, "rectification", [1], "subject", "", "", grounds.clock.now(), corrections=corrections
        )
    grounds.erase(ADA)
    with grounds.database.transaction() as session:
        assert rights.verify(session, received.id, grounds.clock.now()).sealed_words is None
    assert counted(rights.advance(grounds, received.id))["traits"] == 0


def test_the_crash_after_the_correction_is_resumed_and_corrects_once(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    with grounds.database.transaction() as session:
        corrections = rights.read(grounds.policy, {"tier": "silver"}, [])
        how = {"verified": True, "corrections": corrections}
        received = rights.receive_for(session, "appi_34", [1], "subject", "", "", grounds.clock.now(), **how)
    assert rights.advance(grounds, received.id, "correct").state == "in_progress"
    before = statements(grounds)
    assert rights.advance(grounds, received.id).state == "completed"
    assert statements(grounds) == before


def test_a_replaced_address_finds_the_person_and_the_old_one_no_more(grounds: Grounds) -> None:
    import_row(grounds)
    done = rectify(grounds, None, {"replace": named(ADA), "by": named(NEW, verified=True)})
    assert counted(done)["identifiers"] == 1
    assert (grounds.person(NEW), grounds.person(ADA)) == (1, None)


def test_the_stale_address_does_not_come_back_with_a_new_record_of_the_person(grounds: Grounds) -> None:
    import_row(grounds)
    rectify(grounds, None, {"replace": named(ADA), "by": named(NEW, verified=True)})
    import_row(grounds)
    report = import_row(grounds, source=dataclasses.replace(CRM, name="crm"), crm="C1", mail=ADA)
    assert not report.dropped, "the record that is known changes nothing"
    grounds.brought += 1
    claims = (Claim("email", ADA, verified=True), Claim("crm_id", "C1", "crm", verified=True))
    claims += (Claim("user_id", "u7", verified=True),)
    item = Item(at=grounds.clock.now(), claims=claims, message_id="late", traits={"tier": "gold"})
    late = ingest.take(grounds.database, CRM, [item], grounds.clock.now())
    assert late.dropped["field:email", "corrected"] == 1
    assert grounds.person(ADA) is None
    with grounds.database.snapshot() as session:
        assert identity.find(session, "user_id", "", "u7") == 1


def test_somebody_elses_record_with_the_removed_address_is_theirs(grounds: Grounds) -> None:
    import_row(grounds)
    rectify(grounds, None, {"remove": named(ADA)})
    import_row(grounds, crm="C2")
    assert grounds.person(ADA) not in (None, 1)


def test_a_removed_address_parts_those_whom_it_alone_had_joined(grounds: Grounds) -> None:
    grounds.bring(ADA, user="u1")
    grounds.bring(ADA)
    with grounds.database.snapshot() as session:
        assert set(session.scalars(select(Subject.person))) == {1}
    rectify(grounds, None, {"remove": named(ADA)})
    with grounds.database.snapshot() as session:
        assert set(session.scalars(select(Subject.person))) == {1, 2}


@pytest.mark.parametrize("proved", [False, True])
def test_an_added_address_joins_records_only_where_it_was_proved(grounds: Grounds, proved: bool) -> None:
    grounds.bring(ADA)
    grounds.bring(NEW)
    rectify(grounds, None, {"add": named(NEW, verified=proved)})
    with grounds.database.snapshot() as session:
        assert set(session.scalars(select(Subject.person))) == ({1} if proved else {1, 2})


def second_address(grounds: Grounds, **changed: Any) -> None:
    """Let Ada have two addresses, and the second one be so."""
    claims = (Claim("email", ADA, verified=True), Claim("email", NEW, verified=True))
    item = Item(at=grounds.clock.now(), claims=claims, message_id="two", traits={"tier": "gold"})
    assert ingest.take(grounds.database, CRM, [item], grounds.clock.now()).accepted == 1
    with grounds.database.transaction() as session:
        session.execute(update(Identifier).where(is_new(session)).values(**changed))


def is_new(session: Session) -> Any:
    return col(Identifier.suppression_token) == vault.of(session).suppression_token("email", "", NEW)


def as_it_is(grounds: Grounds) -> tuple[bool, int]:
    with grounds.database.snapshot() as session:
        row = session.execute(select(Identifier.verified, Identifier.aside).where(is_new(session))).one()
        return row.verified, row.aside


@pytest.mark.parametrize("was", [{"verified": False}, {"aside": int(Aside.EXPIRED)}, {"aside": int(Aside.HELD)}])
def test_what_was_claimed_over_or_held_counts_once_it_is_proved_until_that_is_taken_back(
    grounds: Grounds, was: dict[str, Any]
) -> None:
    second_address(grounds, **was)
    before = as_it_is(grounds)
    done = rectify(grounds, None, {"add": named(NEW, verified=True)})
    assert (counted(done)["identifiers"], as_it_is(grounds)) == (1, (True, 0))
    with grounds.database.transaction() as session:
        places.hold_still(session)
        assert correcting.revoke(session, done.id, grounds.clock.now()) == [1]
    assert as_it_is(grounds) == before


def test_what_staff_said_is_not_theirs_is_not_added_before_that_is_taken_back(grounds: Grounds) -> None:
    second_address(grounds, verified=True)
    with grounds.database.transaction() as session:
        token = places.find_one(session, Canonical("email", "", NEW)).token
        word = identity.retract(session, 1, ("email", token), "a slip", "staff", grounds.clock.now())
    done = counted(rectify(grounds, None, {"add": named(NEW, verified=True)}))
    assert (done["identifiers"], done["set_aside"]) == (0, 1)
    with grounds.database.transaction() as session:
        identity.revoke(session, word, "staff", grounds.clock.now())
    assert as_it_is(grounds) == (True, 0)


def test_an_address_whose_owner_was_erased_is_kept_out(grounds: Grounds) -> None:
    import_row(grounds)
    grounds.bring(NEW)
    grounds.erase(NEW)
    done = rectify(grounds, None, {"add": named(NEW, verified=True)})
    assert counted(done)["kept_out"] == 1
    assert grounds.person(NEW) is None


def test_a_contested_value_restricts_until_it_is_decided_and_the_person_was_told(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    waiting = rectify(grounds, {"tier": "silver"}, restrict_meanwhile=True)
    assert (waiting.state, waiting.waits_for) == ("in_progress", "decision")
    assert permission(grounds).restricted
    assert profile(grounds).t03 == "gold"
    with grounds.database.transaction() as session:
        rights.accept(session, waiting.id, grounds.clock.now())
    assert rights.advance(grounds, waiting.id).waits_for == "notice"
    assert profile(grounds).t03 == "silver"
    assert permission(grounds).restricted
    with grounds.database.transaction() as session:
        rights.tell(session, waiting.id, grounds.clock.now(), grounds.clock.now())
    assert rights.advance(grounds, waiting.id).state == "completed"
    assert not permission(grounds).restricted


def test_a_dispute_that_ends_does_not_end_another_restriction(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    rights.advance(grounds, grounds.ask("restriction", ADA))
    waiting = rectify(grounds, {"tier": "silver"}, restrict_meanwhile=True)
    with grounds.database.transaction() as session:
        rights.accept(session, waiting.id, grounds.clock.now())
    rights.advance(grounds, waiting.id)
    with grounds.database.transaction() as session:
        rights.tell(session, waiting.id, grounds.clock.now(), grounds.clock.now())
    assert rights.advance(grounds, waiting.id).state == "completed"
    assert permission(grounds).restricted


@pytest.mark.parametrize(
    ("traits", "changes", "pointer"),
    [
        ({"shoe_size": 40}, [], "/corrections/traits/shoe_size"),
        ({"birthday": "yesterday"}, [], "/corrections/traits/birthday"),
        ({}, [{"remove": {"type": "email", "value": "none"}}], "/corrections/identifiers/0/remove"),
        ({}, [{"add": {"type": "email_canon", "value": "eve@gmail.com"}}], "/corrections/identifiers/0/add"),
        ({}, [{"replace": {"type": "email", "value": ADA}}], "/corrections/identifiers/0"),
        ({}, [], "/corrections"),
    ],
)
def test_what_cannot_be_read_is_said_at_once_by_its_place(
    grounds: Grounds, traits: dict[str, Any], changes: list[dict[str, Any]], pointer: str
) -> None:
    with pytest.raises(Problem) as refused:
        rights.read(grounds.policy, traits, changes)
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert "yesterday" not in str(refused.value.errors)
