"""A no at an address outlives whoever said it being told apart from who had said yes: no page gives it any more."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from cdp import identity, ingest
from cdp.connector.kit import Claim, Item, Signal, SourceConfig
from cdp.identity.model import SourceHold
from cdp.ops import worker
from tests.ingest.ground import SITE
from tests.stories.world import World

FAMILY = "family@people.example"
NOW = datetime.now(UTC) - timedelta(days=2)
NUMBERS = count()
FORM = replace(SITE, purposes=("service_delivery", "email_marketing"))
OTHER = replace(FORM, name="crm2")
YES = Signal("email_marketing", "email", "given", True, "checkbox", "newsletter", "1", "ja")
NO = Signal("email_marketing", "email", "withdrawn", True, "form")


@pytest.fixture
def wanted(world: World) -> Iterator[World]:
    """Ada has an account and wants letters."""
    bring(world, FORM, YES, user_id="ada")
    assert written_to(world) == [FAMILY]
    yield world


def bring(world: World, source: SourceConfig, signal: Signal | None = None, **names: str) -> None:
    number = next(NUMBERS)
    claims = tuple(Claim(kind, value, verified=True) for kind, value in (*names.items(), ("email", FAMILY)))
    said = (replace(signal, contact=claims[-1]),) if signal else ()
    item = Item(at=NOW + timedelta(minutes=number), claims=claims, message_id=f"m{number}", signals=said)
    report = ingest.take(world.deployment.database, source, [item], world.deployment.clock.now())
    assert report.accepted == 1, report.refused


def written_to(world: World) -> list[str]:
    worker.run_once(world.deployment)
    return [row["fields"]["email"] for row in world.members()]


def test_a_refusal_by_the_desk_outlives_a_second_account_on_the_mailbox(wanted: World) -> None:
    asked = {"type": "email", "value": FAMILY}
    body = {"identifier": asked, "purpose": "email_marketing", "channel": "email", "status": "refused"}
    assert wanted.call("desk", "POST", "/api/consents", body | {"method": "phone"}).status_code == 201
    assert written_to(wanted) == []
    bring(wanted, OTHER, user_id="ben")
    assert written_to(wanted) == []


def test_what_another_system_withdrew_outlives_that_staff_tell_its_record_apart(wanted: World) -> None:
    bring(wanted, OTHER, NO)
    assert written_to(wanted) == []
    with wanted.deployment.database.transaction() as session:
        identity.cannot(session, 1, 2, "another of the family", "staff", wanted.deployment.clock.now())
    assert written_to(wanted) == []
    bring(wanted, FORM, YES, user_id="ada")
    assert written_to(wanted) == [FAMILY], "until she says yes again"


def test_a_source_on_hold_joins_nobody_and_its_noes_are_heard(wanted: World) -> None:
    with wanted.deployment.database.transaction() as session:
        session.add(SourceHold(source=OTHER.name, since=NOW, reason="joined too much"))
    bring(wanted, OTHER, NO)
    assert written_to(wanted) == []
