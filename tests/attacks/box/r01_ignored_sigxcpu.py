"""R01 again, deaf to the signal that says that the processor time is over."""

import signal

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while True:
    pass
