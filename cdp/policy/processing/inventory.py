"""個人情報管理台帳: one row per kind of personal information (JIS Q 15001; APPI 23, 32)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from cdp.policy.processing.holdings import Holdings, categories, used_for
from cdp.policy.processing.keeping import limits
from cdp.policy.processing.naming import category_title, field_title, listed
from cdp.policy.processing.receivers import OTHER_CONTROLLERS
from cdp.policy.processing.words import ORIGINS, pick, word
from cdp.policy.terms import Policy, Purpose, Recipient

_SEALED = (
    "本人ごとの鍵で暗号化（AES-256-GCM）、鍵は別の保管場所",
    "sealed under a key of each person (AES-256-GCM), keys elsewhere",
)
_INDEXED = ("検索は鍵付きハッシュの索引", "found by a keyed hash")
_CLEAR = ("粗い値のみ仮名のまま平文", "coarse values in the clear, under a number")
_STORE = ("当社のデータベース", "our database")
_FEWER = ("20人未満", "fewer than 20")
_UNCOUNTED = ("未集計", "not counted")
_NONE = ("なし", "none")
_SPECIAL = (("該当", "yes"), ("非該当", "no"))
_NOT_COLLECTED = ("保有しない", "not held")


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of personal information."""

    name: str
    items: str
    purposes: str
    obtained: str
    place: str
    method: str
    access: str
    people: str
    limit: str
    processors: str
    third_parties: str
    special_care: str


def inventory(policy: Policy, holdings: Holdings, language: str) -> tuple[Item, ...]:
    """Return the whole ledger of personal information, in the order of `categories.yaml`."""
    return tuple(_item(policy, holdings, name, language) for name in policy.categories)


def _item(policy: Policy, holdings: Holdings, category: str, language: str) -> Item:
    held = [(kind, name) for kind, name, of in categories(policy) if of == category]
    uses = [name for name in policy.purposes if category in used_for(policy, holdings, name)]
    receivers = _receivers(policy, uses, {name for _, name in held})
    return Item(
        name=category_title(policy, category, language),
        items=_or_none([field_title(policy, name, language) for _, name in held], language),
        purposes=_or_none([_title(policy.purposes[name], language) for name in uses], language),
        obtained=_or_none(sorted({_from(one, language) for one in _feeds(holdings, uses)}), language),
        place=_place(policy, holdings, language),
        method=pick(_NOT_COLLECTED, language) if not held else "; ".join(_methods(policy, held, language)),
        access=_or_none(_access(holdings, receivers, uses, language), language),
        people=_people(holdings, category, bool(held), language),
        limit="; ".join(limits(policy, category, language)),
        processors=_or_none([_title(one, language) for one in receivers if one.role_in_law == "processor"], language),
        third_parties=_or_none(
            [_title(one, language) for one in receivers if one.role_in_law in OTHER_CONTROLLERS], language
        ),
        special_care=pick(_SPECIAL[policy.categories[category]["appi_class"] != "special_care"], language),
    )


def _receivers(policy: Policy, uses: list[str], fields: set[str]) -> list[Recipient]:
    """Return who may get one of these for one of these purposes."""
    names = {name for use in uses for name in policy.purposes[use].recipients}
    asked = {name for use in uses for name in policy.purposes[use].fields} & fields
    found = [policy.recipients[name] for name in sorted(names & set(policy.recipients))]
    return [one for one in found if asked & set(one.fields)]


def _feeds(holdings: Holdings, uses: list[str]) -> Iterator[tuple[str, str, str]]:
    for feed in holdings.feeds:
        if feed.purposes & set(uses) or any(whys & set(uses) for whys in feed.events.values()):
            yield feed.title_ja, feed.title_en, feed.origin


def _from(feed: tuple[str, str, str], language: str) -> str:
    return f"{pick(feed[:2], language)}: {word(ORIGINS, feed[2], language)}"


def _place(policy: Policy, holdings: Holdings, language: str) -> str:
    hosts = [f"{_title(one, language)} {one.country}" for one in policy.recipients.values() if _hosts(one)]
    store = pick(_STORE, language) + (f" {holdings.store}" if holdings.store else "")
    return listed([store, *sorted(hosts)], language)


def _hosts(recipient: Recipient) -> bool:
    return recipient.role_in_law == "non_handling_host"


def _methods(policy: Policy, held: list[tuple[str, str]], language: str) -> Iterator[str]:
    slots = {name for kind, name in held if kind == "trait" and policy.traits[name].slot}
    if len(slots) < len(held):
        yield pick(_SEALED, language)
    if any(kind == "identifier" for kind, _ in held):
        yield pick(_INDEXED, language)
    if slots:
        yield pick(_CLEAR, language)


def _access(holdings: Holdings, receivers: list[Recipient], uses: list[str], language: str) -> list[str]:
    staff = [_title(one, language) for one in receivers if one.role_in_law == "internal"]
    known = {one.name for one in receivers}
    return staff + [
        f"API: {one.name} ({one.recipient})"
        for one in holdings.readers
        if one.recipient in known and one.purposes & set(uses)
    ]


def _people(holdings: Holdings, category: str, held: bool, language: str) -> str:
    if not held:
        return "0"
    if category not in holdings.people:
        return pick(_UNCOUNTED, language)
    number = holdings.people[category]
    return pick(_FEWER, language) if number is None else f"{number:,}"


def _titles(receivers: Sequence[Recipient], roles: Collection[str], language: str) -> list[str]:
    return [_title(one, language) for one in receivers if one.role_in_law in roles]


def _or_none(names: list[str], language: str) -> str:
    return listed(names, language) or pick(_NONE, language)


def _title(one: Purpose | Recipient, language: str) -> str:
    return pick((one.title_ja, one.title_en), language)
