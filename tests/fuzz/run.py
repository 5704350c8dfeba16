"""Play many cases and print what broke the rule, by cause.

python tests/fuzz/run.py --cases 500 --seed 0
python tests/fuzz/run.py --recipe "Recipe(…)" --parts money
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import surveys
from fuzz.calls import PARTS, parts_of, play
from fuzz.judge import Failure, Judge


def cases(count: int, start: int):
    """Return distinct recipes."""
    drawn: dict[surveys.Recipe, None] = {}
    settled = settings(
        max_examples=count, phases=[Phase.generate], database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    for attempt in range(start, start + 1000):
        if len(drawn) >= count:
            break

        @seed(attempt)
        @settled
        @given(surveys.recipes())
        def draw(recipe: surveys.Recipe) -> None:
            drawn[recipe] = None

        draw()
    return list(drawn)[:count]


def main() -> int:
    """Run the command."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", type=int, default=500)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--parts", nargs="*", choices=list(PARTS), default=None)
    options.add_argument("--each", type=int, default=5, help="parts of the calls in each case")
    options.add_argument("--recipe", default="", help="one case, as a failure prints it")
    options.add_argument("--part-of", default="1/1", help="every k-th case, such as 2/4")
    chosen = options.parse_args()
    if chosen.recipe:
        recipes = [eval(chosen.recipe, {"Recipe": surveys.Recipe})]
    else:
        which, of = map(int, chosen.part_of.split("/"))
        recipes = cases(chosen.cases, chosen.seed)[which - 1 :: of]
    found: dict[str, list[tuple[surveys.Recipe, Failure]]] = defaultdict(list)
    calls = answers = 0
    begun = time.perf_counter()
    for number, recipe in enumerate(recipes, 1):
        judge = Judge(recipe.floats)
        case = judge("make", surveys.make, recipe)
        if case is not None:
            play(case, judge, chosen.parts or parts_of(recipe, chosen.each))
        calls += judge.calls
        answers += judge.answers
        for failure in judge.failures:
            if failure.cause not in found:
                print(
                    f"{failure.cause}\n    {failure.call}: {failure.detail}\n    {recipe}",
                    flush=True,
                )
            found[failure.cause].append((recipe, failure))
        if sys.stderr.isatty() or number % 10 == 0:
            took = time.perf_counter() - begun
            print(
                f"{number} cases, {calls} calls, {len(found)} causes, {took:.0f} s", file=sys.stderr
            )
    for cause, several in sorted(found.items(), key=lambda pair: -len(pair[1])):
        recipe, failure = min(several, key=lambda pair: len(str(pair[0])))
        in_cases = len({one for one, _ in several})
        print(f"\n{len(several)} × in {in_cases} cases: {cause}")
        print(f"    {failure.call}: {failure.detail}")
        print(f"    {recipe}")
    total = sum(map(len, found.values()))
    print(
        f"\n{len(set(recipes))} distinct cases, {calls} calls, {answers} answers, {total} failures "
        f"of {len(found)} causes, {time.perf_counter() - begun:.0f} s"
    )
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
