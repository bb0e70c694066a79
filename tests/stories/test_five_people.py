"""Of the five people only Ada may be written to; the others never leak, whichever way one asks."""

import pytest
import requests

from tests.people import CHANNEL, PURPOSE, Cast, Person, cast
from tests.stories.world import World


@pytest.fixture(scope="module")
def five(shared_world: World) -> Cast:
    """Everybody came in, said what they say, and Eve was erased."""
    people, world = cast(), shared_world
    world.arrive(people)
    world.choose(people)
    world.erase(people.eve)
    return people


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


def test_only_who_consented_is_a_member(world: World, five) -> None:
    assert world.addresses() == {five.ada.email}


def test_a_lookup_answers_alike_for_the_forbidden_and_the_unknown(world: World, five) -> None:
    assert world.lookup(five.ada).status_code == 200
    stranger = Person("Nobody", "Nobodyyama", 99, "1990-01-01", "+819099999999", "never")
    unknown = plain(world.lookup(stranger))
    for person in (five.ben, five.cleo, five.dev, five.eve):
        for namespace in ("email", "user_id", "line_uid", "crm_id"):
            assert plain(world.lookup(person, namespace=namespace)) == unknown, (person.name, namespace)


def test_a_count_gives_a_reason_for_each_of_the_others(world: World, five) -> None:
    answer = world.call("tool", "GET", f"/api/audiences/everyone/count?purpose={PURPOSE}&channel={CHANNEL}").json()
    assert answer["count"] == 1
    assert sum(answer["refused"].values()) == 3, "Ben, Cleo and Dev; Eve is no longer anybody"


def test_an_explanation_names_the_reason_and_never_the_person(world: World, five) -> None:
    for person in five.everybody:
        body = {"identifier": {"type": "email", "value": person.email}, "purpose": PURPOSE, "channel": CHANNEL}
        answer = world.call("tool", "POST", "/api/audiences/everyone/explain", body)
        assert answer.status_code in (200, 404)
        assert not [secret for secret in person.secrets if secret in answer.text]


def test_a_token_for_one_purpose_reads_nothing_for_another(world: World, five) -> None:
    path = f"/api/audiences/everyone/members?purpose={PURPOSE}&channel={CHANNEL}&fields=email"
    refused = world.call("insight", "GET", path)
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("purpose_not_registered")
    assert five.ada.email not in refused.text
    assert world.lookup(five.ada, client="insight").status_code == 403


def test_an_import_does_not_bring_back_who_was_erased(world: World, five) -> None:
    world.arrive(five)
    assert world.addresses() == {five.ada.email}
    assert world.lookup(five.eve).status_code == 404


def test_two_recipients_know_a_person_by_different_names(world: World, five) -> None:
    [mine] = world.members("tool")
    told = world.call("officer", "GET", f"/api/audiences/everyone/members?purpose={PURPOSE}&channel={CHANNEL}")
    others = {row["id"] for row in told.json().get("data", [])} if told.status_code == 200 else set()
    assert mine["id"] not in others


def plain(answer: requests.Response) -> tuple[int, dict[str, object]]:
    """What a caller can tell answers apart by."""
    return answer.status_code, {name: value for name, value in answer.json().items() if name != "instance"}
