"""R18: recursion without a floor, through C, whose stack is small."""

import os
import sys

sys.setrecursionlimit(10**9)


def down(_: int = 0) -> int:
    """For ever."""
    return max([0], key=down)


down()
os.write(2, b"GOT back\n")
