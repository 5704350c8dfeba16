"""Effects that depend on another construct: what their slope is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError, OptionError, suggest
from csimodel.estimators import Solution
from csimodel.findings import listed
from csimodel.model import Model
from csimodel.model.terms import Product
from csimodel.options import shown

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ModeratedEffect:
    """The effect of a construct on another as a polynomial in a moderator.

    Attributes
    ----------
    target, source, at
        Names of constructs.
    powers
        Names of sources of the target, the power of the moderator that their paths go with, and
        how often they count.
    """

    target: str
    source: str
    at: str
    powers: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, model: Model, target: str, source: str, at: str | None) -> ModeratedEffect:
        """Look up the products that the effect depends on.

        Raises
        ------
        ModelError
            When a construct is not in the model, or no product makes the effect depend on `at`.
        OptionError
            When the source is the target, or the effect depends on several constructs and none is
            named.
        """
        given = {"target": target, "source": source} | ({} if at is None else {"at": at})
        constructs = [name for name in model.construct_names if name not in model.products]
        for option, name in given.items():
            if name not in constructs:
                raise ModelError(
                    f"{option}={shown(name)} is no construct of the model"
                    f"{suggest(str(name), constructs)}; it has {listed(constructs, 12)}."
                )
        if source == target:
            raise OptionError(
                f"source={shown(source)} is the target too, and a construct has no effect on "
                "itself; name a construct that explains it."
            )
        products = list(_products(model, target, source))
        moderators = list(dict.fromkeys(name for _, rest in products for name in sorted({*rest})))
        alone = [name for name in moderators if any({*rest} == {name} for _, rest in products)]
        if not alone:
            raise ModelError(
                f"No product of {source!r} with another construct leads to {target!r}, so its "
                f"effect is the same everywhere; add one, as in '{target} ~ {source}^2'."
            )
        if at is None and len(alone) > 1:
            raise OptionError(
                f"The effect of {source!r} on {target!r} depends on {listed(alone)}; say at which "
                f"it is wanted, as in at={alone[0]!r}."
            )
        chosen = alone[0] if at is None else at
        if chosen not in alone:
            raise ModelError(
                f"No product of {source!r} and {chosen!r} leads to {target!r}; its effect depends "
                f"on {listed(alone)}."
            )
        powers = [(source, 0, 1)]
        for term, rest in products:
            if {*rest} == {chosen}:
                powers.append((term.name, len(rest), Counter(term.factors)[source]))
        return cls(target, source, chosen, tuple(powers))

    @property
    def products(self) -> list[str]:
        """Names of the products."""
        return [name for name, power, _ in self.powers if power]

    def slopes(self, solution: Solution, values: Floats) -> Floats:
        """Return the slope at values of the moderator, (..., values)."""
        names = list(solution.model.construct_names)
        paths = solution.estimates.paths[..., names.index(self.target), :]
        own = paths[..., [names.index(name) for name, _, _ in self.powers]]
        basis = np.array([times * values**power for _, power, times in self.powers])
        return np.asarray(own @ basis)

    def change(self, solution: Solution) -> Floats:
        """Return what the slope changes by for a unit of the moderator at its mean, (..., 1)."""
        names = list(solution.model.construct_names)
        paths = solution.estimates.paths[..., names.index(self.target), :]
        once = [(names.index(name), times) for name, power, times in self.powers if power == 1]
        parts = [paths[..., place] * times for place, times in once]
        return np.asarray(sum(parts, np.zeros(paths.shape[:-1])))[..., None]

    def of_products(self, solution: Solution) -> Floats:
        """Return the paths of the products, unstandardised and standardised in turn, (..., any)."""
        names = list(solution.model.construct_names)
        own = [names.index(name) for name in self.products]
        row = names.index(self.target)
        both = [
            paths[..., row, own]
            for paths in (solution.estimates.paths, solution.standardized_paths)
        ]
        return np.stack(both, axis=-1).reshape(*both[0].shape[:-1], -1)


def _products(model: Model, target: str, source: str) -> Iterator[tuple[Product, tuple[str, ...]]]:
    """Yield products of a source that lead to a target, with their other factors."""
    sources = model.sources_of(target)
    for term in model.terms:
        if isinstance(term, Product) and term.name in sources and source in term.factors:
            rest = list(term.factors)
            rest.remove(source)
            yield term, tuple(rest)
