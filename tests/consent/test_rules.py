"""What holds of everything said: rulings R3, R10 and R13 as a table, and as laws over any history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.consent.rules import Said, effective

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=100)
MAIL, OTHER_MAIL, DEVICE, OTHER_DEVICE = b"mail", b"other-mail", b"device", b"other-device"


def said(status: str, day: float, **more) -> Said:
    first = Said(
        order=more.pop("order", int(day * 10) + 1),
        subject=more.pop("subject", 1),
        purpose="email_marketing",
        channel="email",
        token=MAIL,
        status=status,
        act=True,
        verified=True,
        public=False,
        method="checkbox",
        evidence="full",
        notice="email_marketing",
        notice_version="1",
        actor="subject",
        at=START + timedelta(days=day),
        received=START + timedelta(days=day),
    )
    return replace(first, **more)


def on_device(status: str, day: float, **more) -> Said:
    return said(
        status,
        day,
        **({"purpose": "analytics", "channel": "web", "token": DEVICE, "verified": False, "public": True} | more),
    )


def held(records: list[Said], token: bytes = MAIL) -> str:
    found = effective(records, "email_marketing", "email", token, NOW)
    return found.status if found else "none"


def held_on_device(records: list[Said], token: bytes = DEVICE) -> str:
    found = effective(records, "analytics", "web", token, NOW)
    return found.status if found else "none"


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], "none"),
        ([said("given", 1)], "given"),
        ([said("given", 1), said("withdrawn", 2)], "withdrawn"),
        ([said("withdrawn", 1), said("given", 2)], "given"),
        ([said("given", 1), said("withdrawn", 1)], "withdrawn"),
        ([said("given", 1), said("withdrawn", 2, purpose="*", channel="*", token=b"")], "withdrawn"),
        ([said("given", 1), said("requested", 2)], "given"),
        ([said("requested", 1)], "requested"),
        ([said("given", 1, evidence="none")], "unknown"),
        ([said("given", 1, evidence="partial")], "partial"),
        ([said("withdrawn", 1), said("given", 2, evidence="none")], "withdrawn"),
        ([said("given", 1, valid_until=START + timedelta(days=50))], "expired"),
        ([said("given", 1, valid_until=START + timedelta(days=500))], "given"),
        ([said("given", 200)], "none"),
        ([said("invalidated", 1)], "invalidated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(one.status for one in value) or "nothing",
)
def test_what_holds_is_the_newest_proven_act_of_the_identified_person(records, expected):
    for order in permutations(records):
        assert held(list(order)) == expected


def test_a_reported_state_may_be_the_first_word():
    assert held([said("given", 1, act=False)]) == "given"


@pytest.mark.parametrize("no_day", [0.5, 2])
def test_a_reported_state_overrides_no_no(no_day):
    assert held([said("given", 1, act=False), said("withdrawn", no_day)]) == "withdrawn"


def imported(day: float, **more) -> Said:
    return said("given", day, actor="import", method="import", **more)


def test_a_proven_list_may_be_the_first_word():
    assert held([imported(1)]) == "given"


@pytest.mark.parametrize("no", ["withdrawn", "refused"])
@pytest.mark.parametrize("no_day", [0.5, 1, 2])
def test_a_list_overrides_no_no_however_well_it_is_proven(no, no_day):
    """Law.md 4.5-4, and no stamp of the list helps."""
    for order in permutations([imported(1), said(no, no_day, order=99)]):
        assert held(list(order)) == no
    everywhere = said("withdrawn", no_day, order=99, purpose="*", channel="*", token=b"", verified=False, subject=2)
    assert held([imported(1), everywhere]) == "withdrawn"


def test_only_the_persons_own_later_act_opens_again_what_a_list_could_not():
    assert held([said("withdrawn", 1), imported(3), said("given", 2)]) == "given"


def test_consent_for_one_address_opens_no_other():
    assert held([said("given", 1)], token=OTHER_MAIL) == "none"


def test_a_yes_of_the_person_as_a_whole_opens_no_contact_point():
    assert held([said("given", 1, token=b"")]) == "none"


def test_a_yes_for_all_purposes_is_no_yes_for_this_one():
    assert held([said("given", 1, purpose="*")]) == "none"


def test_a_grant_through_a_browser_key_never_opens_a_contact_point():
    assert held([said("given", 1, public=True, verified=False)]) == "none"


def test_a_device_grant_binds_that_device_only():
    records = [on_device("given", 1)]
    assert held_on_device(records) == "given"
    assert held_on_device(records, token=OTHER_DEVICE) == "none"
    assert held_on_device(records, token=b"") == "none"


def test_any_device_no_stands_until_a_later_act_by_the_identified_person():
    records = [said("given", 1, purpose="analytics", channel="web", token=b""), on_device("refused", 2, subject=2)]
    assert held_on_device(records, token=b"") == "refused"
    later = [*records, said("given", 3, purpose="analytics", channel="web", token=b"", order=99)]
    assert held_on_device(later, token=b"") == "given"


def test_one_device_cannot_lift_what_another_refused():
    records = [on_device("refused", 1, subject=2, token=b""), on_device("given", 5, subject=3)]
    assert held_on_device(records) == "refused"


AN_HOUR = 1 / 24


def by_a_host_ahead(status: str, day: float, **more) -> Said:
    """Said at this moment to a host whose clock is an hour ahead."""
    return said(status, day + AN_HOUR, **more)


def test_a_no_that_is_written_counts_though_its_instant_is_still_to_come():
    assert held([said("given", 1), by_a_host_ahead("withdrawn", 100)]) == "withdrawn"


def test_a_yes_counts_from_its_own_instant_on():
    assert held([by_a_host_ahead("given", 100)]) == "none"
    assert held([said("withdrawn", 1), by_a_host_ahead("given", 100)]) == "withdrawn"


@pytest.mark.parametrize("no", [{}, {"verified": False, "subject": 2}], ids=["the person's own", "of another device"])
def test_a_no_written_after_a_yes_of_a_host_ahead_is_the_last_word(no):
    yes = by_a_host_ahead("given", 1, order=1)
    assert held([yes, said("withdrawn", 1, order=2, **no)]) == "withdrawn"
    assert held([yes, said("withdrawn", 1, order=2, **no), said("given", 2, order=3)]) == "given"


def test_a_yes_written_after_a_no_of_a_host_ahead_gives_way_to_it():
    assert held([by_a_host_ahead("withdrawn", 1, order=1), said("given", 1, order=2)]) == "withdrawn"


def test_a_no_told_of_late_stays_as_old_as_it_is():
    late = said("withdrawn", 1, order=2, received=START + timedelta(days=9))
    assert held([said("given", 2, order=1), late]) == "given"
    at_once = [replace(one, received=late.received) for one in (said("given", 2, order=1), late)]
    assert held(at_once) == "given", "two of one batch, told in any order"


STATUSES = st.sampled_from(["given", "refused", "withdrawn", "requested", "unknown"])


@st.composite
def histories(draw, subjects=(1, 2, 3)):
    size = draw(st.integers(0, 8))
    return [
        said(
            draw(STATUSES),
            draw(st.integers(0, 6)),
            order=index + 1,
            received=START + timedelta(days=draw(st.integers(6, 9))),
            subject=draw(st.sampled_from(subjects)),
            act=draw(st.booleans()),
            verified=draw(st.booleans()),
            evidence=draw(st.sampled_from(["full", "full", "none"])),
            token=draw(st.sampled_from([MAIL, MAIL, OTHER_MAIL, b""])),
            channel=draw(st.sampled_from(["email", "email", "*"])),
        )
        for index in range(size)
    ]


@given(histories(), st.randoms())
def test_the_order_of_arrival_never_matters(history, random):
    shuffled = list(history)
    random.shuffle(shuffled)
    assert held(shuffled) == held(history)


@given(histories(), st.integers(0, 6), st.sampled_from([MAIL, b""]), st.booleans())
def test_one_more_no_never_makes_a_yes(history, day, token, verified):
    more = [*history, said("withdrawn", day, order=99, token=token, verified=verified)]
    assert not (held(more) == "given" and held(history) != "given")


@given(histories(subjects=(1, 2)), histories(subjects=(3, 4)))
def test_a_merge_never_turns_a_no_into_a_yes_without_a_later_act(mine, theirs):
    theirs = [replace(one, order=one.order + 50) for one in theirs]
    if held(mine) in ("refused", "withdrawn") and held([*mine, *theirs]) == "given":
        last_no = max(one.at for one in mine if one.says_no)
        assert any(one.says_yes and one.act and one.verified and one.at > last_no for one in theirs)
