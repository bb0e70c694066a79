"""A second opinion: the meaning of a rule in plain Python over plain rows, with no SQL anywhere."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from cdp.audience.rule import AllOf, AnyOf, BirthdayToday, Everyone, HasTrait, InStage, Not, Performed, Rule
from tests.audience.world import Row

TOKYO = timezone(timedelta(hours=9))


def holds(rule: Rule, row: Row, at: datetime, stages: Iterable[tuple[int, str, str]] = ()) -> bool:
    match rule:
        case Everyone():
            return True
        case AllOf(parts):
            return all(holds(part, row, at, stages) for part in parts)
        case AnyOf(parts):
            return any(holds(part, row, at, stages) for part in parts)
        case Not(part):
            return not holds(part, row, at, stages)
        case HasTrait():
            return _has(rule, row)
        case Performed():
            return _performed(rule, row, at)
        case BirthdayToday():
            return _birthday(row, at)
        case InStage(journey, stage):
            return (row.person, journey, stage) in stages
    raise AssertionError(rule)


def _has(rule: HasTrait, row: Row) -> bool:
    held: Any = row.slots.get(rule.column)
    if held is None or held == "":
        return False
    value: Any = rule.value
    return {
        "exists": lambda: True,
        "eq": lambda: held == value,
        "ne": lambda: held != value,
        "in": lambda: held in value,
        "gte": lambda: held >= value,
        "lte": lambda: held <= value,
    }[rule.op]()


def _performed(rule: Performed, row: Row, at: datetime) -> bool:
    seen = [fact for fact in row.facts if fact["at"] <= at and (rule.within is None or fact["at"] >= at - rule.within)]
    mine = [fact for fact in seen if fact["kind"] in rule.events]
    if len(mine) < rule.times:
        return False
    if not rule.amounts:
        return True
    sums: dict[str, int] = {}
    for fact in seen:
        if fact.get("amount") is not None:
            sign = -1 if fact["kind"] in rule.netted else 1 if fact["kind"] in rule.events else 0
            amount = abs(fact["amount"]) if sign < 0 else fact["amount"]
            sums[fact["currency"]] = sums.get(fact["currency"], 0) + sign * amount
    return any(sums.get(currency, 0) >= least for currency, least in rule.amounts)


def _birthday(row: Row, at: datetime) -> bool:
    today = at.astimezone(TOKYO)
    born = row.slots.get("birth_day")
    common = today.year % 4 != 0 or (today.year % 100 == 0 and today.year % 400 != 0)
    return born == today.strftime("%m-%d") or (born == "02-29" and today.strftime("%m-%d") == "02-28" and common)
