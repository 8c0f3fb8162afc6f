"""How answers are checked: rules, the cases they are judged on, and the guard around a learner's code.

One check runs in three places: beside the learner, in stock nbgrader, and in the autograder, where the answer is
behind a pipe. `plug` is the seam: everything on this side of it is the same code in all three.
"""
