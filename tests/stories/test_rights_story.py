"""Ada asks for everything that the law gives her, in turn; each answer is looked at from outside."""

import csv
import json
from typing import Any

import jsonschema
import pytest
import requests

from tests import people
from tests.people import Cast, Person, cast
from tests.stories.world import World

OFFICER = "/api/subject-requests"


def test_ada_asks_for_everything_in_turn(world: World) -> None:
    five = cast()
    world.arrive(five)
    world.choose(five)
    world.erase(five.eve)
    ada = five.ada
    assert world.addresses() == {ada.email}
    she_sees_what_is_held(world, five)
    she_takes_along_what_is_hers(world, five)
    she_restricts_and_is_told_before_it_ends(world, ada)
    she_objects_and_takes_it_back(world, ada)
    she_has_her_address_put_right(world, ada)
    she_has_her_birthday_put_right(world, ada)
    she_asks_who_got_what(world, ada)
    the_officer_sees_every_request(world)
    assert not [secret for secret in ada.secrets if any(secret in error for error in world.errors)]


def ask(world: World, right: str, person: Person, client: str = "officer", email: str = "", **more: Any) -> dict:
    identifier = {"type": "email", "value": email or person.email}
    body = {"right": right, "identifier": identifier, "requester": "subject", **more}
    answer = world.call(client, "POST", OFFICER, body)
    assert answer.status_code == 202, answer.text
    return follow(world, answer.json()["id"], client)


def follow(world: World, request: str, client: str = "officer") -> dict:
    answer = world.call(client, "GET", f"{OFFICER}/{request}")
    assert answer.headers["Cache-Control"] == "no-store"
    return dict(answer.json())


