"""No identifier of anybody stands in the clear: not in logs, files, error bodies, nor what commands print."""

from pathlib import Path

import pytest
from sqlalchemy import text

from tests import canary
from tests.people import Cast, Person, cast
from tests.stories.world import World


@pytest.fixture
def lived_in(capfd: pytest.CaptureFixture[str], world: World, caplog: pytest.LogCaptureFixture) -> Cast:
    """Everybody came twice and chose; one is erased; many wrong things were sent."""
    caplog.set_level("DEBUG")
    people = cast()
    world.arrive(people, seed=1, times=2)
    world.choose(people)
    world.addresses()
    world.erase(people.eve)
    for person in people.everybody:
        provoke(world, person)
    return people


def provoke(world: World, person: Person) -> None:
    """Send a person's values where they do not belong, so that a careless error would repeat them."""
    email = person.email
    world.post("/v1/batch", f'{{"batch":[{{"type":"{email}","userId":"{person.user_id}"}}]'.encode())
    world.post("/hooks/line", person.line_uid.encode(), {"X-Line-Signature": "AAAA"})
    world.post("/hooks/nobody", email.encode())
    world.call("tool", "GET", f"/api/audiences/{email}/members?purpose={email}&channel={email}")
    world.call(
        "tool", "POST", "/api/profiles/lookup", {"identifier": {"type": email, "value": email}, "purpose": email}
    )
    world.call(
        "desk", "POST", "/api/consents", {"identifier": {"type": "email", "value": person.user_id}, "purpose": email}
    )
    world.call(
        "officer", "POST", "/api/subject-requests", {"right": email, "identifier": {"type": "phone", "value": email}}
    )
    world.call("officer", "GET", f"/api/subject-requests/{person.user_id}")


def test_no_identifier_stands_in_any_file_of_the_deployment(world: World, lived_in: Cast) -> None:
    found = [
        f"{secret!r} in {path.relative_to(world.home)}"
        for path in files(world.home)
        for content in [path.read_bytes()]
        for secret in secrets(lived_in)
        if secret.encode() in content or secret.encode("utf-16-le") in content
    ]
    assert not found


def test_no_identifier_stands_in_any_row_of_the_database(world: World, lived_in: Cast) -> None:
    from sqlmodel import SQLModel

    found = []
    with world.deployment.database.snapshot() as session:
        for table in SQLModel.metadata.sorted_tables:
            for row in session.execute(text(f'SELECT * FROM "{table.name}"')):
                shown = repr(tuple(bytes(value) if isinstance(value, memoryview) else value for value in row))
                found += [f"{secret!r} in {table.name}" for secret in secrets(lived_in) if secret in shown]
    assert not found


def test_no_identifier_stands_in_an_error_or_a_log(
    world: World, lived_in: Cast, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    assert len(world.errors) >= 20, "the provocations did not provoke"
    printed = capfd.readouterr()
    assert '"event": "request"' in printed.out + printed.err, "the log of requests was not seen"
    said = {
        "an error": "\n".join(world.errors),
        "a log": caplog.text,
        "what was printed": printed.out + printed.err + "\n".join(world.printed_out),
    }
    assert not [
        f"{secret!r} in {where}" for where, text in said.items() for secret in secrets(lived_in) if secret in text
    ]


def secrets(people: Cast) -> list[str]:
    return [secret for person in people.everybody for secret in person.secrets]


def files(home: Path) -> list[Path]:
    """Every file of the home: database, write-ahead log, keyring, ledger, leftovers."""
    return [path for path in home.rglob("*") if path.is_file()]


def test_the_scan_after_the_suite_finds_what_is_planted(tmp_path: Path) -> None:
    (tmp_path / "cdp.db-wal").write_bytes(b"\x00\x01" + cast().ada.email.encode() + b"\x00")
    (tmp_path / "input.csv").write_text(cast().ada.email)
    found = canary.scan(tmp_path)
    (tmp_path / "cdp.db-wal").unlink()  # or the scan after this very suite would find it
    assert found == (1, ["cdp.db-wal: 1 identifiers in the clear"])
