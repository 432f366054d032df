"""The web: pages for people and the log's public paths. Knows the ledger alone; every rule it shows is kept there."""
