"""The pages, one blueprint a noun. A view says who may call it (api/auth.py), asks the ledger, and renders."""
