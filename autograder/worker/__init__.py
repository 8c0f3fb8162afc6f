"""What runs inside the box, beside code nobody trusts. It knows neither checks nor reference, and nothing secret.

These files are copied into the box's image (`autograder.image`), together with the words of `kafkalite` and the import
list. Nothing that is decided here counts: a worker that was taken over can only give other answers.
"""
