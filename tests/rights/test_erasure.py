import json

import pytest
from sqlalchemy import func, select, text
from sqlmodel import col

from cdp import identity, rights, vault
from cdp.consent.model import Suppression
from cdp.errors import KeyDestroyed, Problem
from cdp.gate.model import Permission
from cdp.identity.model import Override
from cdp.ledger.model import LedgerEntry
from cdp.rights import certificate, erasure, steps, tombstones
from cdp.rights.model import SubjectRequest
from cdp.vault.model import SubjectKey
from tests.rights.conftest import SHOP, Grounds

STEPS = [name for name, _ in erasure.STEPS]


def rows_of(grounds: Grounds, subjects: list[int]) -> dict[str, int]:
    with grounds.database.snapshot() as session:
        return erasure.count_rows(session, subjects)


def test_an_erased_person_is_gone_from_every_table_and_others_stay(grounds: Grounds) -> None:
    grounds.bring("eve@example.com", "ada@example.com")
    eve, ada = grounds.person("eve@example.com"), grounds.person("ada@example.com")
    kept = rows_of(grounds, [ada])
    assert rows_of(grounds, [eve])["subject_key"] == 1
    done = grounds.erase("eve@example.com")
    assert done.state == "completed"
    assert rows_of(grounds, [eve]) == {}
    assert rows_of(grounds, [ada]) == kept
    assert grounds.person("eve@example.com") is None
    assert grounds.person("ada@example.com") == ada


def test_the_whole_cluster_goes_with_every_identifier_silenced(grounds: Grounds) -> None:
    grounds.bring("eve@example.com", user="u1")
    grounds.bring("eve@work.example", user="u1")
    assert grounds.person("eve@example.com") == grounds.person("eve@work.example")
    assert len(grounds.subjects()) == 2
    grounds.erase("eve@work.example")
    assert grounds.subjects() == []
    with grounds.database.snapshot() as session:
        reasons = session.scalars(select(col(Suppression.reason))).all()
    assert reasons == ["erasure"] * 3


