"""What docs/policies.md shows can be copied: it is one file, it is sound, and its examples are true."""

import re
from datetime import date
from pathlib import Path

from cdp.gate.rehearsal import check
from cdp.ops.commands.scenarios import ALSO
from cdp.policy.loading import load
from cdp.settings import CHECKOUT
from tests.policy.shipped import DAY, copied

PAGE = (CHECKOUT / "docs/policies.md").read_text(encoding="utf-8")


def test_the_purpose_of_the_page_is_one_file_that_is_sound(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    folder = copied(tmp_path)
    (folder / "purposes/warranty_reminder.yaml").write_text(found[1], encoding="utf-8")
    assert check(folder, DAY, ALSO) == []
    policy = load(folder, DAY)
    notice = policy.notices["warranty_reminder", "1", "ja"]
    assert "## 利用目的\n\n購入された商品の" in notice.body
    assert notice.recipients == ("ma_tool",)
    assert policy.documents.trees["purposes/warranty_reminder.yaml"]["notice"]["version"] == "1", "kept as written"


def test_a_notice_that_stands_twice_is_refused(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    folder = copied(tmp_path)
    (folder / "purposes/warranty_reminder.yaml").write_text(found[1], encoding="utf-8")
    (folder / "notices/warranty_reminder.1.ja.md").write_text("---\ntitle: x\n---\nx", encoding="utf-8")
    assert any("a notice stands in one place" in line for line in check(folder, DAY))


def test_every_key_of_a_purpose_is_on_the_page() -> None:
    from cdp.policy.purposes import _PurposeShape

    keys = {field.data_key or name for name, field in _PurposeShape().fields.items()}
    assert {key for key in keys if f"`{key}`" not in PAGE and f"{key}:" not in PAGE} == set()


def test_a_purpose_that_a_newcomer_wrote_from_the_page_alone_is_one_sound_file(tmp_path: Path) -> None:
    """Event invitations for the EU and Japan, first told on 27 November 2026: asked before, it is refused."""
    folder = copied(tmp_path)
    written = Path(__file__).with_name("event_invitations.yaml").read_text(encoding="utf-8")
    (folder / "purposes/event_invitations.yaml").write_text(written, encoding="utf-8")
    assert check(folder, DAY, ALSO) == check(folder, date(2026, 11, 28), ALSO) == []
    assert len([one for one in load(folder, DAY).examples if "event_invitations" in one.where]) >= 10
