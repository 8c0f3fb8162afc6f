"""Chapter 1, "Why a log": K1-K3, T1, T3, C6."""
