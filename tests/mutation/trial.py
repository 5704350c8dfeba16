"""A pytest plugin with two tasks: learn which test enters which line, and try mutants on tests.

Mutants are never written to disk: a process forked from a session that has collected the tests
exchanges the code of one function and runs the tests that enter it, until one fails.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import pytest

SLOWER = 10  # times the learnt processor time of its tests after which a mutant is stopped
AT_LEAST = 30  # seconds of processor time that every mutant gets
WALL = 900.0  # seconds after which a mutant that neither computes nor ends is stopped
MORE = 40  # tests of other lines of a function, tried where those of the line let a mutant live


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--learn", help="write the lines that each test enters to this file")
    parser.addoption("--sources", nargs="*", help="folders whose lines are learnt")
    parser.addoption("--mutants", help="file of mutants to try")
    parser.addoption("--map", help="file of lines that each test enters")
    parser.addoption("--budget", type=float, help="seconds of tests, as learnt, a mutant gets")
    parser.addoption("--results", help="file to which the fate of mutants is appended")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("learn"):
        config.pluginmanager.register(Learner(config))
    if config.getoption("mutants"):
        config.pluginmanager.register(Trial(config))


def functions(code: CodeType) -> Iterator[CodeType]:
    """Walk the functions of a module and the methods of its classes, not what stands inside."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & 0x2:  # CO_NEWLOCALS: a function; a class body has it not
                yield constant
            else:
                yield from functions(constant)


