"""A shop with an old list: rows as its systems hold them, and a bundle about how their people were asked."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlmodel import Session, SQLModel, col, select

from cdp import consent, identity, rights
from cdp.consent import bundles
from cdp.consent.bundles import Bundle
from cdp.consent.model import ConsentRecord
from cdp.db import Database
from cdp.gate import Asked, Reached, reached
from cdp.ingest import files
from cdp.ingest.proving import Proving, prove
from cdp.settings import Settings
from tests.conftest import shipped_policy
from tests.connectors.conftest import Shop, opened
from tests.connectors.desk import FOLDER

PNG = b"\x89PNG\r\n\x1a\n a form with nobody's name in it"
HEADER = [
    "会員番号",
    "氏名",
    "メールアドレス",
    "電話番号",
    "生年月日",
    "国",
    "メルマガ許諾",
    "配信停止",
    "登録日時",
    "様式",
]
WEB: dict[str, Any] = {
    "name": "web",
    "rows": {"column": "様式", "equals": "web"},
    "purpose": "email_marketing",
    "channel": "email",
    "notice": {"name": "newsletter", "version": "1"},
    "language": "ja",
    "wording": "お得な情報をメールで受け取る",
    "form": "form.png",
    "method": "checkbox",
    "where": "https://shop.example/join",
    "period": {"from": "2023-04-01", "until": "2025-03-31"},
    "time": "登録日時",
    "responsible": {"name": "山田 花子", "role": "管理者", "date": "2026-04-01", "signature": "山田 花子"},
}


@dataclass
class Lists:
    """Old lists of one shop, and what is asked about their people."""

    shop: Shop
    folder: Path

    @property
    def database(self) -> Database:
        return self.shop.database

    def row(self, number: int, **cells: str) -> dict[str, str]:
        mail, phone = f"m{number}@example.com", f"090{10000000 + number}"
        row = dict(
            zip(HEADER, [f"M{number}", "会員", mail, phone, "1980-01-01", "", "", "", "2024-05-01", "web"], strict=True)
        )
        return row | cells

    def write(self, *rows: dict[str, str], name: str = "old.csv", encoding: str = "cp932") -> Path:
        path = self.folder / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([HEADER, *([row[name] for name in HEADER] for row in rows)])
        return path

    def bundle(self, *cohorts: dict[str, Any]) -> Bundle:
        return bundles.read(self.bundle_file(*cohorts), shipped_policy(), self.shop.clock.now().date())

    def bundle_file(self, *cohorts: dict[str, Any]) -> Path:
        (self.folder / "form.png").write_bytes(PNG)
        path = self.folder / "bundle.yaml"
        path.write_text(yaml.safe_dump({"cohorts": list(cohorts or (WEB,))}, allow_unicode=True), encoding="utf-8")
        return path

    def prove(self, path: Path, *cohorts: dict[str, Any], group: int = 500) -> Proving:
        proving = prove(self.database, "members", path, self.bundle(*cohorts))
        proving.group = group
        return proving

    def bring(self, *rows: dict[str, str], cohorts: tuple[dict[str, Any], ...] = (WEB,)) -> Proving:
        """Import rows with their evidence."""
        proving = self.prove(self.write(*rows), *cohorts)
        proving.rehearse(self.shop.clock.now())
        proving.write(self.shop.clock.now())
        return proving

    def bring_plainly(self, *rows: dict[str, str]) -> files.FileReport:
        return files.import_file(self.database, "members", self.write(*rows, name="plain.csv"), self.shop.clock.now())

    def withdraw(self, mail: str) -> None:
        with self.database.transaction() as session:
            consent.withdraw(session, consent.point(session, "email", "", mail), self.shop.clock.now())

    def erase(self, mail: str) -> None:
        with self.database.transaction() as session:
            named, at = ("email", "", mail), self.shop.clock.now()
            asked = rights.receive(session, "erasure", named, "subject", "desk", "asked", at, verified=True).id
        rights.advance(self.shop.deployment, asked)

    def reach(self, mail: str, purpose: str = "email_marketing", channel: str = "email") -> Reached:
        """Ask the gate, as a report does, about one address."""
        with self.database.snapshot() as session:
            point = consent.point(session, "email", "", mail)
            people = dict.fromkeys(identity.find_all(session, "email", "", mail), 1)
            tokens = frozenset({point.token})
            (answer,) = reached(session, [Asked(people, purpose, channel, tokens)], self.shop.clock.now())
            return answer

    def records(self, **wanted: str) -> list[ConsentRecord]:
        with self.database.snapshot() as session:
            found = session.exec(select(ConsentRecord).order_by(col(ConsentRecord.id))).all()
        return [one for one in found if all(getattr(one, name) == value for name, value in wanted.items())]

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with self.database.snapshot() as session:
            return {name: _rows(session, name) for name in sorted(SQLModel.metadata.tables)}


def _rows(session: Session, name: str) -> list[tuple[Any, ...]]:
    table = SQLModel.metadata.tables[name]
    return [tuple(row) for row in session.execute(table.select().order_by(*table.primary_key.columns))]


@pytest.fixture
def lists(database_url: str, tmp_path: Path) -> Iterator[Lists]:
    settings = Settings(home=tmp_path / "home", database_url=database_url, connectors=FOLDER)
    for shop in opened(settings):
        shop.add("members", "csv", residence_default="JP")
        folder = tmp_path / "lists"
        folder.mkdir()
        yield Lists(shop, folder)


def day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
