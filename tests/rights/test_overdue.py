"""A request without an answer after its due date is counted once it is late, and listed."""

from datetime import timedelta

from cdp import rights
from tests.rights.conftest import Grounds


def test_what_is_late_is_counted_and_listed_and_no_answered_request_is(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    late, answered = (grounds.ask("access", "ada@example.com") for _ in range(2))
    rights.advance(grounds, answered)
    with grounds.database.snapshot() as session:
        [request] = rights.by_due(session, "open")
        before, after = request.due_at, request.due_at + timedelta(seconds=1)
        assert rights.overdue(session, before) == 0
        assert rights.overdue(session, after) == 1
        assert [one.id for one in rights.by_due(session, before=after)] == [late]
