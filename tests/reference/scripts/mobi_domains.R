# Means and regressions of domains of one design, and differences of two; mobi_survey_data.csv.
# Run in tests/reference: Rscript scripts/mobi_domains.R > mobi_domains.json
# R 4.2.2, survey 4.1-1.
suppressMessages({library(survey); library(jsonlite)})
options(survey.lonely.psu = "fail")
d <- read.csv("mobi_survey_data.csv")
d$few <- ifelse(d$stratum == 1 & d$psu == 4 | d$stratum == 2, "few",
                ifelse(d$stratum == 3, "third", "rest"))
totals <- c(`(Intercept)` = 10000, sexm = 4800, `age35-54` = 3700, `age55+` = 3400)
clustered <- svydesign(~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE)
finite <- svydesign(~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc, data = d, nest = TRUE)
two <- svydesign(~psu + id, strata = ~stratum, weights = ~weight,
                 fpc = ~fpc + rep(400, nrow(d)), data = d, nest = TRUE)
clusters <- svydesign(~interaction(stratum, psu, drop = TRUE), weights = ~weight, data = d)
weighted <- svydesign(~1, weights = ~weight, data = d)
raked <- function(design)
  calibrate(design, ~sex + age, totals, calfun = "raking", epsilon = 1e-13, maxit = 500)
designs <- list(clustered = clustered, finite = finite, two = two, clusters = clusters,
                raked = raked(clustered), raked_finite = raked(finite), raked_weights = raked(weighted))
of_domain <- function(design) {
  m <- svymean(~CUSA1 + CUSA2 + CUSA3, design)
  g <- svyglm(rep01 ~ index, design)
  list(mean = as.numeric(coef(m)), se = as.numeric(SE(m)), degf = degf(design),
       coef = as.numeric(coef(g)), coef_se = as.numeric(SE(g)))
}
of_design <- function(design) {
  difference <- function(a, b) {
    m <- svyglm(as.formula(sprintf("CUSA1 ~ I(few == '%s') + I(few == '%s')", a, setdiff(groups, c(a, b)))), design)
    as.numeric(SE(m))[2]
  }
  groups <- c("few", "rest", "third")
  list(domains = setNames(lapply(groups, function(g) of_domain(design[d$few == g, ])), groups),
       difference = list(few_rest = difference("few", "rest"), few_third = difference("few", "third")))
}
cat(toJSON(list(
  meta = list(program = "R survey", version = as.character(packageVersion("survey")),
              script = "scripts/mobi_domains.R"),
  designs = lapply(designs, of_design)), auto_unbox = TRUE, digits = 16))
