"""Addresses, mailboxes, telephone numbers and browsers, drawn as each country writes them.

Mail domains are reserved ones (RFC 2606); numbers are of the right form and ring by chance alone.
"""

from random import Random

from cdp.ops.demo.names import Written

_DOMAINS = {
    "JP": ("tegami.example", "kumo.example", "keitai.example", "post.example"),
    "": ("mail.example", "inbox.example", "post.example", "brief.example"),
}
_TOWNS = ("本町", "中央", "緑ヶ丘", "桜台", "栄町", "若葉", "旭町", "三国ケ丘", "東町", "港北", "日の出町", "泉")
_STREETS = {
    "DE": "Hauptstraße Bahnhofstraße Gartenweg Lindenallee Schulstraße Bergstraße Kirchgasse Mühlenweg",
    "FR": "rue_de_l'Église rue_Pasteur avenue_Victor-Hugo rue_du_Moulin place_de_la_Mairie rue_des_Écoles",
    "ES": "calle_Mayor avenida_de_la_Constitución calle_Real plaza_de_España calle_Nueva calle_San_José",
    "IT": "via_Roma via_Garibaldi corso_Italia via_Dante piazza_Libertà via_Mazzini",
    "NL": "Kerkstraat Dorpsstraat Molenweg Schoolstraat Julianastraat Beatrixlaan",
}
_MOBILE = {
    "JP": (("070", "080", "090"), 8),
    "DE": (("0160", "0170", "0171", "0175"), 7),
    "FR": (("06",), 8),
    "ES": (("6",), 8),
    "IT": (("328", "333", "347"), 7),
    "NL": (("061", "062", "064"), 7),
}
_FIXED = {
    "JP": (("03", "06"), 8),
    "DE": (("030",), 8),
    "FR": (("014", "015"), 7),
    "ES": (("91",), 7),
    "IT": (("06",), 8),
    "NL": (("020",), 7),
}
"""First digits, trunk zero and all, and how many follow."""


def address(chance: Random, country: str) -> tuple[str, str]:
    """Return the postal code and the line below the town."""
    if country != "JP":
        street = chance.choice(_STREETS[country].split()).replace("_", " ")
        return f"{chance.randrange(10_000, 99_999)}", f"{street} {chance.randint(1, 180)}"
    code = chance.randrange(1_000_000, 9_999_999)
    block = f"{chance.randint(1, 6)}-{chance.randint(1, 30)}-{chance.randint(1, 20)}"
    room = f" {chance.randint(1, 12)}0{chance.randint(1, 9)}" if chance.random() < 0.4 else ""
    return f"{code // 10_000:03d}-{code % 10_000:04d}", chance.choice(_TOWNS) + block + room


def domain(chance: Random, country: str) -> str:
    """Draw a provider of mailboxes."""
    return chance.choice(_DOMAINS.get(country) or _DOMAINS[""])


def mailbox(chance: Random, given: Written, family: Written, mark: str, country: str) -> str:
    """Return an address of somebody's own; the mark makes it theirs alone."""
    joint = chance.choice((".", "_", ""))
    return f"{joined(given)}{joint}{joined(family)}{mark}@{domain(chance, country)}"


def joined(name: Written) -> str:
    """Return a name as it stands in an address."""
    return name.ascii.replace(" ", "").replace("-", "")


def mobile(chance: Random, country: str) -> str:
    """Return a national number with its trunk zero."""
    return _number(chance, *_MOBILE[country])


def landline(chance: Random, country: str) -> str:
    """Return a national number with its trunk zero."""
    return _number(chance, *_FIXED[country])


def browser(chance: Random) -> str:
    """Return what a browser is known by until its cookies are gone."""
    return f"{chance.getrandbits(64):016x}"


def _number(chance: Random, prefixes: tuple[str, ...], more: int) -> str:
    first = chance.randrange(4, 7)  # digits that are in use everywhere
    return f"{chance.choice(prefixes)}{first}{chance.randrange(10 ** (more - 1)):0{more - 1}d}"