def test_the_keys_are_destroyed_and_not_only_the_rows(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    with grounds.database.snapshot() as session:
        [key] = [(key.subject, key.tree, key.wrapped) for key in session.scalars(select(SubjectKey))]
    grounds.vault.unwrap(*key)
    grounds.erase("eve@example.com")
    with pytest.raises(KeyDestroyed):
        grounds.vault.unwrap(*key)


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_after_any_step_is_resumed_to_the_same_end(grounds: Grounds, step: str) -> None:
    grounds.bring("eve@example.com", "ada@example.com")
    eve = grounds.person("eve@example.com")
    paused = grounds.erase("eve@example.com", stop_after=step)
    assert steps.is_taken(paused, step)
    with grounds.database.snapshot() as session:
        waiting = rights.pending(session)
    assert waiting == ([] if step == "certify" else [paused.id])
    done = rights.advance(grounds, paused.id)
    assert done.state == "completed"
    assert rows_of(grounds, [eve]) == {}
    assert json.loads(done.certificate)["body"]["destroyed"]["subject_key"] == 1


@pytest.mark.parametrize("step", STEPS[:-1])
def test_a_step_that_ran_but_was_not_remembered_may_run_again(grounds: Grounds, step: str) -> None:
    grounds.bring("eve@example.com", "ada@example.com")
    paused = grounds.erase("eve@example.com", stop_after=step)
    if step != "forget":  # what forget does and its checkpoint are one transaction
        with grounds.database.transaction() as session:
            steps.reopen(session, steps.load(session, paused.id), [step])
    done = rights.advance(grounds, paused.id)
    assert done.state == "completed"
    assert json.loads(done.certificate)["body"]["destroyed"]["subject_key"] == 1
    assert grounds.person("ada@example.com") is not None


def test_the_first_step_already_says_no_to_everything(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    eve = grounds.person("eve@example.com")
    grounds.erase("eve@example.com", stop_after="stop")
    with grounds.database.snapshot() as session:
        assert session.get(Permission, eve).erasing
    report = grounds.bring("eve@example.com")
    assert report.accepted == 0


def test_an_import_after_an_erasure_revives_nobody(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    grounds.erase("eve@example.com")
    report = grounds.bring("eve@example.com")
    assert report.accepted == 0
    assert grounds.subjects() == []
    assert grounds.person("eve@example.com") is None


def test_a_first_party_act_begins_anew_with_another_number_and_key(grounds: Grounds) -> None:
    from dataclasses import replace

    grounds.bring("eve@example.com")
    [before] = grounds.subjects()
    grounds.erase("eve@example.com")
    grounds.clock.pass_(hours=1)
    report = grounds.bring("eve@example.com", source=replace(SHOP, readmits=True))
    assert report.accepted == 1
    [after] = grounds.subjects()
    assert after > before
    rights.replay(grounds)
    assert grounds.subjects() == [after], "the tombstone names the old number only"


def test_a_cluster_that_grew_meanwhile_is_erased_whole(grounds: Grounds) -> None:
    grounds.bring("eve@example.com", "late@example.com")
    eve, late = grounds.person("eve@example.com"), grounds.person("late@example.com")
    paused = grounds.erase("eve@example.com", stop_after="puncture")
    with grounds.database.transaction() as session:
        session.add(Override(kind="must", subject=eve, other_subject=late, reason="", actor="", at=grounds.clock.now()))
        session.flush()
        identity.resolve(session, [eve, late], grounds.clock.now(), "test")
    done = rights.advance(grounds, paused.id)
    assert done.state == "completed"
    assert grounds.subjects() == []
    logged = {subject for stone in tombstones.read(grounds.erasures) for subject in stone.subjects}
    assert logged == {eve, late}


def test_an_unknown_identifier_is_kept_out_and_the_certificate_says_nothing_was_held(grounds: Grounds) -> None:
    done = grounds.erase("nobody@example.com")
    body = json.loads(done.certificate)["body"]
    assert body["held"] is False
    assert body["destroyed"] == {}
    assert body["statement"].startswith("Nothing was held")
    assert grounds.bring("nobody@example.com").accepted == 0


def test_the_certificate_verifies_and_no_changed_one_does(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    done = grounds.erase("eve@example.com")
    public = grounds.signer.public
    assert certificate.verify(done.certificate, public)
    body = json.loads(done.certificate)["body"]
    assert body["request"] == done.id
    assert body["keyring"]["version"] == grounds.vault.keyring.version
    assert body["keyring"]["index_epochs"] == [1]
    assert not certificate.verify(done.certificate.replace('"subjects": 1', '"subjects": 2'), public)
    assert not certificate.verify(done.certificate, b"\0" * 32)
    assert not certificate.verify("{}", public)


def test_older_copies_of_the_keyring_are_named_in_the_certificate(grounds: Grounds) -> None:
    [log] = grounds.erasures
    (log.parent / "copy.json").write_bytes((log.parent / "keyring.json").read_bytes())
    grounds.bring("eve@example.com")
    done = grounds.erase("eve@example.com")
    [older] = json.loads(done.certificate)["body"]["keyring"]["older_copies"]
    assert older["version"] == 1


@pytest.mark.parametrize("gone", [False, True], ids=["in the middle of a rotation", "in a restored copy"])
def test_an_erasure_finds_whom_no_newest_key_of_the_index_names(grounds: Grounds, gone: bool) -> None:
    grounds.bring("eve@example.com", user="u1")
    grounds.vault.keyring.rotate_index()
    if gone:
        grounds.vault.keyring.destroy_epoch(1)
    done = grounds.erase("eve@example.com")
    assert (done.state, grounds.subjects()) == ("completed", [])


def test_nothing_of_the_person_stays_in_request_ledger_or_tombstone(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    done = grounds.erase("eve@example.com")
    with grounds.database.snapshot() as session:
        assert steps.subjects_of(session, done) == []
    assert (done.points, done.reason) == ("[]", "")
    with grounds.database.snapshot() as session:
        headers = session.scalars(select(col(LedgerEntry.header))).all()
        acts = session.scalars(select(col(LedgerEntry.act))).all()
    everything = "".join(headers) + done.certificate + done.steps + grounds.erasures[0].read_text()
    assert "eve@" not in everything and "example.com" not in everything
    assert "subject.erased" in acts


def test_nothing_is_done_before_it_is_known_who_asks(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    request = grounds.ask("erasure", "eve@example.com", verified=False)
    assert rights.advance(grounds, request).state == "received"
    assert len(grounds.subjects()) == 1
    assert grounds.bring("eve@example.com").accepted == 1
    with grounds.database.transaction() as session:
        rights.verify(session, request, grounds.clock.now())
    assert rights.advance(grounds, request).state == "completed"
    assert grounds.subjects() == []


def test_an_identifier_of_several_people_erases_nobody(grounds: Grounds) -> None:
    grounds.bring("family@example.com", user="u1")
    grounds.bring("family@example.com", user="u2")
    with pytest.raises(Problem) as refused:
        grounds.ask("erasure", "family@example.com")
    assert refused.value.type == "ambiguous_identifier"
    assert len(grounds.subjects()) == 2


@pytest.mark.parametrize(
    ("named", "type"),
    [(("shoe_size", "", "44"), "unknown_identifier_type"), (("email", "", "not an address"), "unusable_identifier")],
)
def test_what_cannot_be_read_is_never_called_fulfilled(grounds: Grounds, named: tuple, type: str) -> None:
    with grounds.database.transaction() as session, pytest.raises(Problem) as refused:
        rights.receive(session, "erasure", named, "subject", "desk", "", grounds.clock.now(), verified=True)
    assert (refused.value.status, refused.value.type) == (400, type)


def test_an_erasure_under_way_cannot_be_refused_any_more(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    paused = grounds.erase("eve@example.com", stop_after="stop")
    for outcome in ("refused", "completed"):
        with grounds.database.transaction() as session, pytest.raises(Problem) as refused:
            rights.close(session, paused.id, outcome, "changed our minds", grounds.clock.now())
        assert refused.value.type == "erasure_under_way"


def test_a_refusal_needs_its_reason(grounds: Grounds) -> None:
    request = grounds.ask("rectification", "ada@example.com")
    with grounds.database.transaction() as session, pytest.raises(Problem) as refused:
        rights.close(session, request, "refused", " ", grounds.clock.now())
    assert refused.value.type == "reason_missing"
    with grounds.database.transaction() as session:
        closed = rights.close(session, request, "refused", "not this person", grounds.clock.now())
    assert closed.state == "refused"


def test_every_number_in_a_tombstone_is_given_never_again(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    grounds.erase("eve@example.com")
    with grounds.database.transaction() as session:
        if grounds.database.is_sqlite:
            session.execute(text("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'subject'"))
        else:
            session.execute(text("SELECT setval(pg_get_serial_sequence('subject', 'number'), 1, false)"))
    rights.replay(grounds)
    assert grounds.bring("ada@example.com").accepted == 1
    assert grounds.subjects() == [2]


def test_a_request_names_its_due_date(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    asked = grounds.ask("access", "ada@example.com")
    with grounds.database.snapshot() as session:
        request = session.get(SubjectRequest, asked)
    assert request.law == "appi"
    assert (request.due_at - request.received_at).days in (14, 13)


def test_no_table_keeps_a_key_after_its_subject(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    grounds.erase("eve@example.com")
    with grounds.database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(SubjectKey)) == 0
        assert vault.deks(session, [1]) == {}
