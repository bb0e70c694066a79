"""An old backup is put back: the erased person stays dark, everybody else is there."""

from cdp.ops.demo.chapters.reach import members
from cdp.ops.demo.chapters.rights import found
from cdp.ops.demo.demonstration import Demonstration


def restoring(demo: Demonstration) -> None:
    """Stop, restore the copy from before the erasure over the database, start, and look again."""
    telling = demo.telling
    telling.chapter("A restored backup stays dark", "for the engineer and the data protection officer")
    one = demo.people[int(demo.secrets["erased"]["number"]) - 1]
    before = {row["id"] for row in members(demo, "everyone", "email_marketing", "email")}
    demo.home.stop()
    demo.home.cdp("restore", str(demo.home.folder / "before-erasure.backup"), "--yes")
    demo.home.start()
    after = {row["id"] for row in members(demo, "everyone", "email_marketing", "email")}
    telling.say("  The copy still held the person's rows; the key that opened them was punctured outside of it.")
    telling.promise("the erased person is not found in the restored copy", not any(found(demo, one)))
    telling.promise(f"all {len(before):,} others on the list are there and open", before == after)
