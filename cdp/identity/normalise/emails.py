"""Mail addresses: the strict spelling, and the mailbox behind it at providers that are known to ignore tags.

The strict one keeps plus-tags and dots: providers differ, carriers gave out odd ones (`taro..x.@docomo.ne.jp`),
and joining two mailboxes is worse than missing one. `lower`, not `casefold`: the latter maps ß to ss and
joins two mailboxes.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping

import idna

from cdp.identity.normalise.text import fold

_PLAIN = re.compile(r"[A-Za-z0-9._+-]+")
"""Letters that no mailbox refuses: nearly every address has no other."""

_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

_MICROSOFT = (
    "outlook.com outlook.jp outlook.de outlook.fr outlook.es outlook.it outlook.at outlook.be outlook.dk outlook.pt "
    "outlook.ie outlook.cz outlook.com.gr hotmail.com hotmail.co.jp hotmail.co.uk hotmail.de hotmail.fr hotmail.es "
    "hotmail.it hotmail.nl hotmail.be hotmail.se hotmail.no hotmail.dk hotmail.fi live.com live.jp live.de live.fr "
    "live.it live.nl live.be live.se live.no live.dk live.co.uk live.ie live.at msn.com"
)
_MAILBOX_AT: Mapping[str, str] = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), "gmail.com"),
    **{name: name for name in _MICROSOFT.split()},  # the same name at two of these is two people
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), "proton.me"),
    **{name: name for name in ("fastmail.com", "fastmail.fm", "fastmail.jp", "fastmail.de", "fastmail.co.uk")},
}
"""Domain at which whatever follows a plus is ignored → the one that stands for all names of its mailboxes."""
_DOTLESS = frozenset({"gmail.com"})


def email(value: str) -> str | None:
    """Return the address in its strict spelling, the domain in ASCII; None for what no mailbox can have."""
    folded = fold(fold(value).removeprefix("mailto:").lower())
    local, at, domain = folded.rpartition("@")
    ascii_domain = _ascii_domain(domain)
    if not at or not ascii_domain or not _is_local_part(local):
        return None
    return f"{local}@{ascii_domain}"


def mailbox(value: str) -> str | None:
    """Return the mailbox that an address leads to, without tag, and without dots at Gmail.

    None for providers of whom it is not known: a plus or a dot may part two people there.
    """
    strict = email(value)
    local, _, domain = (strict or "").rpartition("@")
    home = _MAILBOX_AT.get(domain)
    name = local.partition("+")[0]
    if home in _DOTLESS:
        name = name.replace(".", "")
    return f"{name}@{home}" if home and name else None


def is_role(address: str, local_parts: Collection[str]) -> bool:
    """Whether an address in its strict spelling, or a mailbox, has one of these local parts.

    What follows a plus is left out, and at Gmail the dots: an address and its mailbox are always answered the same.
    """
    local, _, domain = address.rpartition("@")
    local = local.partition("+")[0]
    if _MAILBOX_AT.get(domain) in _DOTLESS:
        return local.replace(".", "") in {one.replace(".", "") for one in local_parts}
    return local in local_parts


def _is_local_part(local: str) -> bool:
    """Accept what carriers gave out (`taro..x.@docomo.ne.jp`); refuse what no mailbox can hold."""
    if not local or len(local.encode()) > 64:
        return False
    if _PLAIN.fullmatch(local):
        return True
    return not any(char in '@<>(),;:\\"[]' or char.isspace() or unicodedata.category(char)[0] == "C" for char in local)


def _ascii_domain(domain: str) -> str | None:
    domain = domain.rstrip(".")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode().lower()
        except (idna.IDNAError, UnicodeError):
            return None
    return domain if _DOMAIN.fullmatch(domain) else None
