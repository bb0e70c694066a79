"""Old lists with the evidence for their consents."""
