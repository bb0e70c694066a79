"""Disjoint clusters that know what they hold, so that a join can be refused, and say by which rule."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cdp.identity.rules.evidence import MAX_CLUSTER, Conflict, Evidence, Known, TokenKey
from cdp.policy.terms import Namespace

_Kind = tuple[str, str]
"""(namespace, scope where limits count by it)"""


@dataclass(slots=True, eq=False)
class _Cluster:
    members: list[int]
    values: dict[_Kind, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """Distinct tokens of limited namespaces."""
    months: dict[_Kind, set[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(set))
    """When each was seen, of namespaces whose limit has a window."""
    marks: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    apart: set[int] = field(default_factory=set)
    """Subjects that must not be in here."""
    identified: bool = False

    @property
    def first(self) -> int:
        return min(self.members)


class Clusters:
    """The subjects of one component, joined token by token."""

    def __init__(self, subjects: list[int], known: Known, usable: list[Evidence], terms: Mapping[str, Namespace]):
        self.terms = terms
        self.conflicts: dict[TokenKey, Conflict] = {}
        self.vetoing = {name: term.priority for name, term in terms.items() if term.role == "constrain"}
        self.of = {subject: _Cluster([subject]) for subject in subjects}
        for row in usable:
            self._learn(row)
        for subject, namespace, value in known.marks:
            if subject in self.of and (name := namespace.partition(".")[0]).removeprefix(DENIED) in self.vetoing:
                self.of[subject].marks[name].add(value)
        self.must: set[tuple[int, int]] = set()
        for kind, first, second in known.links:
            if first in self.of and second in self.of:
                self._override(kind, first, second)

    def join_by_hand(self, first: int, second: int) -> None:
        """Join what a person said is one; only another person's cannot-link stands against it."""
        pair = self._distinct([first, second])
        if len(pair) == 2 and not _kept_apart(pair):
            self._merge(pair)

    def join(self, key: TokenKey, seen: Mapping[int, int]) -> bool:
        """Join all clusters of these subjects (subject → month seen with the token), or note the conflict.

        In conflict only those nobody is identified by are joined, and, where the namespace says `latest`, they go to
        the one who is identified and was seen with it last.
        """
        touched = self._distinct(seen)
        if len(touched) == 1:
            return True
        refusal = self._refusal(key[0], touched)
        if refusal is None:
            self._merge(touched)
            return True
        heads = tuple(sorted(cluster.first for cluster in touched))
        rest = [cluster for cluster in touched if not cluster.identified]
        if self.terms[key[0]].on_conflict == "latest":
            rest += _latest([cluster for cluster in touched if cluster.identified], seen)
        together = frozenset[int]()
        if len(rest) > 1 and self._refusal(key[0], rest) is None:
            together = frozenset(subject for subject in seen if self.of[subject] in rest)
            self._merge(rest)
        self.conflicts[key] = Conflict(*refusal, heads, together)
        return False

    def people(self) -> dict[int, int]:
        """Return subject → person: the lowest number of the cluster."""
        return {subject: cluster.first for subject, cluster in self.of.items()}

    def _learn(self, row: Evidence) -> None:
        term, cluster = self.terms[row.namespace], self.of[row.subject]
        cluster.identified |= term.unique
        if term.limit:
            kind = row.namespace, row.scope if term.per_scope else ""
            cluster.values[kind].add(row.token)
            if term.limit_days:
                cluster.months[kind].add((row.seen, row.token))

    def _override(self, kind: str, first: int, second: int) -> None:
        if kind == "must":
            self.must.add((min(first, second), max(first, second)))
        else:
            self.of[first].apart.add(second)
            self.of[second].apart.add(first)

    def _distinct(self, subjects: Iterable[int]) -> list[_Cluster]:
        return list({id(self.of[subject]): self.of[subject] for subject in subjects}.values())

    def _refusal(self, namespace: str, clusters: list[_Cluster]) -> tuple[str, str] | None:
        """Return the rule, and the namespace it counts, that stands against joining these over this namespace."""
        sizes = [len(cluster.members) for cluster in clusters]
        if sum(sizes) > MAX_CLUSTER:
            return "size", ""
        if _kept_apart(clusters):
            return "cannot", ""
        over = self._over_limit(namespace, clusters)
        if over:
            return "limit", over
        against = self._vetoed(self.terms[namespace].priority, clusters)
        if against:
            return "veto", against
        heavy = self.terms[namespace].hold_above
        if heavy and sum(cluster.identified and len(cluster.members) > heavy for cluster in clusters) > 1:
            return "weight", ""
        return None

    def _over_limit(self, over: str, clusters: list[_Cluster]) -> str:
        """Name the namespace of which they would hold more values than allowed, and more than one already does.

        Devices stand against no account: who signs in with every new browser is one person, however many they were.
        """
        is_account, held = self.terms[over].unique, dict[_Kind, set[bytes]]()
        for cluster in clusters:
            for kind, tokens in cluster.values.items():
                held[kind] = held[kind] | tokens if kind in held else tokens
        for kind in sorted(kind for kind, tokens in held.items() if len(tokens) > self.terms[kind[0]].limit):
            term = self.terms[kind[0]]
            if is_account and not term.verified_only:
                continue
            before = max(_most(cluster, kind, term) for cluster in clusters)
            now = _count(held[kind], (cluster.months.get(kind, set()) for cluster in clusters), term)
            agreed = term.limit_agreed and now <= term.limit_agreed and self._agree(kind, clusters)
            if now > max(term.limit, before) and not agreed:
                return kind[0]
        return ""

    def _vetoed(self, priority: int, clusters: list[_Cluster]) -> str:
        """Name the constraint that stands against joining.

        Another birth date does, unless a name is the same: dates are misread. Another name does, unless the birth
        date is the same and the name differs in one script alone: names are misspelt, and twins have two names.
        """
        differing, agreeing = self._compared(clusters)
        strong = {name for name in differing if priority >= self.vetoing[name]}
        names = sorted(strong - {BIRTH_DATE})
        if agreeing - {BIRTH_DATE}:
            return ""
        if BIRTH_DATE in strong:
            return BIRTH_DATE
        return names[0] if names and (BIRTH_DATE not in agreeing or len(names) > 1) else ""

    def _agree(self, kind: _Kind, clusters: list[_Cluster]) -> bool:
        """Whether all who have such a value have a name in common, and differ in nothing."""
        named = [cluster for cluster in clusters if kind in cluster.values]
        differing, _ = self._compared(named)
        return not differing and any(
            name != BIRTH_DATE
            and all(name in cluster.marks for cluster in named)
            and len(set().union(*(cluster.marks[name] for cluster in named))) == 1
            for name in self.vetoing
        )

    def _compared(self, clusters: list[_Cluster]) -> tuple[set[str], set[str]]:
        """Return the constraints of which these would hold more values than one of them does, and those that agree."""
        differing, agreeing = set(), set()
        for name in self.vetoing:
            denied = set().union(*(cluster.marks.get(DENIED + name, ()) for cluster in clusters))
            sets = [kept for cluster in clusters if (kept := cluster.marks.get(name, set()) - denied)]
            if len(sets) > 1:
                together = len(set().union(*sets))
                if together > max(map(len, sets)):
                    differing.add(name)
                elif together == 1:
                    agreeing.add(name)
        return differing, agreeing

    def _merge(self, clusters: list[_Cluster]) -> None:
        into, *rest = sorted(clusters, key=lambda cluster: -len(cluster.members))
        for cluster in rest:
            into.members += cluster.members
            into.apart |= cluster.apart
            into.identified |= cluster.identified
            for kind, tokens in cluster.values.items():
                into.values[kind] |= tokens
            for kind, seen in cluster.months.items():
                into.months[kind] |= seen
            for namespace, marks in cluster.marks.items():
                into.marks[namespace] |= marks
            for member in cluster.members:
                self.of[member] = into


