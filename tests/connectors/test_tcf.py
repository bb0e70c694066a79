"""A TC string, whole or harmed in every way, never grants more than the whole one (S68, P9; GDPR 4(11))."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.connector import tcf, tcstring
from cdp.connector.kit import SourceConfig
from cdp.connector.tcstring import TcString, decode
from cdp.errors import Refusal
from tests.conftest import DEEP
from tests.connectors.desk import NOW, configured, incoming, only, read
from tests.connectors.tcstrings import ALPHABET, EVERYTHING, OF_IAB, Made, flips, made, ranges, sextets, with_digest

PUBLIC = configured("segment", tcf_vendors="91,755")
SERVER = configured("segment", key="server", tcf_vendors="91")
NO_VENDOR = configured("segment")
ALL_YES = {"Advertising": True, "Analytics": True, "Functional": True}
ADS, ANALYTICS, PERSONALISATION = "ads_sharing", "analytics", "personalisation"
OLD = Made(disclosed=None, created=datetime(2026, 2, 28, 23, tzinfo=UTC), publisher=None)

STRINGS = {
    **{name: text for name, (text, *_) in OF_IAB.items()},
    "vendors of ours": Made().text,
    "in ranges": Made(in_ranges=True, restrictions=((2, 1, (91,)),)).text,
    "ads refused": Made(purposes=EVERYTHING - {4}).text,
    "a vendor refused": Made(vendors=(10, 755)).text,
    "a vendor undisclosed": Made(disclosed=(10, 755)).text,
    "a vendor barred": Made(restrictions=((7, 0, (91,)), (9, 2, (755,)))).text,
    "before March 2026": OLD.text,
    "before March 2026, disclosed all the same": replace(OLD, disclosed=(10, 755)).text,
}
CATEGORIES: tuple[dict[str, bool], ...] = (ALL_YES, {}, {"Advertising": True, "Analytics": False})
SETTINGS = [(config, said) for config in (PUBLIC, SERVER, NO_VENDOR) for said in CATEGORIES][: None if DEEP else 1]
"""Sources and what the banner says beside the string; the first is the hardest: everything was said yes to."""


def said(config: SourceConfig, tc: Any, event: str = "Product Viewed", **categories: bool) -> dict[str, str]:
    """What an event with this string, and these categories, says: purpose → status."""
    consent: dict[str, Any] = {"categoryPreferences": categories}
    if tc is not None:
        consent["tcf"] = tc
    call = {"event": event, "anonymousId": "browser-1", "context": {"consent": consent}}
    item = only(read(config, incoming(call, "track")))
    assert item.event == event, "a string never fails its event"
    assert len({one.purpose for one in item.signals}) == len(item.signals), "one word for a purpose"
    return {one.purpose: one.status for one in item.signals}


def granted(*args: Any, **categories: bool) -> set[str]:
    return {purpose for purpose, status in said(*args, **categories).items() if status == "given"}


def ids(some: tcstring.Vendors | None) -> set[int] | None:
    return None if some is None else set().union(*some)


def content(text: str) -> tuple[Any, ...]:
    words = decode(text)
    assert isinstance(words, TcString), words
    barred = {purpose: ids(vendors) for purpose, vendors in words.barred.items() if vendors}
    return words.purposes, ids(words.vendors), ids(words.disclosed), barred


# What a whole string says


@pytest.mark.parametrize("name", OF_IAB)
def test_strings_of_iabs_own_library_are_read_as_it_meant_them(name: str) -> None:
    text, purposes, vendors, disclosed, barred = OF_IAB[name]
    assert content(text) == (set(purposes), vendors, disclosed, barred)
    words = decode(text)
    assert isinstance(words, TcString)
    assert (words.created, words.updated) == (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 20, tzinfo=UTC))


@given(made)
def test_what_an_independent_encoder_wrote_is_read_back(one: Made) -> None:
    barred: dict[int, set[int]] = {}
    for purpose, kind, vendors in one.restrictions:
        if kind != tcstring.CONSENT_REQUIRED:
            barred.setdefault(purpose, set()).update(vendors)
    assert one.disclosed is not None
    assert content(one.text) == (set(one.purposes), set(one.vendors), set(one.disclosed), barred)


@pytest.mark.parametrize(
    ("purposes", "grants"),
    [
        (EVERYTHING, {ADS, ANALYTICS, PERSONALISATION}),
        (EVERYTHING - {1}, set()),
        *((EVERYTHING - {one}, {ANALYTICS, PERSONALISATION}) for one in (2, 3, 4, 7)),
        *((EVERYTHING - {one}, {ADS, ANALYTICS}) for one in (5, 6)),
        *((EVERYTHING - {one}, {ADS, PERSONALISATION}) for one in (8, 9, 10, 11)),
        ({1, 8, 9, 10, 11}, {ANALYTICS}),
        (set(), set()),
    ],
)
def test_a_whole_string_grants_what_all_its_purposes_were_consented_for(purposes: set[int], grants: set[str]) -> None:
    answers = said(PUBLIC, with_digest(Made(purposes=purposes).text))
    assert answers == {one: "given" if one in grants else "refused" for one in (ADS, ANALYTICS, PERSONALISATION)}


@pytest.mark.parametrize(
    ("one", "refused"),
    [
        (Made(vendors=(10, 755)), {ADS, ANALYTICS, PERSONALISATION}),
        (Made(vendors=()), {ADS, ANALYTICS, PERSONALISATION}),
        (Made(disclosed=(91, 900)), {ADS, ANALYTICS, PERSONALISATION}),
        (Made(restrictions=((2, 0, (755,)),)), {ADS}),
        (Made(restrictions=((5, 2, (90, 91, 92)),)), {PERSONALISATION}),
        (Made(restrictions=((5, 1, (91,)), (2, 0, (10,)))), set()),
        (Made(purposes=(), interests=EVERYTHING), {ADS, ANALYTICS, PERSONALISATION}),
    ],
)
def test_each_of_our_vendors_is_consented_to_disclosed_and_unrestricted(one: Made, refused: set[str]) -> None:
    """Legitimate interest is no consent, and the publisher's restriction binds."""
    answers = said(PUBLIC, with_digest(one.text))
    assert {purpose for purpose, status in answers.items() if status == "refused"} == refused
    assert len(answers) == 3


