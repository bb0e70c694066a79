from pathlib import Path

import pytest
from pyroaring import BitMap64
from sqlalchemy import text
from sqlmodel import SQLModel

from cdp import migrations, rights
from cdp.db import Database
from cdp.errors import StartRefused
from cdp.ledger import Signer
from cdp.rights.model import SubjectRequest
from tests.conftest import StandingClock, import_tables
from tests.ingest.ground import furnish
from tests.ops.conftest import Home
from tests.rights.conftest import Grounds


@pytest.fixture
def bare(database_url: str, clock: StandingClock):
    database = Database(database_url, clock=clock)
    yield database
    database.dispose()


def test_the_revisions_make_exactly_the_tables_of_the_models(bare: Database) -> None:
    import_tables()
    assert migrations.shape(bare.writer) == "empty"
    assert migrations.upgrade(bare.writer) == migrations.newest()
    assert migrations.differences(bare.writer, SQLModel.metadata) == []
    assert migrations.shape(bare.writer) == "current"


def test_migrating_twice_changes_nothing(bare: Database) -> None:
    migrations.upgrade(bare.writer)
    migrations.upgrade(bare.writer)
    assert migrations.revision(bare.writer) == migrations.newest()


def test_a_database_of_a_newer_program_is_refused(bare: Database) -> None:
    migrations.upgrade(bare.writer)
    with bare.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    assert migrations.shape(bare.writer) == "unknown"
    with pytest.raises(StartRefused, match="newer Sekisho"):
        migrations.upgrade(bare.writer)


def test_tables_without_a_revision_are_nobodys(bare: Database) -> None:
    import_tables()
    SQLModel.metadata.create_all(bare.writer)
    assert migrations.shape(bare.writer) == "unknown"


FIRST = (
    'INSERT INTO subject_request (id, "right", requester, verified, law, client, reason, state, steps, points,'
    " people, holders, received_at, due_at) VALUES (:id, :right, 'subject', :verified, 'gdpr', '', '', 'received',"
    " '[]', '[]', :people, :holders, '2026-06-01 00:00:00', '2026-07-01 00:00:00')"
)


def test_requests_of_the_first_version_keep_whom_they_are_about_there_and_back(bare: Database) -> None:
    """Whom a request is about stood in a bitmap, and stands in rows."""
    migrations.upgrade(bare.writer, "0001")
    people, holders = BitMap64([3, 5, 2**30]).serialize(), BitMap64([5]).serialize()
    rows = [
        {"id": "one", "right": "erasure", "verified": False, "people": people, "holders": holders},
        {"id": "two", "right": "rectification", "verified": True, "people": people, "holders": None},
        {"id": "nobody", "right": "access", "verified": True, "people": None, "holders": None},
    ]
    with bare.writer.begin() as connection:
        connection.execute(text(FIRST), rows)
    migrations.upgrade(bare.writer)
    with bare.writer.connect() as connection:
        concerned = connection.execute(text("SELECT request, subject, unproved FROM request_subject")).all()
        waiting = connection.execute(text("SELECT id, waits_for FROM subject_request")).all()
    assert sorted((one, number, bool(unproved)) for one, number, unproved in concerned) == [
        ("one", 3, False),
        ("one", 5, True),
        ("one", 2**30, False),
        ("two", 3, False),
        ("two", 5, False),
        ("two", 2**30, False),
    ]
    assert dict(tuple(row) for row in waiting) == {"one": "verification", "two": "decision", "nobody": ""}
    migrations.downgrade(bare.writer, "0001")
    with bare.writer.connect() as connection:
        back = connection.execute(text("SELECT id, people, holders FROM subject_request")).all()
    assert {row[0]: (row[1] and bytes(row[1]), row[2] and bytes(row[2])) for row in back} == {
        "one": (people, holders),
        "two": (people, None),
        "nobody": (None, None),
    }


@pytest.fixture
def upgraded(bare: Database, tmp_path: Path, clock: StandingClock) -> Grounds:
    """A database that came from the first version with open corrections, which staff did by hand."""
    migrations.upgrade(bare.writer, "0001")
    rows = [
        {"id": f"{right}-{verified}", "right": right, "verified": verified, "people": None, "holders": None}
        for right in ("rectification", "appi_34", "access")
        for verified in (True, False)
    ]
    with bare.writer.begin() as connection:
        connection.execute(text(FIRST), rows)
    migrations.upgrade(bare.writer)
    context = furnish(bare, tmp_path).context
    signer = Signer.create(tmp_path / "ledger")
    return Grounds(bare, context["vault"], context["policy"], signer, clock, (tmp_path / "erased",))


