"""How long the functions of `cdp` are; run it to see the longest: `python -m tests.architecture.sizes`."""

import ast
from statistics import median

from tests.architecture.tree import modules, named


def function_sizes() -> list[tuple[int, str]]:
    """Return (lines, where) of every function, longest first."""
    found = [
        (node.end_lineno - node.lineno + 1, f"{named(path)}:{node.lineno} {node.name}")
        for path, tree in modules("cdp", "connectors")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]
    return sorted(found, reverse=True)


def summary() -> tuple[float, int, list[tuple[int, str]]]:
    """Return the median, the 90th percentile and the ten longest."""
    sizes = function_sizes()
    ascending = sorted(size for size, _ in sizes)
    return median(ascending), ascending[int(len(ascending) * 0.9)], sizes[:10]


if __name__ == "__main__":
    middle, ninetieth, longest = summary()
    print(f"{len(function_sizes())} functions: median {middle:g} lines, 90th percentile {ninetieth}")
    for size, where in longest:
        print(f"  {size:4} {where}")
