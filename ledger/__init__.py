"""The ledger: every fact that volunteer credit rests on, and nothing about how it is shown."""
