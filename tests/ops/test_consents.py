"""Receipts at the command line: issued from a home, and checked by anybody who has the public key."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from cdp import consent, identity
from cdp.consent.receipts.issuing import signed
from cdp.identity import Arrival, Canonical
from cdp.ledger.keys import key_id, key_set
from cdp.ledger.model import LedgerEntry
from cdp.ops.cli import main
from tests.conftest import ROOT
from tests.consent.speaking import ADA, SHOWN
from tests.ops.conftest import Home

NOTICES = ROOT / "policies" / "notices"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The embedded database: what the records do on either kind is tried with the package itself."""
    return f"sqlite:///{tmp_path / 'cdp.db'}"


@pytest.fixture
def record(home: Home) -> str:
    """Ada said yes to letters, for 30 days."""
    with home.opened() as deployment, deployment.database.transaction() as session:
        at = deployment.clock.now()
        arrival = Arrival("api", (Canonical("email", "", ADA, verified=True),))
        subject = identity.attach(session, [arrival], at).subjects[0]
        said = {"purpose": "email_marketing", "channel": "email", "method": "checkbox", "source": "api"}
        token = consent.point(session, "email", "", ADA).token
        statement = consent.Statement(
            status="given", event_time=at, namespace="email", token=token, verified=True, **SHOWN, **said
        )
        return consent.record(session, subject, statement, at)


@pytest.fixture
def receipt(home: Home, record: str, tmp_path: Path) -> Path:
    """The receipt of it, in a file."""
    home.cdp("consent", "receipt", record, "--out", str(tmp_path / "receipt.json"))
    return tmp_path / "receipt.json"


@pytest.fixture
def key(home: Home, tmp_path: Path) -> Path:
    """The public key, as a web server would hand it out."""
    with home.opened() as deployment:
        whole = key_set(deployment.signer.public)
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(whole))
    return path


def elsewhere(folder: Path, *arguments: Any, lang: str = "en_GB.UTF-8", exit_code: int = 0) -> Result:
    """Run the command where there is no home, no database and no setting."""
    names = ("CDP_HOME", "CDP_DATABASE_URL", "CDP_KEYRING", "LC_ALL", "LC_MESSAGES")
    env = {**dict.fromkeys(names), "LANG": lang, "CDP_HOME": str(folder / "nowhere")}
    result = CliRunner().invoke(main, ["consent", "verify", *map(str, arguments)], env=env)
    assert result.exit_code == exit_code, (result.output, result.exception)
    assert "Traceback" not in result.output
    return result


def test_a_receipt_is_checked_where_there_is_nothing_but_the_key(receipt: Path, key: Path, tmp_path: Path) -> None:
    said = elsewhere(tmp_path, receipt, "--key", key).output
    read = json.loads(receipt.read_bytes())
    for told in (
        read["header"]["pii_principal_id"],
        read["processing"]["privacy_notice"]["sha256"],
        read["events"][0]["event_time"],
        "ConsentGiven",
        "Offers by e-mail (email_marketing, email)",
        "Sekisho Shoten K.K.",
    ):
        assert told in said
    assert said.splitlines()[-1].startswith("valid: ")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "lang, there, absent",
    [("ja_JP.UTF-8", "有効", "valid"), ("en_GB.UTF-8", "valid", "有効"), ("C", "valid", "-"), ("C", "有効", "-")],
)
def test_it_speaks_the_readers_language_and_both_to_who_names_none(
    receipt: Path, key: Path, tmp_path: Path, lang: str, there: str, absent: str
) -> None:
    last = elsewhere(tmp_path, receipt, "--key", key, lang=lang).output.splitlines()[-1].rsplit(" ", 1)[0]
    assert there in last and (absent == "-" or absent not in last)


