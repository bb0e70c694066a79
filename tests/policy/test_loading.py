"""The loader takes the policies that ship, and refuses each wrong declaration with its file."""

import tempfile
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp import policy
from cdp.policy.documents import Failures, parse, read, read_files
from cdp.policy.loading import vary
from cdp.policy.terms import Law
from tests.conftest import DEEP
from tests.policy.shipped import DAY, FOLDER, copied, terms

EMAIL = "purposes/email_marketing.yaml"

WRONG = [
    ("an unknown key", EMAIL, "notice: newsletter", "notice: newsletter\nnotices: x", "notices: Unknown field"),
    ("an unknown recipient", EMAIL, "recipients: [ma_tool,", "recipients: [ma_tul, ma_tool,", "no recipient ma_tul"),
    ("an unknown notice", EMAIL, "notice: newsletter", "notice: newsletters", "no notice newsletters"),
    ("an unknown field", EMAIL, "fields: [email,", "fields: [email, shoe_size,", "no trait or identifier shoe_size"),
    ("a mailbox", EMAIL, "fields: [email,", "fields: [email, email_canon,", "no trait or identifier email_canon"),
    ("an unknown channel", EMAIL, "channels: [email]", "channels: [pigeon]", "channels.0: Must be one of"),
    ("an unknown kind", EMAIL, "kind: direct_marketing", "kind: growth", "kind: Must be one of"),
    ("no basis under a configured law", EMAIL, "  APPI: {kind", "  # APPI: {kind", "no basis under APPI"),
    ("a basis the law does not know", EMAIL, "APPI: {kind: notified_purpose", "APPI: {kind: soft_opt_in", "no basis"),
    ("a soft opt-in without advertising", EMAIL, "advertising: true", "advertising: false", "soft opt-in advertises"),
    ("a vague purpose of use", EMAIL, "ja: 購買履歴", "ja: マーケティング活動のため、購買履歴", "not specific"),
    (
        "another vague purpose",
        "purposes/support.yaml",
        "ja: お問い合わせ・",
        "ja: 事業活動に用いるため、",
        "not specific",
    ),
    ("a file named otherwise", EMAIL, "purpose: email_marketing", "purpose: mailing", "a file is named as what it"),
    ("an example of another recipient", EMAIL, "recipient: ma_tool_us", "recipient: subject", "no recipient of the"),
    ("a refusal without its reason", EMAIL, "    because: unsubscribed\n", "", "a refusal says `because`"),
    ("a key written twice", EMAIL, "advertising: true", "advertising: true\nadvertising: true", "stands twice"),
    (
        "interests without an assessment",
        "purposes/support.yaml",
        "assessment: LIA-2024-002, ",
        "",
        "need an assessment",
    ),
    (
        "every field for a purpose that is no duty",
        "purposes/analytics.yaml",
        "fields: [language,",
        "fields: [all] #",
        "only a purpose of kind `legal`",
    ),
    (
        "a third party without consent",
        "purposes/analytics.yaml",
        "recipients: [ma_tool,",
        "recipients: [ad_platform, ma_tool,",
        "gives data to the third party ad_platform without consent under APPI",
    ),
    (
        "a special category without explicit consent",
        "traits.yaml",
        "title: {ja: 言語, en: Language}\n  category: demographic",
        "title: {ja: 言語, en: Language}\n  category: health",
        "special category without explicit consent under GDPR",
    ),
    (
        "a direct identifier in the clear",
        "traits.yaml",
        "category: name\n  type: text",
        "category: name\n  type: text\n  slot: t07",
        "must be sealed",
    ),
    ("a slot held twice", "traits.yaml", "slot: t02", "slot: t01", "already held"),
    ("a number in a text slot", "traits.yaml", "slot: n01", "slot: t07", "does not fit"),
    ("an unknown category", "traits.yaml", "category: region", "category: regions", "no category regions"),
    ("a processor without a contract", "recipients/ma_tool.yaml", "contract: DPA-2025-014\n", "", "needs a contract"),
    ("a processor nobody looks at", "recipients/ma_tool.yaml", "supervised: 2026-04-01\n", "", "last checked"),
    (
        "a processor that matches with its own data",
        "recipients/ma_tool.yaml",
        "role: processor",
        "role: processor\nmatches_with_own_data: true",
        "is a third_party",
    ),
    ("a host without access control", "recipients/cloud_host.yaml", "access_control:", "#", "evidence of access"),
    (
        "joint use of nothing",
        "recipients/group_company.yaml",
        "joint_use:\n  purposes: [customer_care_insight]\n",
        "joint_use:\n",
        "joint_use.purposes",
    ),
    ("joint use of an unknown purpose", "recipients/group_company.yaml", "[customer_care_insight]", "[x]", "purpose x"),
    ("a mechanism of another law", "recipients/ma_tool_us.yaml", "kind: scc", "kind: jp_equivalent", "no mechanism"),
    (
        "an equivalent system without a check",
        "recipients/ma_tool_us.yaml",
        "annex 2, checked: 2026-04-01",
        "x",
        "28(3)",
    ),
    ("a framework of another country", "recipients/ad_platform.yaml", "country: US", "country: IN", "United States"),
    ("a country that is none", "recipients/ma_tool.yaml", "country: JP", "country: Japan", "two capital letters"),
    ("a notice without a mandatory item", "notices/privacy.1.en.md", "  complaint: Superv", "  # Superv", "complaint"),
    ("an item without words", "notices/ads.1.en.md", "## Withdrawing consent", "## Other", "nothing is told of"),
    ("translations that differ", "notices/ads.1.en.md", "material: true", "material: false", "something else than"),
    ("a notice of an unknown purpose", "notices/line.1.ja.md", "[line_marketing]", "[line]", "no purpose line"),
    (
        "a notice that hides a third party",
        "notices/ads.1.en.md",
        "recipients: [ad_platform]",
        "recipients: []",
        "does not name the recipient ad_platform",
    ),
    (
        "a notice silent on the country abroad",
        "notices/ads.1.ja.md",
        "  foreign_country: 提供先の国\n",
        "",
        "does not tell foreign_country",
    ),
    ("a first layer over nothing", "notices/line.1.ja.md", "layer_of: privacy", "layer_of: cookies", "everything"),
    (
        "an audience of an unknown purpose",
        "audiences/everyone.yaml",
        "purpose: service_delivery",
        "purpose: x",
        "purpose x",
    ),
    ("a journey to nowhere", "journeys/standard.yaml", "to: loyalty", "to: heaven", "no stage heaven"),
    ("a time-out of no duration", "journeys/standard.yaml", "after: P14D", "after: soon", "no duration"),
    (
        "a category kept for ever",
        "retention.yaml",
        "{category: feedback,",
        "{category: behaviour,",
        "how long feedback",
    ),
    ("a law that is unknown", "laws/appi.yaml", "law: APPI", "law: CCPA", "Must be one of"),
    ("an unknown time zone", "controller.yaml", "Asia/Tokyo", "Asia/Edo", "no such zone"),
    (
        "an unreadable pattern",
        "identifiers.yaml",
        "'(?i)^(test|dummy|noreply|no-reply)@'",
        "'('",
        "no regular expression",
    ),
    *(
        (f"a role mailbox that is {what}", "identifiers.yaml", "abuse, ftp", f"{given}, ftp", "is no local part")
        for what, given in (
            ("an address", "info@acme.example"),
            ("not in its spelling", "Info"),
            ("tagged", "info+x"),
            ("of two words", "info desk"),
        )
    ),
    ("YAML that is none", "events.yaml", "Page Viewed: {", "Page Viewed: {{", "not valid YAML"),
]