def texts(root: Path, path: Path) -> Iterator[tuple[str, CodeType, str]]:
    """Walk the functions of a file: name with the file's, code, and lines of the source."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for code in functions(compile(text, str(path), "exec")):
        own = "\n".join(lines[code.co_firstlineno - 1 : _last_line(code)])
        yield f"{path.relative_to(root)}::{code.co_qualname}", code, own


def digests(root: Path, paths: Iterable[Path]) -> dict[str, str]:
    """Return what tells one version of each function from another; namesakes count as one."""
    together: dict[str, str] = defaultdict(str)
    for path in paths:
        for name, _, own in texts(root, path):
            together[name] += own
    return {name: _digest(own.encode()) for name, own in together.items()}


class Learner:
    """Coverage with one context for each test and for each fixture that tests share."""

    def __init__(self, config: pytest.Config) -> None:
        self.root = config.rootpath
        self.target = Path(config.getoption("learn"))
        sources = [str(self.root / folder) for folder in config.getoption("sources")]
        self.coverage = coverage.Coverage(
            data_file=f"{self.target}.coverage", source=sources, config_file=False, messages=False
        )
        self.seconds: dict[str, float] = {}
        self.users: dict[str, set[str]] = defaultdict(set)
        self.failed: set[str] = set()  # not on account of a mutant, so they say nothing of one
        self.contexts = [""]
        self.coverage.start()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        begin = time.process_time()
        self.contexts.append(item.nodeid)
        self.coverage.switch_context(item.nodeid)
        yield
        self.contexts.pop()
        self.coverage.switch_context(self.contexts[-1])
        self.seconds[item.nodeid] = time.process_time() - begin

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Iterator[None]:
        if fixturedef.scope == "function":
            yield
            return
        context = f"fixture {fixturedef.baseid}::{fixturedef.argname}"
        self.contexts.append(context)
        self.coverage.switch_context(context)
        yield
        self.contexts.pop()
        self.coverage.switch_context(self.contexts[-1])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            info = getattr(item, "_fixtureinfo", None)
            for name, definitions in (info.name2fixturedefs if info else {}).items():
                for definition in definitions:
                    self.users[f"fixture {definition.baseid}::{name}"].add(item.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        sound = {test: s for test, s in self.seconds.items() if test not in self.failed}
        number = {test: i for i, test in enumerate(sound)}
        entered: dict[str, dict[int, list[int]]] = {}
        paths = [Path(path) for path in sorted(data.measured_files())]
        for path in paths:
            lines = data.contexts_by_lineno(str(path))
            for name, code, _ in texts(self.root, path):
                first, last = code.co_firstlineno, _last_line(code)
                tests: dict[int, list[int]] = {}
                for line in range(first, last + 1):
                    members: set[int] = set()
                    for context in lines.get(line, ()):
                        names = self.users.get(context, {context})
                        members.update(number[n] for n in names if n in number)
                    if members:
                        tests[line - first] = sorted(members)
                entered.setdefault(name, {}).update(tests)
        files = sorted({test.split("::")[0] for test in self.seconds})
        learnt = {
            "files": {file: digest(self.root / file) for file in files},
            "code": digests(self.root, paths),
            "seconds": sound,
            "entered": entered,
        }
        self.target.write_text(json.dumps(learnt), encoding="utf-8")


def digest(path: Path) -> str:
    """Return what tells one version of a file from another."""
    return _digest(path.read_bytes())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def read_maps(folder: Path) -> list[dict]:
    """Read the maps of a folder, each without the test files that a later one has."""
    maps = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("map-*.json"))
    ]
    for i, earlier in enumerate(maps):
        later = {file for known in maps[i + 1 :] for file in known["files"]}
        earlier["files"] = {f: d for f, d in earlier["files"].items() if f not in later}
    return maps


def stale(known: dict, root: Path, code: dict[str, str]) -> set[str]:
    """Name the files of a map that have changed, or whose tests enter a function that has."""
    old = {
        file
        for file, one in known["files"].items()
        if not (root / file).is_file() or digest(root / file) != one
    }
    names = list(known["seconds"])
    for function, lines in known["entered"].items():
        if code.get(function) != known["code"].get(function):
            old |= {names[i].split("::")[0] for members in lines.values() for i in members}
    return old & known["files"].keys()


def _last_line(code: CodeType) -> int:
    lines = [line for *_, line in code.co_lines() if line]
    inner = [_last_line(c) for c in code.co_consts if isinstance(c, CodeType)]
    return max([code.co_firstlineno, *lines, *inner])


class Trial:
    """Try mutants, one forked process each, and append what became of each to a file."""

    def __init__(self, config: pytest.Config) -> None:
        self.root = config.rootpath
        self.mutants = json.loads(Path(config.getoption("mutants")).read_text(encoding="utf-8"))
        self.maps = read_maps(Path(config.getoption("map")))
        for known in self.maps:
            known["names"] = list(known["seconds"])
        self.results = Path(config.getoption("results"))
        self.killer = self.results.with_suffix(f".{os.getpid()}")
        self.budget = config.getoption("budget")
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        gc.freeze()
        for mutant in self.mutants:
            tests = self._tests(mutant, items)
            begin = time.monotonic()
            fate = self._fate(mutant, tests) if tests else "no test"
            record = {"key": mutant["key"], "fate": fate, "tests": len(tests)}
            record["code"] = mutant["code"]
            record["seconds"] = round(time.monotonic() - begin, 1)
            if fate == "killed" and self.killer.exists():
                record["by"] = self.killer.read_text(encoding="utf-8")
            with self.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        return True

    def _tests(self, mutant: dict, items: dict[str, pytest.Item]) -> list[pytest.Item]:
        """Choose the tests that enter the line, then some that enter the function; cheap first.

        Of a function that no map has, some tests that enter its module.
        """
        line: dict[str, float] = {}
        function: dict[str, float] = {}
        module: dict[str, float] = {}
        own = f"{mutant['file']}::{mutant['function']}"
        for known in self.maps:
            for name, lines in known["entered"].items():
                if name != own and not name.startswith(f"{mutant['file']}::"):
                    continue
                for offset, members in lines.items():
                    at_line = name == own and int(offset) == mutant["offset"]
                    near = line if at_line else function if name == own else module
                    for i in members:
                        test = known["names"][i]
                        if test.split("::")[0] in known["files"] and test in items:
                            near[test] = known["seconds"][test]
        files: dict[str, float] = defaultdict(float)
        for name, seconds in line.items():
            files[name.split("::")[0]] += seconds
        order = sorted(line, key=lambda n: (files[n.split("::")[0]], n.split("::")[0], line[n]))
        rest = function if line or function else module
        order += sorted(rest.keys() - line.keys(), key=rest.__getitem__)[:MORE]
        chosen, spent = [], 0.0
        for name in order:
            seconds = line.get(name, rest.get(name, 0.0))
            if not chosen or spent + seconds < self.budget:
                chosen.append(items[name])
                spent += seconds
        return chosen

    def _fate(self, mutant: dict, tests: list[pytest.Item]) -> str:
        learnt = sum(known["seconds"].get(t.nodeid, 0.0) for known in self.maps for t in tests)
        limit = AT_LEAST + int(SLOWER * learnt)
        child = os.fork()
        if child == 0:
            os._exit(self._try(mutant, tests, limit))
        begin = time.monotonic()
        while time.monotonic() - begin < WALL:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                stopped = code in (-signal.SIGXCPU, -signal.SIGKILL)
                fates = {0: "survived", 3: "not applied"}
                return "timeout" if stopped else fates.get(code, "killed")
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "timeout"

    def _try(self, mutant: dict, tests: list[pytest.Item], limit: int) -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        path = self.root / mutant["file"]
        if not exchange(path, mutant["function"], mutant["first"], mutant["source"]):
            return 3
        for item, following in zip(tests, [*tests[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                self.killer.write_text(item.nodeid, encoding="utf-8")
                return 1
        return 0


def exchange(path: Path, function: str, first: int, source: str) -> int:
    """Give the functions that stand at a line of a file the code of another source."""
    for code in functions(compile(source, str(path), "exec", dont_inherit=True)):
        if code.co_qualname == function and code.co_firstlineno == first:
            break
    else:
        return 0
    exchanged = 0
    gc.unfreeze()
    for value in gc.get_objects():
        if (
            type(value) is FunctionType
            and value.__code__.co_qualname == function
            and value.__code__.co_firstlineno == first
            and value.__code__.co_filename == str(path)
        ):
            value.__code__ = code
            exchanged += 1
    return exchanged
