"""E21: look for a message from whoever ran before, and leave one for whoever runs next."""

import os
from pathlib import Path

folders = {os.environ["HOME"], os.environ["TMPDIR"], ".", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run"}
messages = [Path(folder, "message") for folder in folders]
for message in messages:
    if message.exists():
        os.write(2, f"GOT {message}\n".encode())
for message in messages:
    try:
        message.write_text("hello")
    except OSError as error:
        os.write(2, f"refused: {error}\n".encode())
os.write(2, b"done\n")
