# svyglm on mobi_survey_data.csv under four designs.
# Run in tests/reference: Rscript scripts/mobi_survey_regressions.R > mobi_survey_regressions.json
# R 4.2.2, survey 4.1-1.
suppressMessages({library(survey); library(jsonlite)})
d <- read.csv("mobi_survey_data.csv")
designs <- list(
  full = svydesign(~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE),
  clusters_only = svydesign(~psu, weights = ~weight, data = transform(d, psu = 100 * stratum + psu)),
  strata_only = svydesign(~1, strata = ~stratum, weights = ~weight, data = d),
  weights_only = svydesign(~1, weights = ~weight, data = d)
)
tight <- glm.control(epsilon = 1e-14, maxit = 100)
of_model <- function(formula, design, family) {
  m <- svyglm(formula, design, family = family, control = tight)
  list(coef = as.list(coef(m)), se = as.list(SE(m)))
}
of_design <- function(design) list(
  degf = degf(design),
  ols = of_model(rep01 ~ index, design, gaussian()),
  quasibinomial = of_model(rep01 ~ index, design, quasibinomial()),
  logit_high = of_model(high ~ index, design, quasibinomial()),
  probit_high = of_model(high ~ index, design, quasibinomial("probit"))
)
cat(toJSON(list(
  versions = list(R = R.version.string, survey = as.character(packageVersion("survey"))),
  call = list(
    data = "mobi_survey_data.csv: index = Satisfaction column of mobi_index_scores.csv; rep01 = (CUSL1-1)/9; high = CUSL1>=8; weight,stratum,psu,fpc (fpc = number of psus in the stratum) synthetic, seed 31415; stratum2/psu2: 12 strata of two psus, for BRR",
    note = "R survey; linearised (Taylor) unless a replicate design is named; SE, df, 95% intervals with df from degf",
    what = "svyglm on mobi_survey_data.csv: rep01 and high on index, se and degf of the design"),
  script = "scripts/mobi_survey_regressions.R",
  linearised = lapply(designs, of_design)), auto_unbox = TRUE, digits = 15))
