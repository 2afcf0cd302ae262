"""Distinction between Ctrl-C by the user and a callback that asks to stop."""

import dis
import signal

_RAISE = dis.opmap["RAISE_VARARGS"]


def is_raised_by_code(error: KeyboardInterrupt) -> bool:
    """Return whether a ``raise`` statement raised the error, and not a signal.

    A skorch callback stops training by raising KeyboardInterrupt. The error of a signal
    appears between any two instructions, or in the signal's handler if that is written
    in Python.
    """
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame.f_code, trace.tb_lasti))
        trace = trace.tb_next
    handler = getattr(signal.getsignal(signal.SIGINT), "__code__", None)
    if not frames or any(code is handler for code, _ in frames):
        return False
    code, position = frames[-1]
    return code.co_code[position] == _RAISE
