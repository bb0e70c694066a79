"""One spelling per identifier, and none for what identifies nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.normalise import canonical, derived, normalise, phone_country
from cdp.policy.terms import Policy
from tests.identity.whole import WHOLE
from tests.ingest.ground import make_policy


@pytest.mark.parametrize(
    ("given_", "spelled"),
    [
        ("Taro.Yamada+shop@Example.JP", "taro.yamada+shop@example.jp"),
        ("　ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ　", "taro@example.jp"),
        ("ta\u200bro@example.jp", "taro@example.jp"),
        ("taro..x.@docomo.ne.jp", "taro..x.@docomo.ne.jp"),
        ("mailto:taro@example.jp", "taro@example.jp"),
        ("straße@example.de", "straße@example.de"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("taro@example.jp.", "taro@example.jp"),
        ("ADA@people.example", "ada@people.example"),
        ("no address", None),
        ("a@b@example.jp", None),
        ("a b@example.jp", None),
        ("@example.jp", None),
        ("taro@localhost", None),
        ("taro@-x.jp", None),
        ("", None),
        ("\ud800@example.jp", None),
    ],
)
def test_a_mail_address_has_one_spelling(given_: str, spelled: str | None) -> None:
    assert normalise("email", given_) == spelled


@pytest.mark.parametrize(
    "written",
    [
        "090-1234-5678",
        "09012345678",
        "9012345678",
        "０９０－１２３４－５６７８",
        "090ー1234ー5678",
        "090−1234−5678",
        "090‐1234‐5678",
        "090─1234─5678",
        "090ｰ1234ｰ5678",
        "（090）1234　5678",
        "+81 90 1234 5678",
        "+81(0)90-1234-5678",
        "00819012345678",
        "010-81-90-1234-5678",
        "tel:+81-90-1234-5678",
        "090-1234-5678 内線12",
        "090-1234-5678（内線１２）",
        "090-1234-5678 内線番号:12",
        "090-1234-5678 x3",
        "tel:+81-90-1234-5678;ext=3",
        "090-1234-5678 ext. 3",
        "\u202a090-1234-5678\u202c",
    ],
)
def test_a_japanese_mobile_number_has_one_spelling(written: str) -> None:
    assert normalise("phone", written, "JP") == "+819012345678"


@pytest.mark.parametrize(
    "written", ["", "000-0000-0000", "9.01234E+9", "12", "なし", "090-1234", "abc", "+999123456789"]
)
def test_a_number_that_does_not_exist_is_none(written: str) -> None:
    assert normalise("phone", written, "JP") is None


@pytest.mark.parametrize(
    "written", ["03-1234-5678", "03（1234）5678", "０３ー１２３４ー５６７８", "03-1234-5678(代)", "+81 3 1234 5678"]
)
def test_a_number_of_an_office_has_one_spelling(written: str) -> None:
    assert normalise("phone", written, "JP") == "+81312345678"


@pytest.mark.parametrize(
    ("type_", "written", "region", "namespace"),
    [
        ("phone", "090-1234-5678", "JP", "phone"),
        ("phone", "03-1234-5678", "JP", "phone_fixed"),
        ("phone", "030 123456", "DE", "phone_fixed"),
        ("phone", "0151 23456789", "DE", "phone"),
        ("phone", "+1 212 555 0123", "US", "phone"),  # may be either there
        ("phone", "050-1234-5678", "JP", "phone"),
        ("phone_fixed", "090-1234-5678", "JP", "phone"),
        ("phone_fixed", "03-1234-5678", "JP", "phone_fixed"),
        ("phone_fixed", "+1 212 555 0123", "US", "phone_fixed"),
    ],
)
def test_the_numbering_plan_says_which_line_it_is(type_: str, written: str, region: str, namespace: str) -> None:
    name = canonical(WHOLE, type_, written, region=region)
    assert name is not None and name.namespace == namespace
    assert canonical(WHOLE, namespace, name.value) == name


def test_without_a_namespace_of_their_own_fixed_lines_stay_telephones() -> None:
    name = canonical(make_policy(), "phone", "03-1234-5678")
    assert name is not None and name.namespace == "phone"


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Ada.Love+shop@GMAIL.com", "adalove@gmail.com"),
        ("adalove@googlemail.com", "adalove@gmail.com"),
        ("adalove@gmail.com", "adalove@gmail.com"),
        ("ada.love+x@outlook.jp", "ada.love@outlook.jp"),
        ("ada@hotmail.com", "ada@hotmail.com"),
        ("ada+a+b@me.com", "ada@icloud.com"),
        ("ada@pm.me", "ada@proton.me"),
        ("ada.love+x@fastmail.com", "ada.love@fastmail.com"),
        ("+x@gmail.com", None),
        ("..+x@gmail.com", None),
        ("ada-shop@yahoo.co.jp", None),
        ("taro..x.@docomo.ne.jp", None),
        ("ada+x@people.example", None),
        ("ada+x@gmail.com.example", None),
    ],
)
def test_an_address_leads_to_a_mailbox_where_the_provider_is_known_to_ignore_the_rest(
    address: str, mailbox: str | None
) -> None:
    assert normalise("email_canon", address) == mailbox


@pytest.mark.parametrize("verified", [True, False])
def test_an_address_is_as_good_a_proof_of_its_mailbox_as_of_itself(verified: bool) -> None:
    name = canonical(WHOLE, "email", "a.da+x@gmail.com", verified=verified)
    assert name is not None
    assert name.value == "a.da+x@gmail.com"
    assert [(one.namespace, one.value, one.verified) for one in derived(WHOLE, name)] == [
        ("email_canon", "ada@gmail.com", verified)
    ]


@pytest.mark.parametrize(
    ("policy", "type_", "value"),
    [
        (make_policy(), "email", "ada@gmail.com"),
        (WHOLE, "email", "ada@people.example"),
        (WHOLE, "email", "te.st@gmail.com"),  # means nobody without its dot
        (WHOLE, "user_id", "ada@gmail.com"),
        (WHOLE, "email_canon", "ada@gmail.com"),
    ],
)
def test_of_anything_else_nothing_follows(policy: Policy, type_: str, value: str) -> None:
    name = canonical(policy, type_, value)
    assert name is not None and derived(policy, name) == ()


def test_a_number_is_read_in_its_region_and_tells_its_country() -> None:
    assert normalise("phone", "030 123456", "DE") == "+4930123456"
    assert phone_country("+4930123456") == "DE"
    assert phone_country("+819012345678") == "JP"


@pytest.mark.parametrize(
    ("value", "spelled"),
    [(" Ab-1 ", "Ab-1"), ("x" * 256, "x" * 256), ("x" * 257, None), ("あ" * 86, None), ("  ", None), (42, "42")],
)
def test_an_id_is_kept_as_its_system_gave_it(value: object, spelled: str | None) -> None:
    assert normalise("crm_id", value) == spelled


@pytest.mark.parametrize("value", [True, None, 1.5, ["a"], {"a": 1}])
def test_what_is_no_text_is_no_identifier(value: object) -> None:
    assert normalise("user_id", value) is None


@given(st.text(max_size=40), st.sampled_from(["email", "email_canon", "phone", "phone_fixed", "user_id"]))
def test_spelling_twice_changes_nothing(value: str, namespace: str) -> None:
    once = normalise(namespace, value)
    assert once is None or normalise(namespace, once) == once


@given(st.from_regex(r"[A-Za-z0-9ßéİΩ＋.+_-]{1,20}@[A-Za-zé]{1,10}\.(jp|de|ﬁ)", fullmatch=True))
def test_spelling_an_odd_address_twice_changes_nothing(value: str) -> None:
    once = normalise("email", value)
    assert once is None or normalise("email", once) == once


@given(st.from_regex(r"[A-Za-z.+_-]{1,20}@(gmail|googlemail|outlook|me|pm)\.(com|me)", fullmatch=True))
def test_a_mailbox_leads_to_itself(value: str) -> None:
    once = normalise("email_canon", value)
    assert once is None or normalise("email_canon", once) == normalise("email", once) == once


@given(st.text(max_size=60), st.sampled_from(["JP", "DE", ""]))
def test_no_text_is_too_odd_to_be_read(value: str, region: str) -> None:
    for type_ in WHOLE.namespaces:
        canonical(WHOLE, type_, value, region=region)


@given(st.from_regex(r"0[1-9][0-9-]{8,12}", fullmatch=True))
def test_a_number_is_the_same_in_any_width(written: str) -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) for char in written)
    assert normalise("phone", written) == normalise("phone", wide) == normalise("phone", written.replace("-", "ー"))


@pytest.mark.parametrize(
    ("namespace", "value"),
    [("user_id", "anonymous"), ("user_id", "UNKNOWN"), ("user_id", "000"), ("email", "test@example.jp"), ("fax", "1")],
)
def test_what_means_nobody_is_refused_before_it_is_hashed(namespace: str, value: str) -> None:
    assert canonical(make_policy(), namespace, value) is None


def test_a_scope_counts_only_where_limits_do() -> None:
    policy = make_policy()
    assert canonical(policy, "line_uid", "U1", "provider") != canonical(policy, "line_uid", "U1", "other")
    assert canonical(policy, "email", "a@people.example", "x") == canonical(policy, "email", "a@people.example")
    assert canonical(policy, "line_uid", "U1", "ada@people.example") is None


def test_a_value_does_not_show_in_what_is_printed() -> None:
    assert "ada@" not in repr(canonical(make_policy(), "email", "ada@people.example"))
