"""The ground: database, unit of work, outbox, audit, access, clock, mail."""
