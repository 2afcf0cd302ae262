"""Ctrl-C of the user, told apart from a callback that asks to stop."""

import dis
import signal

_RAISE = dis.opmap["RAISE_VARARGS"]


def is_raised_by_code(error: KeyboardInterrupt) -> bool:
    """Return whether a ``raise`` statement raised the error, and no signal.

    skorch's way to stop from a callback is to raise KeyboardInterrupt. The error of a
    signal appears between two instructions of whatever runs, or in the handler of the
    signal where that is written in Python.
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
