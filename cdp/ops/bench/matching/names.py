"""Names as they are spread: a few on every corner, many rare ones, Japanese with reading and romaji.

Word lists only, common names combined at random: whoever bears one of them is not meant. Half of the Japanese family
names are put together of two signs, as most are; names follow each other by frequency, and the weights fall off.
"""

from functools import cache
from random import Random

from cdp.ops.demo.names import JAPANESE_FAMILY, JAPANESE_GIVEN, Written, european

_FIRST = (
    "北/キタ/kita 南/ミナミ/minami 西/ニシ/nishi 大/オオ/o 小/コ/ko 上/ウエ/ue 中/ナカ/naka 高/タカ/taka "
    "山/ヤマ/yama 川/カワ/kawa 石/イシ/ishi 松/マツ/matsu 竹/タケ/take 杉/スギ/sugi 藤/フジ/fuji 宮/ミヤ/miya "
    "村/ムラ/mura 森/モリ/mori 岩/イワ/iwa 福/フク/fuku 吉/ヨシ/yoshi 黒/クロ/kuro 白/シラ/shira 青/アオ/ao "
    "秋/アキ/aki 春/ハル/haru 桜/サクラ/sakura 平/ヒラ/hira 永/ナガ/naga 柳/ヤナギ/yanagi"
)
_SECOND = (
    "島/シマ/shima 沢/サワ/sawa 田/タ/ta 野/ノ/no 原/ハラ/hara 川/カワ/kawa 山/ヤマ/yama 村/ムラ/mura "
    "井/イ/i 本/モト/moto 崎/サキ/saki 谷/タニ/tani 岡/オカ/oka 尾/オ/o 木/キ/ki 林/バヤシ/bayashi 浦/ウラ/ura "
    "瀬/セ/se 池/イケ/ike 塚/ツカ/tsuka 倉/クラ/kura 口/グチ/guchi 内/ウチ/uchi 橋/ハシ/hashi"
)
_GIVEN_TOO = (
    "茂/シゲル/shigeru 清/キヨシ/kiyoshi 進/ススム/susumu 博/ヒロシ/hiroshi 豊/ユタカ/yutaka 昭/アキラ/akira "
    "勝/マサル/masaru 和子/カズコ/kazuko 幸子/サチコ/sachiko 節子/セツコ/setsuko 洋子/ヨウコ/yoko "
    "良子/ヨシコ/yoshiko 京子/キョウコ/kyoko 美智子/ミチコ/michiko 陽子/ヨウコ/yoko 順子/ジュンコ/junko "
    "由紀/ユキ/yuki 絵里/エリ/eri 沙織/サオリ/saori 舞/マイ/mai 結菜/ユナ/yuna 莉子/リコ/riko 颯太/ソウタ/sota "
    "大翔/ヒロト/hiroto 樹/イツキ/itsuki 翼/ツバサ/tsubasa 慎一/シンイチ/shinichi 雄太/ユウタ/yuta "
    "康平/コウヘイ/kohei 裕介/ユウスケ/yusuke 健/ケン/ken 剛/ツヨシ/tsuyoshi 孝/タカシ/takashi 弘/ヒロシ/hiroshi "
    "正/タダシ/tadashi 実/ミノル/minoru 勇/イサム/isamu 聡/サトシ/satoshi 悟/サトル/satoru 美香/ミカ/mika"
)

Names = tuple[tuple[Written, ...], list[float]]


def family(chance: Random, country: str) -> Written:
    """Draw a family name; Spanish ones are two."""
    names, weights = _families(country)
    first, *second = chance.choices(names, weights, k=2 if country == "ES" else 1)
    return Written(f"{first.native} {second[0].native}", "", f"{first.ascii} {second[0].ascii}") if second else first


def given(chance: Random, country: str) -> Written:
    """Draw a given name."""
    names, weights = _givens(country)
    return chance.choices(names, weights)[0]


@cache
def _families(country: str) -> Names:
    if country != "JP":
        return _by_rank(_lengthened(european(country)[0]), 4)
    composed = tuple(
        Written(*map("".join, zip(one, two, strict=True))) for one in _words(_FIRST) for two in _words(_SECOND)
    )
    common, weights = _by_rank(JAPANESE_FAMILY, 20)
    rare = [sum(weights) * 1.2 / len(composed)] * len(composed)
    return common + composed, weights + rare


@cache
def _givens(country: str) -> Names:
    return _by_rank(JAPANESE_GIVEN + _words(_GIVEN_TOO) if country == "JP" else european(country)[1], 15)


def _lengthened(names: tuple[Written, ...]) -> tuple[Written, ...]:
    """Add double names, rarer than single ones."""
    doubled = (Written(f"{a.native}-{b.native}", "", f"{a.ascii}-{b.ascii}") for a in names for b in names if a != b)
    return names + tuple(doubled)


def _words(lines: str) -> tuple[Written, ...]:
    return tuple(Written(*word.split("/")) for word in lines.split())


def _by_rank(names: tuple[Written, ...], head: int) -> Names:
    """Weigh names by Zipf's law with a blunt head: the first few are about as common as each other."""
    return names, [1 / (rank + head) for rank in range(len(names))]
