"""A home is made, sources and clients are registered, and everything comes in through the real doors."""

from collections.abc import Mapping
from pathlib import Path

from cdp.ops.demo.demonstration import Demonstration, register
from cdp.ops.demo.feeding import write_files
from cdp.ops.demo.taken import Taken, told_dropped, told_refused

DOORS = {
    "crm": "cdp import (HubSpot)",
    "shop": "cdp import (CP932)",
    "site": "POST /v1/batch",
    "line": "POST /hooks/line",
    "mail": "POST /hooks/mail",
    "consents": "POST /api/consents",
    "withdrawals": "…/consents/withdraw",
}
"""Source → what it comes in by."""


def opening(demo: Demonstration) -> None:
    """Make the home, start the two processes, register everybody who may bring or take."""
    telling = demo.telling
    telling.panel(
        "Sekisho 関所",
        "A checkpoint for personal data: everything is sealed on arrival, and nothing leaves without a permit.\n"
        f"{len(demo.people):,} made-up people in Japan and Europe leave traces in a shop, a CRM, LINE and their mail.",
    )
    telling.chapter("A home, five sources, three clients", "for the engineer")
    demo.home.make()
    register(demo)
    demo.home.start()
    telling.say(
        f"  cdp init, cdp connector add ×5, cdp client create ×3, cdp serve (port {demo.home.port}), cdp worker"
    )
    telling.promise("server and worker run and say that they are ready", demo.wire.is_ready())
    wrong = demo.wire.call("GET", "/api/audiences", headers={"Authorization": "Bearer nobody"})
    telling.promise("a stranger gets 401 from the API", wrong.status == 401)


def arrival(demo: Demonstration) -> None:
    """Feed the sources, then say what was sent, what was taken and what was left at the door."""
    telling, traces, form = demo.telling, demo.traces, demo.clients["form"]
    telling.chapter("What comes in, through which door", "for the engineer")
    crm, shop = write_files(traces, demo.home.folder)
    with telling.console.status("  cdp import hubspot-contacts.csv (UTF-8), kaiin.csv (CP932, 和暦, lost zeros)"):
        doors = {
            "crm": _imported(demo, crm, "crm", len(traces.crm)),
            "shop": _imported(demo, shop, "shop", len(traces.shop)),
        }
    doors["site"] = demo.feed.site(traces.site, demo.secrets["site"]["write_key"])
    doors["line"] = demo.feed.line(traces.line, "/hooks/line", demo.line)
    doors["mail"] = demo.feed.mail(traces.mail, "/hooks/mail", demo.sendgrid)
    doors["consents"] = demo.feed.consents(traces.consents, form)
    doors["withdrawals"] = demo.feed.withdrawals(traces.withdrawals, form)
    for name in ("site", "line", "mail"):
        doors[name].add_drops(demo.officer.get(f"/api/connectors/{name}/drops").expect(200).json["data"])
    _table(demo, doors)
    _promises(demo, doors)


def _imported(demo: Demonstration, file: Path, source: str, rows: int) -> Taken:
    taken = Taken(sent=rows)
    taken.add_import(demo.home.cdp("import", str(file), "--source", source, ok=(0, 1)))
    return taken


def _table(demo: Demonstration, doors: Mapping[str, Taken]) -> None:
    rows = [
        (
            name,
            DOORS[name],
            f"{taken.sent:,}",
            f"{taken.accepted:,}",
            told_refused(taken),
            told_dropped(taken),
        )
        for name, taken in doors.items()
    ]
    columns = ("source", "door", "sent →", "accepted", "refused, by reason", "left out of the accepted, by reason")
    demo.telling.table("", columns, rows)
    demo.telling.say(
        "  Accepted, refused and left out are the doors' own words.\n"
        "  `unlawful`: it serves no purpose allowed for this person (a page view after a no), so it was not kept.\n"
        "  `undeclared_field`: the policy asks for no such field."
    )


def _promises(demo: Demonstration, doors: Mapping[str, Taken]) -> None:
    telling, key = demo.telling, demo.secrets["site"]["write_key"]
    telling.promise("every door answered every delivery with a yes", demo.feed.all_answered(200, 201))
    sent, accepted = (sum(getattr(taken, name) for taken in doors.values()) for name in ("sent", "accepted"))
    telling.promise(
        f"each of the {sent:,} records sent is accounted for: {accepted:,} accepted, the others refused by name",
        all(taken.adds_up and taken.accepted for taken in doors.values()),
    )
    forged = demo.wire.call("POST", "/hooks/line", b'{"events":[]}', {"X-Line-Signature": "AAAA"})
    telling.promise("a forged LINE webhook gets 401", forged.status == 401)
    again = demo.feed.site(demo.traces.site[:200], key)
    telling.promise("what is sent twice is taken once", again.adds_up and again.duplicates > 0 and again.accepted == 0)
