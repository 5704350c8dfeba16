# Samples of a finite population: means, regions, jackknife, lonely strata, regressions (R survey).
# Rscript tests/reference/scripts/mobi_finite_population.R   (writes mobi_finite_population.json)
suppressMessages({library(survey); library(jsonlite)})
d <- read.csv("tests/reference/mobi_survey_data.csv")
d$share <- ave(d$psu, d$stratum, FUN = function(p) length(unique(p))) / d$fpc
tight <- glm.control(epsilon = 1e-15, maxit = 100)
told <- function(design) {
  m <- svymean(~index, design)
  r <- svyby(~index, ~region, design, svymean)
  o <- svyglm(index ~ CUSCO + sex, design)
  q <- svyglm(rep01 ~ index, design, family = quasibinomial(), control = tight)
  list(mean = coef(m)[[1]], se = SE(m)[[1]], degf = degf(design),
       region = list(mean = unname(coef(r)), se = unname(SE(r))),
       ols = list(b = unname(coef(o)), se = unname(SE(o))),
       quasibinomial = list(b = unname(coef(q)), se = unname(SE(q))))
}
design <- function(...) svydesign(weights = ~weight, data = d, ...)
full <- design(ids = ~psu, strata = ~stratum, fpc = ~fpc)
d$all <- 400
out <- list(
  provenance = list(program = paste("R", getRversion(), "with survey", packageVersion("survey")),
                    how = "tests/reference/scripts/mobi_finite_population.R"),
  full = told(full),
  shares = told(design(ids = ~psu, strata = ~stratum, fpc = ~share)),
  rows_of_400 = told(design(ids = ~1, fpc = ~all)),
  clusters_of_400 = told(design(ids = ~psu, fpc = ~all)))
jk <- as.svrepdesign(full, type = "JKn")
m <- svymean(~index, jk, return.replicates = TRUE)
# of_r: deviations from the mean of all replicates; within: from the mean of the stratum's own
stratum <- rep(1:8, tapply(d$psu, d$stratum, function(p) length(unique(p))))
gap <- m$replicates - ave(m$replicates, stratum)
out$jackknife <- list(of_r = SE(m)[[1]], within = sqrt(sum(jk$rscales * gap^2)))
eighth <- d$stratum == 8
kept <- d[!eighth | d$psu == min(d$psu[eighth]), ]
for (lonely in c("adjust", "average", "certainty", "remove")) {
  options(survey.lonely.psu = lonely)
  m <- svymean(~index, svydesign(ids = ~psu, strata = ~stratum, fpc = ~fpc, weights = ~weight, data = kept))
  out$lonely[[lonely]] <- list(mean = coef(m)[[1]], se = SE(m)[[1]])
}
options(survey.lonely.psu = "fail")
kept$fpc[kept$stratum == 8] <- 1
m <- svymean(~index, svydesign(ids = ~psu, strata = ~stratum, fpc = ~fpc, weights = ~weight, data = kept))
out$certain <- list(mean = coef(m)[[1]], se = SE(m)[[1]])
write(toJSON(out, digits = 15, auto_unbox = TRUE), "tests/reference/mobi_finite_population.json")