def test_a_string_is_a_state_of_the_device_and_never_an_act_or_for_a_contact_point() -> None:
    call = {"event": "Segment Consent Preference Updated", "anonymousId": "browser-1", "userId": "ada"}
    call["context"] = {"tcf": with_digest(Made(purposes=EVERYTHING - {2}).text)}
    for config in (PUBLIC, SERVER):
        signals = only(read(config, incoming(call, "track"))).signals
        assert {(one.act, one.method, one.channel in ("web", "none")) for one in signals} == {(False, "tcf", True)}
        assert {one.contact.type for one in signals if one.contact} == {"anonymous_id"}
        assert [one for one in signals if one.status == "given"]


def test_a_grant_by_string_through_a_public_key_needs_a_device() -> None:
    call = {"event": "Product Viewed", "userId": "ada", "context": {"tcf": with_digest(Made(purposes={1, 5, 6}).text)}}
    signals = only(read(PUBLIC, incoming(call, "track"))).signals
    assert {(one.purpose, one.status) for one in signals} == {(ADS, "refused"), (ANALYTICS, "refused")}


# Beside the banner's categories


def test_of_a_string_and_a_category_the_no_wins() -> None:
    whole = with_digest(Made(purposes=EVERYTHING - {2}).text)
    assert said(PUBLIC, whole, **ALL_YES) == {ADS: "refused", ANALYTICS: "given", PERSONALISATION: "given"}
    assert said(PUBLIC, whole, Analytics=False) == {ADS: "refused", ANALYTICS: "refused", PERSONALISATION: "given"}


def test_a_category_keeps_its_act_where_the_string_agrees() -> None:
    act = "Segment Consent Preference Updated"
    call = {"event": act, "anonymousId": "browser-1", "context": {"consent": {"categoryPreferences": ALL_YES}}}
    call["context"]["consent"]["tcf"] = with_digest(Made().text)
    assert {(one.method, one.act) for one in only(read(PUBLIC, incoming(call, "track"))).signals} == {("banner", True)}


