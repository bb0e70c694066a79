"""One process of many that bring the same people: `python -m tests.ingest.bringing URL KEYRING PEOPLE COPY`.

Prints `ready`, waits for a line, brings everybody in an order and in batches of its own, and prints how many
items were accepted, how many were duplicates, and how often the database made it begin a transaction again.
"""

import random
import sys

from sqlalchemy import event

from cdp import gate, ingest, profile
from cdp.connector.kit import Item
from cdp.db import Database
from cdp.vault import Keyring, Vault
from tests.conftest import StandingClock, import_tables
from tests.ingest.ground import NOW, SITE, claims, email, make_policy, viewed


def said(people: int, copy: int) -> list[Item]:
    """Of everybody, what all copies say in the same words, and what only this one saw, on a device of its own."""
    items = []
    for number in range(people):
        login = claims(user_id=f"user-{number}")
        items.append(viewed(email(f"p{number}@people.example"), *login, message=f"same{number}"))
        items.append(viewed(*login, *claims(anonymous_id=f"device-{number}-{copy % 8}"), message=f"{copy}-{number}"))
    random.Random(copy).shuffle(items)
    return items


def main(url: str, keyring: str, people: int, copy: int) -> None:
    import_tables()
    database = Database(url, clock=StandingClock(NOW), pool_size=2)
    database.context.update(vault=Vault(Keyring.load(keyring)), policy=make_policy())
    database.settlers = [("profile", profile.settle), ("gate", gate.settle)]
    rolled_back = 0

    @event.listens_for(database.writer, "rollback")
    def _count(_: object) -> None:
        nonlocal rolled_back
        rolled_back += 1

    items, dice = said(people, copy), random.Random(f"batches {copy}")
    print("ready", flush=True)
    sys.stdin.readline()
    accepted = duplicates = 0
    while items:
        size = dice.choice((1, 2, 5, 20, 100, 300))
        some, items = items[:size], items[size:]
        report = ingest.take(database, SITE, some, NOW)
        accepted, duplicates = accepted + report.accepted, duplicates + report.duplicates
    print(accepted, duplicates, rolled_back)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
