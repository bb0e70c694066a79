"""Running it: the command, the background process, backups, and a doctor."""