@pytest.mark.parametrize(("path", "old", "new", "message"), [case[1:] for case in WRONG], ids=[c[0] for c in WRONG])
def test_the_loader_refuses_a_wrong_declaration(tmp_path: Path, path: str, old: str, new: str, message: str) -> None:
    folder = copied(tmp_path)
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(policy.PolicyError) as refused:
        policy.load(folder, DAY)
    assert any(message in line for line in refused.value.failures), refused.value.failures


def test_a_purpose_without_an_example_of_refusal_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    path = folder / "purposes/analytics.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("examples:")], encoding="utf-8")
    with pytest.raises(policy.PolicyError) as refused:
        policy.load(folder, DAY)
    assert refused.value.failures == ["purposes/analytics.yaml: examples: at least one must show a refusal"]


def test_every_failure_is_listed_at_once_with_its_file(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "recipients/staff.yaml").unlink()
    (folder / "laws/notes.txt").write_text("x", encoding="utf-8")
    (folder / "notices/line.1.en.md").unlink()
    with pytest.raises(policy.PolicyError) as refused:
        policy.load(folder, DAY)
    files = {line.split(":")[0] for line in refused.value.failures}
    assert {"laws/notes.txt", "notices/line.1.ja.md", "purposes/analytics.yaml", "purposes/support.yaml"} <= files
    assert "more; see `cdp policy check`" in str(refused.value)


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(policy.PolicyError):
        policy.load(tmp_path / "nowhere", DAY)


