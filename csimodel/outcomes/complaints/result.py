"""The result of `complaint_repurchase`: means by group, the recovery paradox, shares."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.findings import Finding, listed, text, wording
from csimodel.floats import own_errstate_in
from csimodel.formatting import told_p
from csimodel.options import generator_of, require_count
from csimodel.outcomes.kernels.group_means import GroupMeans
from csimodel.outcomes.literature import Published
from csimodel.outcomes.money.retention import Retention
from csimodel.outcomes.money.value import Economics
from csimodel.page import HasHeadline, Page, sections
from csimodel.translation import gettext, message

Floats = NDArray[np.float64]

_MEANS = (
    "Mean {label} is {quiet:.2f} among the satisfied who did not complain ({satisfied}), "
    "{badly:.2f} where a complaint was handled badly and {well:.2f} where it was handled well "
    "({how}): "
)
_PARADOX = _MEANS + "a recovery paradox (one-sided {p})."
_NO_PARADOX = _MEANS + "no sign of a recovery paradox (one-sided {p})."
_NOT_TESTED = _MEANS + "whether that is a recovery paradox could not be tested."
_PARADOX_UNKNOWN = (
    "Mean {label} is {quiet:.2f} without a complaint, {badly:.2f} where one was handled badly and "
    "{well:.2f} where it was handled well ({how}); as the dissatisfied who kept silent count among "
    "the first, whether that is a recovery paradox could not be tested."
)
_SILENT = (
    "Of the dissatisfied, those whose complaint was put right among them, {percent:.0f} % did not "
    "complain."
)


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Complaints(HasHeadline):
    """What complaints and their handling go with. Made by `complaint_repurchase`.

    Attributes
    ----------
    label
        What the outcome is called.
    scale
        Its lowest and highest answer.
    binary
        Whether it has only two answers.
    well_told, satisfied_told
        What counts as handled well, and as satisfied, in words; the second empty where
        satisfaction is unknown.
    names
        Of the groups, which may share respondents.
    means
        Mean repurchase of the groups, in its own units.
    rates
        Shares: who complained, of everybody, of the satisfied and of the dissatisfied, and the
        silent share of the dissatisfied; columns n, share, se, df, lower, upper (Wilson
        limits), reason. The dissatisfied are those who complained, recovered or not, and those who
        are dissatisfied still; the same shares of the latter alone, "those still dissatisfied",
        leave out whom handling has won back.
    level
        Coverage.
    findings
        What a reader must know.
    word_of_mouth
        Persons told by a dissatisfied customer, by one who complained and by one who kept silent,
        and the reach, persons told for each customer: dissatisfied times told. Columns n,
        estimate, se, df, lower, upper, reason; None where nobody was asked.
    """

    label: str
    scale: tuple[float, float]
    binary: bool
    well_told: str
    satisfied_told: str
    names: tuple[str, ...]
    means: GroupMeans
    rates: pd.DataFrame
    level: float
    findings: tuple[Finding, ...]
    word_of_mouth: pd.DataFrame | None = None

    @property
    def table(self) -> pd.DataFrame:
        """Repurchase by group, in its own units.

        Rows ``"no complaint"``, ``"complained"``; where satisfaction is known ``"satisfied, no
        complaint"`` and ``"dissatisfied, no complaint"``; ``"handled well"``, ``"handled badly"``,
        and ``"handled <answer>"`` for each answer met. Columns n, mean, se, df, lower, upper (t
        limits), probability (the mean on 0 to 1), and reason where there is no error.
        """
        low, high = self.scale
        table = self.means.contrasts(np.eye(len(self.names)), self.names, self.level)
        table = table.rename(columns={"estimate": "mean"}).drop(columns="p")
        table.insert(0, "n", self.means.n)
        table.insert(6, "probability", (table["mean"] - low) / (high - low))
        return table.rename_axis("group")

    @property
    def paradox(self) -> pd.DataFrame:
        """The recovery paradox: whether those handled well buy more than others.

        Rows ``"handled well - no complaint"``, whose others may be silently dissatisfied, and,
        where satisfaction is known, ``"handled well - satisfied, no complaint"``, which is the
        paradox that the headline is about; columns difference, se, t, df, p (one-sided: the
        difference is above 0), lower, upper (two-sided), reason. Welch's test, or with clusters
        their number less one as degrees of freedom.
        """
        others = [n for n in ("no complaint", "satisfied, no complaint") if n in self.names]
        labels = [f"handled well - {other}" for other in others]
        weights = np.stack([self._weights("handled well", other) for other in others])
        table = self.means.contrasts(weights, labels, self.level)
        table = table.rename(columns={"estimate": "difference"})
        table.insert(2, "t", table["difference"] / table["se"].where(table["se"] > 0))
        half = table["p"] / 2.0
        table["p"] = half.where(table["t"] > 0, 1.0 - half)
        columns = ["difference", "se", "t", "df", "p", "lower", "upper", "reason"]
        return table[columns]

    @property
    def gain(self) -> pd.Series:
        """Repurchase of the well handled less that of the badly handled, in its own units.

        difference, se, lower, upper.
        """
        weights = self._weights("handled well", "handled badly")
        contrast = self.means.contrasts(weights[None], ["gain"], self.level).iloc[0]
        parts = {"difference": contrast["estimate"], "se": contrast["se"]}
        return pd.Series({**parts, "lower": contrast["lower"], "upper": contrast["upper"]})

    def retention(
        self,
        group: str,
        economics: Economics | None = None,
        *,
        draws: int = 4_000,
        rng: int | np.random.Generator = 0,
    ) -> Retention:
        """Return a group's mean repurchase on 0 to 1 as a retention, with normal draws.

        Parameters
        ----------
        group
            A row of `table`.
        economics
            Its `purchases` turns probability into retention; one occasion by default.
        draws, rng
            Number of draws and their seed; groups with the same integer seed belong together.

        Raises
        ------
        OptionError
            For an unknown group.
        SurveyError
            When the group has no error to draw from.
        """
        self._require(group, self.names)
        draws = require_count("draws", draws, ", and some thousands for intervals")
        place = self.names.index(group)
        if not np.isfinite(self.means.covariance[place, place]):
            raise SurveyError(
                f"Group {group!r} has too few respondents for an error; put answers together."
            )
        low, high = self.scale
        noise = generator_of(rng).multivariate_normal(
            np.zeros(len(self.names)),
            np.nan_to_num(self.means.covariance),
            draws,
            "ignore",
            method="eigh",
        )
        share = (float(self.means.mean[place]) - low) / (high - low)
        drawn = share + noise[:, place] / (high - low)
        outside = int(((drawn < 0) | (drawn > 1)).sum())
        power = 1.0 if economics is None else economics.purchases
        return Retention(
            share**power,
            np.clip(drawn, 0.0, 1.0) ** power,
            self.level,
            "auto",
            message("{draws} normal draws of mean repurchase by complaint", draws=draws),
            tuple(self._about_draws(group, outside, draws, power)),
            origin=crc32(self.means.n.astype(np.int64).tobytes()),
            df=self.means.df(np.eye(len(self.names))[place]),
        )

    def against(self, published: Published, row: str) -> pd.DataFrame:
        """Set a published number beside yours.

        Parameters
        ----------
        published
            From `csimodel.outcomes.literature`.
        row
            A row of `rates`, or of `table` (then its probability).

        Returns
        -------
        DataFrame
            Rows yours, published; columns value, lower, upper, df, reason. For the published
            number, lower and upper are the ends of its range.

        Raises
        ------
        OptionError
            For an unknown row.

        Examples
        --------
        >>> from csimodel.outcomes import complaint_repurchase, literature
        >>> frame = pd.DataFrame({"spoke": [0] * 8 + [1] * 2, "again": [1, 0] * 5,
        ...                       "glad": [1] * 6 + [0] * 4, "how": [None] * 8 + [1, 0]})
        >>> found = complaint_repurchase(
        ...     frame, complained="spoke", handling="how", repurchase="again", satisfied="glad"
        ... )
        >>> row = "silent share of the dissatisfied"
        >>> found.against(literature.silent_share, row)["value"].tolist()
        [0.5, 0.96]
        """
        self._require(row, (*self.rates.index, *self.names))
        if row in self.rates.index:
            ours = self.rates.loc[row, ["share", "lower", "upper"]].to_numpy(dtype=np.float64)
            errors = self.rates
        else:
            low, high = self.scale
            own = self.table.loc[row, ["mean", "lower", "upper"]].to_numpy(dtype=np.float64)
            ours = (own - low) / (high - low)
            errors = self.table
        upper = published.value if published.upper is None else published.upper
        rows = [ours.tolist(), [published.value, published.value, upper]]
        table = pd.DataFrame(rows, ["yours", "published"], ["value", "lower", "upper"])
        df, reason = float(errors["df"].loc[row]), str(errors["reason"].loc[row])
        return table.assign(df=[df, np.nan], reason=[reason, ""])

    @property
    def headline(self) -> str:
        """The result in a sentence, and the silent share in another where it is known."""
        mean, known = self.table["mean"], bool(self.satisfied_told)
        p = float(self.paradox["p"].iloc[-1])
        values = {
            "label": self.label,
            "satisfied": self.satisfied_told,
            "quiet": mean["satisfied, no complaint" if known else "no complaint"],
            "badly": mean["handled badly"],
            "well": mean["handled well"],
            "how": self.well_told,
            "p": told_p(p),
        }
        if not known:
            return wording(_PARADOX_UNKNOWN, values)
        verdict = _NOT_TESTED if np.isnan(p) else _PARADOX if p < 1.0 - self.level else _NO_PARADOX
        silent = float(self.rates["share"].loc["silent share of the dissatisfied"])
        if np.isnan(silent):
            return wording(verdict, values)
        return gettext("{sentence} {next}").format(
            sentence=wording(verdict, values), next=wording(_SILENT, {"percent": 100.0 * silent})
        )

    @property
    def page(self) -> Page:
        """The result on a page."""
        tables = {
            text("{label} by complaint", label=self.label): self.table,
            text("Recovery paradox"): self.paradox,
            text("Shares"): self.rates,
        }
        if self.word_of_mouth is not None:
            tables[text("Word of mouth")] = self.word_of_mouth
        return Page(
            text("Complaints and repurchase"),
            self.headline,
            findings=self.findings,
            sections=sections(tables),
        )

    def _weights(self, group: str, other: str) -> Floats:
        """Return the weights of one group's mean less another's, (groups,)."""
        weights = np.zeros(len(self.names))
        weights[self.names.index(group)], weights[self.names.index(other)] = 1.0, -1.0
        return weights

    def _require(self, row: str, known: tuple[str, ...]) -> None:
        if row not in known:
            raise OptionError(
                f"There is no row {row!r}{suggest(row, known)}; use one of "
                f"{listed(map(repr, known), 40)}."
            )

    def _about_draws(self, group: str, outside: int, draws: int, power: float) -> list[Finding]:
        findings = []
        if not self.binary:
            findings.append(
                Finding(
                    "rating-as-probability",
                    "{label!r} is an answer on a scale, not a purchase, and its share of the scale "
                    "is taken as the probability of staying; compare with retention seen in your "
                    "books.",
                    (self.label,),
                    values={"label": self.label},
                )
            )
        if power != 1:
            findings.append(
                Finding(
                    "customers-alike",
                    "The customers of {group!r} count as alike, so that {power:g} purchases are "
                    "all made with the mean probability to that power; as they differ, it is "
                    "more."
                    if power > 1
                    else "The customers of {group!r} count as alike, so that {power:g} purchases "
                    "are made with the mean probability to that power; as they differ, it is "
                    "less.",
                    (group,),
                    values={"group": group, "power": power},
                )
            )
        if outside:
            findings.append(
                Finding(
                    "draws-outside-0-1",
                    "{outside} of {draws} draws of {group!r} left 0 to 1 and {outside:was|were} "
                    "set to the nearer end.",
                    (group,),
                    count=outside,
                    values={"outside": outside, "draws": draws, "group": group},
                )
            )
        return findings
