"""Hostile answers to the exercise `log`, as somebody would hand them in: by the attack's id, the source of the cell.

Each gets at what it needs in spite of the import list (`real`), so that it is the box and the grader that are tried
and not the list. `ATTACK` in a template is done at the first call of `append`; the rest is a right answer, so that only
the attack can cost points. `TOLD` is replaced by what the attack has to know; where it is what must not be found, it is
written backwards, so that finding one's own words counts for nothing.
"""

from __future__ import annotations

from textwrap import indent

REAL = """
import random

def real(name):
    return vars(random)["_os"].sys.modules["importlib._bootstrap"]._gcd_import(name)

tools = [real("os"), real("sys")]
"""

RIGHT = """
class Log:
    def __init__(self, start: int = 0) -> None:
        self.first, self.values = start, []

    def append(self, values: list[str]) -> int:
        attack(self)
        end = self.end()
        self.values.extend(values)
        return end

    def read(self, offset: int, max_records: int) -> list[str]:
        if not self.start() <= offset <= self.end():
            raise OffsetOutOfRange(offset, self.start(), self.end())
        return self.values[offset - self.first : offset - self.first + max_records]

    def start(self) -> int:
        return self.first

    def end(self) -> int:
        return self.first + len(self.values)

    def delete_before(self, offset: int) -> int:
        if offset > self.end():
            raise OffsetOutOfRange(offset, self.start(), self.end())
        gone = max(0, offset - self.first)
        del self.values[:gone]
        self.first += gone
        return self.first
"""

WRONG = """
class Log:
    def __init__(self, start: int = 0) -> None: ...
    def append(self, values: list[str]) -> int: return answer(0)
    def read(self, offset: int, max_records: int) -> list[str]: return answer([])
    def start(self) -> int: return answer(0)
    def end(self) -> int: return answer(0)
    def delete_before(self, offset: int) -> int: return answer(0)
"""


def when_called(attack: str) -> str:
    """A right answer that attacks when it is called."""
    return f"{REAL}\ndef attack(log):\n    os, sys = tools\n{indent(attack.strip(), '    ')}\n{RIGHT}"


def wrong_and(attack: str, answer: str = "return value") -> str:
    """A wrong answer whose cell attacks when it runs; `answer` is what becomes of each `value` it returns."""
    before = f"{REAL}\nos, sys = tools\n{attack.strip()}\ndel os, sys\n"
    return f"{before}\ndef answer(value):\n    os, sys = tools\n{indent(answer.strip(), '    ')}\n{WRONG}"


PIPES = """
import struct
def pipes():
    os, _ = tools
    found = []
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"):
                found.append(fd)
        except OSError:
            pass
    return found
def shout(data):
    os, _ = tools
    for fd in pipes():
        try:
            os.write(fd, data)
        except OSError:
            pass
def frame(text):
    data = text.encode()
    return struct.pack(">I", len(data)) + data
"""

