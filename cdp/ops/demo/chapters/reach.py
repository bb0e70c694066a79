"""Whom we may write to in Japan and in the EU, why not the others, and the page that the MA tool gets."""

from typing import Any

from cdp.ops.demo.demonstration import Demonstration
from cdp.ops.demo.names import EUROPEAN
from cdp.ops.demo.reasons import grounds, identifiers
from cdp.ops.demo.telling import masked

PLACES = (("in Japan", ["JP"]), ("in the EU", sorted(EUROPEAN)))
WAYS = (("email_marketing", "email", "by e-mail"), ("line_marketing", "line", "by LINE"))
YES = "may be reached"
OTHER, FEW = "other", ("reasons of fewer than 20 people each are not told apart", "")


def reach(demo: Demonstration) -> None:
    """Count by country and channel, with the reason, the article and the remedy for every no."""
    telling = demo.telling
    telling.chapter("Whom may we reach, and why not the others?", "for the marketer and the data protection officer")
    explained = [
        _tell_way(demo, f"{way}, {place}", countries, purpose, channel)
        for place, countries in PLACES
        for purpose, channel, way in WAYS
    ]
    telling.promise(
        "every reason was met in a decision on somebody, which cites the law and names a remedy", all(explained)
    )
    whole = _count(demo, None, "email_marketing", "email")
    listed = list(members(demo, "everyone", "email_marketing", "email"))
    telling.promise(
        f"the count is the list: {whole['count']:,} counted, {len(listed):,} listed", whole["count"] == len(listed) > 0
    )
    addresses = {str(row["fields"].get("email", "")) for row in listed}
    _promises(demo, addresses)


def page(demo: Demonstration) -> None:
    """Show what the MA tool received: its own pseudonyms, the fields of the purpose, links, and an end."""
    telling = demo.telling
    telling.chapter("The page that the marketing automation tool got", "for its integrator")
    answer = demo.ma_tool.get(
        "/api/audiences/recent_buyers/members", purpose="email_marketing", channel="email", fields="email", limit=5
    )
    body = answer.expect(200).json
    telling.say("  GET /api/audiences/recent_buyers/members?purpose=email_marketing&channel=email&fields=email&limit=5")
    rows = [
        (row["id"], masked(row["fields"]["email"]), row.get("stage") or "", ", ".join(row["links"]))
        for row in body["data"]
    ]
    telling.table("", ("id (this recipient's own)", "e-mail (masked here)", "stage", "links"), rows)
    telling.say(f"  use by {body['use_by']}, disclosure {body['disclosure']}")
    fields = {name for row in body["data"] for name in row["fields"]}
    telling.promise("only the field that was asked for and allowed came", answer.status == 200 and fields == {"email"})
    telling.promise("every row has its link to unsubscribe", all("unsubscribe" in row["links"] for row in body["data"]))
    ads = demo.ma_tool.get("/api/audiences/everyone/members", purpose="ads_sharing", channel="ads")
    telling.promise("a purpose that the tool is not registered for is refused: 403", ads.status == 403)


def members(demo: Demonstration, audience: str, purpose: str, channel: str) -> Any:
    """Yield every row of an audience, page by page."""
    cursor: dict[str, str] = {}
    while True:
        query = {"purpose": purpose, "channel": channel, "fields": "email" if channel == "email" else "line_uid"}
        body = demo.ma_tool.get(f"/api/audiences/{audience}/members", limit=500, **query, **cursor).expect(200).json
        yield from body["data"]
        if not body["next_cursor"]:
            return
        cursor = {"cursor": body["next_cursor"]}


def _count(demo: Demonstration, countries: list[str] | None, purpose: str, channel: str) -> Any:
    """Count everybody of these countries (or everybody) for a purpose; the reasons come with it."""
    rule = {"trait": {"name": "country", "op": "in", "value": countries}} if countries else {"everyone": True}
    body = {"rule": rule, "purpose": purpose, "channel": channel}
    return demo.ma_tool.post("/api/audiences/preview", body).expect(200).json


def _tell_way(demo: Demonstration, title: str, countries: list[str], purpose: str, channel: str) -> bool:
    """Draw who may be reached in one way and why others may not; says whether a decision explained each reason."""
    told = _count(demo, countries, purpose, channel)
    refused = dict(sorted(told["refused"].items(), key=lambda entry: -entry[1])[:6])
    known = identifiers([one for one in demo.people if one.country in countries], demo.traces.truth)
    cited = grounds(demo.officer, known, purpose, channel, set(refused) - {OTHER})
    notes = {code: (ground.cited, ground.remedy) for code, ground in cited.items()}
    demo.telling.say(f"\n  [bold]{title}[/bold]")
    demo.telling.bars({YES: told["count"], **refused}, {OTHER: FEW, **notes}, YES)
    return set(refused) - {OTHER} == {code for code, ground in cited.items() if ground.cited and ground.remedy}


def _promises(demo: Demonstration, addresses: set[str]) -> None:
    told = demo.telling
    left = {str(body["identifier"]["value"]).lower() for body in demo.traces.withdrawals}
    told.promise(f"none of the {len(left):,} addresses that withdrew is on the list", not left & addresses)
    shared = _mailboxes_of_adults(demo)
    children = {one.email for one in demo.people if one.child} - shared
    told.promise(f"none of the {len(children):,} children's addresses is on the list", not children & addresses)
    never = _never_asked(demo)
    told.promise(f"none of the {len(never):,} in Japan who were never asked is on the list", not never & addresses)
    told.say("  (in the EU customers who were offered a way out may be written to: soft opt-in, ePrivacy 13(2))")


def _mailboxes_of_adults(demo: Demonstration) -> set[str]:
    return {one.email for one in demo.people if not one.child}


def _never_asked(demo: Demonstration) -> set[str]:
    asked = {one.email for one in demo.people if one.stance != "never"}
    return {one.email for one in demo.people if one.country == "JP"} - asked
