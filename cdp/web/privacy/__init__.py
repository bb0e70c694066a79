"""Pages for the people whose data this is: links from mails that work without an account."""
