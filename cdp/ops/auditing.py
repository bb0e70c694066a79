"""The ledger as a file, for an auditor who trusts the public key and nothing else of ours."""

import base64
import json
from pathlib import Path

from sqlmodel import Session, col, select

from cdp.ledger import Signer
from cdp.ledger.model import LedgerEntry

FORM = "sekisho.ledger/1"


def export(session: Session, signer: Signer, target: Path) -> int:
    """Write a line per sealed entry in the order of the tree, then the signed heads; returns how many entries.

    A leaf is SHA-256(0x00 ‖ text), the tree is that of RFC 6962.
    """
    count = 0
    query = select(LedgerEntry).where(col(LedgerEntry.tree_index).is_not(None)).order_by(col(LedgerEntry.tree_index))
    with target.open("w", encoding="utf-8") as file:
        _write(file.write, {"form": FORM, "public_key": signer.public.hex()})
        for row in session.exec(query.execution_options(yield_per=1000)):
            leaf = base64.b64encode(row.leaf).decode()
            _write(file.write, {"index": row.tree_index, "entry": row.entry, "text": row.header, "leaf": leaf})
            count += 1
        for head in signer.published():
            _write(file.write, {"checkpoint": head.note(signer.public)})
    return count


def _write(write: object, line: dict[str, object]) -> None:
    assert callable(write)
    write(json.dumps(line, ensure_ascii=False) + "\n")
