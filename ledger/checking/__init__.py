"""Checking a ledger without trusting it: walking every byte, joining the pieces, comparing what follows from it, and what can be checked offline."""
