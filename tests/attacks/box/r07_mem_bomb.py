"""R07: take memory in steps of 50 MB."""

from pathlib import Path

if not Path("/image").is_dir():
    raise SystemExit("this is for a box only: outside it does harm")

hoard = []
while True:
    hoard.append(bytearray(b"x") * (50 << 20))
