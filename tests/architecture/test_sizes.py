"""Functions stay short enough to be read at once."""

from tests.architecture.sizes import summary

NINE_IN_TEN_UNDER = 25


def test_nine_functions_in_ten_are_short() -> None:
    middle, ninetieth, longest = summary()
    print(f"functions: median {middle:g} lines, 90th percentile {ninetieth}")
    lines = "\n".join(f"{size:4} {where}" for size, where in longest)
    assert ninetieth <= NINE_IN_TEN_UNDER, f"the 90th percentile is {ninetieth} lines; the longest:\n{lines}"
