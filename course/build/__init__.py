"""The build: a chapter's text becomes an instructor notebook, and that the released one.

    chapter.md + the chapter's objects  --assemble-->  instructor notebook  --nbgrader's preprocessors-->  release

`verify` says what is wrong with a chapter before a learner finds it; `mutants` are machine-made wrong answers.
"""

from __future__ import annotations

from course.build.errors import BuildError
from course.build.release import as_text, instructor_notebook, release_id, released_notebook, write_release

__all__ = ["BuildError", "as_text", "instructor_notebook", "release_id", "released_notebook", "write_release"]
