# Shares with limits on the logit, net scores, ratios and weighted satisfaction of
# mobi_survey_data.csv under six designs, of all and by region.
# Run in tests/reference: Rscript scripts/mobi_measures.R > mobi_measures.json
# R 4.2.2, survey 4.1-1.
suppressMessages({library(survey); library(jsonlite)})
d <- read.csv("mobi_survey_data.csv")
d$top <- as.numeric(d$CUSA1 >= 9)
d$net <- as.numeric(d$CUSA1 >= 7) - as.numeric(d$CUSA1 <= 4)
d$nps <- as.numeric(d$CUSL1 >= 9) - as.numeric(d$CUSL1 <= 6)
d$each <- d$CUSL1 / d$CUSA1
d$gap <- d$CUSA2 - d$CUSA3
designs <- list(
  plain = svydesign(~1, weights = ~one, data = transform(d, one = 1)),
  weights_only = svydesign(~1, weights = ~weight, data = d),
  strata_only = svydesign(~1, strata = ~stratum, weights = ~weight, data = d),
  clusters_only = svydesign(~psu, weights = ~weight, data = transform(d, psu = 100 * stratum + psu)),
  full = svydesign(~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE),
  full_fpc = svydesign(~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc, data = d, nest = TRUE)
)
two <- function(x) list(estimate = as.numeric(coef(x)), se = as.numeric(SE(x)))
of_design <- function(design) {
  ci <- svyciprop(~top, design, method = "logit")
  all <- svymean(~CUSA1 + CUSA2 + CUSA3 + CUSL1 + CUSL2 + CUSL3, design)
  weighted <- svycontrast(all, quote(
    (CUSL1 * CUSA1 + CUSL2 * CUSA2 + CUSL3 * CUSA3) / (CUSL1 + CUSL2 + CUSL3)))
  normal <- svycontrast(all, quote(CUSL1 / (CUSL1 + CUSL2 + CUSL3)))
  by <- function(f) { r <- svyby(f, ~region, design, svymean, covmat = TRUE)
    k <- svycontrast(r, c(E = 0, N = 1, S = -1)); c(two(r), list(difference = two(k))) }
  parts <- split(seq_len(nrow(d)), d$region)
  df <- sapply(parts, function(rows) degf(design[rows, ]))
  pair <- degf(design[d$region != "E", ])
  list(degf = degf(design), degf_region = as.numeric(df), degf_N_S = pair,
       top = c(two(svymean(~top, design)), list(limits = as.numeric(attr(ci, "ci")))),
       net = two(svymean(~net, design)), nps = two(svymean(~nps, design)),
       ratio = two(svyratio(~CUSL1, ~CUSA1, design)), each = two(svymean(~each, design)),
       gap = two(svymean(~gap, design)), weighted = two(weighted), normal = two(normal),
       top_by_region = by(~top), gap_by_region = by(~gap))
}
cat(toJSON(list(
  versions = list(R = R.version.string, survey = as.character(packageVersion("survey"))),
  script = "scripts/mobi_measures.R",
  designs = lapply(designs, of_design)), auto_unbox = TRUE, digits = 15))
