"""Lists of whom not to call, and states of people that no request says."""

from pathlib import Path

from cdp import consent, identity, vault
from cdp.gate.standing import load
from tests.ops.conftest import Home


def test_a_list_of_numbers_falls_silent_for_calls_alone(home: Home, tmp_path: Path) -> None:
    listed = tmp_path / "refused.txt"
    listed.write_text("+819012345678\n\nnot a number\n03-1234-5678\n", encoding="utf-8")
    read = home.cdp("suppress", str(listed), "--channel", "phone", "--dry-run", "--reason", "list of May", exit_code=1)
    assert "unreadable=1" in read.output
    with home.opened() as deployment, deployment.database.snapshot() as session:
        token = vault.of(session).suppression_token("phone", "", "+819012345678")
        assert consent.in_force(session, [token]) == []
    for _ in range(2):
        home.cdp("suppress", str(listed), "--channel", "phone", "--reason", "list of May", exit_code=1)
    with home.opened() as deployment, deployment.database.snapshot() as session:
        token = vault.of(session).suppression_token("phone", "", "+819012345678")
        assert [(one.channel, one.reason) for one in consent.in_force(session, [token])] == [("phone", "do_not_call")]


def test_a_letter_is_refused_by_the_address_that_is_silent_for_letters(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    listed = tmp_path / "letters.txt"
    listed.write_text("ada@example.com\n", encoding="utf-8")
    home.cdp("suppress", str(listed), "--type", "email", "--channel", "post", "--reason", "asked by letter")
    with home.opened() as deployment, deployment.database.snapshot() as session:
        person = identity.find(session, "email", "", "ada@example.com")
        [found] = load(session, [person], deployment.clock.now(), "post").values()
        [mail] = load(session, [person], deployment.clock.now(), "email").values()
    assert [reach.suppressed for reach in found.standing.on("post")] == [("do_not_call",)]
    assert [reach.suppressed for reach in mail.standing.on("email")] == [()]


def test_the_dead_are_written_to_no_more_and_a_mistake_is_taken_back(home: Home) -> None:
    home.bring("ada@example.com")
    named = ("--type", "email", "--value", "ada@example.com", "--state", "deceased", "--reason", "told by the family")
    assert "deceased\tbegun\t1" in home.cdp("subject", "mark", *named).output
    home.cdp("subject", "mark", *named, exit_code=2)
    with home.opened() as deployment, deployment.database.snapshot() as session:
        person = identity.find(session, "email", "", "ada@example.com")
        [found] = load(session, [person], deployment.clock.now()).values()
        assert found.standing.deceased
    assert "deceased\tended\t1" in home.cdp("subject", "mark", *named, "--lift").output