def test_the_digest_names_the_content_and_nothing_else(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    assert policy.load(folder, DAY).digest == terms().digest
    path = folder / "notices/newsletter.2.en.md"
    path.write_text(path.read_text(encoding="utf-8") + "One word more.\n", encoding="utf-8")
    assert policy.load(folder, DAY).digest != terms().digest


def test_another_day_with_other_ages_is_another_version() -> None:
    before = policy.load(FOLDER, date(2025, 4, 2))
    assert dict(before.packs[Law.GDPR].consent_ages)["DK"] == 15
    assert before.digest != terms().digest


def test_the_country_norway_is_not_false() -> None:
    assert parse("[NO, on, yes, true, 2026-01-01]") == ["NO", "on", "yes", True, "2026-01-01"]
    assert "NO" in terms().packs[Law.GDPR].countries


def test_a_later_immaterial_version_leaves_earlier_consents_standing() -> None:
    purpose = terms().purposes["email_marketing"]
    assert purpose.min_notice_version == "1"
    assert {("newsletter", "1"), ("newsletter", "2")} <= set(purpose.notices_current)
    assert purpose.notices_superseded == ()


def test_a_later_material_version_supersedes_them_from_its_day(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    for language in ("ja", "en"):
        path = folder / f"notices/newsletter.2.{language}.md"
        path.write_text(path.read_text(encoding="utf-8").replace("material: false", "material: true"), encoding="utf-8")
    purpose = policy.load(folder, DAY).purposes["email_marketing"]
    assert purpose.min_notice_version == "2"
    assert ("newsletter", "1") in purpose.notices_superseded
    eve = policy.load(folder, date(2026, 3, 31)).purposes["email_marketing"]
    assert eve.min_notice_version == "1"
    assert eve.notices_superseded == ()


def test_uses_are_sorted_and_found_by_their_index() -> None:
    uses = terms().uses
    assert [use.index for use in uses] == list(range(len(uses)))
    assert list(uses) == sorted(uses, key=lambda use: (use.purpose, use.recipient, use.channel))
    assert all(terms().find_use(use.purpose, use.recipient, use.channel) is use for use in uses)
    assert terms().find_use("email_marketing", "ad_platform", "email") is None


def test_hidden_files_and_readmes_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "x.bin").write_bytes(b"x")
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    failures = Failures()
    read(read_files(tmp_path), failures)
    assert failures.lines == []


JUNK = st.sampled_from([None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"x": 1}, {1: 2, "a": 3}, ["x", {}]])


@settings(max_examples=1000 if DEEP else 15)
@given(st.data())
def test_nonsense_in_any_place_is_refused_with_a_line_or_means_something(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = copied(Path(place))
        path = data.draw(st.sampled_from(sorted(one for one in folder.rglob("*.yaml"))), label="file")
        tree = parse(path.read_text(encoding="utf-8"))
        where = tree
        for _ in range(data.draw(st.integers(0, 3), label="depth")):
            keys = list(where) if isinstance(where, dict) else list(range(len(where)))
            inner = [key for key in keys if isinstance(where[key], dict | list) and where[key]]
            if not inner:
                break
            where = where[data.draw(st.sampled_from(inner), label="key")]
        key = data.draw(
            st.sampled_from(list(where) if isinstance(where, dict) else list(range(len(where)))), label="at"
        )
        where[key] = data.draw(JUNK, label="junk")
        path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
        try:
            policy.load(folder, DAY)
        except policy.PolicyError as refused:
            assert all(": " in line for line in refused.failures)


def test_a_notice_may_tell_the_risks_of_a_transfer(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    for language, heading in (("ja", "委託先"), ("en", "Who helps us")):
        path = folder / f"notices/line.1.{language}.md"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("items:\n", f"items:\n  transfer_risks: {heading}\n"), encoding="utf-8")
    told = policy.load(folder, DAY).notices["line", "1", "en"].items
    assert "transfer_risks" in told


def test_information_that_is_nobody_s_yet_needs_no_consent_to_provision() -> None:
    change = {"bases": {"APPI": {"kind": "notified_purpose"}}, "data_class": "personal_related"}
    assert vary(terms(), [{"purposes/ads_sharing.yaml": change}], DAY)[1] == []
    personal = {**change, "data_class": "personal"}
    refused = vary(terms(), [{"purposes/ads_sharing.yaml": personal}], DAY)[1]
    assert len(refused) == 1
    assert "gives data to the third party ad_platform without consent under APPI" in refused[0]
