"""Consumer groups: who reads what (assignors), who is in (the automaton), and how far they are (committed offsets)."""
