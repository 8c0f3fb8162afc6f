"""The runs of this chapter that have steps are chapter 1's."""

from __future__ import annotations

from course.chapters.ch01_why_a_log.film import film

__all__ = ["film"]