def test_without_a_key_the_homes_own_is_used(home: Home, receipt: Path) -> None:
    assert "valid" in home.cdp("consent", "verify", str(receipt)).output


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-1],
        lambda content: content + b"\n",
        lambda content: content.replace(b"ConsentGiven", b"ConsentGivem"),
        lambda content: content.replace(b'"act":true', b'"act":true,"act":true'),
        lambda content: json.dumps(json.loads(content), indent=1).encode(),
        lambda content: b"",
    ],
)
def test_a_receipt_that_was_changed_is_refused_in_one_line(receipt: Path, key: Path, tmp_path: Path, change) -> None:
    receipt.write_bytes(change(receipt.read_bytes()))
    said = elsewhere(tmp_path, receipt, "--key", key, exit_code=1).output
    assert said.startswith("not valid: ") and len(said.splitlines()) == 1


def test_a_receipt_of_another_house_is_refused(receipt: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(json.dumps(key_set(bytes(range(32)))))
    assert "key" in elsewhere(tmp_path, receipt, "--key", tmp_path / "other.json", exit_code=1).output


@pytest.mark.parametrize("spoil", [{}, {"events": []}, {"parties": 7}, {"processing": {"purposes": [None]}}])
def test_a_document_that_is_signed_and_says_nothing_is_no_receipt(
    home: Home, receipt: Path, key: Path, tmp_path: Path, spoil: dict[str, Any]
) -> None:
    with home.opened() as deployment:
        whole = {**json.loads(receipt.read_bytes()), **spoil} if spoil else {"header": {"form": "sekisho.receipt/1"}}
        whole.pop("signature", None)
        receipt.write_bytes(signed(deployment.signer, whole))
    said = elsewhere(tmp_path, receipt, "--key", key, exit_code=1).output
    assert said == "not valid: it is no receipt or record of a consent\n"


def test_what_a_signed_document_says_cannot_steer_the_terminal(
    home: Home, receipt: Path, key: Path, tmp_path: Path
) -> None:
    whole = json.loads(receipt.read_bytes())
    whole.pop("signature")
    whole["header"] |= {"record_id": "\x1b[2J\nvalid", "pii_principal_id": 7}
    with home.opened() as deployment:
        receipt.write_bytes(signed(deployment.signer, whole))
    assert "?[2J?valid" in elsewhere(tmp_path, receipt, "--key", key).output


def test_a_key_that_is_none_or_not_there_stops_with_a_sentence(receipt: Path, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"\xff\x00")
    assert "no Ed25519 key" in elsewhere(tmp_path, receipt, "--key", tmp_path / "noise", exit_code=2).output
    assert "--key" in elsewhere(tmp_path, receipt, exit_code=2).output


def test_the_text_that_was_shown_can_be_checked_too(receipt: Path, key: Path, tmp_path: Path) -> None:
    asked = (receipt, "--key", key, "--notice")
    elsewhere(tmp_path, *asked, NOTICES / "newsletter.2.ja.md")
    assert "not the text" in elsewhere(tmp_path, *asked, NOTICES / "newsletter.2.en.md", exit_code=1).output


def test_the_bytes_on_the_output_are_those_in_the_file(home: Home, record: str, receipt: Path) -> None:
    assert home.cdp("consent", "receipt", record).stdout_bytes == receipt.read_bytes()
    assert receipt.stat().st_mode & 0o077 == 0
    again = home.cdp("consent", "receipt", record, "--out", str(receipt), exit_code=2)
    assert "already" in again.output


def test_a_record_is_issued_and_checked_as_well(home: Home, record: str, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    home.cdp("consent", "receipt", record, "--format", "record", "--out", str(file))
    said = home.cdp("consent", "verify", str(file)).output
    assert json.loads(file.read_bytes())["header"]["as_of"] in said


def test_an_unknown_record_is_said_and_a_known_one_noted(home: Home, record: str, receipt: Path) -> None:
    assert "no such" in home.cdp("consent", "receipt", "0" * 32, exit_code=2).output
    with home.opened() as deployment, deployment.database.snapshot() as session:
        notes = session.scalars(select(LedgerEntry.header).where(LedgerEntry.act == "consent.receipt")).all()
        public = deployment.signer.public
    (noted,) = notes
    assert json.loads(noted)["header"]["record"] == record
    assert key_id(public) in home.cdp("consent", "verify", str(receipt)).output
