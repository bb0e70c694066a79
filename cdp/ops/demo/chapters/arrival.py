"""A home is made, sources and clients are registered, and everything comes in through the real doors."""

from collections import Counter

from cdp.ops.demo.demonstration import Demonstration, register
from cdp.ops.demo.feeding import write_files


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
    """Feed the sources, then say what came, what was taken and what was left at the door."""
    telling, traces = demo.telling, demo.traces
    telling.chapter("What comes in, through which door", "for the engineer")
    crm, shop = write_files(traces, demo.home.folder)
    with telling.console.status("  cdp import hubspot-contacts.csv (UTF-8), kaiin.csv (CP932, 和暦, lost zeros)"):
        demo.home.cdp("import", str(crm), "--source", "crm", ok=(0, 1))
        demo.home.cdp("import", str(shop), "--source", "shop", ok=(0, 1))
    said = demo.feed.site(traces.site, demo.secrets["site"]["write_key"])
    demo.feed.line(traces.line, "/hooks/line", demo.line)
    demo.feed.mail(traces.mail, "/hooks/mail", demo.sendgrid)
    demo.feed.consents(traces.consents, demo.clients["form"])
    demo.feed.withdrawals(traces.withdrawals, demo.clients["form"])
    _table(demo, said)
    _promises(demo)


def _table(demo: Demonstration, said: Counter[str]) -> None:
    traces = demo.traces
    refused = ", ".join(f"{reason} {count:,}" for reason, count in said.most_common() if reason != "accepted")
    demo.telling.table(
        "",
        ("source", "records", "door", "seen there"),
        (
            (
                "CRM",
                f"{len(traces.crm):,}",
                "cdp import, HubSpot's columns",
                "capitals, full width, placeholders, doubles",
            ),
            ("shop", f"{len(traces.shop):,}", "cdp import, Japanese columns", "CP932, 和暦 birthdays, 様, lost zeros"),
            ("site", f"{len(traces.site):,}", "POST /v1/batch", f"shared tablets; left out: {refused or 'nothing'}"),
            ("LINE", f"{len(traces.line):,}", "POST /hooks/line", "HMAC-SHA256 signature on the raw bytes"),
            ("e-mail", f"{len(traces.mail):,}", "POST /hooks/mail", "ECDSA signature, bounces, unsubscribes"),
            (
                "consents",
                f"{len(traces.consents):,}",
                "POST /api/consents",
                f"and {len(traces.withdrawals):,} withdrawals",
            ),
        ),
    )


def _promises(demo: Demonstration) -> None:
    telling, traces = demo.telling, demo.traces
    telling.promise("every door answered every delivery with a yes", demo.feed.all_answered(200, 201))
    forged = demo.wire.call("POST", "/hooks/line", b'{"events":[]}', {"X-Line-Signature": "AAAA"})
    telling.promise("a forged LINE webhook gets 401", forged.status == 401)
    again = demo.feed.site(traces.site[:200], demo.secrets["site"]["write_key"])
    telling.promise("what is sent twice is taken once", bool(again) and again["accepted"] == 0)
