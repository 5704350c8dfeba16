# Means, domains, design effects and lonely strata of mobi_survey_data.csv under six designs.
# Run in tests/reference: Rscript scripts/mobi_survey_means.R > mobi_survey_means.json
# R 4.2.2, survey 4.1-1.
suppressMessages({library(survey); library(jsonlite)})
d <- read.csv("mobi_survey_data.csv")
designs <- list(
  weights_only = svydesign(~1, weights = ~weight, data = d),
  strata_only = svydesign(~1, strata = ~stratum, weights = ~weight, data = d),
  clusters_only = svydesign(~psu, weights = ~weight, data = transform(d, psu = 100 * stratum + psu)),
  full = svydesign(~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE),
  full_fpc = svydesign(~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc, data = d, nest = TRUE),
  brr_design = svydesign(~psu2, strata = ~stratum2, weights = ~weight, data = d, nest = TRUE)
)
of_design <- function(design) {
  m <- svymean(~index + CUSA1 + CUSL1, design, deff = TRUE)
  se <- as.numeric(SE(m)); df <- degf(design)
  ends <- function(q) list(coef(m) - q * se, coef(m) + q * se)
  t <- ends(qt(.975, df)); z <- ends(qnorm(.975))
  r <- svyby(~index, ~region, design, svymean, covmat = TRUE)
  v <- vcov(r); k <- svycontrast(r, c(E = 0, N = 1, S = -1))
  list(
    degf = df,
    mean = list(
      estimate = as.numeric(coef(m)), names = names(coef(m)), se = se,
      ci_t_lower = as.numeric(t[[1]]), ci_t_upper = as.numeric(t[[2]]),
      ci_z_lower = as.numeric(z[[1]]), ci_z_upper = as.numeric(z[[2]]),
      deff = as.numeric(deff(m))),
    by_region = list(
      region = as.character(r$region), mean = as.numeric(coef(r)), se = as.numeric(SE(r)),
      vcov = list(rows = rownames(v), cols = colnames(v), data = unname(v)),
      contrast_N_minus_S = list(diff = as.numeric(coef(k)), se = as.numeric(SE(k)))))
}
first <- d$stratum != 8 | d$psu == min(d$psu[d$stratum == 8])
lonely <- lapply(
  c(adjust = "adjust", average = "average", certainty = "certainty", remove = "remove"),
  function(how) {
    options(survey.lonely.psu = how)
    one <- svydesign(~psu, strata = ~stratum, weights = ~weight, data = d[first, ], nest = TRUE)
    m <- svymean(~index, one)
    list(mean = as.numeric(coef(m)), se = as.numeric(SE(m)))
  })
lonely$note <- "rows of stratum 8 kept only for its smallest psu number"
cat(toJSON(list(
  versions = list(R = R.version.string, survey = as.character(packageVersion("survey"))),
  call = list(
    data = "mobi_survey_data.csv: index = Satisfaction column of mobi_index_scores.csv; rep01 = (CUSL1-1)/9; high = CUSL1>=8; weight,stratum,psu,fpc (fpc = number of psus in the stratum) synthetic, seed 31415; stratum2/psu2: 12 strata of two psus, for BRR",
    note = "R survey; linearised (Taylor) unless a replicate design is named; SE, df, 95% intervals with df from degf"),
  script = "scripts/mobi_survey_means.R", lonely_psu = lonely,
  linearised = lapply(designs, of_design)), auto_unbox = TRUE, digits = 15))
