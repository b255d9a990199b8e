"""Backups: made while people work, unreadable without the keys, verified before they are used.

`making` writes one, `reading` verifies one, `restoring` puts one in the place of a database,
`container` is the file and `tables` the form of the rows. docs/how-to/back-up-and-restore.md says
how to use it and what must be kept apart.
"""
