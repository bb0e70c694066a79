"""Names that people have: Japanese with their kana and romaji, European with their diacritics.

Word lists only. Common names, combined at random: whoever bears one of them is not meant.
"""

import unicodedata
from typing import NamedTuple


class Written(NamedTuple):
    """One name as its bearer writes it, in kana where there is a reading, and in plain ASCII."""

    native: str
    kana: str
    ascii: str


def _japanese(lines: str) -> tuple[Written, ...]:
    return tuple(Written(*word.split("/")) for word in lines.split())


JAPANESE_FAMILY = _japanese(
    """佐藤/サトウ/sato 鈴木/スズキ/suzuki 高橋/タカハシ/takahashi 髙橋/タカハシ/takahashi 田中/タナカ/tanaka
    伊藤/イトウ/ito 渡辺/ワタナベ/watanabe 渡邊/ワタナベ/watanabe 山本/ヤマモト/yamamoto 中村/ナカムラ/nakamura
    小林/コバヤシ/kobayashi 加藤/カトウ/kato 吉田/ヨシダ/yoshida 山田/ヤマダ/yamada 佐々木/ササキ/sasaki
    山口/ヤマグチ/yamaguchi 松本/マツモト/matsumoto 井上/イノウエ/inoue 木村/キムラ/kimura 林/ハヤシ/hayashi
    斎藤/サイトウ/saito 齋藤/サイトウ/saito 清水/シミズ/shimizu 山崎/ヤマザキ/yamazaki 山﨑/ヤマザキ/yamazaki
    森/モリ/mori 池田/イケダ/ikeda 橋本/ハシモト/hashimoto 阿部/アベ/abe 石川/イシカワ/ishikawa
    山下/ヤマシタ/yamashita 中島/ナカジマ/nakajima 石井/イシイ/ishii 小川/オガワ/ogawa 前田/マエダ/maeda
    岡田/オカダ/okada 長谷川/ハセガワ/hasegawa 藤田/フジタ/fujita 後藤/ゴトウ/goto 近藤/コンドウ/kondo
    村上/ムラカミ/murakami 遠藤/エンドウ/endo 青木/アオキ/aoki 坂本/サカモト/sakamoto 福田/フクダ/fukuda
    西村/ニシムラ/nishimura 太田/オオタ/ota 岡本/オカモト/okamoto 藤井/フジイ/fujii 金子/カネコ/kaneko
    河野/コウノ/kono 三浦/ミウラ/miura 原田/ハラダ/harada 中野/ナカノ/nakano 竹内/タケウチ/takeuchi
    小野/オノ/ono 田村/タムラ/tamura 濱田/ハマダ/hamada 東/アズマ/azuma 柴田/シバタ/shibata"""
)
JAPANESE_GIVEN = _japanese(
    """陽菜/ヒナ/hina 結衣/ユイ/yui 葵/アオイ/aoi 咲良/サクラ/sakura 美咲/ミサキ/misaki 凛/リン/rin
    花子/ハナコ/hanako 由美子/ユミコ/yumiko 恵子/ケイコ/keiko 直美/ナオミ/naomi 智子/トモコ/tomoko
    久美子/クミコ/kumiko 裕子/ユウコ/yuko 真由美/マユミ/mayumi 明美/アケミ/akemi 彩/アヤ/aya 愛/アイ/ai
    千尋/チヒロ/chihiro 優花/ユウカ/yuka 美穂/ミホ/miho 麻衣/マイ/mai 香織/カオリ/kaori 太郎/タロウ/taro
    翔太/ショウタ/shota 大輔/ダイスケ/daisuke 健太/ケンタ/kenta 拓也/タクヤ/takuya 誠/マコト/makoto
    浩/ヒロシ/hiroshi 隆/タカシ/takashi 学/マナブ/manabu 亮/リョウ/ryo 蓮/レン/ren 湊/ミナト/minato
    悠真/ユウマ/yuma 大和/ヤマト/yamato 陽翔/ハルト/haruto 健一/ケンイチ/kenichi 和也/カズヤ/kazuya
    直樹/ナオキ/naoki 修/オサム/osamu 勇気/ユウキ/yuki 哲也/テツヤ/tetsuya 達也/タツヤ/tatsuya
    正樹/マサキ/masaki 一郎/イチロウ/ichiro 純/ジュン/jun 薫/カオル/kaoru 光/ヒカル/hikaru 千秋/チアキ/chiaki
    歩/アユム/ayumu"""
)

EUROPEAN = {
    "DE": (
        "Müller Schmidt Schneider Fischer Weber Jäger Köhler Schäfer Bauer Größmann "
        "Krüger Weiß Böhm Günther Vogel Straußberg",
        "Anna Jürgen Björn Sophie Käthe Jörg Lukas Heike Götz Änne Matthias Ursula Sören Lena Günter Felix Marie Till",
    ),
    "FR": (
        "Lefèvre Durand Moreau Lemaître Girard Bélanger Rousseau Muñiz Dupré Fontaine "
        "Gérard Noël D'Arcy Béranger Marchand",
        "Élodie François Chloé Jérôme Hélène André Zoé Benoît Amélie Théo Inès Cédric Noémie Gaël Aurélie Loïc Maëlle",
    ),
    "ES": (
        "García Núñez Fernández López Muñoz Ibáñez Peña Ortega Sánchez Gutiérrez Vázquez Domínguez Castaño Marín",
        "José María Begoña Iñaki Lucía Ángel Sofía Andrés Inés Raúl Concepción Martín Nuria Óscar Pilar Joaquín",
    ),
    "IT": (
        "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco "
        "Conti Giordano De'Medici Lombardi Nicolò",
        "Giulia Niccolò Chiara Matteo Francesca Lorenzo Cosimo Alessia Davide Letizia Andrea Noemi Raffaele Debora",
    ),
    "NL": (
        "Jansen Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Brouwer Daniëls Coëlho Kuipers",
        "Daan Sanne Loïs Bram Fenna Jeroen Zoë Thijs Maaike Chloë Sjoerd Femke Joëlle Wouter Anouk Ruben",
    ),
    "PL": (
        "Nowak Wiśniewska Wójcik Kowalczyk Zieliński Szymański Woźniak Dąbrowska "
        "Kozłowski Jankowska Łuczak Żak Ślusarska",
        "Łukasz Małgorzata Paweł Agnieszka Michał Żaneta Stanisław Bożena Rafał Zofia Świętosława Jędrzej Ewa Mirosław",
    ),
    "IE": (
        "Murphy O'Brien Kelly Walsh Byrne O'Connor Ryan McCarthy "
        "Gallagher Doherty Ó_Súilleabháin Ní_Dhuibhir Breathnach",
        "Aoife Seán Siobhán Pádraig Niamh Ciarán Róisín Eoghan Gráinne Oisín Caoimhe Tadhg Fionn Sinéad",
    ),
}
"""Per country: family names and given names; `_` stands for a space inside a name."""

_PLAIN = str.maketrans(
    {"ł": "l", "Ł": "l", "ß": "ss", "ø": "o", "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "ae", "Ö": "oe", "Ü": "ue"}
)


def european(country: str) -> tuple[tuple[Written, ...], tuple[Written, ...]]:
    """Return the family and the given names of a country."""
    family, given = EUROPEAN[country]
    return tuple(map(_latin, family.split())), tuple(map(_latin, given.split()))


def _latin(word: str) -> Written:
    native = word.replace("_", " ")
    plain = unicodedata.normalize("NFKD", native.translate(_PLAIN))
    return Written(native, "", "".join(letter for letter in plain.lower() if "a" <= letter <= "z"))
