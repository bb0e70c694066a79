"""What each system wrote about the made-up people, with its mistakes, and who each record is truly about."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from cdp.ops.demo import dirt
from cdp.ops.demo.people import GIVEN, NEVER, REFUSED, WITHDREW, Someone

PRODUCTS = (
    ("tea-01", "煎茶 玉露", 3_200, 24),
    ("tea-02", "ほうじ茶", 1_480, 12),
    ("cup-01", "波佐見焼の湯呑", 4_800, 39),
    ("pot-01", "南部鉄器の急須", 12_800, 98),
    ("box-01", "季節の詰め合わせ", 6_500, 52),
)
"""Item, name, price in yen, price in euros."""


FORM_EVERY = 16
"""One in so many says yes in a form of the API, the others in the site's own."""

LINE_PROVIDER = "sekisho-demo"
"""LINE user ids differ per provider, so the provider is part of the identifier."""


@dataclass(slots=True)
class Key:
    """A record's own key in its system, and the number of the person it is truly about."""

    namespace: str
    scope: str
    value: str
    person: int


@dataclass(slots=True)
class Traces:
    """Everything that the sources will bring, and the truth about it."""

    crm: list[dict[str, str]] = field(default_factory=list)
    shop: list[dict[str, str]] = field(default_factory=list)
    site: list[dict[str, Any]] = field(default_factory=list)
    line: list[dict[str, Any]] = field(default_factory=list)
    mail: list[dict[str, Any]] = field(default_factory=list)
    consents: list[dict[str, Any]] = field(default_factory=list)
    withdrawals: list[dict[str, Any]] = field(default_factory=list)
    truth: list[Key] = field(default_factory=list)


def leave_traces(people: list[Someone], seed: int, now: datetime) -> Traces:
    """Let everybody use the systems they use; person by person, as a shop's nightly job sends what happened."""
    rng = Random(seed)  # noqa: S311 - made up, and the same each time
    traces = Traces()
    for one in people:
        if "crm" in one.places:
            _in_the_crm(rng, one, traces)
        if "shop" in one.places:
            _in_the_shop(rng, one, traces)
        if one.places & {"site", "shop"}:
            _on_the_site(rng, one, traces, now)
        if "line" in one.places:
            _on_line(rng, one, traces, now)
        _by_mail(rng, one, traces, now)
        _said(rng, one, traces, now)
    return traces


def _in_the_crm(rng: Random, one: Someone, traces: Traces) -> None:
    """One row, for one person in twelve a second one under another id, for one in forty a placeholder."""
    for copy in range(2 if rng.random() < 0.08 and not one.child else 1):
        record = str(100_000 + one.number * 2 + copy)
        row = {
            "Record ID": record,
            "First Name": one.given.native,
            "Last Name": one.family.native,
            "Email": dirt.email(rng, one.email),
            "Phone Number": dirt.phone(rng, one.phone, one.country) if rng.random() < 0.7 else "",
            "Country/Region": one.country,
            "Date of birth": one.birth.isoformat() if rng.random() < 0.6 or one.child else "",
            "Lifecycle Stage": "customer" if one.buys else "lead",
        }
        if rng.random() < 0.025 and not one.child:
            row |= {"Email": "test@test.com", "Phone Number": "000-0000-0000"}
        traces.crm.append(row)
        traces.truth.append(Key("crm_id", "crm", record, one.number))


def _in_the_shop(rng: Random, one: Someone, traces: Traces) -> None:
    traces.shop.append(
        {
            "会員番号": one.member_number,
            "氏名": dirt.japanese_name(rng, one.family.native, one.given.native),
            "フリガナ": dirt.kana(rng, one.family.kana, one.given.kana),
            "メールアドレス": dirt.email(rng, one.email) if rng.random() < 0.85 or one.child else "",
            "電話番号": dirt.phone(rng, one.phone, one.country) if rng.random() < 0.95 else "なし",
            "生年月日": dirt.birthday(rng, one.birth) if rng.random() < 0.9 or one.child else "",
            "都道府県": rng.choice(("東京都", "大阪府", "北海道", "福岡県", "京都府", "愛知県")),
        }
    )
    traces.truth.append(Key("crm_id", "shop", one.member_number, one.number))


