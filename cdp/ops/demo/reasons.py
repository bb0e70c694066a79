"""Why the gate refuses, in its own words: asked about people to whom it happened."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from cdp.ops.demo.people import Someone
from cdp.ops.demo.records import Key
from cdp.ops.demo.wire import ApiClient

SHORT = {"TOKUTEI": "特定電子メール法", "EPRIVACY": "ePrivacy", "POLICY": "house rule"}
"""The register's labels of laws, as one says them."""

MOST_ASKED = 400
"""Decisions asked for one use, at most."""

ASKED_BY = {"crm_id", "line_uid"}
"""Types of the records' own keys that stand for somebody in a country."""

EXAMPLES = 3
"""People asked for one reason; what most of them are told is shown, since a few live under two laws."""

Known = dict[str, str]
"""An identifier as a question names it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What one decision cited for one reason, and what would help."""

    cited: str
    remedy: str


def identifiers(people: Iterable[Someone], records: Iterable[Key]) -> list[Known]:
    """Return how these people can be asked about: first one of each kind of record and life, then a second …

    Rare reasons are so met early; whoever left no address is asked about by the record's own key.
    """
    living = {one.number: one for one in people}
    named = [(one, Key("email", "", one.email, one.number)) for one in living.values()]
    named += [(living[key.person], key) for key in records if key.person in living and key.namespace in ASKED_BY]
    kinds: dict[object, list[Known]] = {}
    for one, key in named:
        kind = (key.namespace, key.scope, one.stance, one.line_stance, one.child, one.bounces)
        kinds.setdefault(kind, []).append({"type": key.namespace, "scope": key.scope, "value": key.value})
    return [known for known in chain.from_iterable(zip_longest(*kinds.values())) if known is not None]


def grounds(
    officer: ApiClient, known: Iterable[Known], purpose: str, channel: str, codes: Iterable[str]
) -> Mapping[str, Ground]:
    """Ask `POST /api/decisions` about one after the other until each code was met; returns what was cited."""
    wanted = set(codes)
    met: dict[str, Counter[Ground]] = {code: Counter() for code in wanted}
    for identifier in islice(known, MOST_ASKED):
        if all(counted.total() >= EXAMPLES for counted in met.values()):
            break
        for code, ground in _ask(officer, identifier, purpose, channel).items():
            if code in wanted:
                met[code][ground] += 1
    return {code: counted.most_common(1)[0][0] for code, counted in met.items() if counted}


def _ask(officer: ApiClient, identifier: Known, purpose: str, channel: str) -> dict[str, Ground]:
    """Return every reason of one decision; none for somebody whom nothing is known of."""
    question = {"identifier": identifier, "purpose": purpose, "channel": channel, "recipient": "ma_tool"}
    answer = officer.post("/api/decisions", question)
    if answer.status == 404:
        return {}
    told: dict[str, list[tuple[str, str]]] = {}
    for reason in answer.expect(200).json["reasons"]:
        if reason["deny"]:
            cited = f"{SHORT.get(reason['law'], reason['law'])} {reason['article']}"
            told.setdefault(reason["code"], []).append((cited, reason["remedy_en"]))
    return {code: Ground("; ".join(cited for cited, _ in said), said[0][1]) for code, said in told.items()}
