"""Who lives where with whom, and which telephones, mailboxes and devices they have: the truth behind the feed.

Nobody here exists; mail domains are reserved ones (RFC 2606). Numbers given up go to strangers years later, children
are twins at times, a stranger may have one's name and birth date, and a mailbox or a tablet may be a whole family's.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from cdp.ops.bench.matching import contacts, names
from cdp.ops.demo.names import Written

START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 6, 30, tzinfo=UTC)
"""All that happens, happens between."""

_COUNTRIES = {"JP": 64, "DE": 12, "FR": 8, "ES": 6, "IT": 6, "NL": 4}
_SIZES = {1: 34, 2: 30, 3: 17, 4: 14, 5: 5}
SHARED_MAILBOX, TABLET, LANDLINE = 0.053, 0.106, 0.3
"""Shares of families with one mailbox for several, with a tablet that several use, and of all homes with a landline."""
_TWIN, _NAMESAKE, _GIVES_UP_NUMBER, _TAKES_OLD_NUMBER = 0.04, 0.001, 0.04, 0.06
_HOME = Written("", "", "home")


@dataclass(frozen=True, slots=True)
class Home:
    """What all who live there have in common."""

    country: str
    postal: str
    address: str
    landline: str
    mailbox: str
    """Read by several; empty in most homes."""
    tablet: str
    """Browser of a device that several use; empty in most homes."""


@dataclass(slots=True)
class Person:
    """One person; `number` is the truth."""

    number: int
    home: Home
    family: Written
    given: Written
    birth: date
    since: datetime
    until: datetime
    """From when to when a customer."""
    mails: list[str] = field(default_factory=list)
    mobiles: list[tuple[datetime, str]] = field(default_factory=list)
    """From when on which number, oldest first."""
    shares_mailbox: bool = False
    shares_tablet: bool = False

    def mobile(self, at: datetime) -> str:
        """Return the number that this person had then."""
        return [number for since, number in self.mobiles if since <= at or since == self.mobiles[0][0]][-1]


class Town:
    """Draws homes, one after the other; remembers numbers given up, and a few people whose name comes again."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.count = 0
        self.given_up: list[tuple[datetime, str, str]] = []
        """When, in which country, which number."""
        self.known: deque[Person] = deque(maxlen=500)

    def homes(self, people: int) -> Iterator[list[Person]]:
        """Yield households until there are so many people."""
        while self.count < people:
            size = self.chance.choices(list(_SIZES), list(_SIZES.values()))[0]
            yield self._household(min(size, people - self.count))

    def _household(self, size: int) -> list[Person]:
        chance = self.chance
        country = chance.choices(list(_COUNTRIES), list(_COUNTRIES.values()))[0]
        family = names.family(chance, country)
        home = self._home(country, family, size)
        people: list[Person] = []
        for place in range(size):
            people.append(self._person(home, family, place, people))
        for kind, shared in (("shares_mailbox", home.mailbox), ("shares_tablet", home.tablet)):
            for one in chance.sample(people, chance.randint(2, size)) if shared else ():
                setattr(one, kind, True)
        return people

    def _home(self, country: str, family: Written, size: int) -> Home:
        chance, several = self.chance, size > 1
        landline = contacts.landline(chance, country) if chance.random() < LANDLINE else ""
        mailbox = contacts.mailbox(chance, family, _HOME, f".{self.count:x}", country)
        tablet = contacts.browser(chance)
        return Home(
            country,
            *contacts.address(chance, country),
            landline,
            mailbox if several and chance.random() < SHARED_MAILBOX else "",
            tablet if several and chance.random() < TABLET else "",
        )

    def _person(self, home: Home, family: Written, place: int, before: list[Person]) -> Person:
        chance = self.chance
        self.count += 1
        maiden = place < 2 and home.country != "JP" and chance.random() < 0.3
        birth = _birth(chance, child=place >= 2)
        if place >= 3 and chance.random() < _TWIN:
            birth = before[-1].birth
        since = START + (END - START) * (chance.random() ** 1.5 * 0.85)
        until = END if chance.random() < 0.6 else since + (END - since) * (0.2 + 0.8 * chance.random())
        own = names.family(chance, home.country) if maiden else family
        given = names.given(chance, home.country)
        one = Person(self.count, home, own, given, birth, since, until)
        self._name_again(one)
        one.mails = [_mailbox(chance, one) for _ in range(chance.choices((1, 2, 3), (70, 25, 5))[0])]
        one.mobiles = self._mobiles(one)
        return one

    def _name_again(self, one: Person) -> None:
        """Give a stranger's name and birth date, rarely."""
        if self.chance.random() < _NAMESAKE:
            same = [other for other in self.known if other.home.country == one.home.country]
            for other in self.chance.sample(same, min(1, len(same))):
                one.family, one.given, one.birth = other.family, other.given, other.birth
        if self.chance.random() < 0.05:
            self.known.append(one)

    def _mobiles(self, one: Person) -> list[tuple[datetime, str]]:
        chance, country = self.chance, one.home.country
        number = self._old_number(one) or contacts.mobile(chance, country)
        numbers = [(one.since, number)]
        if chance.random() < _GIVES_UP_NUMBER:
            when = one.since + (one.until - one.since) * (0.1 + 0.5 * chance.random())
            self.given_up.append((when, country, number))
            if one.until > when:
                numbers.append((when, contacts.mobile(chance, country)))
        return numbers

    def _old_number(self, one: Person) -> str:
        """Return a number that somebody gave up two years or more before this person came, if there is one."""
        if self.chance.random() < _TAKES_OLD_NUMBER:
            for place, (when, country, number) in enumerate(self.given_up):
                if country == one.home.country and when + timedelta(days=730) < one.since:
                    del self.given_up[place]
                    return number
        return ""


def _birth(chance: Random, child: bool) -> date:
    years = chance.randint(13, 24) if child else int(chance.triangular(22, 88, 45))
    return date(2026, 1, 1) - timedelta(days=round(years * 365.25) + chance.randrange(365))


def _mailbox(chance: Random, one: Person) -> str:
    mark = chance.choice((str(one.birth.year), f"{chance.randrange(1000)}", f"{one.birth:%m%d}"))
    return contacts.mailbox(chance, one.given, one.family, f"{mark}.{one.number:x}", one.home.country)
