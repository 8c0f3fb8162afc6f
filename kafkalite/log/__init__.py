"""The log: records at rest. Chapter 1's lives in memory; segments, indexes and recovery come with chapter 2."""
