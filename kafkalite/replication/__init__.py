"""Replication of one partition. Only the high watermark's rule is here yet; chapters 5 and 6 bring the rest."""
