"""Placeholder values mean nobody; values that people really have are never taken for one."""

import re

import pytest

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


def test_every_link_is_bounded_so_that_no_value_joins_the_world() -> None:
    for namespace in terms().namespaces.values():
        if namespace.role == "link":
            assert namespace.limit, namespace.name
            assert namespace.unique or namespace.max_degree, namespace.name
