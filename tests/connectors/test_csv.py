"""Files as shops and CRMs export them, written here in the encodings that they use."""

import csv
import io
from datetime import date

import pytest

from cdp.connector import cells
from cdp.connector.kit import Claim, Item
from cdp.connector.reading import Malformed
from cdp.errors import Problem, Refusal
from tests.connectors.desk import NOW, configured, incoming, only, read, with_

CRM = configured("csv", residence_default="JP")
JAPANESE = {
    "会員番号": "M001",
    "氏名": "山田　花子",
    "氏名カナ": "ヤマダ ハナコ",
    "メールアドレス": "hanako@example.com",
    "電話番号": "9012345678",
    "生年月日": "昭和60年1月3日",
    "郵便番号": "600001",
    "都道府県": "北海道",
    "住所": "札幌市中央区1-1",
    "メルマガ許諾": "希望する",
    "会員ランク": "ゴールド",
    "最終購入日": "2026/05/01",
}


def file(*rows: dict[str, str], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def take(row: dict[str, str], config=CRM, **how: str) -> Item:
    return only(read(config, incoming(file(row, **how))))


def refused(row: dict[str, str], config=CRM) -> Refusal:
    (found,) = read(config, incoming(file(row)))
    assert isinstance(found, Refusal), found
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_japanese_members_list_is_read_in_any_encoding_of_shops(encoding: str, delimiter: str) -> None:
    item = take(JAPANESE, encoding=encoding, delimiter=delimiter)
    assert item.claims == (
        Claim("crm_id", "M001", "my_csv", True),
        Claim("email", "hanako@example.com", "", True),
        Claim("phone", "09012345678", "", True),
    )
    assert item.traits == {
        "full_name": "山田 花子",
        "family_name_kana": "ヤマダ",
        "given_name_kana": "ハナコ",
        "birthday": "1985-01-03",
        "address": {"postal_code": "060-0001", "street": "札幌市中央区1-1"},
        "prefecture": "北海道",
        "tier": "gold",
    }
    assert item.dropped == ("最終購入日",)


def test_an_opt_in_without_evidence_is_no_consent_and_a_no_is_kept() -> None:
    (signal,) = take(JAPANESE).signals
    assert (signal.purpose, signal.channel, signal.status, signal.evidence) == (
        "email_marketing",
        "email",
        "unknown",
        "none",
    )
    assert not signal.act
    (signal,) = take(JAPANESE | {"メルマガ許諾": "拒否"}).signals
    assert (signal.status, signal.act, signal.contact) == (
        "refused",
        False,
        Claim("email", "hanako@example.com", "", True),
    )
    assert take(JAPANESE | {"メルマガ許諾": ""}).signals == ()


@pytest.mark.parametrize("flag", ["1", "TRUE", "はい", "2026/04/01", "退会希望"])
def test_whoever_stopped_the_newsletter_is_withdrawn_and_left_alone(flag: str) -> None:
    item = take({"会員番号": "M001", "メールアドレス": "hanako@example.com", "配信停止": flag})
    assert [(one.purpose, one.channel, one.status, one.act) for one in item.signals] == [
        ("*", "email", "withdrawn", True)
    ]
    assert [(one.channel, one.reason) for one in item.silences] == [("email", "unsubscribe")]


@pytest.mark.parametrize("flag", ["0", "", "いいえ", "FALSE"])
def test_whoever_did_not_stop_it_says_nothing(flag: str) -> None:
    item = take({"会員番号": "M001", "メールアドレス": "hanako@example.com", "配信停止": flag})
    assert item.signals == () and item.silences == ()


HUBSPOT = {
    "Record ID": "101",
    "First Name": "Ada",
    "Last Name": "Lovelace",
    "Email": "ADA@example.com",
    "Phone Number": "+44 20 7946 0000",
    "Country/Region": "United Kingdom",
    "Date of birth": "1990-12-10",
    "Postal Code": "SW1A 1AA",
    "Unsubscribed from all email": "true",
    "Lifecycle Stage": "customer",
    "Last Modified Date": "2026-05-01 10:00",
}


def test_a_hubspot_export_is_known_by_its_columns() -> None:
    item = take(HUBSPOT, configured("csv", residence_default="GB", system="hubspot-eu"))
    assert item.claims[0] == Claim("crm_id", "101", "hubspot-eu", True)
    assert item.traits["given_name"] == "Ada" and item.traits["address"] == {"postal_code": "SW1A 1AA"}
    assert item.at.isoformat() == "2026-05-01T10:00:00+00:00"
    assert [one.status for one in item.signals] == ["withdrawn"]
    assert item.dropped == ("Lifecycle Stage",)


def test_a_salesforce_export_is_known_by_its_columns() -> None:
    row = {"Id": "003000000000001", "LastName": "Lovelace", "Email": "ada@example.com", "Birthdate": "1990-12-10"}
    row |= {
        "MailingCountry": "DE",
        "MailingCity": "Berlin",
        "HasOptedOutOfEmail": "1",
        "DoNotCall": "0",
        "Phone": "030 1234567",
    }
    row |= {"LastModifiedDate": "2026-05-01T10:00:00.000+0000", "AccountId": "001"}
    item = take(row, configured("csv", residence_default="DE"))
    assert item.traits == {
        "family_name": "Lovelace",
        "birthday": "1990-12-10",
        "country": "DE",
        "address": {"city": "Berlin"},
    }
    assert [(one.channel, one.status) for one in item.signals] == [("email", "withdrawn")]
    assert item.at.hour == 10 and item.dropped == ("AccountId",)
    assert ("phone", "030 1234567") in {(claim.type, claim.value) for claim in item.claims}


def test_an_order_counts_once_however_many_lines_of_goods_it_has() -> None:
    order = {
        "注文番号": "o-1",
        "注文日時": "2026/05/01 00:30",
        "会員番号": "M001",
        "合計金額": "¥12,800",
        "商品コード": "a",
    }
    first, second = read(CRM, incoming(file(order, order | {"商品コード": "b"})))
    assert isinstance(first, Item) and isinstance(second, Item)
    assert first.message_id == second.message_id
    assert (first.event, first.channel) == ("Order Completed", "store")
    assert first.properties == {"order_id": "o-1", "total": 12800, "product_id": "a"}
    assert first.at.isoformat() == "2026-04-30T15:30:00+00:00"  # half past midnight in Japan


def test_a_row_is_named_by_what_it_says() -> None:
    assert (
        take(JAPANESE).message_id
        == take(JAPANESE, encoding="cp932").message_id
        == take({"reason": "", **JAPANESE}).message_id
    )
    assert take(JAPANESE).message_id != take(JAPANESE | {"住所": "札幌市中央区2-2"}).message_id
    assert take(JAPANESE).message_id != take(JAPANESE, with_(CRM, name="another")).message_id


def test_a_column_that_an_operator_declares_is_taken_in() -> None:
    item = take(JAPANESE | {"関心": "お茶"}, configured("csv", residence_default="JP", **{"trait.関心": "interest"}))
    assert item.traits["interest"] == "お茶"
    assert "interest" in configured("csv", **{"trait.関心": "interest"}).traits


def test_json_lines_are_rows_too() -> None:
    lines = b'{"email": "ada@example.com", "tier": "gold", "nested": {"x": 1}}\n\n{"phone": "09012345678"}\n[1]\n{"a"'
    found = read(CRM, incoming(lines))
    assert [claim.type for item in found[:2] if isinstance(item, Item) for claim in item.claims] == ["email", "phone"]
    assert found[2:] == [Refusal("row_malformed", "row 4"), Refusal("row_malformed", "row 5")]


@pytest.mark.parametrize(
    ("wrong", "reason", "where"),
    [
        ({"メールアドレス": "hanako.example.com"}, "email_malformed", "row 1 メールアドレス"),
        ({"生年月日": "昭和60年13月3日"}, "date_malformed", "row 1 生年月日"),
        ({"生年月日": "昭和99年1月3日"}, "date_malformed", "row 1 生年月日"),
        ({"生年月日": "2031-01-01"}, "date_malformed", "row 1 生年月日"),
        ({"生年月日": "3/1/1985"}, "date_ambiguous", "row 1 生年月日"),
        ({"電話番号": "9.01E+09"}, "number_malformed", "row 1 電話番号"),
        ({"会員番号": "-", "メールアドレス": "なし", "電話番号": "不明"}, "no_identifier", "row 1"),
        ({"会員番号": "x" * 300}, "identifier_malformed", "row 1 会員番号"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_by_column_and_reason(
    wrong: dict[str, str], reason: str, where: str
) -> None:
    assert refused(JAPANESE | wrong) == Refusal(reason, where)


def test_a_row_that_does_not_fit_the_header_is_refused_and_the_rest_is_kept() -> None:
    body = "会員番号,氏名\nM1,山田\nM2\nM3,鈴木,余り\nM4,佐藤\n".encode("cp932")
    found = read(CRM, incoming(body))
    assert [one.reason if isinstance(one, Refusal) else "taken" for one in found] == [
        "taken",
        "row_malformed",
        "row_malformed",
        "taken",
    ]


def test_columns_that_nobody_knows_are_the_operators_mistake() -> None:
    with pytest.raises(Problem) as raised:
        read(CRM, incoming(b"colour,shape\nred,round\n"))
    assert raised.value.type == "layout_unknown"


@pytest.mark.parametrize("body", [b"\x81\x00\xff\xfd", "やまだ はなこ".encode() + b"\xff"])
def test_a_file_in_no_encoding_of_shops_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as raised:
        read(CRM, incoming(b"email\n" + body))
    assert raised.value.type == "encoding_unknown"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("昭和60年1月3日", date(1985, 1, 3)),
        ("S60.1.3", date(1985, 1, 3)),
        ("s60/01/03", date(1985, 1, 3)),
        ("平成元年5月1日", date(1989, 5, 1)),
        ("H1.5.1", date(1989, 5, 1)),
        ("令和6年2月29日", date(2024, 2, 29)),
        ("1985年1月3日", date(1985, 1, 3)),
        ("１９８５／１／３", date(1985, 1, 3)),
        ("1985-01-03T00:00:00Z", date(1985, 1, 3)),
        ("19850103", date(1985, 1, 3)),
        ("31050", date(1985, 1, 3)),
        ("31/1/1985", date(1985, 1, 31)),
        ("1/31/1985", date(1985, 1, 31)),
        ("3.3.1985", date(1985, 3, 3)),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, found: date) -> None:
    assert cells.read_date(text) == found


@pytest.mark.parametrize(("order", "found"), [("mdy", date(1985, 3, 1)), ("dmy", date(1985, 1, 3))])
def test_an_ambiguous_date_needs_its_order_told(order: str, found: date) -> None:
    assert cells.read_date("3/1/1985", order) == found
    with pytest.raises(Malformed):
        cells.read_date("3/1/1985")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("9012345678", "09012345678"),
        ("312345678", "0312345678"),
        ("090-1234-5678", "090-1234-5678"),
        ("０９０１２３４５６７８", "09012345678"),
        ("+81 90 1234 5678", "+81 90 1234 5678"),
        ("(03) 1234-5678", "(03) 1234-5678"),
    ],
)
def test_a_lost_zero_is_put_back(text: str, found: str) -> None:
    assert cells.phone(text, "JP") == found


def test_no_zero_is_made_up_where_none_was_lost() -> None:
    assert cells.phone("9012345678", "DE") == "9012345678"


@pytest.mark.parametrize("cell", ['="0901"', "'0901", " 0901 ", "0901"])
def test_what_spreadsheets_put_around_a_cell_is_taken_off(cell: str) -> None:
    assert cells.clean(cell) == "0901"


def test_time_in_the_future_is_not_believed() -> None:
    assert take(HUBSPOT | {"Last Modified Date": "2040-01-01"}).at == NOW
