"""The record of processing over HTTP: for administrators, in three forms and two languages, and it stands alone."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest

from cdp.connector.kit import Claim, Item
from cdp.ingest import take
from cdp.web.auth import clients
from tests.ops.conftest import SHOP
from tests.web.conftest import Site

PATH = "/api/records-of-processing"


def admin(site: Site) -> dict[str, str]:
    return site.bearer("admin:*")


def bring(site: Site, count: int) -> None:
    items = [
        Item(site.clock.now(), (Claim("email", f"p{n}@people.example", verified=True),), traits={"full_name": f"N {n}"})
        for n in range(count)
    ]
    assert take(site.deployment.database, SHOP, items, site.clock.now()).accepted == count


def test_only_an_administrator_may_read_it(site: Site) -> None:
    assert site.browser.get(PATH, headers=site.bearer("audience:read")).status_code == 403
    assert site.browser.get(PATH, headers=admin(site)).status_code == 200


def test_people_are_counted_once_and_told_rounded(site_on_each_database: Site) -> None:
    site = site_on_each_database
    bring(site, 23)
    ledger = site.browser.get(PATH, headers=admin(site)).get_json()["inventory"]
    people = {one["name"]: one["people"] for one in ledger}
    assert (people["Name"], people["Contact"], people["Purchase history"]) == ("20", "20", "fewer than 20")


def test_the_table_opens_in_a_spreadsheet(site: Site) -> None:
    answer = site.browser.get(f"{PATH}?format=csv&language=ja", headers=admin(site))
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].endswith('.csv"')
    assert answer.data.startswith(b"\xef\xbb\xbf"), "without its mark a spreadsheet reads noise"
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][0] == "個人情報の名称" and rows[0][-1] == "要配慮個人情報"
    assert len({len(row) for row in rows}) == 1 and len(rows) == 1 + len(site.deployment.policy.categories)


def test_the_activities_are_a_table_too(site: Site) -> None:
    answer = site.browser.get(f"{PATH}?format=csv&view=activities", headers=admin(site))
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == [one.title_en for one in site.deployment.policy.purposes.values()]


def test_no_cell_is_a_formula(site: Site) -> None:
    import dataclasses

    from cdp.web import processing

    with site.deployment.database.snapshot() as session:
        record = processing.record(session, site.clock.now().date(), "en")
    evil = dataclasses.replace(record.inventory[0], items='=HYPERLINK("x")')
    text = processing.write(dataclasses.replace(record, inventory=(evil,)), "csv")
    assert list(csv.reader(io.StringIO(text)))[1][1] == '\'=HYPERLINK("x")'


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(value) for name, value in attrs if name in ("src", "href", "action", "background")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_stands_alone_and_says_everything(site: Site, language: str) -> None:
    answer = site.browser.get(f"{PATH}?format=html&language={language}", headers=admin(site))
    text, page = answer.get_data(as_text=True), Page()
    page.feed(text)
    assert page.loads == [] and not page.open, "it loads nothing and closes what it opens"
    assert "url(" not in text and "@import" not in text and "<script" not in text
    assert f'<html lang="{language}">' in text
    assert answer.headers["Content-Disposition"].startswith("attachment"), "a saved page needs no style from us"
    for purpose in site.deployment.policy.purposes.values():
        assert (purpose.text_ja if language == "ja" else purpose.text_en).split("（")[0] in text
    assert not re.search(r"None|Undefined|\{\{|\}\}", text)


def test_what_an_operator_wrote_cannot_become_markup(site: Site) -> None:
    with site.deployment.database.transaction() as session:
        clients.create(session, "<b>x</b>", "ma_tool", ("email_marketing",), at=site.clock.now())
    text = site.browser.get(f"{PATH}?format=html", headers=admin(site)).get_data(as_text=True)
    assert "<b>x</b>" not in text and "&lt;b&gt;x&lt;/b&gt;" in text


@pytest.mark.parametrize("query", ["format=xml", "language=fr", "view=all", "since=2026-01-01"])
def test_a_misspelt_question_is_refused_with_its_place(site: Site, query: str) -> None:
    answer = site.browser.get(f"{PATH}?{query}", headers=admin(site))
    assert answer.status_code == 400
    assert answer.get_json()["errors"][0]["pointer"].startswith("/query/" + query.partition("=")[0])
