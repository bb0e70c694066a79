"""An old backup is put back: the erased person stays dark, everybody else is there."""

from cdp.ops.demo.chapters.reach import members
from cdp.ops.demo.chapters.rights import seen_everywhere
from cdp.ops.demo.demonstration import Demonstration
from cdp.ops.demo.finding import finds_nobody, finds_one, found, identifiers, rows_in_copy


def restoring(demo: Demonstration) -> None:
    """Stop, restore the copy from before the erasure over the database, start, and look again."""
    telling, home = demo.telling, demo.home
    telling.chapter("A restored backup stays dark", "for the engineer and the data protection officer")
    erased = demo.people[int(demo.secrets["erased"]["number"]) - 1]
    other = seen_everywhere(demo, but=erased)
    held = rows_in_copy(home, home.folder / "before-erasure.backup" / "database.sqlite", erased)
    telling.promise(
        "the copy holds the erased person's address, login and LINE account", held == len(identifiers(erased))
    )
    before = {row["id"] for row in members(demo, "everyone", "email_marketing", "email")}
    home.stop()
    home.cdp("restore", str(home.folder / "before-erasure.backup"), "--yes")
    home.start()
    after = {row["id"] for row in members(demo, "everyone", "email_marketing", "email")}
    telling.say(
        "  The key that opened those rows was punctured outside of the copy, and the rows went before any door opened."
    )
    telling.promise("none of the three finds anybody in the restored copy", finds_nobody(found(home, erased)))
    telling.promise("somebody else's three still find that one person", finds_one(found(home, other)))
    telling.promise(f"all {len(before):,} others on the list are there and open", before == after)
