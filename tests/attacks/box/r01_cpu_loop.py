"""R01: never come back."""

while True:
    pass
