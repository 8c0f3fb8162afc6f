"""The seam: the smallest chapter with both kinds of exercise, a pure function and a class that holds state.

What every later chapter rests on is proved with it: the same answers get the same result in a kernel, in stock
nbgrader, and in the sandbox.
"""
