"""Grades submissions that are not trusted: answers run in a box, and the verdict is made outside it."""
