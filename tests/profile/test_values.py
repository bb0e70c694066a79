"""Dates, countries, kana and addresses as shops write them, in one spelling each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.policy.terms import TraitTerm
from cdp.profile import facts, traits, values


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("昭和60年1月3日", "1985-01-03"),
        ("S60.1.3", "1985-01-03"),
        ("s60/1/3", "1985-01-03"),
        ("Ｓ６０．１．３", "1985-01-03"),
        ("平成元年5月1日", "1989-05-01"),
        ("H31-4-30", "2019-04-30"),
        ("令和元年5月1日", "2019-05-01"),
        ("㍻2年1月1日", "1990-01-01"),
        ("大正15年12月24日", "1926-12-24"),
        ("昭和 60年 1月 3日生まれ", "1985-01-03"),
        ("S.60.1.3", "1985-01-03"),
        ("S600103", "1985-01-03"),
        ("h010503", "1989-05-03"),
        ("１９８５年１月３日生", "1985-01-03"),
        ("明治45年7月29日", "1912-07-29"),
        ("㋿元年5月1日", "2019-05-01"),
        ("1985-01-03", "1985-01-03"),
        ("1985/1/3", "1985-01-03"),
        ("1985年1月3日", "1985-01-03"),
        ("19850103", "1985-01-03"),
        ("1985-01-03T00:00:00.000Z", "1985-01-03"),
    ],
)
def test_a_birthday_is_read_in_either_calendar(written: str, day: str) -> None:
    assert values.birthday(written) == day


@pytest.mark.parametrize(
    "written",
    [
        "",
        "S70.1.3",
        "昭和60年13月1日",
        "1985-02-30",
        "1900-01-01",
        "1970-01-01",
        "1899-12-30",
        "1901-01-01",
        "9999-12-31",
        "昭和元年1月1日",
        "S010101",
        "H1.1.1",
        "0001-01-01",
        "3/4/1985",
        "R0.1.1",
        None,
    ],
)
def test_a_date_that_cannot_be_one_is_not_guessed(written: Any) -> None:
    with pytest.raises(ValueError, match=r"date|range|day|month") as raised:
        values.birthday(written)
    assert not written or written not in str(raised.value)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("jp", "JP"),
        ("日本", "JP"),
        ("ＪＰ", "JP"),
        ("Germany", "DE"),
        ("UK", "GB"),
        ("gb", "GB"),
        ("United States", "US"),
    ],
)
def test_a_country_is_an_iso_code(written: str, code: str) -> None:
    assert values.country(written) == values.country(code) == code


@pytest.mark.parametrize("written", ["", "Narnia", "XX", "J"])
def test_an_unknown_country_is_not_guessed(written: str) -> None:
    with pytest.raises(ValueError, match="not a country"):
        values.country(written)


@pytest.mark.parametrize("written", ["ヤマダ", "ﾔﾏﾀﾞ", "やまだ", "やま　だ", "ヤマダ "])
def test_a_reading_has_one_spelling(written: str) -> None:
    assert values.kana(written) == "ヤマダ"


def test_an_address_keeps_its_declared_parts() -> None:
    address = values.address({"street": "1-2-3", "zip": "100-0001", "country": "Japan", "mood": "sunny", "city": None})
    assert address == {"street": "1-2-3", "postal_code": "100-0001", "country": "JP"}


@pytest.mark.parametrize(
    ("parts", "named", "postal"),
    [
        ({"country": "DE"}, "DE", ""),
        ({"state": "東京都"}, "", "JP"),
        ({"text": "神奈川県横浜市"}, "", "JP"),
        ({"postal_code": "〒100-0001"}, "", "JP"),
        ({"city": "Berlin", "postal_code": "10115"}, "", ""),
    ],
)
def test_an_address_tells_its_country_where_it_can_be_only_one(parts: dict[str, str], named: str, postal: str) -> None:
    assert (values.stated_country(parts), values.postal_country(parts)) == (named, postal)


@given(st.text(max_size=30), st.sampled_from(sorted(values.READERS)))
def test_reading_twice_changes_nothing(value: str, kind: str) -> None:
    try:
        once = values.read(kind, value)
    except ValueError:
        return
    assert values.read(kind, once) == once


@pytest.mark.parametrize(
    ("slot", "allowed", "value", "clear"),
    [
        ("t01", (), "JP", "JP"),
        ("t01", ("gold",), "gold", "gold"),
        ("t01", ("gold",), "ada@people.example", None),
        ("t01", (), "x" * 65, None),
        ("t01", (), "a\x00b", None),
        ("t01", (), "お茶 と-和菓子_1", "お茶 と-和菓子_1"),
        ("t01", (), "ada@people.example", None),
        ("t01", (), "x" * 33, None),
        ("t01", (), "id 12345", None),
        ("t01", (), "+81 90 1234", None),
        ("t01", (), True, "true"),
        ("n01", (), 3, "3.0"),
        ("n01", (), "3", None),
        ("", (), "JP", None),
    ],
)
def test_a_value_stands_in_the_clear_only_where_the_policy_gave_it_a_slot_that_fits(
    slot: str, allowed: tuple[str, ...], value: Any, clear: str | None
) -> None:
    assert traits.clear_value(TraitTerm("t", "c", "text", slot, allowed), value) == clear


@pytest.mark.parametrize("sku", ["SKU-1", "4901234567894", "012345678905", "shop:item/12.3_a", "A" * 64])
def test_an_articles_number_stands_in_the_clear(sku: str) -> None:
    assert facts.item({"sku": sku}) == sku


@pytest.mark.parametrize(
    "sku",
    [
        "ada@people.example",
        "+819012345678",
        "09012345678",
        "090-1234-5678",
        "tel:03-1234-5678",
        "A" * 65,
        "山田",
        "a b",
    ],
)
def test_what_may_be_a_persons_value_is_no_articles_number(sku: str) -> None:
    assert facts.item({"sku": sku}) is None


def test_what_no_encoding_can_hold_is_sealed_escaped() -> None:
    assert traits.encode({"name": "\ud800"}) == b'{"name":"\\ud800"}'
