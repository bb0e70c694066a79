"""What holds of every connector that the folder has, also of those that come later."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from marshmallow import ValidationError

from cdp.connector import load
from cdp.connector.kit import Incoming
from cdp.connector.manifest import read_manifest
from cdp.errors import Problem, StartRefused
from cdp.policy.terms import CHANNELS
from tests.connectors.desk import FOLDER, NOW, TYPES, configured

NAMES = sorted(TYPES)
NEEDED = {
    name: {
        key: term.choices[0] if term.choices else "A" * 80
        for key, term in one.manifest.settings.items()
        if term.required and not term.generated
    }
    for name, one in TYPES.items()
}


def declared(name: str) -> dict:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_loads_and_says_its_name_in_two_languages(name: str) -> None:
    manifest = TYPES[name].manifest
    assert manifest.title["ja"] and manifest.title["en"]
    assert manifest.kind in ("site", "crm", "sns", "email")


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_key_in_a_manifest_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        read_manifest(name, declared(name) | {"surprise": 1})


def test_a_mailbox_is_derived_and_never_declared() -> None:
    wrong = declared("segment") | {"identifiers": [{"field": "context.mailbox", "namespace": "email_canon"}]}
    with pytest.raises(ValidationError) as raised:
        read_manifest("segment", wrong)
    assert list(raised.value.normalized_messages()) == ["identifiers"]


@pytest.mark.parametrize("name", NAMES)
def test_no_signal_of_a_device_stands_for_a_contact_channel(name: str) -> None:
    manifest = TYPES[name].manifest
    assert {term.channel for term in (*manifest.banner.values(), *manifest.tcf, *manifest.gpc)} <= {"web", "none"}


@pytest.mark.parametrize("channel", sorted({*CHANNELS} - {"web", "none"}))
@pytest.mark.parametrize("block", ["banner", "tcf", "gpc"])
def test_a_signal_of_a_device_for_any_other_channel_is_refused(block: str, channel: str) -> None:
    """Nor for letters, push messages or lists of addresses (ruling R2)."""
    term = {"purpose": "email_marketing", "channel": channel}
    wrong = {"banner": {"Marketing": term}, "tcf": [{**term, "needs": [1]}], "gpc": [term]}[block]
    with pytest.raises(ValidationError) as raised:
        read_manifest("segment", declared("segment") | {block: wrong})
    assert list(raised.value.normalized_messages()) == [block]


@pytest.mark.parametrize("needs", [[], [0], [12], ["1"], [1.5], None])
def test_a_tcf_purpose_that_nobody_knows_is_refused(needs: object) -> None:
    wrong = declared("segment") | {"tcf": [{"purpose": "analytics", "channel": "none", "needs": needs}]}
    with pytest.raises(ValidationError):
        read_manifest("segment", wrong)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"null", b"[]", b"{}", b"[[[[", b'{"a":1e999}', b"\x00" * 64])
def test_nonsense_is_refused_and_never_raises_anything_else(name: str, body: bytes) -> None:
    config = configured(name, **NEEDED[name])
    source = TYPES[name].source
    for call in ("track", "batch", "hook"):
        try:
            found = list(source.read(Incoming(body, NOW, {}, call), config))
        except Problem as problem:
            assert problem.status == 400
        else:
            assert all(hasattr(one, "reason") for one in found)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_other_side_is_told_has_no_secret_in_it(name: str) -> None:
    config = configured(name, **NEEDED[name])
    told = dict(TYPES[name].source.welcome(config))
    assert told
    assert not [value for value in told.values() if value in NEEDED[name].values()]
    assert not set(config.settings) & {"channel_secret", "previous_channel_secret"}


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_is_pure(name: str) -> None:
    """It imports nothing that reads files, the clock, the network or the database."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) ([\w.]+)", text, re.MULTILINE))
    allowed = {
        "base64",
        "binascii",
        "collections.abc",
        "cryptography",
        "dataclasses",
        "datetime",
        "hashlib",
        "hmac",
        "io",
    }
    allowed |= {"itertools", "json", "re", "typing", "cdp.connector", "cdp.errors", "cdp.policy.terms"}
    beyond = {one for one in imported if not any(one == good or one.startswith(f"{good}.") for good in allowed)}
    assert not beyond


def test_two_files_are_a_connector(tmp_path: Path) -> None:
    """Nothing else is edited, not even this file: the folder is scanned."""
    (tmp_path / "tiny.yaml").write_text("kind: crm\ntitle: {ja: 小, en: Tiny}\nauth: secret_url\n", encoding="utf-8")
    (tmp_path / "tiny.py").write_text(
        "from cdp.connector.kit import SourceType\n\n\nclass Tiny(SourceType):\n"
        "    def verify(self, incoming, credentials, at):\n        return None\n\n"
        "    def read(self, incoming, config):\n        return iter(())\n\n"
        "    def welcome(self, config):\n        return [('webhook_url', '{webhook_url}')]\n",
        encoding="utf-8",
    )
    assert load(tmp_path)["tiny"].source.welcome(configured("csv")) == [("webhook_url", "{webhook_url}")]


def test_a_connector_that_leaves_something_out_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "half.yaml").write_text("kind: crm\ntitle: {ja: 半, en: Half}\nauth: none\n", encoding="utf-8")
    (tmp_path / "half.py").write_text(
        "from cdp.connector.kit import SourceType\n\n\nclass Half(SourceType):\n    pass\n", encoding="utf-8"
    )
    with pytest.raises(StartRefused, match=r"half\.py"):
        load(tmp_path)


def test_a_manifest_without_its_python_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "lonely.yaml").write_text("kind: crm\ntitle: {ja: 孤, en: Lonely}\nauth: none\n", encoding="utf-8")
    with pytest.raises(StartRefused, match="lonely"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("type", "settings", "pointer"),
    [
        ("segment", {"key": "both"}, "/settings/key"),
        ("segment", {"colour": "red"}, "/settings/colour"),
        ("segment", {"residence_default": "Japan"}, "/settings/residence_default"),
        ("segment", {"banner.Mine": "email_marketing"}, "/settings/banner.Mine"),
        ("segment", {"tcf_vendors": "0"}, "/settings/tcf_vendors"),
        ("segment", {"tcf_vendors": "755;91"}, "/settings/tcf_vendors"),
        ("segment", {"trait.Rank": "Bad Name"}, "/settings/trait.Rank"),
        ("line", {}, "/settings/channel_secret"),
    ],
)
def test_a_wrong_setting_is_named(type: str, settings: dict[str, str], pointer: str) -> None:
    with pytest.raises(Problem) as raised:
        configured(type, **settings)
    assert [error.pointer for error in raised.value.errors] == [pointer]


def test_the_connectors_import_their_contract_only() -> None:
    """They also load alone, without the database or the web having been imported."""
    program = "import sys, connectors.segment, connectors.csv, connectors.line, connectors.sendgrid; "
    program += (
        "print([name for name in sys.modules if name.startswith(('cdp.web', 'cdp.ingest', 'cdp.gate', 'flask'))])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=FOLDER.parent, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
