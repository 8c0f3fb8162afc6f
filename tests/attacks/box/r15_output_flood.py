"""R15: print 64 MB."""

import os

for _ in range(64):
    os.write(2, b"x" * (1 << 20))
