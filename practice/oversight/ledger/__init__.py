"""The ledger as the console and the command line show and check it."""
