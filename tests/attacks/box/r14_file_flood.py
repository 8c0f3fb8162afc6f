"""Files without a byte in them, which no limit on bytes counts."""

import itertools
import os
from pathlib import Path

if not Path("/image").is_dir():
    raise SystemExit("this is for a box only: outside it does harm")

for number in itertools.count():
    os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