@pytest.mark.parametrize("right", ["rectification", "appi_34"])
@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("word", ["accept", "close"])
def test_an_open_correction_of_the_first_version_waits_for_staff_to_do_it(
    upgraded: Grounds, right: str, verified: bool, word: str
) -> None:
    request, at = f"{right}-{verified}", upgraded.clock.now()
    if not verified:
        assert rights.advance(upgraded, request).state == "received", "nobody knows yet who asks"
        with upgraded.database.transaction() as session:
            rights.verify(session, request, at)
    assert rights.advance(upgraded, request).waits_for == "decision"
    with upgraded.database.transaction() as session:
        if word == "accept":
            rights.accept(session, request, at)
        else:
            rights.close(session, request, "refused", "not the person", at)
    done = rights.advance(upgraded, request)
    assert done.state == ("completed" if word == "accept" else "refused")


@pytest.mark.parametrize("verified", [True, False])
def test_other_requests_of_the_first_version_ask_for_nothing_beside_their_right(
    upgraded: Grounds, verified: bool
) -> None:
    with upgraded.database.snapshot() as session:
        request = session.get_one(SubjectRequest, f"access-{verified}")
    assert (request.asked, request.waits_for) == ("{}", "" if verified else "verification")


@pytest.mark.parametrize("to", ["", "base", "ffff", migrations.newest()])
def test_only_a_revision_that_lies_behind_can_be_gone_back_to(bare: Database, to: str) -> None:
    migrations.upgrade(bare.writer)
    with pytest.raises(StartRefused, match=r"these there are: .*0001"):
        migrations.downgrade(bare.writer, to)
    assert migrations.shape(bare.writer) == "current"


def test_the_command_goes_back_where_the_operator_says_so_twice_and_forward_again(home: Home) -> None:
    asked = home.cdp("migrate", "--to", "0001", typed="n\n", exit_code=1)
    assert "lose what only the newer tables hold" in asked.output
    assert home.cdp("migrate").output == f"revision {migrations.newest()}\n"
    assert home.cdp("migrate", "--to", "0001", "--yes").output.startswith("revision 0001 (was ")
    assert "Run `cdp backup`, then `cdp migrate`." in home.cdp("doctor", exit_code=1).output
    assert home.cdp("migrate", "--to", "9", "--yes", exit_code=2).output.startswith("There is no revision 9")
    assert home.cdp("migrate").output == f"revision {migrations.newest()} (was 0001)\n"


DECIDED = (
    "INSERT INTO identity_override (id, kind, subject, other_subject, namespace, token, kin, reason, actor, at)"
    " VALUES (:id, :kind, :subject, :other, :namespace, :token, :kin, 'because', 'staff', '2026-06-01 00:00:00')"
)
SEEN = (
    "INSERT INTO identifier (subject, namespace, token, scope, epoch, suppression_token, sealed, verified, normaliser,"
    " first_at, seen, aside) VALUES (:subject, 'email', :token, '', 1, :token, :token, :verified, 1,"
    " '2026-06-01 00:00:00', 1, :aside)"
)


def test_decisions_of_before_keep_what_they_hold_for(bare: Database) -> None:
    """A decision named the values beside its own in one text, and not whose evidence it set aside."""
    migrations.upgrade(bare.writer, "0010")
    nothing = {"subject": 0, "other": 0, "namespace": "", "token": b"", "kin": ""}
    decided = [
        {**nothing, "id": 1, "kind": "must", "subject": 1, "other": 2},
        {**nothing, "id": 2, "kind": "shared", "namespace": "email", "token": b"a", "kin": "email_canon:62"},
        {**nothing, "id": 3, "kind": "retract", "subject": 7, "namespace": "email", "token": b"a"},
        {**nothing, "id": 4, "kind": "expire", "namespace": "email", "token": b"c"},
    ]
    seen = [{"subject": n, "token": b"c", "verified": True, "aside": aside} for n, aside in ((1, 8), (2, 9), (3, 1))]
    with bare.writer.begin() as connection:
        connection.execute(text(DECIDED), decided)
        connection.execute(text(SEEN), seen)
    migrations.upgrade(bare.writer)
    with bare.writer.connect() as connection:
        rows = connection.execute(text("SELECT override, namespace, token, subject FROM identity_override_value"))
        found = sorted((one, namespace, bytes(token), subject) for one, namespace, token, subject in rows)
    assert found == [
        (2, "email", b"a", 0),
        (2, "email_canon", b"b", 0),
        (3, "email", b"a", 7),
        (4, "email", b"c", 0),
        (4, "email", b"c", 1),
        (4, "email", b"c", 2),
    ]