def test_a_string_without_its_digest_says_only_no() -> None:
    text = Made(purposes=EVERYTHING - {2}).text
    for alone in (text, {"tcString": text}):
        assert said(PUBLIC, alone) == {ADS: "refused"}
        assert said(PUBLIC, alone, **ALL_YES) == {ADS: "refused"}


def test_a_whole_string_without_a_vendor_to_look_for_leaves_the_yes_to_the_banner() -> None:
    whole = with_digest(Made(purposes=EVERYTHING - {2}).text)
    assert said(NO_VENDOR, whole) == {ADS: "refused"}
    assert said(NO_VENDOR, whole, **ALL_YES) == {ADS: "refused", ANALYTICS: "given", PERSONALISATION: "given"}


def test_of_two_strings_the_no_wins_wherever_they_stand() -> None:
    yes, no, cut = with_digest(Made().text), with_digest(Made(purposes=()).text), with_digest("CQ")
    terms, vendors = PUBLIC.tcf, PUBLIC.tcf_vendors

    def answers(first: Any, second: Any) -> set[bool | None]:
        return set(tcf.hear({"consent": {"tcf": first}, "tcf": second}, terms, vendors, NOW).answers.values())

    assert answers(yes, yes) == {True}
    assert answers(yes, no) == answers(no, yes) == answers(no, cut) == {False}
    assert answers(yes, cut) == answers(cut, yes) == {None}


@pytest.mark.parametrize("nothing", [{}, {"gdprApplies": False}, {"tcString": None}])
def test_an_event_without_a_string_says_nothing_by_it(nothing: Any) -> None:
    assert said(PUBLIC, nothing, **ALL_YES) == {ADS: "given", ANALYTICS: "given", PERSONALISATION: "given"}


# Harm

SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
"""Any sign that an event may hold: for NUL the whole event is refused."""


def harmed(text: str) -> Iterable[str]:
    """Every prefix, every ending, every changed bit, and what may be hung on to it."""
    yield from (text[:end] for end in range(len(text)))
    yield from (text[start:] for start in range(1, len(text)))
    yield from flips(text)
    for more in ("A", "AAAA", "A" * 40, ".", "=", "==", "\n", " ", "." + text, text, *STRINGS.values()):
        yield text + more
        yield f"{text}.{more}"
    for other in STRINGS.values():  # parts of one with parts of another
        yield text.partition(".")[0] + "." + other.partition(".")[2]


@pytest.mark.parametrize("name", STRINGS)
def test_no_harm_to_a_string_grants_more_than_the_whole_one(name: str, figures: Any) -> None:
    text = STRINGS[name]
    whole, wrongs = with_digest(text), {*harmed(text)} - {text}
    for config, categories in SETTINGS:
        most = granted(config, whole, **categories)
        without = granted(config, {"tcString": text}, **categories)
        assert without == set(), "a string without digest grants nothing, whatever stands beside it"
        for wrong in wrongs:
            assert granted(config, {**whole, "tcString": wrong}, **categories) <= most, wrong
            assert granted(config, wrong, **categories) == set(), wrong
    figures(f"TC string, {name}", harmed=len(wrongs), settings=len(SETTINGS), granted_more=0)


def test_without_the_digest_a_changed_bit_could_not_be_told_from_a_consent() -> None:
    """The format has no checksum: what the strings above are held back by is the digest and nothing else."""
    text = Made(purposes=EVERYTHING - {4}).text
    sound = [one for one in flips(text) if not isinstance(decode(one), Refusal)]
    more = [one for one in sound if granted(PUBLIC, with_digest(one)) > granted(PUBLIC, with_digest(text))]
    assert len(more) >= 1
    assert not [one for one in sound if granted(PUBLIC, {**with_digest(text), "tcString": one}, **ALL_YES)]


def test_a_digest_with_any_bit_changed_grants_nothing() -> None:
    whole = with_digest(Made().text)
    assert granted(PUBLIC, whole, **ALL_YES)
    for digest in [*flips(whole["sha256"]), "", whole["sha256"][:-1], whole["sha256"] * 2, 1, True, [], {}]:
        assert granted(PUBLIC, {**whole, "sha256": digest}, **ALL_YES) == set(), digest


