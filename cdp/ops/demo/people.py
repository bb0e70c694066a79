"""Made-up people as they are: who they are, where they left traces, and what they said about their data.

The same seed gives the same people. This is the demo's own truth; what each system wrote about
them (and how badly) is in `records`. Nobody here exists: mail domains are reserved ones (RFC 2606).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from cdp.ops.demo.names import EUROPEAN, JAPANESE_FAMILY, JAPANESE_GIVEN, Written, european

COUNTRIES = (("JP", 60), ("DE", 9), ("FR", 8), ("ES", 6), ("IT", 6), ("NL", 4), ("PL", 4), ("IE", 3))
DOMAINS = ("tegami.example", "kumo.example", "post.example", "mail.example", "inbox.example")
SIZE = 5_200

GIVEN, WITHDREW, REFUSED, NEVER = "given", "withdrew", "refused", "never"


@dataclass(frozen=True, slots=True)
class Someone:
    """One made-up person; `number` is the truth that unification is measured against."""

    number: int
    country: str
    family: Written
    given: Written
    birth: date
    email: str = field(repr=False)
    phone: str = field(repr=False)
    """National form with its trunk zero, no punctuation."""
    places: frozenset[str]
    """Where traces were left: crm, shop, site, line."""
    device: str
    """Anonymous id of the browser, or of a tablet that several share."""
    stance: str
    """What was said about marketing by e-mail: given | withdrew | refused | never."""
    line_stance: str
    buys: int
    """How many orders were completed."""
    bounces: bool = False

    @property
    def child(self) -> bool:
        return self.birth.year > 2011

    @property
    def user_id(self) -> str:
        return f"u-{self.number:05d}"

    @property
    def member_number(self) -> str:
        return f"M{self.number:07d}"

    @property
    def line_uid(self) -> str:
        """LINE user ids are `U` and 32 hex digits, and differ per provider."""
        return "U" + Random(f"line-{self.number}").randbytes(16).hex()  # noqa: S311 - made up, and the same each time


def populate(seed: int, size: int, today: date) -> list[Someone]:
    """Return `size` people of all ages and habits; families share mailboxes, shops share tablets."""
    rng = Random(seed)  # noqa: S311 - made up, and the same each time
    people = [_someone(rng, number, today) for number in range(1, size + 1)]
    people = list(_families(rng, people))
    people = list(_recycled_phones(rng, people))
    return list(_shared_tablets(rng, people))


def _someone(rng: Random, number: int, today: date) -> Someone:
    country = rng.choices([code for code, _ in COUNTRIES], [share for _, share in COUNTRIES])[0]
    families, givens = (JAPANESE_FAMILY, JAPANESE_GIVEN) if country == "JP" else european(country)
    family, given = rng.choice(families), rng.choice(givens)
    places = _places(rng, country)
    return Someone(
        number=number,
        country=country,
        family=family,
        given=given,
        birth=_birth(rng, today),
        email=f"{given.ascii}.{family.ascii}{number}@{rng.choice(DOMAINS)}",
        phone=_phone(rng, country),
        places=places,
        device=f"anon-{number:05d}",
        stance=rng.choices((GIVEN, WITHDREW, REFUSED, NEVER), (48, 10, 5, 37))[0],
        line_stance=rng.choices((GIVEN, WITHDREW, NEVER), (55, 10, 35))[0] if "line" in places else NEVER,
        buys=rng.choices((0, 1, 2, 3, 5), (52, 27, 12, 6, 3))[0],
        bounces=rng.random() < 0.02,
    )


def _places(rng: Random, country: str) -> frozenset[str]:
    chances = {"crm": 0.5, "shop": 0.55, "site": 0.6, "line": 0.35} if country == "JP" else {"crm": 0.75, "site": 0.65}
    found = frozenset(place for place, chance in chances.items() if rng.random() < chance)
    return found or frozenset({"crm"})


def _birth(rng: Random, today: date) -> date:
    if rng.random() < 0.03:
        return date(today.year - rng.randint(8, 13), rng.randint(1, 12), rng.randint(1, 28))
    year = today.year - rng.randint(19, 82)
    if rng.random() < 0.01 and (today.month, today.day) != (2, 29):
        return date(year, today.month, today.day)
    return date(year, 1, 2) + timedelta(days=rng.randint(0, 360))


def _phone(rng: Random, country: str) -> str:
    def digits(count: int) -> str:
        return "".join(str(rng.randint(0, 9)) for _ in range(count))

    match country:
        case "JP":
            return f"0{rng.choice('789')}0{rng.randint(2, 9)}{digits(7)}"
        case "FR":
            return f"06{rng.randint(1, 6)}{digits(7)}"
        case "DE":
            return f"0151{rng.randint(1, 7)}{digits(7)}"
        case "ES":
            return f"6{rng.randint(1, 9)}{digits(7)}"
        case "IT":
            return f"34{rng.randint(0, 9)}{digits(7)}"
        case "NL":
            return f"06{rng.randint(1, 5)}{digits(7)}"
        case "PL":
            return f"50{rng.randint(1, 9)}{digits(6)}"
        case _:
            return f"08{rng.choice('567')}{digits(7)}"


def _families(rng: Random, people: list[Someone]) -> Iterator[Someone]:
    """Let one in sixteen live with the person before: same name and mailbox, sometimes same telephone."""
    before: Someone | None = None
    for one in people:
        if before is not None and before.country == one.country and rng.random() < 0.06:
            shared_phone = before.phone if rng.random() < 0.4 else one.phone
            one = replace(one, family=before.family, email=before.email, phone=shared_phone)
        before = one
        yield one


def _recycled_phones(rng: Random, people: list[Someone]) -> Iterator[Someone]:
    """Give one number in a hundred to a second owner, as telephone companies do."""
    owners: dict[str, list[str]] = {country: [] for country in ("JP", *EUROPEAN)}
    for one in people:
        earlier = owners[one.country]
        if earlier and rng.random() < 0.01:
            one = replace(one, phone=rng.choice(earlier))
        earlier.append(one.phone)
        yield one


def _shared_tablets(rng: Random, people: list[Someone]) -> Iterator[Someone]:
    """Put one visitor of the site in forty on a tablet that stands in a shop."""
    for one in people:
        if "site" in one.places and rng.random() < 0.025:
            one = replace(one, device=f"tablet-{rng.randint(1, 25):02d}")
        yield one
