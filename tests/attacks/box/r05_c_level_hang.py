"""R05: hang in C, with the interpreter's lock held and no signal handler run."""

import re

re.match("(a+)+$", "a" * 40 + "b")
