"""How many records became how many people, how right that is, and why two were joined or kept apart."""

from collections.abc import Iterator

from cdp.ops.demo.demonstration import Demonstration
from cdp.ops.demo.people import Someone
from cdp.ops.demo.telling import masked
from cdp.ops.demo.unification import Unified, look
from cdp.ops.demo.watching import database_of


def unifying(demo: Demonstration) -> None:
    """Compare what was unified with the truth that the generator kept."""
    telling = demo.telling
    telling.chapter("How many records became how many people, and why", "for the marketer and the engineer")
    with database_of(demo.home) as database:
        unified = look(database, demo.traces.truth)
    quality = unified.quality
    telling.say(
        f"  {quality.records:,} records with a key of their own → {quality.people:,} people"
        f" (the truth, known only to the generator: {len({key.person for key in demo.traces.truth}):,})"
    )
    telling.say(
        f"  precision: of every 100 pairs put together {quality.precision * 100:.1f} are right"
        f" ({unified.unshared.precision * 100:.1f} without the tablets that several share)\n"
        f"  recall: of every 100 true pairs {quality.recall * 100:.1f} were found."
        " The others are not proven: two rows of one CRM\n"
        "  and a mailbox of two logins say two people, a LINE account without a login shares nothing.\n"
        "  Nobody is guessed."
    )
    telling.promise("every record can be found again by its own key", quality.records >= 0.99 * len(demo.traces.truth))
    telling.promise(
        "of the pairs put together at least 95 in 100 are truly one person",
        quality.found > 0 and quality.precision >= 0.95,
    )
    _examples(demo, unified)


def _examples(demo: Demonstration, unified: Unified) -> None:
    telling = demo.telling
    joined = unified.merged(demo.people)
    if joined is not None:
        telling.panel("one person, four systems, one mailbox", "\n".join(_evidence(demo, joined)))
    apart = unified.kept_apart(demo.people)
    if apart is not None:
        telling.panel(
            "two people, one mailbox: not joined",
            f"{masked(apart[0].email)} is the mailbox of a family: two logins or two member numbers stand behind it.\n"
            "A shared address never makes two people one; letters to it still obey whoever said no there.",
        )
    telling.promise("an example of a merge, and of one that was refused", bool(joined and apart))


def _evidence(demo: Demonstration, one: Someone) -> Iterator[str]:
    for row in demo.traces.crm:
        if int(row["Record ID"]) // 2 - 50_000 == one.number:
            yield f"CRM    {masked(row['Email']):<28} {masked(row['Phone Number'])}"
    for row in demo.traces.shop:
        if row["会員番号"] == one.member_number:
            yield f"shop   {masked(row['メールアドレス']):<28} {masked(row['電話番号'])}"
    yield f"site   {masked(one.email):<28} login and browser"
    if "line" in one.places:
        yield f"LINE   {masked(one.line_uid):<28} linked at login"
    yield "→ after NFKC, lower case and E.164 these are the same address and the same number."
