"""What a rule may compare a trait with: the column that holds it in the clear, and the value as that column has it."""

from datetime import date

from cdp.audience.rule import COUNTRY
from cdp.policy.terms import TraitTerm
from cdp.profile.model import NUMBER_SLOTS, TEXT_SLOTS

MAX_LISTED = 100
NUMBER_COLUMNS = frozenset((*NUMBER_SLOTS, "birth_year"))
ASKABLE_COLUMNS = frozenset((*TEXT_SLOTS, *NUMBER_COLUMNS, COUNTRY))


def column_of(term: TraitTerm) -> str | None:
    """Return the column of `person` that holds the trait in the clear; None for a sealed trait."""
    column = COUNTRY if term.name == COUNTRY else term.slot
    return column if column in ASKABLE_COLUMNS else None


def compared(term: TraitTerm, column: str, op: str, value: object) -> str | float | tuple[str | float, ...]:
    """Return the value or values to compare with; raises ValueError, which never repeats them."""
    if op != "in":
        return _one(term, column, value)
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_LISTED:
        raise ValueError(f"a list of 1 to {MAX_LISTED} values stands here")
    return tuple(_one(term, column, one) for one in value)


def _one(term: TraitTerm, column: str, value: object) -> str | float:
    """Return the value as the column holds it; raises ValueError, which never repeats the value."""
    if term.type == "boolean":
        return _truth(column, value)
    if column in NUMBER_COLUMNS:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
            raise ValueError("a number stands here")
        return value
    if not isinstance(value, str) or not 1 <= len(value) <= 64:
        raise ValueError("a text of 1 to 64 characters stands here")
    if term.values and value not in term.values:
        raise ValueError("not one of the values that the trait is declared with")
    return _day(value) if term.type == "date" else value


def _truth(column: str, value: object) -> str | float:
    if not isinstance(value, bool):
        raise ValueError("`true` or `false` stands here")
    return float(value) if column in NUMBER_COLUMNS else str(value).lower()


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("a date such as 2026-06-01 stands here") from None
