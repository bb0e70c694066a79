"""The record of processing, the records of provisions and the records of receipts, as an operator meets them."""

from tests.ops.conftest import Home


def test_the_record_of_processing_is_written_in_every_form(home: Home) -> None:
    home.bring("ada@example.com")
    assert "個人情報の名称" in home.cdp("records", "--format", "csv").output
    assert '"form": "sekisho.records-of-processing/1"' in home.cdp("records", "--format", "json").output
    assert "<!doctype html>" in home.cdp("records", "--format", "html", "--language", "en").output
    assert "ads" in home.cdp("records", "--view", "activities", "--language", "en").output
    assert home.cdp("records", "--check").output.startswith("complete")
