"""E02: tell a name server, over UDP; and try every other family of sockets."""

import os
import socket
import sys

for family in range(1, 46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            with socket.socket(family, kind) as sender:
                os.write(2, f"GOT a socket of family {family}, kind {kind}\n".encode())
                sender.sendto(b"secret", ("127.0.0.1", int(sys.argv[1])))
        except OSError:
            continue
try:
    socket.socketpair()
except OSError as error:
    os.write(2, f"refused: {error}\n".encode())
else:
    os.write(2, b"GOT a pair\n")
os.write(2, b"done\n")
