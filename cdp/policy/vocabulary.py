"""Words that other programs know: IRIs of the W3C Data Privacy Vocabulary (DPV), and ours where it has none.

The DPV names no lawful basis, right or role of the Japanese act, and none of ePrivacy. Their terms stand
here, under namespaces that nobody else uses, named by their article. What has no exact term gets a broader one.
"""

from collections.abc import Mapping, Sequence

from cdp.policy.terms import Basis, Law, Policy

DPV = "https://w3id.org/dpv#"
PERSONAL_DATA = "https://w3id.org/dpv/pd#"
EU_GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"
JP_APPI = "urn:sekisho:jp-appi:"
EPRIVACY = "urn:sekisho:eprivacy:"
PROFILE = "https://w3id.org/dpv/schema/dpv-27560#"
"""Profiles of ISO/IEC TS 27560 in the DPV."""

PREFIXES: Mapping[str, str] = {
    "dpv": DPV,
    "pd": PERSONAL_DATA,
    "eu-gdpr": EU_GDPR,
    "jp-appi": JP_APPI,
    "eprivacy": EPRIVACY,
}

LAWS: Mapping[Law, str] = {
    Law.GDPR: "https://w3id.org/dpv/legal/eu#law-GDPR",
    Law.APPI: "https://w3id.org/dpv/legal/jp#law-APPI",
}

STATUSES: Mapping[str, str] = {
    "given": f"{DPV}ConsentGiven",
    "renewed": f"{DPV}RenewedConsentGiven",
    "refused": f"{DPV}ConsentRefused",
    "requested": f"{DPV}ConsentRequested",
    "withdrawn": f"{DPV}ConsentWithdrawn",
    "expired": f"{DPV}ConsentExpired",
    "invalidated": f"{DPV}ConsentInvalidated",
    "unknown": f"{DPV}ConsentUnknown",
}

RIGHTS: Mapping[Law, tuple[str, ...]] = {
    Law.GDPR: tuple(
        f"{EU_GDPR}{name}" for name in ("A7-3", "A15", "A16", "A17", "A18", "A20", "A21", "A22", "A77", "A79")
    ),
    Law.APPI: tuple(
        f"{JP_APPI}{name}"
        for name in (
            "A32-2-PurposeNotice",
            "A33-Disclosure",
            "A33-5-ProvisionRecords",
            "A34-Correction",
            "A35-1-CeaseUse",
            "A35-3-CeaseProvision",
            "A35-5-CeaseUse",
        )
    ),
}
"""What a person may ask for, by law."""

ROLES: Mapping[str, str] = {
    "controller": f"{DPV}DataController",
    "processor": f"{DPV}DataProcessor",
    "non_handling_host": f"{DPV}DataProcessor",
    "joint_user": f"{DPV}JointDataControllers",
    "third_party": f"{DPV}ThirdParty",
    "successor": f"{DPV}ThirdParty",
}

_BASES: Mapping[Law, Mapping[str, tuple[str, ...]]] = {
    Law.GDPR: {
        "consent": ("eu-gdpr:A6-1-a",),
        "soft_opt_in": ("eu-gdpr:A6-1-a", "eprivacy:A13-2"),
        "contract": ("eu-gdpr:A6-1-b",),
        "legal_obligation": ("eu-gdpr:A6-1-c",),
        "vital_interests": ("eu-gdpr:A6-1-d",),
        "public_task": ("eu-gdpr:A6-1-e",),
        "legitimate_interests": ("eu-gdpr:A6-1-f",),
    },
    Law.APPI: {
        "consent": ("jp-appi:A18-1-Consent",),
        "contract": ("jp-appi:A17-PurposeOfUse",),
        "notified_purpose": ("jp-appi:A17-PurposeOfUse",),
        "legal_obligation": ("jp-appi:A18-3-i",),
        "opt_out": ("jp-appi:A27-2-OptOut",),
    },
}
"""What a kind of basis is called where its purpose says no more: a soft opt-in also takes a yes (ruling R4)."""

_KINDS_OF_DATA = frozenset(
    {
        "BirthDate",
        "BrowsingBehavior",
        "Contact",
        "CriminalOffense",
        "Demographic",
        "Health",
        "Identifying",
        "KnowledgeBelief",
        "Location",
        "Name",
        "Opinion",
        "PhysicalAddress",
        "Preference",
        "Profile",
        "PurchasesAndSpendingHabit",
        "ReligiousBelief",
    }
)
"""Terms of DPV-PD that categories may name; another one would be an IRI of nothing."""

_IDENTIFIERS: Mapping[str, str] = {
    "email": "EmailAddress",
    "phone": "TelephoneNumber",
    "phone_fixed": "TelephoneNumber",
}


def expand(name: str) -> str:
    """Return the whole IRI of a prefixed name; raises KeyError for a prefix that nobody declared."""
    prefix, _, term = name.partition(":")
    return PREFIXES[prefix] + term


def basis_iris(law: Law, basis: Basis) -> Sequence[str]:
    """Return the IRIs of a lawful basis: those of its kind, and the one that its purpose declares."""
    usual = _BASES[law].get(basis.kind, ())
    exact = basis.iri if basis.iri.partition(":")[0] in PREFIXES else ""
    # The declared one is more exact than the usual one of its kind, but a soft opt-in has two grounds.
    named = [exact] if exact and exact not in usual else list(usual)
    return [expand(name) for name in named]


def purpose_iri(terms: Policy, purpose: str) -> str | None:
    """Return the purpose's IRI: None for one that is not declared, the broadest where its file names none."""
    declared = terms.purposes.get(purpose)
    if declared is None:
        return None
    return f"{DPV}{declared.dpv or 'Purpose'}"


def kind_of_data(terms: Policy, field: str) -> str:
    """Return the IRI of what a trait or identifier is; where there is no such term, of personal data as such."""
    if field in _IDENTIFIERS:
        return f"{PERSONAL_DATA}{_IDENTIFIERS[field]}"
    category = terms.categories.get(terms.category_of(field), {})
    name = category.get("dpv", "")
    return f"{PERSONAL_DATA}{name}" if name in _KINDS_OF_DATA else f"{DPV}PersonalData"
