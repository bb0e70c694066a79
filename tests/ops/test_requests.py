"""What staff do about requests at the command line: every word has a door, and none prints a value."""

import json

from cdp import rights
from tests.ops.conftest import Home

ADA = "ada@example.com"


def lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_a_request_waits_for_the_words_of_staff_and_is_listed_until_it_ends(home: Home) -> None:
    home.bring(ADA)
    why = ("--reason", "ticket 12")
    home.cdp("subject", "restrict", *why, typed=f"{ADA}\n")
    waiting = lines(home.cdp("subject", "restrict", "--lift", *why, typed=f"{ADA}\n").output)
    assert waiting["waits_for"] == "notice"
    assert f"{waiting['request']}\trestriction" in home.cdp("request", "list").output
    home.cdp("request", "accept", waiting["request"], *why, exit_code=2)
    home.cdp("request", "tell", waiting["request"], "--at", "2999-01-01", *why, exit_code=2)
    assert lines(home.cdp("request", "tell", waiting["request"], *why).output)["state"] == "completed"
    assert home.cdp("request", "list").stdout == ""
    assert "tell\t" in home.cdp("request", "show", waiting["request"]).output
    home.cdp("request", "close", waiting["request"], "--outcome", "refused", *why, exit_code=2)


def test_an_extension_is_taken_once_and_only_where_the_law_knows_one(home: Home) -> None:
    home.bring(ADA)
    why = ("--reason", "many systems")
    restricted = lines(home.cdp("subject", "restrict", *why, typed=f"{ADA}\n").output)["request"]
    assert "closed already" in home.cdp("request", "extend", restricted, *why, exit_code=2).output
    lifting = lines(home.cdp("subject", "restrict", "--lift", *why, typed=f"{ADA}\n").output)["request"]
    assert "Only the GDPR" in home.cdp("request", "extend", lifting, *why, exit_code=2).output
    with home.opened() as deployment, deployment.database.transaction() as session:
        named = ("email", "", "anna@example.com")
        asked = rights.receive(session, "erasure", named, "subject", "", "", deployment.clock.now())
        asked.law = "gdpr"
        request = asked.id
    first = home.cdp("request", "show", request).output
    assert lines(home.cdp("request", "extend", request, *why).output)["due_at"][:10] > lines(first)["due_at"][:10]
    assert "once" in home.cdp("request", "extend", request, *why, exit_code=2).output


def test_an_objection_is_lifted_by_the_persons_own_word(home: Home) -> None:
    home.bring(ADA)
    words = ("--kind", "direct_marketing", "--reason", "asked by telephone")
    home.cdp("subject", "object", *words, typed=f"{ADA}\n")
    home.cdp("subject", "object", "--lift", *words, exit_code=2, typed=f"{ADA}\n")
    assert (
        "state=completed" in home.cdp("subject", "object", "--lift", "--by", "subject", *words, typed=f"{ADA}\n").output
    )


def test_a_contested_value_is_decided_and_no_value_is_printed(home: Home) -> None:
    home.bring(ADA)
    corrections = home.settings.home / "wrong.json"
    corrections.write_text(json.dumps({"traits": {"full_name": "Ada Rightname"}}))
    asked = ("--restrict-meanwhile", "--corrections", str(corrections), "--reason", "letter")
    first = home.cdp("subject", "rectify", *asked, typed=f"{ADA}\n")
    assert lines(first.output)["waits_for"] == "decision"
    request = lines(first.output)["request"]
    second = home.cdp("request", "accept", request, "--reason", "saw the passport")
    third = home.cdp("request", "tell", request, "--reason", "letter sent")
    assert (lines(second.output)["waits_for"], lines(third.output)["state"]) == ("notice", "completed")
    shown = home.cdp("request", "show", request).output
    assert "Rightname" not in first.output + second.output + third.output + shown
    output = home.settings.home / "ada.json"
    home.cdp("subject", "export", "--reason", "letter", "--output", str(output), typed=f"{ADA}\n")
    assert "Ada Rightname" in output.read_text()
    corrections.unlink()
    output.unlink()


def test_a_merge_is_taken_back_by_its_number(home: Home) -> None:
    home.bring(ADA, "ben@example.com")
    decision = lines(home.cdp("subject", "merge", "1", "2", "--reason", "same card").output)["decision"]
    assert home.cdp("subject", "revoke", decision, "--reason", "another card").output == f"revoked={decision}\n"
    assert "person=" in home.cdp("subject", "find", "--person", "2", "--reason", "look").output
    assert "nobody" not in home.cdp("subject", "disclosures", "--person", "2", "--reason", "look").output