def _on_the_site(rng: Random, one: Someone, traces: Traces, now: datetime) -> None:
    """Look around without a name, log in, fill carts, buy, send something back."""
    if "site" not in one.places and not one.buys:
        return
    site = Site(rng, one, now - timedelta(days=rng.randint(2, 200), seconds=rng.randint(0, 80_000)))
    if "site" in one.places:
        site.visit()
        traces.truth.append(Key("anonymous_id", "", one.device, one.number))
    if one.buys or rng.random() < 0.7:
        site.log_in()
        traces.truth.append(Key("user_id", "", one.user_id, one.number))
        site.buy(now)
        site.subscribe()
    traces.site += site.calls


class Site:
    """One person's calls of the Segment protocol, in order of time."""

    def __init__(self, rng: Random, one: Someone, start: datetime) -> None:
        self.rng, self.one, self.at = rng, one, start
        self.calls: list[dict[str, Any]] = []
        self.known = False

    def visit(self) -> None:
        """Look around after an answer to the banner; half say yes, some no, some nothing."""
        said = self.rng.choices(({"Analytics": True, "Functional": True}, {"Analytics": False}, None), (55, 20, 25))[0]
        context = {"consent": {"categoryPreferences": said}} if said else {}
        for path in self.rng.sample(("/", "/tea", "/cups", "/journal", "/stores"), 1):
            self._call("page", name=path, properties={"path": path, "title": path}, context=context)
        if self.rng.random() < 0.4:
            self._call("track", event="Product Viewed", properties=self._product(), context=context)

    def log_in(self) -> None:
        one, self.known = self.one, True
        traits: dict[str, Any] = {
            "email": one.email,
            "firstName": one.given.native,
            "lastName": one.family.native,
            "address": {"country": one.country},
        }
        if self.rng.random() < 0.4:
            traits["phone"] = dirt.international(one.phone, one.country)
        if self.rng.random() < 0.3 or one.child:
            traits["birthday"] = one.birth.isoformat()
        linked = "line" in one.places and self.rng.random() < 0.7
        account = {"id": one.line_uid, "type": "line_uid", "collection": "users", "encoding": "none"}
        self._call("identify", traits=traits, **({"context": {"externalIds": [account]}} if linked else {}))

    def buy(self, now: datetime) -> None:
        """Complete every order that the person is to complete; leave a cart behind, one time in six."""
        for count in range(self.one.buys):
            self.at = min(
                self.at + timedelta(days=self.rng.randint(1, 60)), now - timedelta(hours=self.rng.randint(1, 900))
            )
            order = self._order(count)
            self._track("Order Completed", order)
            if self.rng.random() < 0.05:
                self._track("Order Refunded", order)
        if self.rng.random() < 0.16:
            self.at = now - timedelta(hours=self.rng.randint(2, 60))
            self._track("Product Added", self._product())
            self._track("Cart Viewed", {"products": [self._product()]})

    def subscribe(self) -> None:
        """Take the newsletter in the site's own form: a declared event of a server key."""
        if self.one.stance in (GIVEN, WITHDREW) and self.one.number % FORM_EVERY:
            self._track("Newsletter Subscribed", {**_notice(self.one, "email_marketing"), "email": self.one.email})

    def _product(self) -> dict[str, Any]:
        item, name, yen, euros = self.rng.choice(PRODUCTS)
        amount, currency = (yen, "JPY") if self.one.country == "JP" else (euros, "EUR")
        return {"product_id": item, "name": name, "price": amount, "currency": currency}

    def _order(self, count: int) -> dict[str, Any]:
        products = [self._product() | {"quantity": 1} for _ in range(self.rng.randint(1, 3))]
        return {
            "order_id": f"o-{self.one.number}-{count}",
            "total": sum(product["price"] for product in products),
            "currency": products[0]["currency"],
            "products": products,
        }

    def _track(self, event: str, properties: dict[str, Any]) -> None:
        self._call("track", event=event, properties=properties)

    def _call(self, kind: str, **what: Any) -> None:
        self.at += timedelta(seconds=self.rng.randint(5, 300))
        one = self.one
        who: dict[str, Any] = {"anonymousId": one.device} if "site" in one.places else {}
        if self.known:
            who["userId"] = one.user_id
        stamp = {"messageId": f"site-{one.number}-{len(self.calls)}", "timestamp": self.at.isoformat()}
        self.calls.append({"type": kind, **who, **stamp, **what})


