"""Keys of names: one for each script, blind to what people write differently."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.normalise import NameKeys, name_keys
from cdp.identity.normalise.itaiji import FOLDED
from cdp.identity.normalise.names import bag, kana_loose, kana_strict, kanji, kanji_folded, latin, latin_translit

KEYS = (kana_strict, kana_loose, kanji, kanji_folded, latin, latin_translit)

HIRAGANA = st.text("あいうえおかきくけこがぎぐげごさしすせそざじぢずづぱぴゃゅょっをんー", min_size=1, max_size=12)
NAMES = st.text("髙高﨑邊齋佐々木渡辺太郎花子様殿さん先生・ 　あイｱｶﾞßüÜøŁİıé'’-.,A b", min_size=1, max_size=16)


@pytest.mark.parametrize(
    ("written", "strict", "loose"),
    [
        ("やまだ　たろう", "ヤマダタロウ", "ヤマダタロウ"),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダタロウ", "ヤマダタロウ"),
        ("ヤマダ・タロウ", "ヤマダタロウ", "ヤマダタロウ"),
        ("ヤマダ゠タロウ", "ヤマダタロウ", "ヤマダタロウ"),
        ("しょうじ", "ショウジ", "シヨウジ"),
        ("キョーコ", "キョーコ", "キヨコ"),
        ("キョ－コ", "キョーコ", "キヨコ"),
        ("ちぢみ みづほ", "チヂミミヅホ", "チジミミズホ"),
        ("みさヲ", "ミサヲ", "ミサオ"),
        ("すゞき", "スズキ", "スズキ"),
        ("カ゛モウ", "ガモウ", "ガモウ"),
        ("山田様", "山田", "山田"),
        ("ー", "ー", "ー"),
        ("", "", ""),
    ],
)
def test_a_reading_is_katakana_and_loosely_what_is_heard(written: str, strict: str, loose: str) -> None:
    assert (kana_strict(written), kana_loose(written)) == (strict, loose)


@pytest.mark.parametrize(
    ("written", "spelled", "folded"),
    [
        ("山田 太郎 様", "山田太郎", "山田太郎"),
        ("山田太郎殿", "山田太郎", "山田太郎"),
        ("山田さん", "山田", "山田"),
        ("見本商事　御中", "見本商事", "見本商事"),
        ("山田先生様", "山田", "山田"),
        ("様", "様", "様"),
        ("先生", "先生", "先生"),
        ("様々", "様々", "様"),
        ("殿村", "殿村", "殿村"),
        ("髙﨑", "髙﨑", "高崎"),
        ("渡邊", "渡邊", "渡辺"),
        ("渡邉\U000e0101", "渡邉", "渡辺"),
        ("齋藤", "齋藤", "斉藤"),
        ("齊藤", "齊藤", "斉藤"),
        ("濱澤", "濱澤", "浜沢"),
        ("廣嶋", "廣嶋", "広島"),
        ("嶌", "嶌", "島"),
        ("𠮷田德眞", "𠮷田德眞", "吉田徳真"),
        ("\ufa4f", "祐", "祐"),
        ("佐々木", "佐々木", "佐佐木"),
        ("佐佐木", "佐佐木", "佐佐木"),
        ("龍櫻", "龍櫻", "竜桜"),
    ],
)
def test_a_name_in_kanji_loses_its_honorific_and_folds_its_variants(written: str, spelled: str, folded: str) -> None:
    assert (kanji(written), kanji_folded(written)) == (spelled, folded)


def test_every_variant_stands_for_one_character_that_is_no_variant() -> None:
    assert len(FOLDED) > 400
    for variant, usual in FOLDED.items():
        assert len(variant) == len(usual) == 1 and usual not in FOLDED, variant
        assert unicodedata.normalize("NFKC", variant + usual) == variant + usual


@pytest.mark.parametrize(
    ("written", "plain", "written_out"),
    [
        ("Anna MÜLLER", "anna muller", "anna mueller"),
        ("Mu\u0308ller", "muller", "mueller"),
        ("Mueller", "mueller", "mueller"),
        ("Müller, Anna", "anna muller", "anna mueller"),
        ("Jörg Weiß", "jorg weiss", "joerg weiss"),
        ("JÖRG WEISS", "jorg weiss", "joerg weiss"),
        ("WEIẞ", "weiss", "weiss"),
        ("Søren Kjær", "soren kjaer", "soeren kjaer"),
        ("Åsa", "asa", "aasa"),
        ("Łukasz Żółć", "lukasz zolc", "lukasz zolc"),
        ("Đorđe", "dorde", "dorde"),
        ("İbrahim Yıldız", "ibrahim yildiz", "ibrahim yildiz"),
        ("IBRAHIM YILDIZ", "ibrahim yildiz", "ibrahim yildiz"),
        ("François-Noël", "francois noel", "francois noel"),
        ("O’Brien", "obrien", "obrien"),
        ("J.R. Smith", "j r smith", "j r smith"),
        ("Ångström Þór", "angstrom thor", "aangstroem thor"),
        ("Ｔａｒｏ　Ｙａｍａｄａ", "taro yamada", "taro yamada"),
        ("Σωκράτης", "σωκρατησ", "σωκρατησ"),
        ("", "", ""),
    ],
)
def test_a_name_in_letters_has_a_key_without_accents_and_one_that_writes_them_out(
    written: str, plain: str, written_out: str
) -> None:
    assert (latin(written), latin_translit(written)) == (plain, written_out)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Ludwig van der Rohe", {"ludwig", "rohe"}),
        ("von und zu Stein, Karl", {"karl", "stein"}),
        ("Maria de la Cruz y García", {"maria", "cruz", "garcia"}),
        ("Rohe Ludwig", {"ludwig", "rohe"}),
        ("Le Van", {"le", "van"}),
        ("", set()),
    ],
)
def test_the_words_of_a_name_are_kept_without_its_particles(written: str, words: set[str]) -> None:
    assert bag(written) == words


@pytest.mark.parametrize(
    ("given_", "keys"),
    [
        ({}, NameKeys()),
        ({"full": "山田 太郎 様"}, NameKeys(kanji="山田太郎")),
        ({"full": "x", "family": "山田", "given": "太郎"}, NameKeys(kanji="山田太郎")),
        ({"full": "山田太郎", "family": "山田"}, NameKeys(kanji="山田太郎")),
        (
            {"family": "髙橋", "given": "花子", "family_kana": "ﾀｶﾊｼ", "given_kana": "はなこ"},
            NameKeys(kana="タカハシハナコ", kanji="高橋花子"),
        ),
        ({"full": "高橋さくら", "full_kana": "高橋"}, NameKeys(kanji="高橋さくら")),
        ({"full": "たかはし さくら"}, NameKeys(kana="タカハシサクラ")),
        (
            {"family": "van Müller", "given": "Anna"},
            NameKeys("", "", "anna van muller", "anna van mueller", frozenset({"anna", "muller"})),
        ),
        ({"full": "Anna"}, NameKeys("", "", "anna", "anna", frozenset({"anna"}))),
        ({"full": "12 34"}, NameKeys()),
    ],
)
def test_a_name_is_compared_in_the_scripts_that_it_was_given_in_and_in_no_other(
    given_: dict[str, str], keys: NameKeys
) -> None:
    assert name_keys(**given_) == keys


@given(NAMES | st.text(max_size=20), st.sampled_from(KEYS))
def test_a_key_is_the_key_of_itself(written: str, key: Callable[[str], str]) -> None:
    assert key(key(written)) == key(written)


@given(st.text(max_size=20), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_any_text_has_keys(full: str, family: str, given_: str, reading: str) -> None:
    name_keys(full=full, family=family, given=given_, full_kana=reading, given_kana=family)


@given(HIRAGANA, st.sampled_from((kana_strict, kana_loose)))
def test_a_reading_is_the_same_in_hiragana_and_katakana(written: str, key: Callable[[str], str]) -> None:
    katakana = "".join(chr(ord(char) + 0x60) if char != "ー" else char for char in written)
    assert key(written) == key(katakana)


@given(st.text("abcdefghijklmnopqrstuvwxyzäöüßøåéñłđæ' -", max_size=20), st.sampled_from(KEYS))
def test_a_key_is_the_same_in_any_case_and_width(written: str, key: Callable[[str], str]) -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) if "a" <= char <= "z" else char for char in written)
    assert key(written) == key(wide)
    assert key(written.upper()) == key(written) or "ß" in written
    if key in (latin, latin_translit):
        assert key(written.upper()) == key(written)


@given(NAMES, st.sampled_from("髙辺アあａZø"), NAMES, st.sampled_from(KEYS))
def test_a_name_with_letters_has_a_key(before: str, letter: str, after: str, key: Callable[[str], str]) -> None:
    assert key(before + letter + after)


def test_no_name_shows_in_what_is_printed() -> None:
    assert "muller" not in repr(name_keys(full="Müller"))
