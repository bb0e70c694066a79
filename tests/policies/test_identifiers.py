"""Placeholder values mean nobody, offices' addresses are no person's; what people really have is taken for neither."""

import re

import pytest

from cdp.identity.normalise import Canonical, is_role_mailbox
from tests.policy.shipped import terms


def means_nobody(value: str) -> bool:
    return any(re.search(pattern, value) for pattern in terms().blocked_values)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-",
        "000-0000-0000",
        "0",
        "+810000000000",
        "anonymous",
        "GUEST",
        "n/a",
        "null",
        "なし",
        "不明",
        "test@shop.example",
        "no-reply@shop.example",
        "x@host.invalid",
        "00000000-0000-0000-0000-000000000000",
        "1970-01-01",
        "　",
    ],
)
def test_a_placeholder_means_nobody(value: str) -> None:
    assert means_nobody(value)


@pytest.mark.parametrize(
    "value",
    [
        "ada@people.example",
        "tester@people.example",
        "+819012345678",
        "+4930120000",
        "1000000",
        "20000000",
        "CRM0001",
        "user-42",
        "guest-house@people.example",
        "山田",
        "U0123456789abcdef",
        "6f1e2d3c-0000-4000-8000-000000000000",
    ],
)
def test_a_value_that_somebody_has_is_kept(value: str) -> None:
    assert not means_nobody(value)


@pytest.mark.parametrize("local", ["info", "sales", "support", "office", "contact", "postmaster", "noreply"])
def test_an_offices_address_is_a_role_mailbox(local: str) -> None:
    assert is_role_mailbox(terms().namespaces, Canonical("email", "", f"{local}@acme.example"))


@pytest.mark.parametrize("local", ["soumu", "jinji", "eigyo", "keiri", "toiawase"])
def test_an_offices_address_in_japan_is_one_too(local: str) -> None:
    assert is_role_mailbox(terms().namespaces, Canonical("email", "", f"{local}@acme.example"))


@pytest.mark.parametrize("local", ["ada", "mail", "hello", "me", "h.r", "s.ales", "info.ada", "taro.yamada", "shopper"])
def test_an_address_that_may_be_a_persons_own_is_none(local: str) -> None:
    assert not is_role_mailbox(terms().namespaces, Canonical("email", "", f"{local}@people.example"))


def test_every_link_is_bounded_so_that_no_value_joins_the_world() -> None:
    for namespace in terms().namespaces.values():
        if namespace.role == "link":
            assert namespace.limit, namespace.name
            assert namespace.unique or namespace.max_degree, namespace.name