def _on_line(rng: Random, one: Someone, traces: Traces, now: datetime) -> None:
    """Follow, which is the act of consent below the account's notice; who only unblocks is shown none."""
    at = now - timedelta(days=rng.randint(1, 180))
    kinds = ["follow"] + ["message"] * (rng.random() < 0.4) + ["unfollow"] * (one.line_stance == WITHDREW)
    for count, kind in enumerate(kinds):
        event: dict[str, Any] = {
            "type": kind,
            "mode": "active",
            "timestamp": int((at + timedelta(hours=count)).timestamp() * 1000),
            "source": {"type": "user", "userId": one.line_uid},
            "webhookEventId": f"01HZ{one.number:020d}{count:02d}",
            "deliveryContext": {"isRedelivery": False},
        }
        if kind == "message":
            event["message"] = {"id": f"{one.number}{count}", "type": "text", "text": "営業時間を教えてください"}
        if kind == "follow":
            event["follow"] = {"isUnblocked": one.line_stance == NEVER}
        traces.line.append(event)
    traces.truth.append(Key("line_uid", LINE_PROVIDER, one.line_uid, one.number))


def _by_mail(rng: Random, one: Someone, traces: Traces, now: datetime) -> None:
    """Letters that went out while there was a yes: opened, clicked, bounced, and taken as reason to leave."""
    if one.stance not in (GIVEN, WITHDREW) or rng.random() < 0.3:
        return
    at = now - timedelta(days=rng.randint(1, 20))
    kinds = ["delivered"] + ["open"] * (rng.random() < 0.6) + ["click"] * (rng.random() < 0.2)
    if one.bounces:
        kinds = ["bounce"]
    elif one.stance == WITHDREW and one.number % 2:
        kinds.append("spamreport" if rng.random() < 0.1 else "unsubscribe")
    for count, kind in enumerate(kinds):
        event = {
            "email": one.email,
            "event": kind,
            "timestamp": int((at + timedelta(minutes=7 * count)).timestamp()),
            "sg_event_id": f"sg-{one.number}-{count}",
            "sg_message_id": f"letter-{one.number}.filter",
        }
        if kind == "bounce":
            event |= {"type": "bounce", "status": "5.1.1", "reason": "unknown mailbox"}
        if kind == "click":
            event["url"] = "https://shop.example/tea"
        traces.mail.append(event)


def _said(rng: Random, one: Someone, traces: Traces, now: datetime) -> None:
    """What was said in forms that speak to the API: yes or no to letters; some change their mind."""
    at = now - timedelta(days=rng.randint(21, 300))
    mailbox = {"type": "email", "value": one.email}
    if one.stance == REFUSED or (one.stance != NEVER and one.number % FORM_EVERY == 0):
        status = "refused" if one.stance == REFUSED else "given"
        traces.consents.append(_consent(one, mailbox, "email_marketing", "email", status, at))
    if one.stance == WITHDREW and one.number % 2 == 0:
        traces.withdrawals.append({"identifier": mailbox, "purpose": "email_marketing", "channel": "email"})


def _consent(
    one: Someone, identifier: dict[str, str], purpose: str, channel: str, status: str, at: datetime
) -> dict[str, Any]:
    return {
        "identifier": identifier,
        "purpose": purpose,
        "channel": channel,
        "status": status,
        **_notice(one, purpose),
        "method": "checkbox",
        "event_time": at.isoformat(),
        "evidence": {"form": "newsletter", "submission": f"f-{one.number}"},
    }


def _notice(one: Someone, purpose: str) -> dict[str, str]:
    shown = {"email_marketing": "newsletter", "line_marketing": "line"}[purpose]
    return {"notice": shown, "notice_version": "1", "language": "ja" if one.country == "JP" else "en"}
