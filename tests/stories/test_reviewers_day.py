"""A reviewer's day: thirty held cases of six kinds, each explained, decided and undone through the API, to the byte."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from sqlalchemy import text

from cdp import ingest
from cdp.connector.kit import Claim, Item, SourceConfig
from cdp.ops import worker
from tests.figures import Figures
from tests.ingest.ground import SITE
from tests.stories.world import ROOT, World

NOW = datetime.now(UTC) - timedelta(days=2)
EACH = 5
KINDS = ("limit", "veto", "shared", "generic", "weight", "breaker")
ACTIONS = {
    "limit": ("allow", "cannot", "shared", "block", "expire"),
    "veto": ("cannot", "allow", "shared", "expire", "block"),
    "shared": ("shared", "block", "cannot", "allow", "expire"),
    "generic": ("block", "shared", "block", "shared", "block"),
    "weight": ("allow", "cannot", "allow", "shared", "expire"),
    "breaker": ("release", "keep", "release", "keep", "release"),
}
"""What the reviewer says to the five cases of each kind."""


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A deployment whose bounds are so low that a small shop meets them."""
    policies = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", policies)
    path = policies / "identifiers.yaml"
    terms = yaml.safe_load(path.read_text())
    terms["namespaces"]["email"] |= {"max_degree": 6}
    terms["namespaces"]["phone"] |= {"hold_above": 2}
    terms["breaker"] = {"records": 6, "minutes": 10, "share": 0.3}
    path.write_text(yaml.safe_dump(terms, allow_unicode=True))
    live = World(tmp_path / "home", database_url, CDP_POLICIES=str(policies))
    asked = ("--recipient", "staff", "--purposes", "support", "--scopes", "identity:review")
    live.told["reviewer"] = live.register("client", "create", "reviewer", *asked)
    yield live
    live.close()


def test_every_case_is_explained_decided_and_undone_to_the_byte(world: World, figures: Figures) -> None:
    for n in range(EACH):
        for kind in KINDS:
            globals()[f"bring_{kind}"](world, n)
    cases = listed(world)
    assert Counter(case["rule"] for case in cases) == dict.fromkeys(KINDS, EACH)
    moved = 0
    for kind in KINDS:
        for case, action in zip([one for one in cases if one["rule"] == kind], ACTIONS[kind], strict=True):
            before = state(world)
            told = explained(world, case)
            path = f"/api/identity/cases/{case['id']}"
            decided = call(world, "POST", f"{path}/decision", {"action": action, "reason": "looked"})
            assert (decided["state"], decided["action"]) == ("decided", action)
            check_outcome(world, told, action)
            moved += state(world) != before
            call(world, "POST", f"{path}/undo", {"reason": "looked again"})
            assert state(world) == before, (kind, action)
    again = listed(world)
    assert [(one["id"], one["rule"]) for one in again] == [(one["id"], one["rule"]) for one in cases]
    assert moved >= 20, "most decisions change who is who, or what counts"
    secrets = ("family", "@gmail", "@outlook", "reviewed", "+8190")
    assert not [word for word in secrets if word in str(cases) + str(again)]
    kept = "SQLite" if world.deployment.database.is_sqlite else "PostgreSQL"
    figures(f"a reviewer's day, {kept}", cases=len(cases), kinds=len(KINDS), decided=len(cases), undone=len(cases))


def bring_limit(world: World, n: int) -> None:
    """Two accounts of one shop on one mailbox."""
    mail = f"family{n}@gmail.com"
    take(
        world, [said(n, "limit", 1, user_id=f"l{n}-1", email=mail), said(n, "limit", 2, user_id=f"l{n}-2", email=mail)]
    )


def bring_veto(world: World, n: int) -> None:
    """One telephone of two people who were born on different days."""
    phone = f"090-1111-{1000 + n}"
    born = [{"birthday": "1980-01-02"}, {"birthday": "2015-03-04"}]
    take(world, [said(n, "veto", turn, one, phone=phone, anonymous_id=f"v{n}-{turn}") for turn, one in enumerate(born)])


def bring_shared(world: World, n: int) -> None:
    """A mailbox under three accounts."""
    mail = f"three{n}@outlook.com"
    take(world, [said(n, "shared", turn, user_id=f"s{n}-{turn}", email=mail) for turn in range(3)])


def bring_generic(world: World, n: int) -> None:
    """A mailbox that everybody at a company writes from."""
    mail = f"office{n}@home.test"
    take(world, [said(n, "generic", turn, email=mail, anonymous_id=f"g{n}-{turn}") for turn in range(7)])


