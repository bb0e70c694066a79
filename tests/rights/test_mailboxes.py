"""A mailbox that has many spellings: what is asked of us for one of them holds for what was worked out of it."""

import json

from cdp import rights
from cdp.holders import Held
from cdp.profile import corrections
from cdp.rights import portability
from tests.rights.conftest import Grounds
from tests.rights.test_access import package
from tests.rights.test_rectification import import_row, named

DOTTED, PLAIN, TAGGED = "a.da@gmail.com", "ada@gmail.com", "ada+shop@gmail.com"


def test_a_browser_in_which_another_spelling_was_typed_goes_with_the_mailbox(grounds: Grounds) -> None:
    grounds.bring(DOTTED)
    grounds.browse("k", PLAIN)
    assert grounds.device("k") is not None
    grounds.erase(DOTTED)
    assert (grounds.device("k"), grounds.holders(PLAIN)) == (None, [])


def test_of_somebody_else_the_other_spelling_alone_goes(grounds: Grounds) -> None:
    grounds.bring(DOTTED)
    grounds.browse("k", PLAIN, user="u")
    owner = grounds.device("k")
    grounds.erase(DOTTED)
    assert (grounds.device("k"), grounds.holders(PLAIN)) == (owner, [])


def test_who_has_proof_of_another_spelling_is_the_same_person_and_goes(grounds: Grounds) -> None:
    grounds.bring(DOTTED, PLAIN)
    assert grounds.person(DOTTED) == grounds.person(PLAIN)
    grounds.erase(TAGGED)
    assert grounds.person(PLAIN) is not None, "nobody is known by this very address"
    grounds.erase(PLAIN)
    assert grounds.subjects() == []


def test_an_erased_mailbox_is_not_given_by_a_correction(grounds: Grounds) -> None:
    grounds.bring(DOTTED)
    grounds.erase(DOTTED)
    import_row(grounds, mail="eve@example.com")
    with grounds.database.transaction() as session:
        changes = [{"add": named(TAGGED, verified=True)}]
        right = rights.read(grounds.policy, {}, changes)
        asked = ("rectification", ("email", "", "eve@example.com"), "subject", "desk", "", grounds.clock.now())
        request = rights.receive(session, *asked, verified=True, corrections=right).id
    rights.advance(grounds, request)
    assert grounds.holders(TAGGED) == []


def test_access_shows_the_mailbox(grounds: Grounds) -> None:
    grounds.bring(DOTTED)
    found = json.dumps(package(grounds, DOTTED))
    assert PLAIN in found and DOTTED in found


def test_a_person_takes_along_what_was_provided_and_not_what_was_worked_out_of_it(grounds: Grounds) -> None:
    opened = [
        (Held("subject", 1, {"source": corrections.SOURCE}), None),
        (Held("identifier", 1, {"type": "email"}), {"value": DOTTED, "scope": ""}),
        (Held("identifier", 1, {"type": "email_canon"}), {"value": PLAIN, "scope": ""}),
    ]
    with grounds.database.snapshot() as session:
        found = portability.collect(session, [1], opened)
    assert found["identifiers"] == [{"type": "email", "value": DOTTED}]
