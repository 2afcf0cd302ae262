"""Locks that a forked child has anew."""

import os
import threading
import time

import pytest

from sk_mtl._process_lock import ProcessLock

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def exit_code_of_child(function):
    """The exit code of a fork that calls a function; 9 where it raises."""
    child = os.fork()
    if child == 0:
        try:
            function()
            os._exit(0)
        except BaseException:
            os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_one_thread_at_a_time():
    lock, inside, order = ProcessLock(), threading.Event(), []

    def second():
        inside.wait()
        with lock.held():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with lock.held(), lock.held():
        inside.set()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


@needs_fork
def test_a_child_finds_the_lock_free():
    lock, held, end = ProcessLock(), threading.Event(), threading.Event()

    def hold():
        with lock.held():
            held.set()
            end.wait()

    def take():
        with lock.held():
            pass

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert exit_code_of_child(take) == 0
    finally:
        end.set()
        thread.join()


@needs_fork
def test_a_child_may_leave_the_block_it_was_forked_in():
    lock = ProcessLock()
    child = None
    with lock.held():
        child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@needs_fork
def test_a_fork_may_wait_for_the_end_of_a_block():
    lock, held, states = ProcessLock(forks_wait=True), threading.Event(), ["whole"]

    def change():
        with lock.held():
            states[0] = "half"
            held.set()
            time.sleep(0.1)
            states[0] = "whole"

    def read():
        with lock.held():
            assert states == ["whole"]

    thread = threading.Thread(target=change)
    thread.start()
    held.wait()
    assert exit_code_of_child(read) == 0
    thread.join()
    with lock.held():
        assert exit_code_of_child(read) == 0
