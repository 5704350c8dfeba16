"""Mutation testing of the numbers: python tests/mutation/run.py [--size 300] [--seed 1].

A sample of mutants (`mutants.py`) is tried on the tests that enter the changed line
(`trial.py`), on a copy of the tree. Survivors and their share are printed; those in
`equivalent.toml`, each with the reason why no test can tell it from the original, count apart.

The map of lines and tests takes one run of the tests. `--map FOLDER` keeps it for the next time:
test files are run again where they changed, or where they enter a function that did. What became of
each mutant is kept too, as long as its function is as it was: a run that was interrupted goes on
where it stood, and with `--again` those that lived are tried once more, on the tests of today.

A mutant is stopped after ten times the processor time of its tests (and 30 s), whatever else the
machine does; such are reported apart, and count as killed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

from mutants import sample
from trial import digests, read_maps, stale

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PARTS = "model survey moments estimators inference index assessment measures outcomes"
FOLDERS = [f"csimodel/{part}" for part in PARTS.split()]
ALIVE = ("survived", "no test")
OUTSIDE = """
    architecture cli finding_wording import_circles interrupts lavaan_cases notebooks page plots
    plots_repurchase readme reference report report_folder snapshot threads
"""  # tests of wording, pictures, documents and workers


def main() -> None:
    """Sample mutants, try them, print what lived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=300, help="mutants to draw")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--map", type=Path, help="folder of a kept map of lines and tests")
    parser.add_argument("--again", action="store_true", help="try kept survivors once more")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds of tests for a mutant")
    parser.add_argument("--minutes", type=float, help="stop then, and report what was tried")
    parser.add_argument("--only", help="try mutants whose name contains this")
    parser.add_argument("--folders", nargs="*", default=FOLDERS, help="what is mutated")
    options = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(10 - os.nice(0))
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _copy(tree)
        work = (options.map or Path(folder)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        _learn(tree, work, options.workers)
        code = _code(tree)
        mutants = [
            x._asdict() | {"code": code.get(f"{x.file}::{x.function}")}
            for x in sample(tree, options.folders, options.size, options.seed)
            if not options.only or options.only in x.key
        ]
        results = work / f"results-{options.seed}.jsonl"
        now = {x["key"]: x["code"] for x in mutants}
        kept = [r for r in _read(results) if now.get(r["key"], r["code"]) == r["code"]]
        kept = [r for r in kept if not (options.again and r["fate"] in ALIVE)]
        known = {r["key"] for r in kept}
        results.write_text("".join(json.dumps(r) + "\n" for r in kept), encoding="utf-8")
        _try(tree, work, results, [x for x in mutants if x["key"] not in known], options)
        _report(len(mutants), {r["key"]: r for r in _read(results) if r["key"] in now})


def _read(results: Path) -> list[dict]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def _copy(tree: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in listed.stdout.split("\n"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def _files(tree: Path) -> list[str]:
    tests = sorted((tree / "tests").rglob("test_*.py"))
    inside = [t for t in tests if t.stem.removeprefix("test_") not in OUTSIDE.split()]
    inside = [t for t in inside if "fuzz" not in t.parts]
    examples = [p for folder in FOLDERS for p in sorted((tree / folder).rglob("*.py"))]
    examples = [p for p in examples if ">>> " in p.read_text(encoding="utf-8")]
    return [str(path.relative_to(tree)) for path in inside + examples]


def _code(tree: Path) -> dict[str, str]:
    return digests(tree, [p for folder in FOLDERS for p in sorted((tree / folder).rglob("*.py"))])


def _learn(tree: Path, work: Path, workers: int) -> None:
    """Learn which lines are entered by the test files that no map has as things are."""
    maps, code = read_maps(work), _code(tree)
    known = {file for one in maps for file in one["files"].keys() - stale(one, tree, code)}
    new = [file for file in _files(tree) if file not in known]
    first = 1 + max((int(path.stem[4:]) for path in work.glob("map-*.json")), default=-1)
    sources = ["--sources", *FOLDERS]
    parts = [new[i::workers] for i in range(workers) if new[i::workers]]
    _run(
        tree,
        [
            [*part, f"--learn={work / f'map-{first + i:03}.json'}", *sources]
            for i, part in enumerate(parts)
        ],
    )


def _run(tree: Path, arguments: list[list[str]], minutes: float | None = None) -> None:
    """Run pytest sessions side by side in the copy."""
    environment = dict(os.environ)
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(tree), str(tree / "tests" / "mutation")])
    pytest = [sys.executable, "-m", "pytest", "-p", "trial", "-p", "no:cacheprovider"]
    pytest += ["-p", "no:randomly", "--rootdir", str(tree)]
    sessions = [
        subprocess.Popen(pytest + own, cwd=tree, env=environment, stdout=subprocess.DEVNULL)
        for own in arguments
    ]
    end = time.monotonic() + 60.0 * minutes if minutes else None
    for session in sessions:
        try:
            session.wait(None if end is None else max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            session.kill()


def _try(tree: Path, work: Path, results: Path, mutants: list, options: argparse.Namespace) -> None:
    """Try the mutants in as many sessions as there are workers."""
    arguments = []
    for i in range(options.workers):
        part = tree.parent / f"mutants-{i}.json"
        part.write_text(json.dumps(mutants[i :: options.workers]), encoding="utf-8")
        own = [f"--mutants={part}", f"--map={work}", f"--results={results}"]
        arguments.append([*_files(tree), *own, f"--budget={options.budget}"])
    if mutants:
        _run(tree, arguments, options.minutes)
    if not _read(results):
        raise SystemExit("No mutant was tried: a test file does not import. Run pytest first.")


def _report(drawn: int, tried: dict[str, dict]) -> None:
    """Print survivors and the share of them among mutants that are not equivalent."""
    known = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))["mutant"]
    equivalent = {entry["key"] for entry in known}
    results = list(tried.values())
    alive = [r for r in results if r["fate"] in ALIVE]
    equal = [r for r in alive if r["key"] in equivalent]
    survivors = [r for r in alive if r["key"] not in equivalent]
    stopped = [r for r in results if r["fate"] == "timeout"]
    for record in sorted([*survivors, *stopped], key=lambda r: (r["fate"], r["key"])):
        print(f"{record['fate']:9} ({record['tests']:3} tests) {record['key']}")
    count = Counter(r["fate"] for r in results)
    counted = len(results) - len(equal) - count["not applied"]
    print(f"{drawn} mutants drawn, {len(results)} tried: {dict(count)}.")
    print(f"{len(equal)} survivors are equivalent to the original (equivalent.toml).")
    if counted:
        print(f"{len(survivors)} of the other {counted} survive: {len(survivors) / counted:.1%}.")
        if stopped:
            print(f"{len(stopped)} of those killed were stopped at the limit of time.")


if __name__ == "__main__":
    main()
