"""Simulated surveys of any size, and what is made of them before a stopwatch starts."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

import csimodel as csi

FIRST = ("Quality", "Expectation", "Satisfaction", "Loyalty", "Value", "Image", "Trust")
SCALE = (1, 10)


@dataclass(frozen=True)
class Size:
    """How large a problem is.

    Attributes
    ----------
    n
        Respondents.
    p
        Items, of all constructs.
    C
        Constructs, 3 or more.
    G
        Groups.
    D
        Draws.
    """

    n: int = 1_000
    p: int = 24
    C: int = 8
    G: int = 4
    D: int = 100

    @property
    def survey(self) -> tuple[int, int, int, int]:
        """What the survey depends on."""
        return self.n, self.p, self.C, self.G


def model_of(items: int, constructs: int) -> csi.Model:
    """Return a model whose constructs each depend on the two before, the first two on nothing."""
    names = [*FIRST, *(f"Construct{k}" for k in range(len(FIRST), constructs))][:constructs]
    blocks = np.array_split(np.arange(items), constructs)
    return csi.Model(
        tuple(
            csi.reflective(name, [f"{name.lower()}_{k}" for k in range(len(block))])
            for name, block in zip(names, blocks, strict=True)
        ),
        [(names[k - back], names[k]) for k in range(2, constructs) for back in (2, 1)],
    )


class Case:
    """One survey and what is made of it, each when it is first asked for.

    Parameters
    ----------
    size
        How large.
    folder
        Where files may be written.
    """

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.folder = size, folder
        self.model = model_of(size.p, size.C)

    def of(self, size: Size) -> "Case":
        """Return a case of the same survey with another number of draws."""
        other = Case(size, self.folder)
        other.frame, other.survey = self.frame, self.survey
        return other

    @cached_property
    def truth(self) -> csi.simulate.Population:
        """The population, whose constructs differ between firms."""
        return csi.simulate.population(
            self.model,
            paths=0.35,
            loadings=0.8,
            scale=SCALE,
            mean=7.0,
            sd=1.8,
            outcome=csi.simulate.Outcome(slope=0.005),
            firms=csi.simulate.Firms(self.size.G, between=0.1),
        )

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Answers as float64, and the columns that outcomes are regressed on, in no order."""
        n = self.size.n
        rng = np.random.default_rng(1)
        data = self.truth.survey(n, rng=1).data
        data = data.iloc[rng.permutation(n)].reset_index(drop=True)
        stay = rng.exponential(12.0, n)
        complained = rng.random(n) < 0.3
        return data.assign(
            period=rng.integers(0, 5, n),
            months=np.minimum(np.ceil(stay), 24.0),
            left=(stay < 24.0).astype(float),
            half=rng.integers(0, 2, n),
            complained=complained.astype(float),
            handling=np.where(complained, rng.integers(1, 11, n), np.nan),
        )

    @cached_property
    def survey(self) -> csi.Survey:
        """The survey, without weights and clusters."""
        return csi.read_survey(self.frame, items=self.model.items, scale=SCALE)

    @cached_property
    def table(self) -> object:
        """The answers as an Arrow table, of which a scan reads a batch at a time."""
        from pyarrow import Table

        return Table.from_pandas(self.frame[list(self.model.items)])

    @cached_property
    def patterns(self) -> csi.Survey:
        """The survey with 20 patterns of missing answers, a tenth of the cells."""
        rng = np.random.default_rng(2)
        answered = rng.random((20, self.size.p)) < 0.9
        answered[:, 0] = True
        answers = self.frame[list(self.model.items)]
        kept = answered[rng.integers(0, 20, self.size.n)]
        return csi.read_survey(
            answers.where(kept), items=self.model.items, scale=SCALE, missing="pairwise"
        )

    @cached_property
    def ordinal(self) -> pd.DataFrame:
        """The answers in five categories."""
        return np.ceil(self.frame[list(self.model.items)] / 2.0)

    @cached_property
    def clustered(self) -> csi.Survey:
        """The survey with firms as clusters."""
        return csi.read_survey(self.frame, items=self.model.items, scale=SCALE, cluster="firm")

    @cached_property
    def saved(self) -> Path:
        """The file of the bootstrap."""
        return csi.save(self.boot, self.folder / "saved.csimodel")

    def file(self, ending: str) -> Path:
        """Return the survey's file, written when first asked for."""
        path = self.folder / f"{'-'.join(map(str, self.size.survey))}.{ending}"
        if not path.exists():
            writers = {
                "csv": lambda: self.frame.to_csv(path, index=False),
                "xlsx": lambda: self.frame.to_excel(path, index=False),
                "parquet": lambda: self.frame.to_parquet(path, index=False),
                "dta": lambda: self.frame.to_stata(path, write_index=False),
            }
            writers[ending]()
        return path

    csv = cached_property(lambda self: self.file("csv"))
    xlsx = cached_property(lambda self: self.file("xlsx"))
    parquet = cached_property(lambda self: self.file("parquet"))
    dta = cached_property(lambda self: self.file("dta"))

    pls = cached_property(lambda self: csi.fit(self.model, self.survey))
    plsc = cached_property(lambda self: csi.fit(self.model, self.survey, csi.PLS(consistent=True)))
    ml = cached_property(lambda self: csi.fit(self.model, self.survey, csi.ML()))
    wlsmv = cached_property(lambda self: csi.fit(self.model, self.ordinal, csi.WLSMV()))
    clustered_pls = cached_property(lambda self: csi.fit(self.model, self.clustered))
    groups = cached_property(lambda self: csi.fit_groups(self.model, self.survey, "firm"))
    equal = cached_property(
        lambda self: csi.fit_multigroup(self.model, self.survey, "firm", equal="loadings")
    )
    boot = cached_property(lambda self: csi.bootstrap(self.pls, self.size.D, 7, progress=False))
    moderated = cached_property(
        lambda self: csi.fit(
            csi.Model.from_syntax("{}\n{} ~ {}:{}".format(*self.moderation)), self.survey
        )
    )
    moderated_boot = cached_property(
        lambda self: csi.bootstrap(self.moderated, self.size.D, 7, progress=False)
    )
    ml_boot = cached_property(lambda self: csi.bootstrap(self.ml, self.size.D, 7, progress=False))
    logit = cached_property(lambda self: self.repurchase(None))
    logit_draws = cached_property(lambda self: self.repurchase(self.boot))
    spline = cached_property(lambda self: csi.outcomes.repurchase_shape(self.logit, draws=0))
    analysis = cached_property(lambda self: self.analyze(None))

    @property
    def moderation(self) -> tuple[csi.Model, str, str, str]:
        """The model, and its third construct, which the first two explain."""
        first, second, third = self.model.construct_names[:3]
        return self.model, third, first, second

    def repurchase(
        self, bootstrap: csi.inference.Bootstrap | None, family: str = "logit"
    ) -> csi.outcomes.Repurchase:
        """Regress repurchase on the index."""
        return csi.outcomes.repurchase(
            self.pls, "repurchase", family=family, bootstrap=bootstrap, progress=False
        )

    def analyze(self, by: str | None) -> csi.report.Analysis:
        """Run the whole analysis."""
        return csi.analyze(
            self.survey,
            self.model,
            draws=self.size.D,
            outcome="repurchase",
            family="logit",
            by=by,
            progress=False,
        )
