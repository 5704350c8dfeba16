"""The model as a frozen value that is read from text and written as text."""

from __future__ import annotations

from functools import cached_property

from csimodel.errors import ModelError
from csimodel.model.semopy_text import parse_semopy, render_semopy
from csimodel.model.specification import Specification
from csimodel.model.stages import stages_of
from csimodel.model.syntax import parse
from csimodel.model.writing import render, render_lavaan


class Model(Specification):
    """A structural equation model of customer satisfaction.

    Parameters
    ----------
    constructs
        Made with `reflective` or `composite`; their order is kept in every table.
    paths
        Pairs ``(source, target)`` of construct names. They are kept in the order of the targets,
        then of the sources, in `constructs`, however they are given.
    parameters
        What is said of single parameters of a covariance structure: fixed values, starts, labels,
        bounds, covariances, intercepts, in one order however they are given. PLS takes none.
    definitions
        Quantities computed from labelled parameters.
    name
        For titles; it does not tell models apart.
    restrictions
        Linear equations of labels.
    terms
        Products and constructs of constructs, of `csimodel.model.terms`; paths name them like
        constructs, among which they stand last. `stages` has what they are estimated in.

    Raises
    ------
    ModelError
        For a construct named twice, an item that a composite or a single item shares with another
        construct, a path from or to an unknown construct
        (with the nearest spelling), a path to itself or given twice, a cycle, a
        construct that no path reaches while others have paths, a parameter the model does not
        have or that is told two things, a definition of unknown labels, or a term that does not
        fit its constructs and paths.

    Examples
    --------
    >>> from csimodel.model import reflective
    >>> model = Model(
    ...     constructs=(reflective("Quality", ["q1", "q2"]), reflective("Loyalty", ["l1", "l2"])),
    ...     paths=(("Quality", "Loyalty"),),
    ... )
    >>> print(model)
    Quality =~ q1 + q2
    Loyalty =~ l1 + l2
    Loyalty ~ Quality
    """

    @classmethod
    def from_syntax(cls, text: str) -> Model:
        r"""Read lavaan-style text: ``=~``, ``<~``, ``~``, ``~~``, ``:=``, one statement a line.

        For covariance structures a term may carry modifiers: ``0.5*x`` fixes, ``NA*x`` frees,
        ``b*x`` labels (one label, one value), ``start(1)*x``, ``lower(0)*x``, ``upper(1)*x``, and
        ``c(0, NA)*x`` says it group by group. ``a ~~ b`` is a covariance, ``a ~ 1`` an intercept,
        ``total := b + c*d`` a definition; ``a == b``, ``a == 0.5``, ``a > 0`` and
        linear equations as ``b + d == 1`` restrict labels.

        A name in a path that has no items is a column of the data (``Value ~ age``), unless it is
        nearly that of a construct. An item may stand in several ``=~`` (a cross-loading).

        Names may be quoted (``"perceived value"``) and need not be ASCII (``满意度``).
        ``#`` and ``!`` start a comment; a line that ends in ``+`` goes on in the next.

        ``Quality:Value`` in a path is the product of two constructs (a moderation),
        ``Quality^2`` or ``Quality:Quality`` a square, ``A:B:C`` a product of three; the constructs
        themselves are named in the same paths. A construct whose items are constructs
        (``Quality =~ Product + Service``, or ``<~``) is of a higher order.

        Raises
        ------
        ModelError
            When a line cannot be read (it is quoted) or the model contradicts itself.

        Examples
        --------
        >>> model = Model.from_syntax("满意度 =~ s1 + s2\n忠诚 =~ l1\n忠诚 ~ 满意度")
        >>> model.paths
        (Path(source='满意度', target='忠诚'),)
        """
        return cls(**parse(text)._asdict())

    @classmethod
    def from_semopy(cls, text: str) -> Model:
        r"""Read semopy's model text: ``=~``, ``~``, ``~~``, ``START``, ``BOUND``, ``CONSTRAINT``.

        semopy fixes the first loading that has neither number nor label where no loading has a
        number; the model says so wherever that is not the first of all. The error of a single
        item is zero, as everywhere here, unless the text says otherwise. semopy keeps variances
        at zero or above; here only what `BOUND` says is kept, and a negative one is reported.

        Raises
        ------
        ModelError
            When a line cannot be read, or says what this package's models cannot.

        Examples
        --------
        >>> print(Model.from_semopy("A =~ k*a1 + a2 + a3\nSTART(0.8) k"))
        A =~ NA*a1 + k*a1 + start(0.8)*a1 + 1*a2 + a3
        """
        return cls(**parse_semopy(text)._asdict())

    @cached_property
    def stages(self) -> tuple[Model, ...]:
        """What is estimated one after another, last the model itself; itself alone without terms.

        >>> from csimodel.model import catalogue
        >>> len(catalogue.ecsi().stages)
        1
        """
        return stages_of(self)

    def to_syntax(self) -> str:
        """Write the model as text that `from_syntax` reads back to an equal model.

        Raises
        ------
        ModelError
            For a name that cannot be quoted: with both kinds of quotes, or a line break.
        """
        whole = render(self, brief=False)
        if not self.observed:
            return whole
        try:
            text = render(self, brief=True)
            return text if Model.from_syntax(text) == self else whole
        except ModelError:  # a name that is nearly another's must be defined
            return whole

    def to_lavaan(self) -> str:
        """Write the model for lavaan, the error of a single item fixed to zero.

        Raises
        ------
        ModelError
            For a composite, and for names that lavaan cannot read.
        """
        return render_lavaan(self)

    def to_semopy(self) -> str:
        """Write the model for semopy, the error of a single item fixed to zero.

        Starts and bounds become ``START`` and ``BOUND`` lines on labels (``_p1`` where the model
        has none); loadings of a construct of which none is fixed start at 1, since semopy does not
        end without. semopy keeps variances at zero or above, whatever the model here says, so it
        stops short of the optimum where that has a negative one. A model with intercepts needs
        ``semopy.ModelMeans``.

        Raises
        ------
        ModelError
            For what semopy cannot be told: composites, names it cannot read, values by group,
            definitions, intercepts of constructs.
        """
        return render_semopy(self)

    def __str__(self) -> str:
        return self.to_syntax()
