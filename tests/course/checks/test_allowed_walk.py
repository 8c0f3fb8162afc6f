"""The walk of the import list: what an answer reaches through attributes, defaults and wrappers, and what it leaves."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from course.checks import allowed


def made_in_a_notebook(source: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `A` is after a cell with this source has run."""
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    exec(compile(source, "<cell>", "exec", dont_inherit=True), main.__dict__)
    return main.__dict__["A"]


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import kafkalite\ndef A(x): return kafkalite.high_watermark(x)", "kafkalite.replication.high_watermark"),
        ("import kafkalite.log.memory\ndef A(x): return kafkalite.log.memory.Log(x)", "kafkalite.log"),
        ("def A(x):\n    import kafkalite\n    return kafkalite.Log(x)", "kafkalite.log.memory"),
        ("def A(x):\n    from kafkalite import OffsetOutOfRange, Log as L\n    return L(x)", "kafkalite.log.memory"),
        ("def A(x):\n    import kafkalite.log.memory as m\n    return m.Log(x)", "kafkalite.log.memory"),
        ("from kafkalite import Log\nclass A:\n    inner = Log()", "kafkalite.log.memory"),
        ("from kafkalite import Log\ndef A(x, log=Log): ...", "kafkalite.log.memory"),
        ("from kafkalite import Log\ndef A(x, *, log=Log): ...", "kafkalite.log.memory"),
        ("from functools import partial\nfrom kafkalite import Log\nA = partial(Log, 1)", "kafkalite.log.memory"),
        (
            "from functools import cache\nfrom kafkalite import Log\n@cache\ndef A(): return Log()",
            "kafkalite.log.memory",
        ),
        (
            "from course.chapters.ch01_why_a_log.reference import deliver as A",
            "course.chapters.ch01_why_a_log.reference",
        ),
        ("import threading\nclass A(threading.Thread): ...", "threading"),
        ("import random\ndef A(): return random._os.getcwd()", "os"),
        ("import logging\nlog = logging.getLogger()\ndef A(): return log", "logging"),
    ],
)
def test_a_roundabout_way_is_found(source: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module == allowed.refused_module(made_in_a_notebook(source, monkeypatch))


WORDS_BY_THEIR_FULL_NAME = """
import kafkalite.errors, kafkalite.types
class A:
    log: int = 0
    def f(self): return kafkalite.types.Hand, kafkalite.errors.OffsetOutOfRange, self.log
"""
STREAMS = """
import sys
from sys import stdout
def A(): print("x", file=sys.stderr); print("y", file=stdout); sys.stderr.flush()
"""
COLLECTIONS = """
from collections import Counter, OrderedDict, defaultdict, deque
import collections.abc
def A(): return Counter, OrderedDict, defaultdict, deque(), collections.abc.Mapping
"""
INSIDES_IN_C = """
from hashlib import sha256
from random import Random, choice
from re import compile
from struct import pack
rng = Random(1)
def A(): return sha256(), pack, choice, compile('x'), rng.random()
"""
DATA_MODULES = """
from datetime import datetime
from decimal import Decimal
from json import JSONEncoder, dumps
from operator import itemgetter
def A(): return JSONEncoder, dumps, Decimal, datetime, itemgetter(1)
"""
ABSTRACT = """
from abc import ABC, abstractmethod
from contextlib import contextmanager
class B(ABC):
    @abstractmethod
    def f(self): ...
    @contextmanager
    def g(self): yield
class A(B):
    def f(self):
        import collections as c
        return c.deque(sorted([]))
"""
NAMEDTUPLE = """
from collections import namedtuple
Pair = namedtuple('Pair', 'a b')
def A(): return Pair(1, 2)
"""
AN_UNUSED_LAB = """
import course
lab = course.chapter('01_why_a_log')
class A: ...
"""
A_LOCAL_NAME_LIKE_A_GLOBAL_ONE = """
import os
def A(os): return os
"""


@pytest.mark.parametrize(
    "source",
    [
        WORDS_BY_THEIR_FULL_NAME,
        STREAMS,
        COLLECTIONS,
        INSIDES_IN_C,
        DATA_MODULES,
        ABSTRACT,
        NAMEDTUPLE,
        AN_UNUSED_LAB,
        A_LOCAL_NAME_LIKE_A_GLOBAL_ONE,
    ],
)
def test_honest_code_is_left_alone(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed.refused_module(made_in_a_notebook(source, monkeypatch)) is None
