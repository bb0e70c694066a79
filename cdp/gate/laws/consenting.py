"""What every law asks of a consent before it counts; which law asks for one is said where that law is."""

from cdp.gate.laws.rule import Case
from cdp.gate.question import Consent
from cdp.policy.terms import Law

ADDRESSED = frozenset({"email", "sms", "push", "line", "phone"})
"""Channels that call on somebody: only a declared act opens them, never a reported state (rulings R2, R3)."""

ELECTRONIC_MAIL = frozenset({"email", "sms"})
EU_MAIL = frozenset({"email", "sms", "push", "line"})
"""What ePrivacy 13 calls electronic mail, and is like it."""

_REFUSALS = {
    "refused": "refused",
    "withdrawn": "withdrawn",
    "requested": "unconfirmed",
    "expired": "expired",
    "invalidated": "invalidated",
}


def refusal(case: Case, *, explicit: bool = False, named: bool = False) -> str | None:
    """Return why what the person said is no consent to this use, or None if it is one.

    `explicit` asks for an explicit act (special categories), `named` for a notice that names the recipient.
    """
    consent = case.consent
    if consent is None:
        return "no_consent"
    if consent.status == "partial":
        # Half a proof is one where every law that protects the person says so for this purpose (ruling R13).
        return _refusal_of_notice(case, consent, named) if _supports_partial(case) and not explicit else "unproven"
    if consent.status != "given":
        return _REFUSALS.get(consent.status, "unproven")
    if not consent.free:
        return "not_freely_given"
    if explicit and not consent.explicit:
        return "not_explicit"
    if case.channel in ADDRESSED and not consent.explicit:
        return "unproven"
    return _refusal_of_notice(case, consent, named)


def _supports_partial(case: Case) -> bool:
    packs = case.declared.policy.packs
    protecting = case.standing.laws or Law(sum(packs))
    lists = [pack.values.get("partial_evidence_supports", ()) for law, pack in packs.items() if law in protecting]
    return bool(lists) and all(case.purpose.name in supported for supported in lists)


def _refusal_of_notice(case: Case, consent: Consent, named: bool) -> str | None:
    shown = (consent.notice, consent.notice_version)
    if shown in case.purpose.notices_superseded:
        return "needs_reconsent"
    if shown not in case.purpose.notices_current:
        return "unproven"
    if named and case.recipient.name not in told(case, "recipients"):
        return "needs_reconsent"
    return None


def told(case: Case, what: str) -> frozenset[str]:
    """Return the recipients or items that the consented notice tells in each of its languages."""
    if case.consent is None:
        return frozenset()
    shown = (case.consent.notice, case.consent.notice_version)
    versions = [notice for key, notice in case.declared.policy.notices.items() if key[:2] == shown]
    lists = [frozenset(notice.recipients if what == "recipients" else notice.items) for notice in versions]
    return frozenset.intersection(*lists) if lists else frozenset()


def said_no(case: Case) -> bool:
    """Whether the person's last word on the purpose here is a no."""
    return case.consent is not None and case.consent.status in ("refused", "withdrawn")


def spoken_no(case: Case, told_by_mail: frozenset[str]) -> str | None:
    """Return which no the person said to this marketing; None where it is no marketing, or nobody said no.

    Nor where the law of the channel says it: `told_by_mail` are the channels of which it speaks.
    """
    by_channel = case.purpose.advertising and case.channel in told_by_mail
    if not case.is_marketing or by_channel or not said_no(case) or case.consent is None:
        return None
    return case.consent.status


def is_guarded(case: Case) -> bool:
    """Whether a guardian gave the consent that holds."""
    return case.consent is not None and case.consent.status == "given" and case.consent.by_guardian


def has_soft_opt_in(case: Case) -> bool:
    """Whether a customer may be written to about the seller's own similar goods (ePrivacy 13(2), ruling R4).

    The purpose declares it for goods of our own, with a refusal offered: whatever else is advertised needs consent.
    Unsubscribes and objections are refused by rules of their own; here a spoken no is enough.
    """
    basis = case.declared.basis(Law.GDPR)
    return (
        basis is not None
        and basis.kind == "soft_opt_in"
        and basis.opt_out_offered
        and case.standing.customer
        and case.purpose.advertising
        and case.channel in ELECTRONIC_MAIL
        and case.declared.role not in ("third_party", "joint_user", "successor")
        and not said_no(case)
    )