def package(world: World, request: dict) -> dict:
    path = request["package_url"].split("8000", 1)[1]
    assert world.call("desk", "GET", path).status_code in (403, 404), "whoever asked, and nobody else"
    answer = world.call("officer", "GET", path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    return dict(answer.json())


def she_sees_what_is_held(world: World, five: Cast) -> None:
    found = package(world, ask(world, "access", five.ada))
    text = json.dumps(found, ensure_ascii=False)
    assert all(value in text for value in (five.ada.email, five.ada.user_id, five.ada.family, five.ada.birthday))
    assert not [secret for other in five.everybody[1:] for secret in other.secrets if secret in text]
    assert found["purposes"]
    assert found["retention"]
    assert {"site", "crm", "line"} <= set(found["sources"])
    assert "ma_tool" in {one["recipient"]["name"] for one in found["disclosures"]}


def she_takes_along_what_is_hers(world: World, five: Cast) -> None:
    found = package(world, ask(world, "portability", five.ada))
    schema = requests.get(f"{world.url}/api/schemas/portability-1.json", timeout=30).json()
    jsonschema.Draft202012Validator(schema).validate(found)
    assert {"email", "user_id", "crm_id", "line_uid"} <= {one["type"] for one in found["identifiers"]}
    assert "birthday" in {one["name"] for one in found["profile"]}
    assert "Order Completed" in {one["name"] for one in found["events"]}
    assert found["consents"][0]["notice"] == "newsletter"
    assert "birth_year" not in json.dumps(found), "what was worked out here is no part of it"
    assert not [secret for other in five.everybody[1:] for secret in other.secrets if secret in json.dumps(found)]


def she_restricts_and_is_told_before_it_ends(world: World, ada: Person) -> None:
    assert ask(world, "restriction", ada)["state"] == "completed"
    assert (world.addresses(), world.lookup(ada).status_code) == (set(), 404)
    ending = ask(world, "restriction", ada, lift=True, requester="staff")
    assert (ending["state"], ending["waits_for"]) == ("received", "notice")
    assert world.addresses() == set()
    told = world.call("officer", "POST", f"{OFFICER}/{ending['id']}/tell", {"at": now_of(world)})
    assert (told.status_code, told.json()["state"]) == (200, "completed")
    assert world.addresses() == {ada.email}
    world.cdp("subject", "restrict", "--value", ada.email, "--reason", "asked by letter")
    assert world.addresses() == set()
    waiting = dict(
        line.split("=", 1)
        for line in world.cdp(
            "subject", "restrict", "--lift", "--value", ada.email, "--reason", "the letter was answered"
        ).splitlines()
        if "=" in line
    )
    world.cdp("request", "tell", waiting["request"], "--reason", "told by letter")
    assert world.addresses() == {ada.email}


def she_objects_and_takes_it_back(world: World, ada: Person) -> None:
    assert ask(world, "objection", ada, kind="direct_marketing")["state"] == "completed"
    assert (world.addresses(), world.lookup(ada).status_code) == (set(), 404)
    word = {"right": "objection", "identifier": {"type": "email", "value": ada.email}, "lift": True}
    refused = world.call("officer", "POST", OFFICER, {**word, "requester": "staff"})
    assert (refused.status_code, refused.json()["type"].endswith("own_word_needed")) == (403, True)
    assert ask(world, "objection", ada, kind="direct_marketing", lift=True)["state"] == "completed"
    assert world.addresses() == {ada.email}


def she_has_her_address_put_right(world: World, ada: Person) -> None:
    right = f"right.{ada.email}"
    change = {
        "replace": {"type": "email", "value": ada.email},
        "by": {"type": "email", "value": right, "verified": True},
    }
    done = ask(world, "rectification", ada, corrections={"identifiers": [change]})
    assert done["state"] == "completed"
    counts = next(step["counts"] for step in done["steps"] if step["step"] == "correct")
    assert counts["identifiers"] == 1
    assert "ma_tool" in {one["recipient"] for one in counts["recipients"]}, "who got the wrong one"
    assert right not in json.dumps(done)
    assert world.addresses() == set(), "she consented for the other address"
    assert ask(world, "access", ada)["steps"][0]["counts"]["held"] == 0
    undo = {"identifier": {"type": "email", "value": right}, "right": "rectification", "requester": "staff"}
    assert world.call("officer", "POST", OFFICER, {**undo, "revokes": done["id"]}).status_code == 202
    assert world.addresses() == {ada.email}


def she_has_her_birthday_put_right(world: World, ada: Person) -> None:
    child = f"{int(people.LONG_AGO.year) - 9}-05-05"
    asked = world.home / "corrections.json"
    asked.write_text(json.dumps({"traits": {"birthday": child}}))
    world.cdp("subject", "rectify", "--value", ada.email, "--reason", "asked", "--corrections", str(asked))
    asked.unlink()
    assert world.addresses() == set(), "a child, from this instant on"
    tomorrow(world, ada)
    assert world.addresses() == set(), "tomorrow's import knows no better"
    assert "corrected" in world.cdp("connector", "show", "crm")
    assert ask(world, "rectification", ada, corrections={"traits": {"birthday": ada.birthday}})["state"] == "completed"
    assert world.addresses() == {ada.email}


def tomorrow(world: World, ada: Person) -> None:
    """Let the CRM export the stale birthday again, in a row that is otherwise new."""
    row = people.crm_row(ada) | {"First Name": "Ada Maria"}
    path = world.home / "tomorrow.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    world.cdp("import", str(path), "--source", "crm")
    path.unlink()


def she_asks_who_got_what(world: World, ada: Person) -> None:
    found = package(world, ask(world, "appi_33_5", ada))
    given = [one for one in found["disclosures"] if one["recipient"]["name"] == "ma_tool"]
    assert given
    assert all(one["handed_over"] and one["fields"] == ["email"] and one["ledger_entry"] for one in given)
    printed = world.cdp("subject", "disclosures", "--value", ada.email, "--reason", "asked by telephone")
    assert f"ma_tool (processor, JP)\t{people.PURPOSE}\temail" in printed
    assert ada.email not in printed


def the_officer_sees_every_request(world: World) -> None:
    first = world.call("officer", "GET", f"{OFFICER}?limit=3").json()
    seen, cursor = list(first["data"]), first["next_cursor"]
    while cursor:
        page = world.call("officer", "GET", f"{OFFICER}?limit=3&cursor={cursor}").json()
        seen, cursor = seen + page["data"], page["next_cursor"]
    assert len({one["id"] for one in seen}) == len(seen) >= 10
    assert [one["due_at"] for one in seen] == sorted(one["due_at"] for one in seen)
    assert world.call("officer", "GET", f"{OFFICER}?overdue=true").json()["data"] == []
    assert world.call("desk", "GET", OFFICER).status_code == 403


def now_of(world: World) -> str:
    return world.deployment.clock.now().isoformat()


@pytest.mark.parametrize("verified", [True, False])
def test_only_who_vouches_may_say_that_an_address_was_proved(world: World, verified: bool) -> None:
    told = world.cdp(
        "client", "create", "portal", "--recipient", "staff", "--purposes", "analytics", "--scopes", "request:write"
    )
    world.told["portal"] = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    identifier = {"type": "email", "value": "ada@example.com", "verified": verified}
    body = {
        "right": "rectification",
        "identifier": {"type": "email", "value": "ada@example.com"},
        "requester": "subject",
        "corrections": {"identifiers": [{"add": identifier}]},
    }
    answer = world.call("portal", "POST", OFFICER, body)
    assert answer.status_code == (403 if verified else 202)
    if not verified:
        assert answer.json()["waits_for"] == "verification"
        assert world.call("portal", "POST", f"{OFFICER}/{answer.json()['id']}/verify").status_code == 403