def bring_weight(world: World, n: int) -> None:
    """Two customers of several records each who give one telephone."""
    phone = f"090-2222-{1000 + n}"
    items = [said(n, "weight", turn, user_id=f"w{n}", anonymous_id=f"w{n}-{turn}") for turn in range(3)]
    items += [said(n, "weight", 9 + turn, line_uid=f"w{n}", anonymous_id=f"x{n}-{turn}") for turn in range(3)]
    items += [said(n, "weight", 20, user_id=f"w{n}", phone=phone), said(n, "weight", 21, line_uid=f"w{n}", phone=phone)]
    take(world, items)


def bring_breaker(world: World, n: int) -> None:
    """A source that says of strangers that they are one, twice as often as not."""
    take(world, [said(n, "before", turn, user_id=f"b{n}-{turn}") for turn in range(6)])
    take(world, [said(n, "others", turn, line_uid=f"b{n}-{turn}") for turn in range(6)])
    source = replace(SITE, name=f"joiner{n}")
    joins = [said(n, "join", turn, user_id=f"b{n}-{turn}", line_uid=f"b{n}-{turn}") for turn in range(6)]
    for one in joins:
        take(world, [one], source)
    late = [said(n, "late", turn, user_id=f"b{n}-0", line_uid=f"late{n}-{turn}") for turn in range(2)]
    take(world, late, source)


def said(n: int, kind: str, turn: int, traits: dict[str, Any] | None = None, **names: str) -> Item:
    claims = tuple(
        Claim(name, value, "2000000000" if name == "line_uid" else "", True) for name, value in names.items()
    )
    return Item(at=NOW, claims=claims, message_id=f"{kind}-{n}-{turn}", event="Order Completed", traits=traits or {})


def take(world: World, items: list[Item], source: SourceConfig = SITE) -> None:
    report = ingest.take(world.deployment.database, source, items, world.deployment.clock.now())
    assert report.accepted == len(items), report.outcomes


def listed(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        page = call(world, "GET", f"/api/identity/cases?after={after}&limit=7")
        found += page["data"]
        if page["next_after"] is None:
            return found
        after = page["next_after"]


def explained(world: World, case: dict[str, Any]) -> dict[str, Any]:
    """Read why it was held: the rule is named, nobody's value is."""
    told = call(world, "GET", f"/api/identity/cases/{case['id']}")
    assert told["actions"]
    if case["rule"] == "breaker":
        assert told["shown"].startswith("joiner")
        return told
    assert case["rule"] in {one["rule"] for one in told["obstacles"]}
    assert len(told["people"]) > 1
    return told


def check_outcome(world: World, told: dict[str, Any], action: str) -> None:
    """Ask of two whom the case was about why they are one now, or are not."""
    if told["rule"] == "breaker":
        return
    one, other = (person["subjects"][0] for person in told["people"][:2])
    why = call(world, "POST", "/api/identity/explanations", {"one": one, "other": other})
    if action == "allow":
        assert why["is_one"]
        assert any(step["decision"] for step in why["path"])
    else:
        assert not why["is_one"]
        wanted = {"cannot": "cannot", "block": "blocked", "shared": "shared", "expire": "left"}[action]
        assert any(obstacle["decision"] for obstacle in why["obstacles"] if obstacle["rule"] == wanted)


def state(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that rests on who is who, row by row."""
    worker.run_once(world.deployment)
    columns = {
        "subject": "number, person",
        "identifier": "subject, namespace, token, aside",
        "token": "namespace, token, state, rule",
        "person": "*",
        "permission": "person, policy, laws, restricted, erasing, codes, collect",
        "stage": "person, journey, stage",
        "identity_case": "id, rule, severity, namespace, token, source, state, action",
    }
    kept = {"identity_case": "WHERE state <> 'gone'"}  # what came and went is history
    with world.deployment.database.snapshot() as session:
        return {
            table: sorted(map(plain, session.execute(text(f"SELECT {names} FROM {table} {kept.get(table, '')}"))))
            for table, names in columns.items()
        }


def plain(row: Any) -> tuple[Any, ...]:
    return tuple(str(bytes(one) if isinstance(one, memoryview) else one) for one in row)


def call(world: World, method: str, path: str, body: Any = None) -> dict[str, Any]:
    answer: requests.Response = world.call("reviewer", method, path, body)
    assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
    return dict(answer.json())
