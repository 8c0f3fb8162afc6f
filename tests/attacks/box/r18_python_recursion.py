"""R18 in Python alone, whose frames are on the heap."""

import os
import sys

sys.setrecursionlimit(10**9)


def down() -> None:
    """For ever."""
    down()


down()
os.write(2, b"GOT back\n")