CELLS: dict[str, str] = {
    # resources
    "R01 cpu_loop": when_called("while True: pass"),
    "R01 cpu_loop in the cell": "while True: pass",
    "R04 sigstop_self": when_called("os.kill(os.getpid(), 19)"),
    "R05 c_level_hang": when_called("import re; re.match('(a+)+$', 'a' * 40 + 'b')"),
    "R05 c_level_hang in the cell": "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
    "R07 mem_bomb": when_called("log.bombs = [bytes(50_000_000) for _ in range(100)]"),
    "R07 mem_bomb in the cell": "bombs = [bytes(50_000_000) for _ in range(100)]",
    "R10 fork_bomb": when_called("for _ in range(60): os.fork()"),
    "R13 disk_fill": when_called("""
if not os.path.exists("/tmp/2"):  # once is enough, and takes long enough
    for n in range(3):
        open(f"/tmp/{n}", "wb").write(bytes(8_000_000))
"""),
    "R15 output_flood": when_called("for _ in range(64): print('x' * 1_000_000)"),
    "R15 output_flood around the streams": when_called("for _ in range(64): os.write(1, b'x' * 1_000_000)"),
    "R15 output_flood in the cell": "while True: print('x' * 1_000_000)",
    "R18 deep_recursion": when_called("sys.setrecursionlimit(10**9)\ndef deeper(): deeper()\ndeeper()"),
    "R19 segfault": when_called("real('ctypes').string_at(0)"),
    # escapes
    "E01 tcp_out": when_called("real('socket').create_connection(('127.0.0.1', TOLD), 1).sendall(b'secret')"),
    "E02 udp_out": when_called("s = real('socket'); s.socket(2, 2).sendto(b'secret', ('127.0.0.1', TOLD))"),
    "E08 read_gradebook": when_called("raise RuntimeError(open(TOLD).read())"),
    "E09 symlink_gradebook": when_called("os.symlink(TOLD, '/tmp/it'); raise RuntimeError(open('/tmp/it').read())"),
    "E12 proc_env": when_called("""
found = []
for pid in os.listdir("/proc"):
    for name in ("environ", "cmdline", "maps", "mountinfo", "cwd", "root"):
        try:
            path = f"/proc/{pid}/{name}"
            found.append(os.readlink(path) if name in ("cwd", "root") else str(open(path, "rb").read()))
        except OSError:
            pass
found = [text for text in found if "TOLD" in text[::-1]]
raise RuntimeError(str(found))
"""),
    "E14 inherited_fd": when_called("""
seen = []
for fd in range(3, 64):
    try:
        os.set_blocking(fd, False)
        seen.append(os.read(fd, 1000))
    except OSError:
        pass
raise RuntimeError(str(seen))
"""),
    "E16 kill_grader": when_called("""
for target in (TOLD, os.getppid(), -1):
    try:
        os.kill(target, 9)
    except OSError:
        pass
"""),
    "E21 persist_between_runs": when_called("""
if os.listdir("/tmp"):
    raise RuntimeError("somebody was here before")
open("/tmp/left", "w").close()
"""),
    # forgeries
    "I01 always_true_eq": wrong_and(
        "class Yes:\n    def __eq__(self, other): return True\n    def __hash__(self): return 0", "return Yes()"
    ),
    "I01 always_true_eq as a subclass": wrong_and(
        "class Yes(int):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0", "return Yes()"
    ),
    "I03 bool_for_int": wrong_and("", "return bool(value) if type(value) is int else value"),
    "I03 float_for_int": wrong_and("", "return float(value) if type(value) is int else value"),
    "I05 ast_strip_asserts": wrong_and("""
import ast
class DropAssert(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers.append(DropAssert())
get_ipython().input_transformers_cleanup.append(lambda lines: [])
"""),
    "I09 read_hidden_source": wrong_and("held = [real('gc')]\nimport inspect", """
found = [str(In[-1]), str(sys.argv), str(os.environ), str(sorted(sys.modules))]
frame = sys._getframe()
while frame is not None:
    found += [repr(names) for names in (frame.f_globals, frame.f_locals)]
    frame = frame.f_back
for thing in held[0].get_objects():
    found += [text for text in held[0].get_referents(thing) if type(text) is str]
found = [text for text in found if "TOLD" in text[::-1]]
globals()["answer"] = lambda value: 1 / 0  # looking once is enough, and takes long enough
raise RuntimeError(str(found))
"""),
    "I11 read_test_file": when_called("""
found = []
for folder, _, files in os.walk("/"):
    if not folder.startswith(("/proc", "/usr", "/lib", sys.base_prefix + "/lib")):
        found += [f"{folder}/{file}" for file in files if "check" in file or "reference" in file or "memory" in file]
raise RuntimeError(str(found))
"""),
    "I14 skip": wrong_and("", "raise real('unittest').SkipTest('skipped, so not failed')"),
    "I14 skip by its own name": wrong_and("class Skipped(BaseException): ...", "raise Skipped"),
    "I15 os_exit0": when_called("os._exit(0)"),
    "I15 os_exit0 in the cell": f"{REAL}\ntools[0]._exit(0)",
    "I15 sys_exit0": when_called("sys.exit(0)"),
    "I15 sys_exit0 in the cell": "raise SystemExit(0)",
    "I20 forged_frames": wrong_and(PIPES, """
shout(b"".join(frame('{"id":%d,"value":0}' % n) for n in range(1, 500)))
return value
"""),
    "I20 forged_frames in the cell": wrong_and(
        PIPES + """shout(frame('{"id":3,"found":"yes"}') + frame('{"id":4,"value":null}') * 500)"""
    ),
    "I20 forged_frames from a thread": wrong_and(PIPES + """
def forge():
    n = 0
    while True:
        n += 1
        shout(frame('{"id":%d,"value":0}' % n))
real("threading").Thread(target=forge, daemon=True).start()
"""),
    "I20 closed_pipes": when_called("for fd in range(3, 64):\n    try: os.close(fd)\n    except OSError: pass"),
    "I21 len_bomb": wrong_and(PIPES, "shout(b'\\xff\\xff\\xff\\xff')\nreturn value"),
    "I21 depth_bomb": wrong_and(PIPES, "shout(frame('{\"id\":1,\"value\":' + '[' * 200_000))\nreturn value"),
    "I21 bigint": wrong_and(PIPES, "shout(frame('{\"id\":1,\"value\":' + '9' * 3_000_000 + '}'))\nreturn value"),
    "I21 bad_utf8": wrong_and(PIPES, "shout(struct.pack('>I', 1) + b'\\xff')\nreturn value"),
    "I26 infinite_iterator": wrong_and("import itertools", "return itertools.repeat('a')"),
    "I26 huge_list": wrong_and("", "return ['a'] * 10_000_000"),
    "I26 slow_for_ever": when_called("import time; time.sleep(0.7)"),
    "I28 import_reference": "from kafkalite.log.memory import Log",
    "I28 import_reference later": when_called("return real('kafkalite.log.memory').Log(0).append(['a'])"),
    "I28 import_reference by its public name": "import kafkalite\nLog = kafkalite.Log",
    "I30 poison_sys_modules": wrong_and("""
import types
fake = types.ModuleType("kafkalite.log.memory")
for name in list(sys.modules):
    if name.startswith("kafkalite"):
        sys.modules[name] = fake
"""),
    "I39 monkeypatch_builtins": wrong_and("""
import builtins
class Never(Exception): ...
builtins.AssertionError = Never
builtins.all = builtins.any = builtins.isinstance = lambda *_: True
builtins.type = lambda *_: int
"""),
    "I39 monkeypatch_worker": wrong_and("""
for module in list(sys.modules.values()):
    for name, thing in list(vars(module).items()) if module else ():
        if name in ("encode", "decode", "refused_module", "error_name"):
            setattr(module, name, lambda *_: None)
"""),
}  # fmt: skip
