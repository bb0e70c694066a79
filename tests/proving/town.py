"""A town's old list of some thousand rows, with everything that such lists have: made by a seed."""

import random

from tests.proving.conftest import WEB, Lists

PAPER = {
    **{key: value for key, value in WEB.items() if key not in ("time", "wording")},
    "name": "paper",
    "rows": {"column": "様式", "equals": ["paper", "紙"]},
    "wording": "DMをメールで受け取る",
    "method": "paper",
}
TICKED = WEB | {"name": "ticked", "rows": {"column": "様式", "equals": "cms"}, "method": "pre_ticked"}
UNSIGNED = {
    **{key: value for key, value in WEB.items() if key != "responsible"},
    "name": "unsigned",
    "rows": {"column": "様式", "equals": "fair"},
}
COHORTS = (WEB, PAPER, TICKED, UNSIGNED)


def people(lists: Lists, count: int, seed: int) -> list[dict[str, str]]:
    """Rows of a list: most of them usual, some with what makes lists hard."""
    dice = random.Random(seed)
    rows = [_usual(lists, number, dice) for number in range(1, count + 1)]
    for number in dice.sample(range(count), count // 8):
        _trouble(rows, number, dice)
    dice.shuffle(rows)
    return rows


def _usual(lists: Lists, number: int, dice: random.Random) -> dict[str, str]:
    form = dice.choices(["web", "paper", "紙", "cms", "fair", "shop", ""], [60, 8, 4, 8, 6, 8, 6])[0]
    when = f"20{dice.choice([22, 23, 24, 24, 24, 25])}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02} 09:30"
    cells = {
        "様式": form,
        "登録日時": dice.choices([when, "", "不明"], [95, 3, 2])[0],
        "国": dice.choices(["", "JP", "DE", "AT"], [60, 20, 15, 5])[0],
        "メルマガ許諾": dice.choices(["1", "", "0"], [70, 25, 5])[0],
        "配信停止": dice.choices(["", "1"], [97, 3])[0],
        "生年月日": dice.choices(["1980-01-01", "2015-05-05", "昭和99年1月1日"], [94, 4, 2])[0],
    }
    return lists.row(number, **cells)


def _trouble(rows: list[dict[str, str]], number: int, dice: random.Random) -> None:
    """Let a row share something with another one anywhere in the list, or lack something."""
    row, other = rows[number], dice.choice(rows)
    kind = dice.randrange(7)
    if kind == 0:
        row["メールアドレス"] = other["メールアドレス"]
    elif kind == 1:
        row["電話番号"] = other["電話番号"]
    elif kind == 2:
        row["会員番号"] = other["会員番号"]
    elif kind == 3:
        row["メールアドレス"] = ""
    elif kind == 4:
        row |= {"メールアドレス": other["メールアドレス"], "配信停止": "1"}
    elif kind == 5:
        rows[number] = dict(other)
    else:
        row |= {"メールアドレス": other["メールアドレス"], "生年月日": "2014-04-04", "電話番号": ""}
