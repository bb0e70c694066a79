"""Keys of Japanese addresses: one for every way of writing the numbers, and none that is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.normalise import AddressKey, address_key

SIGNS = "一二三十〇百丁目番地号町の-ー－0123１２丘ヶケが丸内 　ビル〒県東京都()、々"


@pytest.mark.parametrize(
    "written",
    [
        "東京都千代田区丸の内4丁目2番8号",
        "千代田区丸の内四丁目二番八号",
        "千代田区丸の内４－２－８",
        "千代田区丸の内4-2-8",
        "千代田区丸の内4ー2ー8",
        "千代田区丸の内 4丁目2-8",
        "千代田区丸の内4丁目2番地8",
        "千代田区丸の内4丁目2番地の8",
        "千代田区丸の内4丁2番8号",
        "千代田区丸の内4の2の8",
        "千代田区 丸の内 4 - 2 - 8",
    ],
)
def test_the_numbers_of_a_block_have_one_spelling(written: str) -> None:
    assert address_key("100-0005", written) == AddressKey("100-0005", "千代田区丸の内", "4-2-8", "")


@pytest.mark.parametrize(
    ("written", "town", "block", "building"),
    [
        ("港区芝5-1 1丁目マンション3号室", "港区芝", "5-1", "1丁目マンション3号室"),
        ("1丁目マンション", "", "1", "マンション"),
        ("港区芝1丁目マンション", "港区芝", "1", "マンション"),
        ("六本木七丁目十番三号メゾン・ド・ロワ", "六本木", "7-10-3", "メゾン・ド・ロワ"),
        ("丸の内1-2-3-405", "丸の内", "1-2-3", "405"),
        ("丸の内1-2-3 サンタワー405号室", "丸の内", "1-2-3", "サンタワー405号室"),
        ("丸の内1丁目2番3号室", "丸の内", "1-2-3", "号室"),
        ("一番町4丁目1", "一番町", "4-1", ""),
        ("一番町四番地", "一番町", "4", ""),
        ("帯広市十四号5-1", "帯広市十四号", "5-1", ""),
        ("三国ヶ丘1-2", "三国ケ丘", "1-2", ""),
        ("三国が丘1-2", "三国ケ丘", "1-2", ""),
        ("三国ケ丘1-2", "三国ケ丘", "1-2", ""),
        ("一の坂2-1", "一の坂", "2-1", ""),
        ("八丁堀2-3-1", "八丁堀", "2-3-1", ""),
        ("仙台市一番丁3", "仙台市一番丁", "3", ""),
        ("札幌市北1条西2丁目3-4", "札幌市北1条西", "2-3-4", ""),
        ("大字小川百二十三番地", "小川", "123", ""),
        ("二〇番地", "", "20", ""),
        ("澁谷區神南1-1", "渋谷区神南", "1-1", ""),
        ("神奈川県横浜市西区5", "横浜市西区", "5", ""),
    ],
)
def test_towns_and_buildings_keep_their_numbers(written: str, town: str, block: str, building: str) -> None:
    assert address_key("", written) == AddressKey("", town, block, building)


@pytest.mark.parametrize(
    ("postal", "text", "code"),
    [
        ("1000005", "丸の内1-2", "100-0005"),
        ("〒１００－０００５", "丸の内1-2", "100-0005"),
        ("", "〒100-0005 丸の内1-2", "100-0005"),
        ("", "100-0005 丸の内1-2", "100-0005"),
        ("150-0001", "〒100-0005 丸の内1-2", "150-0001"),
        ("12345", "丸の内1-2", ""),
    ],
)
def test_the_postal_code_stands_by_itself(postal: str, text: str, code: str) -> None:
    assert address_key(postal, text) == AddressKey(code, "丸の内", "1-2", "")


@pytest.mark.parametrize(
    ("postal", "text"),
    [("", ""), ("", "丸の内"), ("", "Hauptstr. 12"), ("80331", "Hauptstr. 12"), ("", "港区赤坂三番館"), ("", "12-3")],
)
def test_what_is_no_japanese_address_has_no_key(postal: str, text: str) -> None:
    assert address_key(postal, text) is None


def test_a_postal_code_alone_is_a_key() -> None:
    assert address_key("1000005", "丸の内") == AddressKey("100-0005", "丸の内", "", "")


@given(st.text(max_size=12), st.text(SIGNS, max_size=40) | st.text(max_size=40))
def test_any_text_can_be_read(postal: str, text: str) -> None:
    address_key(postal, text)


@given(
    st.sampled_from(["千代田区丸の内", "三国ヶ丘", "一番町", "帯広市十四号", "大字小川", "澁谷區神南", "六本木"]),
    st.lists(st.integers(1, 300), min_size=1, max_size=3),
    st.sampled_from(["", "メゾン405", "1丁目マンション", "サンタワー 3F"]),
)
def test_an_address_written_as_its_key_has_that_key(town: str, block: list[int], building: str) -> None:
    key = address_key("100-0005", f"{town}{'-'.join(map(str, block))} {building}")
    assert key is not None and key.block == "-".join(map(str, block))
    assert address_key(key.postal, f"{key.town}{key.block} {key.building}") == key


@pytest.mark.parametrize("sign", ["1", "一", "1-", "1丁目", "丁目", "ー", " ", "様"])
def test_a_very_long_address_takes_no_longer_than_its_length(sign: str) -> None:
    address_key("", sign * 20_000 + "町")


def test_no_address_shows_in_what_is_printed() -> None:
    assert "丸の内" not in repr(address_key("", "丸の内1-2"))
