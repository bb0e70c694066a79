"""Who may call: clients, their tokens, and which route needs what."""
