"""Documents, signatures and revocations."""
