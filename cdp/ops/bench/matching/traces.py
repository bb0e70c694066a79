"""What one person leaves in each system, record by record, with what that system asks for and no more."""

from collections.abc import Iterator
from datetime import datetime
from random import Random

from cdp.ops.bench.matching import contacts, spelling
from cdp.ops.bench.matching.household import Person
from cdp.ops.bench.matching.places import Places
from cdp.ops.bench.matching.record import Identifier, Record

MOST = 10
"""Records that one person leaves at most: the shops' own systems merge what is busier."""
_SHOP, _STORE, _ACCOUNT, _APP, _LINE, _SOCIAL, _NEWS = 0.53, 0.38, 0.83, 0.2, 0.4, 0.13, 0.5
"""Who is in which system."""
_TWICE = 0.05
"""Members whom a system has twice: two numbers, one name and birth date."""
_LOGS_IN, _KNOWN_BROWSER, _KNOWN_TABLET = 0.52, 0.88, 0.5
_OTHER_MAILBOX = 0.15
_UNCONFIRMED = 0.006


class Traces:
    """All records of one person, drawn once."""

    def __init__(self, chance: Random, places: Places, one: Person) -> None:
        self.chance, self.places, self.one = chance, places, one
        self.account = f"u{one.number:07d}" if chance.random() < _ACCOUNT else ""
        self.mail = one.home.mailbox if one.shares_mailbox else one.mails[0]
        self.count = 0

    def records(self) -> list[Record]:
        """Return the records; of very many, some."""
        found = [record for system in (self._shop, self._store, self._web, self._app) for record in system()]
        found += [record for system in (self._line, self._social, self._news, self._counter) for record in system()]
        return found if len(found) <= MOST else self.chance.sample(found, MOST)

    def _shop(self) -> Iterator[Record]:
        """The web shop's CRM: address and number, the account where there is one."""
        for number in self._member(_SHOP, "S"):
            at = self._some_time()
            ids = [Identifier("crm_id", number, "shop"), self._email(), *self._phone(at)]
            if self.account and self.chance.random() < 0.6:
                ids.append(Identifier("user_id", self.account))
            yield self._record("crm_shop", at, ids, spelling.attributes(self.chance, self.one))

    def _store(self) -> Iterator[Record]:
        """The shops' cards: a clerk types a number, mobile or fixed; an address less often."""
        for number in self._member(_STORE, "C"):
            at = self._some_time()
            ids = [Identifier("crm_id", number, "store"), *self._phone(at, fixed=0.15)]
            if self.chance.random() < 0.55:
                ids.append(self._email())
            yield self._record("crm_store", at, ids, spelling.attributes(self.chance, self.one))

    def _web(self) -> Iterator[Record]:
        """Browsing: one cookie after the other; some browsers are never signed in from."""
        browsers = [
            contacts.browser(self.chance) for _ in range(self.chance.choices((0, 1, 2, 3), (13, 42, 31, 14))[0])
        ]
        if self.one.shares_tablet:
            browsers.append(self.one.home.tablet)
        for browser in browsers:
            share = _KNOWN_TABLET if browser == self.one.home.tablet else _KNOWN_BROWSER
            known = bool(self.account) and self.chance.random() < share
            for visit in range(self.chance.choices((1, 2, 3), (45, 35, 20))[0]):
                yield self._visit(browser, known and (visit == 0 or self.chance.random() < _LOGS_IN))

    def _visit(self, browser: str, signed_in: bool) -> Record:
        user = self.account if signed_in else self.places.no_user()
        ids = [Identifier("anonymous_id", browser, verified=signed_in)]
        if user:
            ids.append(Identifier("user_id", user))
        if signed_in and self.chance.random() < 0.5:
            ids.append(self._email())
        elif not signed_in and self.chance.random() < 0.01:
            ids.append(Identifier("email", spelling.email(self.chance, self.mail), verified=False))
        return self._record("web", self._some_time(), ids)

    def _app(self) -> Iterator[Record]:
        if self.chance.random() > _APP:
            return
        device = self.places.no_device() or contacts.browser(self.chance)
        push = f"push:{self.chance.getrandbits(96):024x}"
        for _ in range(self.chance.choice((1, 1, 2))):
            ids = [Identifier("device_id", device), Identifier("push_token", push)]
            if self.account and self.chance.random() < 0.7:
                ids.append(Identifier("user_id", self.account))
            yield self._record("app", self._some_time(), ids)

    def _line(self) -> Iterator[Record]:
        """LINE: an id per provider; linked to the account, or to the card, by some."""
        if self.one.home.country != "JP" or self.chance.random() > _LINE:
            return
        for provider in ("1657000001", "1657000002")[: self.chance.choice((1, 1, 1, 2))]:
            friend = f"U{self.chance.getrandbits(128):032x}"
            for _ in range(self.chance.choice((1, 1, 2))):
                ids = [Identifier("line_uid", friend, provider)]
                if self.account and self.chance.random() < 0.65:
                    ids.append(Identifier("user_id", self.account))
                yield self._record("line", self._some_time(), ids)

    def _social(self) -> Iterator[Record]:
        if self.chance.random() > _SOCIAL:
            return
        provider = self.chance.choice(("google", "facebook", "apple"))
        ids = [Identifier("sns_id", f"{self.chance.randrange(10**17, 10**18)}", provider), self._email()]
        if self.account and self.chance.random() < 0.6:
            ids.append(Identifier("user_id", self.account))
        yield self._record("sns", self._some_time(), ids)

    def _news(self) -> Iterator[Record]:
        """The mailing system knows addresses, and the browser of whoever clicks."""
        if self.chance.random() > _NEWS:
            return
        for _ in range(self.chance.choice((1, 1, 2, 2, 3))):
            yield self._record("email", self._some_time(), [self._email()])

    def _counter(self) -> Iterator[Record]:
        """Signing in at a shop's kiosk: its device stands on the record of everybody who did."""
        kiosk = self.places.kiosk()
        if kiosk:
            yield self._record("kiosk", self._some_time(), [Identifier("device_id", kiosk), self._email()])

    def _member(self, share: float, letter: str) -> list[str]:
        if self.chance.random() > share:
            return []
        twice = self.chance.random() < _TWICE
        return [f"{letter}{self.one.number:07d}{mark}" for mark in ("1", "2")[: 1 + twice]]

    def _email(self) -> Identifier:
        """Return an address that this person gives: mostly the usual one."""
        value = self.places.no_email() or self.places.role_mailbox() or self.mail
        if value == self.mail and self.chance.random() < _OTHER_MAILBOX:
            value = self.chance.choice(self.one.mails)
        if self.chance.random() < 0.01:
            value = spelling.tagged(self.chance, value)
        return Identifier("email", spelling.email(self.chance, value), verified=self.chance.random() > _UNCONFIRMED)

    def _phone(self, at: datetime, fixed: float = 0.05) -> Iterator[Identifier]:
        if self.chance.random() < 0.12:
            return
        own, home = self.one.mobile(at), self.one.home
        value = home.landline if home.landline and self.chance.random() < fixed else own
        yield Identifier("phone", self.places.no_phone() or spelling.phone(self.chance, value, home.country))

    def _some_time(self) -> datetime:
        return self.one.since + (self.one.until - self.one.since) * self.chance.random()

    def _record(self, source: str, at: datetime, ids: list[Identifier], known: dict[str, str] | None = None) -> Record:
        self.count += 1
        key = f"{self.one.number:x}-{self.count}"
        return Record(source, key, at, self.one.number, tuple(ids), known or {}, self.one.home.country)
