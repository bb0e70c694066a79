"""Somebody changes their mind, somebody asks what is held, somebody wants to be forgotten."""

import time
from typing import Any

from cdp.ops.demo.chapters.reach import members
from cdp.ops.demo.demonstration import Demonstration
from cdp.ops.demo.finding import finds_nobody, finds_one, found
from cdp.ops.demo.home import CommandError
from cdp.ops.demo.people import Someone
from cdp.ops.demo.telling import masked
from cdp.ops.demo.wire import AnswerError


def withdrawal(demo: Demonstration) -> None:
    """Withdraw one consent and ask for the list again at once."""
    telling = demo.telling
    telling.chapter("A withdrawal, and what it does", "for the data protection officer")
    before = {row["fields"]["email"] for row in members(demo, "everyone", "email_marketing", "email")}
    one = pick(demo, before)
    answer = demo.clients["form"].post(
        "/api/consents/withdraw",
        {"identifier": {"type": "email", "value": one.email}, "purpose": "email_marketing", "channel": "email"},
    )
    after = {row["fields"]["email"] for row in members(demo, "everyone", "email_marketing", "email")}
    telling.say(
        f"  {masked(one.email)} withdraws; answered after {answer.milliseconds:.0f} ms, and when it answers it holds."
    )
    telling.promise("the withdrawal was recorded", answer.status == 200 and len(answer.json["withdrawn"]) >= 1)
    telling.promise("the next page is without this person, and nobody else is missing", before - after == {one.email})


def export(demo: Demonstration) -> None:
    """Ask for everything that is held of somebody."""
    telling = demo.telling
    telling.chapter("What do you hold of me?", "GDPR 15, APPI 33 · for the data protection officer")
    one = seen_everywhere(demo)
    request = ask(demo, "access", one)
    package = fetch_package(demo, request)
    telling.say(f"  {masked(one.email)} asks; due by {request['due_at']}; {len(package):,} bytes are ready.")
    text = package.decode(errors="replace")
    telling.promise("the export is complete: their address, login and orders are in it", _holds(text, one))
    others = [other.email for other in demo.people if other.email != one.email and other.email in text]
    telling.promise("nobody else is in it", not others)


def erasure(demo: Demonstration) -> None:
    """Keep a backup, erase somebody, and show what proves it."""
    telling = demo.telling
    telling.chapter("Forget me", "GDPR 17, APPI 35 · for the data protection officer")
    one = seen_everywhere(demo)
    demo.secrets["erased"] = {"number": str(one.number)}
    demo.home.cdp("backup", str(demo.home.folder / "before-erasure.backup"))
    before = found(demo.home, one)
    telling.say("  Asked with `cdp subject find`, which no permission hides anybody from:")
    telling.promise("before: address, login and LINE account find one and the same person", finds_one(before))
    request = ask(demo, "erasure", one)
    steps = [step["step"] for step in request.get("steps", [])]
    telling.say(f"  {masked(one.email)} is forgotten in {len(steps)} steps: {' → '.join(steps)}")
    certificate = request.get("certificate") or {}
    telling.panel("certificate, signed with the ledger's key", _in_short(certificate.get("body", {})))
    telling.promise("a signed certificate says what was destroyed", bool(certificate.get("signature")))
    telling.promise(
        "after: neither address nor login nor LINE account finds anybody", finds_nobody(found(demo.home, one))
    )
    telling.promise("the ledger verifies after it, against its signed checkpoints", _verified(demo))


def ask(demo: Demonstration, right: str, one: Someone) -> Any:
    """Make a request for somebody and wait until it is done."""
    body = {"right": right, "identifier": {"type": "email", "value": one.email}, "requester": "subject"}
    request = demo.officer.post("/api/subject-requests", body).expect(202).json
    end = time.monotonic() + 30
    while "steps" not in request or (request["state"] not in ("completed", "refused") and time.monotonic() < end):
        request = demo.officer.get(f"/api/subject-requests/{request['id']}").expect(200).json
        time.sleep(0.1)
    return request


def fetch_package(demo: Demonstration, request: Any) -> bytes:
    """Download the package of a request."""
    url = str(request.get("package_url") or "")
    path = url.split(f":{demo.home.port}", 1)[-1]
    return demo.officer.get(path).expect(200).body if path else b""


def pick(demo: Demonstration, addresses: set[str]) -> Someone:
    """Return somebody on the list who shares the mailbox with nobody."""
    once = {one.email for one in demo.people} - _shared(demo)
    found = next((one for one in demo.people if one.email in addresses & once), None)
    if found is None:
        raise AnswerError("nobody is on the list")
    return found


def seen_everywhere(demo: Demonstration, but: Someone | None = None) -> Someone:
    """Return whoever has most traces, of those with a mailbox of their own and a LINE account linked at login."""
    shared, linked = _shared(demo), _linked(demo)
    alone = [
        one
        for one in demo.people
        if one.email not in shared
        and one.device.startswith("anon")
        and one.buys
        and one.user_id in linked
        and one != but
    ]
    return max(alone, key=lambda one: (len(one.places), one.buys))


def _linked(demo: Demonstration) -> set[str]:
    return {call["userId"] for call in demo.traces.site if call.get("context", {}).get("externalIds")}


def _shared(demo: Demonstration) -> set[str]:
    seen: set[str] = set()
    return {one.email for one in demo.people if one.email in seen or seen.add(one.email)}  # type: ignore[func-returns-value]


def _in_short(body: dict[str, Any]) -> str:
    destroyed = ", ".join(f"{count} {table}" for table, count in body.get("destroyed", {}).items())
    return f"{body.get('statement', '')}\ndestroyed: {destroyed}\nsilenced identifiers: {body.get('silenced', 0)}"


def _holds(text: str, one: Someone) -> bool:
    return one.email in text and one.user_id in text and f"o-{one.number}-0" in text


def _verified(demo: Demonstration) -> bool:
    try:
        demo.home.cdp("ledger", "verify")
    except CommandError:
        return False
    return True