@pytest.mark.parametrize("name", STRINGS)
def test_no_prefix_is_read_as_consent_that_the_whole_string_does_not_hold(name: str) -> None:
    """The decoder alone, without any digest: what was cut off is missing, never consented to."""
    whole = decode(STRINGS[name])
    assert isinstance(whole, TcString)
    for end in range(len(STRINGS[name])):
        cut = decode(STRINGS[name][:end])
        if isinstance(cut, TcString):
            assert cut.purposes <= whole.purposes and set().union(*cut.vendors) <= set().union(*whole.vendors)
            assert cut.barred == whole.barred


@given(made, st.data())
def test_no_harm_by_chance_grants_more_than_the_whole_string(one: Made, data: st.DataObject) -> None:
    text = one.text
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    patch = data.draw(st.one_of(st.just(""), st.text(SIGNS, max_size=8), made.map(lambda other: other.text)))
    wrong = text[:start] + patch + text[end:]
    config = replace(PUBLIC, tcf_vendors=tuple(data.draw(st.sets(st.sampled_from(sorted(one.vendors) or [1])))))
    categories = data.draw(st.sampled_from(CATEGORIES))
    most = granted(config, with_digest(text), **categories)
    assert granted(config, {**with_digest(text), "tcString": wrong}, **categories) <= most
    assert granted(config, {"tcString": wrong}, **categories) == set()


@given(st.one_of(st.text(SIGNS), st.text("ABCD012_-.=", max_size=200), st.none(), st.integers(), st.lists(st.none())))
def test_nonsense_is_never_consent_and_never_an_error(nonsense: Any) -> None:
    assert granted(PUBLIC, nonsense) == set()
    assert granted(PUBLIC, {"tcString": nonsense, "sha256": nonsense}) == set()


# Refusals


def bits(*fields: tuple[int, int]) -> str:
    return "".join(f"{value:0{width}b}" for value, width in fields)


def first_with(vendors: str) -> str:
    """A string whose section of vendors is this; the rest is sound."""
    before = "".join(f"{ALPHABET.index(sign):06b}" for sign in Made().first)[:213]
    return sextets(before + vendors + bits((0, 16), (0, 1), (0, 12))) + "." + sextets(bits((1, 3), (0, 16), (0, 1)))


def entry(start: int, end: int = 0) -> str:
    return bits((1, 1), (start, 16), (end, 16)) if end else bits((0, 1), (start, 16))


LATER = NOW + timedelta(seconds=1)
WRONG: dict[str, list[Any]] = {
    "tcf_not_text": [5, True, [], {"tcString": {}}, {"tcString": 1.5}],
    "tcf_too_long": ["C" * 4097, Made().text + "A" * 4096],
    "tcf_not_base64url": [
        " ",
        "C",
        "C=",
        "日本",
        Made().text + "\n",
        Made().text.replace(".", "+", 1),
        Made().text + "A",
        Made(further=("IB",)).text,
    ],
    "tcf_too_short": ["", ".", "CQ", Made().first[:60], Made().first + ".", Made().text + "."],
    "tcf_trailing_bits": [
        OLD.text + "AAAA",
        OLD.text + "ABCD",
        Made(further=("QAAA" + "A" * 8,)).text,
        *(Made(publisher=None, further=(sextets(bits((3, 3), (0, 54), (one, 15))),)).text for one in (1, 1 << 14)),
    ],
    "tcf_unknown_version": [Made(version=one).text for one in (0, 1, 3, 63)] + ["BOEFEAyOEFEAyAHABDENAIgAAAB9vABAASA"],
    "tcf_unknown_policy": [Made(policy=one).text for one in (0, 2, 3, 6, 63)],
    "tcf_unknown_purpose": [Made(purposes={1, one}).text for one in (12, 24)],
    "tcf_unknown_segment": [Made(further=(sextets(bits((kind, 3), (0, 45))),)).text for kind in (0, 4, 7)]
    + [Made().text + "." + Made().first],
    "tcf_repeated_segment": [Made(further=(Made().text.split(".")[1],)).text],
    "tcf_not_service_specific": [Made(specific=0).text],
    "tcf_letters_malformed": [Made(letters="D["), Made(letters="~A")],
    "tcf_times_disordered": [Made(created=datetime(2026, 5, 21, tzinfo=UTC)).text],
    "tcf_range_malformed": [
        first_with(bits((755, 16), (1, 1), (count, 12)) + entries)
        for count, entries in [
            (1, entry(756)),
            (1, entry(2, 756)),
            (1, entry(0)),
            (1, entry(9, 3)),
            (1, entry(9, 9)),
            (2, entry(9) + entry(3)),
            (2, entry(3, 9) + entry(9)),
            (2, entry(3, 9) + entry(4, 5)),
        ]
    ],
    "tcf_restriction_malformed": [
        Made(restrictions=((purpose, kind, (91,)),)).text for purpose, kind in [(0, 0), (12, 0), (63, 1), (2, 3)]
    ],
    "tcf_undisclosed": [
        replace(OLD, created=tcstring.DISCLOSED_SINCE).text,
        Made(disclosed=None).text,
    ],
    "tcf_damaged": [{**with_digest(Made().text), "tcString": Made(purposes={1}).text}],
    "tcf_in_the_future": [Made(updated=LATER).text, Made(created=LATER, updated=LATER).text],
    "tcf_stale": [
        replace(OLD, created=NOW - tcf.KEPT - timedelta(days=9), updated=NOW - tcf.KEPT - timedelta(seconds=1)).text
    ],
}