DENIED = "!"
"""Before the namespace of a mark: a value that the person had put right, wherever else it is said."""

BIRTH_DATE = "birth_date"
"""The constraint without which nobody counts as the same on the strength of a name."""


def _kept_apart(clusters: list[_Cluster]) -> bool:
    apart = set().union(*(cluster.apart for cluster in clusters))
    return bool(apart) and any(member in apart for cluster in clusters for member in cluster.members)


def _latest(identified: list[_Cluster], seen: Mapping[int, int]) -> list[_Cluster]:
    """Return the one who was seen with the token last; nobody where two were."""
    last = sorted(
        ((max(seen[one] for one in cluster.members if one in seen), cluster.first, cluster) for cluster in identified),
        key=lambda found: found[:2],
    )
    return [last[-1][2]] if len(last) == 1 or (last and last[-1][0] > last[-2][0]) else []


def _most(cluster: _Cluster, kind: _Kind, term: Namespace) -> int:
    return _count(cluster.values.get(kind, set()), [cluster.months.get(kind, set())], term)


def _count(tokens: set[bytes], seen: Iterable[set[tuple[int, bytes]]], term: Namespace) -> int:
    """Count distinct values: ever, or the most that fall within the window of each other."""
    if not term.limit_days or len(tokens) <= term.limit:
        return len(tokens)
    found = sorted(set().union(*seen))
    most = first = 0
    for end, (day, _) in enumerate(found):
        while found[first][0] < day - term.limit_days:
            first += 1
        most = max(most, len({token for _, token in found[first : end + 1]}))
    return most
