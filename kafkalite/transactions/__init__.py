"""Transactions as a coordinator knows them: their states, their changes, and the log that remembers them (KIP-98)."""
