"""A permit is the gate's alone to give: it cannot be built, changed, copied, kept or used twice."""

import copy
import pickle
from dataclasses import replace

import pytest

from cdp import gate, policy, vault
from cdp.errors import Refusal, Unavailable
from cdp.gate.disclosure import disclose
from cdp.gate.opened import gather
from cdp.gate.permit import Permit, ask, record
from tests.gate.test_permission import make_person, say


def request_for(house, **changes) -> gate.PageRequest:
    with house.snapshot() as session:
        use = policy.of(session).find_use("email_marketing", "ma_tool", "email")
    return gate.PageRequest(**({"use": use, "fields": ("email",), "base_url": "https://cdp.example.com"} | changes))


@pytest.fixture
def permit(house) -> Permit:
    person = make_person(house)
    say(house, person, "given")
    with house.transaction() as session:
        lease = record(session, request_for(house), [person], house.clock.now())
    with house.snapshot() as session:
        return ask(session, lease, house.clock.now())


def test_nobody_but_the_gate_makes_one(permit):
    with pytest.raises(TypeError):
        Permit(object(), id="x")
    with pytest.raises(TypeError):
        type("Forged", (Permit,), {})


@pytest.mark.parametrize("change", [lambda p: setattr(p, "grants", {}), lambda p: delattr(p, "at")])
def test_it_cannot_be_changed(permit, change):
    with pytest.raises(TypeError):
        change(permit)


@pytest.mark.parametrize("keep", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_cannot_be_kept_for_later(permit, keep):
    with pytest.raises(TypeError):
        keep(permit)


def test_it_opens_once(house, permit):
    with house.snapshot() as session:
        keys = vault.of(session)
        material = gather(session, permit)
    assert disclose(permit, material, keys)[0].fields == {"email": "ada@example.com"}
    with pytest.raises(PermissionError):
        disclose(permit, material, keys)


def test_a_lease_that_is_not_committed_gives_none(house, permit):
    person = next(iter(permit.grants))
    with house.transaction() as session:
        lease = record(session, request_for(house), [person], house.clock.now())
        with pytest.raises(PermissionError):
            ask(session, lease, house.clock.now())


@pytest.mark.parametrize("forged", [{"id": "nowhere"}, {"subjects": {1: frozenset({1}), 2: frozenset({2})}}])
def test_a_lease_that_is_not_on_record_gives_none(house, permit, forged):
    with house.snapshot() as session, pytest.raises(PermissionError):
        ask(session, replace(permit.lease, **forged), house.clock.now())


def test_a_lease_that_is_over_gives_none(house, permit):
    page = gate.read_page(house, request_for(house), lambda session, at: list(permit.grants))
    page.hand_over()
    with house.snapshot() as session, pytest.raises(PermissionError):
        ask(session, page.lease, house.clock.now())
    with pytest.raises(Unavailable):
        page.hand_over()


def test_it_shows_no_value(house, permit):
    person = next(iter(permit.grants))
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    assert "ada@" not in repr(permit) + repr(page) + repr(page.rows)


def test_a_field_that_the_purpose_does_not_need_is_refused(house, permit):
    answer = gate.read_page(house, request_for(house, fields=("postal_address",)), lambda session, at: [1])
    assert answer == Refusal("field_not_allowed", "postal_address")


def test_a_page_gives_the_very_address_that_consent_was_given_for(house):
    person = make_person(house, mails=("ada@example.com", "ada@example.org"))
    say(house, person, "given", mail="ada@example.org")
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    assert [row.fields["email"] for row in page.rows] == ["ada@example.org"]
    assert page.rows[0].links["unsubscribe"].startswith("https://cdp.example.com/privacy/unsubscribe/")


def test_two_recipients_cannot_join_their_copies(house):
    person = make_person(house)
    say(house, person, "given")
    with house.snapshot() as session:
        keys = vault.of(session)
    assert keys.pseudonym("ma_tool", person) != keys.pseudonym("ma_tool_us", person)


def test_a_late_page_is_not_handed_over_and_counts_as_disclosed(house):
    from cdp.gate.model import Disclosed

    person = make_person(house)
    say(house, person, "given")
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    house.clock.pass_(seconds=3)
    with pytest.raises(Unavailable):
        page.hand_over()
    with house.snapshot() as session:
        assert session.get(Disclosed, page.id).state == "open"


def test_a_withdrawal_waits_for_the_page_that_holds_its_person(house):
    import threading

    person = make_person(house)
    say(house, person, "given")
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    done: list[object] = []
    waiting = threading.Thread(target=lambda: done.append(gate.wait_until_clear(house, [person])))
    waiting.start()
    waiting.join(0.1)
    assert not done
    page.hand_over()
    waiting.join(5)
    assert done
