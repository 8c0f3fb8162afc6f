"""More threads than are allowed, on small stacks, so that memory is not what stops them."""

import os
import threading

threading.stack_size(64 << 10)
stay = threading.Event()
started = 0
try:
    while started < 200:
        threading.Thread(target=stay.wait, daemon=True).start()
        started += 1
except RuntimeError as error:
    os.write(2, f"refused: {error}\n".encode())
else:
    os.write(2, b"GOT 200 threads\n")
os.write(2, b"done\n")