@pytest.mark.parametrize(("reason", "wrong"), [(reason, one) for reason, some in WRONG.items() for one in some])
def test_a_string_that_is_not_sound_is_refused_for_its_reason(reason: str, wrong: Any) -> None:
    wrong = wrong.text if isinstance(wrong, Made) else wrong
    wrong = wrong if isinstance(wrong, dict) or not isinstance(wrong, str) else with_digest(wrong)
    heard = tcf.hear({"consent": {"tcf": wrong}}, PUBLIC.tcf, PUBLIC.tcf_vendors, NOW)
    assert heard.refusals == (Refusal(reason, "/context/consent/tcf"),)
    assert set(heard.answers.values()) == {None}


def test_every_reason_has_its_case_and_a_doubted_yes_is_told_apart() -> None:
    doubted = {"tcf_unconfirmed": ({"tcString": Made().text}, PUBLIC), "tcf_vendors_unset": (None, NO_VENDOR)}
    for reason, (tc, config) in doubted.items():
        heard = tcf.hear({"tcf": tc or with_digest(Made().text)}, config.tcf, config.tcf_vendors, NOW)
        assert heard.refusals == (Refusal(reason, "/context/tcf"),)
    assert WRONG.keys() | doubted.keys() == tcf.REASONS


def test_strings_made_until_february_2026_need_name_no_disclosed_vendors() -> None:
    assert granted(PUBLIC, with_digest(OLD.text)) == {ADS, ANALYTICS, PERSONALISATION}
    last = replace(OLD, created=tcstring.DISCLOSED_SINCE - timedelta(seconds=0.1))
    assert isinstance(decode(last.text), TcString)


def test_ranges_side_by_side_are_sound() -> None:
    text = first_with(bits((755, 16), (1, 1), (2, 12)) + entry(3, 9) + entry(10, 755))
    assert content(text)[1] == set(range(3, 756))
    assert ranges({3, 4, 9}) == bits((2, 12)) + entry(3, 4) + entry(9)


def test_the_slowest_string_that_fits_takes_a_few_milliseconds(figures: Any) -> None:
    """Through a public key anybody may send one with every event."""
    far = tuple(range(62_700, 65_500, 2))
    text = replace(OLD, vendors=(), interests=(), restrictions=((2, 0, far),)).text
    assert tcstring.LONGEST - 400 < len(text) <= tcstring.LONGEST
    began = time.perf_counter()
    assert isinstance(decode(text), TcString)
    took = time.perf_counter() - began
    figures("TC string, the slowest", milliseconds=took * 1000)
    assert took < 0.25
