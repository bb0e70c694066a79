"""Who had an address put right and was erased does not come back by a source that knows only the old one (R11)."""

from cdp import ingest
from cdp.connector.kit import Claim, Item
from tests.rights.conftest import Grounds
from tests.rights.test_rectification import ADA, NEW, OTHER, import_row, named, rectify


def bring_old_address(grounds: Grounds) -> ingest.Report:
    grounds.clock.pass_(days=1)
    at = grounds.clock.now()
    claims = (Claim("email", ADA, verified=True),)
    item = Item(at=at, claims=claims, message_id="stale", traits={"tier": "gold"})
    return ingest.take(grounds.database, OTHER, [item], at)


def test_the_address_that_was_replaced_is_silenced_with_the_one_that_took_its_place(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    rectify(grounds, None, {"replace": named(ADA), "by": named(NEW, verified=True)})
    assert grounds.erase(NEW).state == "completed"
    assert bring_old_address(grounds).refused["suppressed"] == 1
    assert grounds.person(ADA) is None


def test_a_removed_address_that_somebody_else_has_proof_of_stays_theirs(grounds: Grounds) -> None:
    import_row(grounds)
    rectify(grounds, None, {"replace": named(ADA), "by": named(NEW, verified=True)})
    import_row(grounds, crm="C2")
    owner = grounds.person(ADA)
    grounds.erase(NEW)
    assert bring_old_address(grounds).accepted == 1
    assert grounds.person(ADA) == owner
