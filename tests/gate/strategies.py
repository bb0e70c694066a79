"""People, uses and declarations as Hypothesis draws them: everything that a rule can read, in every mixture."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from cdp.gate.question import Beyond, Consent, Reach, Standing
from cdp.policy.grounds import BASES, TRANSFERS
from cdp.policy.terms import (
    CHANNELS,
    DATA_CLASSES,
    KINDS,
    ROLES,
    Assessment,
    Basis,
    Confirmation,
    Extension,
    JointUse,
    Law,
    OptOutScheme,
    Policy,
    Purpose,
    Recipient,
    Transfer,
    Transmission,
    Use,
)
from tests.policy.shipped import DAY, terms

STATUSES = ["given", "refused", "requested", "withdrawn", "expired", "invalidated", "unknown"]
NOTICES = ["newsletter", "line", "cookies", "ads", "privacy", ""]
SILENCES = ["unsubscribe", "unsubscribe:north", "complaint", "bounce", "objection", "erasure", "do_not_call", "court"]
OBJECTIONS = ["direct_marketing", "legitimate_interests:*", "legitimate_interests:support"]
CATEGORIES = sorted(terms().categories)
FIELDS = sorted([*terms().traits, *terms().namespaces])

rarely = st.sampled_from([False, False, False, True])
days = st.integers(-500, 2000).map(lambda n: DAY + timedelta(days=n))


def consents(purposes: list[str]) -> st.SearchStrategy[Consent]:
    """Draw what holds of one of these purposes."""
    return st.builds(
        Consent,
        purpose=st.sampled_from(purposes),
        status=st.sampled_from(STATUSES),
        notice=st.sampled_from(NOTICES),
        notice_version=st.sampled_from(["1", "2", "9"]),
        explicit=st.booleans(),
        by_guardian=st.booleans(),
        age=st.sampled_from([0, 0, 0, 9, 15]),
        once_given=st.booleans(),
        free=st.sampled_from([True, True, True, False]),
    )


def standings(purposes: list[str], channels: list[str]) -> st.SearchStrategy[Standing]:
    """Draw somebody in any situation."""
    reaches = st.builds(
        Reach,
        channel=st.sampled_from(channels),
        consents=st.lists(consents(purposes), max_size=4, unique_by=lambda one: one.purpose).map(tuple),
        suppressed=st.lists(st.sampled_from(SILENCES), max_size=2, unique=True).map(tuple),
        address=st.sampled_from(["", "", "written", "published", "published_no_ads", "entity"]),
    )
    return st.builds(
        Standing,
        laws=st.sampled_from([Law.GDPR, Law.APPI, Law.GDPR | Law.APPI, Law(0)]),
        country=st.sampled_from(["DE", "AT", "FR", "JP", "US", ""]),
        age=st.none() | st.integers(8, 40),
        customer=st.booleans(),
        restricted=rarely,
        erasing=rarely,
        objections=st.lists(st.sampled_from(OBJECTIONS), max_size=1).map(tuple),
        gpc=rarely,
        reaches=st.lists(reaches, max_size=3).map(tuple),
        collected_for=st.sampled_from([("*",), ("*",), ("service_delivery",)]),
        deceased=rarely,
        quarantined=rarely,
        held=rarely,
        provision_stopped=rarely,
        from_opt_out=rarely,
        eu_adequacy=rarely,
        lapsed=st.lists(st.sampled_from(["contact", "name", "membership"]), max_size=1).map(tuple),
    )


beyond = st.builds(
    Beyond,
    infers=st.frozensets(st.sampled_from(CATEGORIES), max_size=1),
    unlawful_discrimination_risk=rarely,
    categories=st.frozensets(st.sampled_from(CATEGORIES), max_size=2),
)


def _bases(law: str) -> st.SearchStrategy[Basis]:
    return st.builds(
        Basis,
        kind=st.sampled_from([*sorted(BASES[law]), "mood"]),
        explicit=st.booleans(),
        assessment=st.sampled_from(["", "LIA-1"]),
        reviewed=st.none() | st.just(DAY),
        necessary_for=st.sampled_from(["", "the contract"]),
        opt_out_offered=st.booleans(),
    )


fields = st.lists(st.sampled_from(FIELDS), max_size=5, unique=True).map(tuple)
items = st.lists(st.sampled_from(CATEGORIES), max_size=6, unique=True).map(tuple)
past = st.sampled_from([date(2025, 1, 1), date(2026, 5, 1)])

purposes = st.builds(
    Purpose,
    name=st.just("anything"),
    kind=st.sampled_from(KINDS),
    channels=st.just(CHANNELS),
    fields=fields,
    recipients=st.just(("anybody",)),
    notice=st.just("privacy"),
    bases=st.tuples(st.tuples(st.just(Law.GDPR), _bases("GDPR")), st.tuples(st.just(Law.APPI), _bases("APPI"))),
    brand=st.sampled_from(["", "", "north", "south"]),
    notices_current=st.sampled_from([(("privacy", "2"), ("newsletter", "2")), (("ads", "1"), ("cookies", "1"))]),
    notices_superseded=st.sampled_from([(), (("privacy", "1"),)]),
    advertising=st.booleans(),
    incidental_advertising=rarely,
    offers=st.sampled_from(["mail_order", "other"]),
    data_class=st.sampled_from(["personal", "personal", *DATA_CLASSES]),
    extends=st.lists(
        st.builds(
            Extension,
            purpose=st.just("service_delivery"),
            assessment=st.sampled_from(["", "CA-1"]),
            told=st.none() | past,
        ),
        max_size=1,
    ).map(tuple),
    effect=st.sampled_from(["none", "none", "significant"]),
    human_in_loop=st.booleans(),
    risks=st.sampled_from([(), (), ("children",)]),
    dpia=st.none() | st.builds(Assessment, id=st.just("DPIA-1"), approved=past),
    directed_at_children=rarely,
    unlawful_discrimination_risk=rarely,
)
recipients = st.builds(
    Recipient,
    name=st.just("anybody"),
    role=st.sampled_from(ROLES),
    country=st.sampled_from(["JP", "JP", "DE", "US", "KR"]),
    fields=st.just(tuple(FIELDS)) | fields,
    contract=st.sampled_from(["", "C-1", "C-1"]),
    contract_until=st.none() | st.just(date(2027, 1, 1)),
    supervised=st.none() | past,
    transfers=st.tuples(
        st.tuples(
            st.just(Law.GDPR),
            st.builds(
                Transfer,
                kind=st.sampled_from(sorted(TRANSFERS["GDPR"])),
                evidence=st.just("E-1"),
                checked=past,
                assessment=st.sampled_from(["", "TIA-1"]),
            ),
        ),
        st.tuples(
            st.just(Law.APPI),
            st.builds(Transfer, kind=st.sampled_from(sorted(TRANSFERS["APPI"])), evidence=st.just("E-2"), checked=past),
        ),
    )
    | st.just(()),
    matches_with_own_data=rarely,
    joint_use=st.none()
    | st.builds(
        JointUse,
        purposes=st.sampled_from([("anything",), ("else",)]),
        items=st.just(tuple(CATEGORIES)) | items,
        responsible=st.just("us"),
        notified=past,
    ),
    opt_out=st.none()
    | st.builds(OptOutScheme, filing=st.just("F-1"), published=past, items=st.just(tuple(CATEGORIES)) | items),
    ties_to_person=rarely,
    confirmation=st.none()
    | st.builds(Confirmation, evidence=st.just("E-3"), checked=past, foreign_information=st.booleans()),
    transmission=st.none() | st.builds(Transmission, st.just("識別子"), st.just("identifiers"), past),
    delivery=st.sampled_from(["poll", "once"]),
)


def declared(purpose: Purpose, recipient: Recipient, channel: str) -> tuple[Policy, Use]:
    """Return a policy that declares this one use, sound or not."""
    use = Use(0, purpose.name, recipient.name, channel)
    known = terms()
    policy = replace(
        known,
        purposes={**known.purposes, purpose.name: purpose},
        recipients={**known.recipients, recipient.name: recipient},
        uses=(use,),
    )
    return policy, use


declarations = st.builds(declared, purposes, recipients, st.sampled_from(CHANNELS))
"""A policy with one use of any kind, and the use."""
anybody = standings(["anything"], list(CHANNELS))


def _benign(what: tuple[Policy, Use]) -> tuple[Policy, Use]:
    """Return the same with what would refuse everybody put right, so that a yes is likely."""
    policy, use = what
    purpose, recipient = policy.purposes[use.purpose], policy.recipients[use.recipient]
    bases = tuple(
        (
            law,
            replace(
                basis if basis.kind != "mood" else Basis("consent"),
                assessment="LIA-1",
                reviewed=DAY,
                necessary_for="the contract",
                opt_out_offered=True,
            ),
        )
        for law, basis in purpose.bases
    )
    data_class = purpose.data_class if purpose.data_class != "anonymised" else "personal"
    purpose = replace(
        purpose,
        bases=bases,
        data_class=data_class if use.channel == "none" else "personal",
        risks=(),
        human_in_loop=True,
        unlawful_discrimination_risk=False,
        fields=tuple(name for name in purpose.fields if name not in ("health", "belief")),
        notices_current=(("privacy", "2"), ("newsletter", "2"), ("ads", "1"), ("cookies", "1")),
    )
    recipient = replace(
        recipient,
        country="JP",
        contract="C-1",
        contract_until=None,
        supervised=DAY,
        fields=tuple(FIELDS),
        transmission=Transmission("識別子", "identifiers", date(2025, 1, 1)),
    )
    policy, use = declared(purpose, recipient, use.channel)
    told = {name: replace(notice, purposes=(*notice.purposes, purpose.name)) for name, notice in policy.notices.items()}
    return replace(policy, notices=told), use


def _calm(who: Standing) -> Standing:
    """Return the same person with nothing in the way but what was said."""
    known = {way.channel: replace(way, suppressed=(), consents=_agreed(way.consents)) for way in who.reaches}
    said = max((way.consents for way in known.values()), key=len, default=())
    ways = tuple(known.get(channel, Reach(channel, said)) for channel in CHANNELS)
    return replace(
        who,
        **dict.fromkeys(
            ("restricted", "erasing", "gpc", "deceased", "quarantined", "held", "provision_stopped"), False
        ),
        objections=(),
        lapsed=(),
        collected_for=("*",),
        age=None,
        reaches=ways,
    )


def _agreed(said: tuple[Consent, ...]) -> tuple[Consent, ...]:
    return tuple(
        replace(one, status="given", explicit=True, free=True, age=0, notice="privacy", notice_version="2")
        for one in said
    )


benign = declarations.map(_benign)
calm = anybody.map(_calm)
"""Uses and people for whom a yes is likely."""
