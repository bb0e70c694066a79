"""One spelling per identifier, and none for what identifies nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.normalise import canonical, normalise, phone_country
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


@given(st.text(max_size=40), st.sampled_from(["email", "phone", "user_id", "line_uid"]))
def test_spelling_twice_changes_nothing(value: str, namespace: str) -> None:
    once = normalise(namespace, value)
    assert once is None or normalise(namespace, once) == once


@given(st.from_regex(r"[A-Za-z0-9ßéİΩ＋.+_-]{1,20}@[A-Za-zé]{1,10}\.(jp|de|ﬁ)", fullmatch=True))
def test_spelling_an_odd_address_twice_changes_nothing(value: str) -> None:
    once = normalise("email", value)
    assert once is None or normalise("email", once) == once


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
