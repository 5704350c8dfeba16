# Hazards, group means and slopes of a sample with strata, clusters and a finite population.
# Rscript tests/reference/scripts/outcomes_design.R   (writes tests/reference/outcomes_design.json)
suppressMessages({library(survey); library(survival); library(jsonlite)})
d <- read.csv("tests/reference/mobi_survey_data.csv")
d$points <- (d$CUSA1 - 1) / 9 * 100
d$gap <- d$points - (d$CUSA2 - 1) / 9 * 100
d$below <- pmin(d$gap, 0)
d$above <- pmax(d$gap, 0)
d$months <- 1 + (d$id * 7) %% 23
d$left <- as.integer(d$id %% 5 < 2 | d$CUSA1 < 6)
d$spoke <- as.integer(d$id %% 3 == 0)
d$group <- ifelse(d$spoke == 0, "no complaint",
                  ifelse(d$CUSCO >= 8, "handled well", "handled badly"))
d$step <- ifelse(d$CUSA1 >= 9, "top", ifelse(d$CUSA1 >= 7, "next", "other"))
d$old <- as.integer(d$age == "55+")
d$again <- (d$CUSL1 - 1) / 9
d$all <- 400
told <- function(design) {
  cox <- svycoxph(Surv(months, left) ~ points, design)
  g <- svyby(~CUSL1, ~group, design, svymean, covmat = TRUE)
  well <- svycontrast(g, c("handled well" = 1, "no complaint" = -1))
  s <- svyby(~CUSL1, ~step, design, svymean, covmat = TRUE)
  drop <- svycontrast(s, c(top = 1, "next" = -1))
  h <- svyby(~high, ~old, design, svymean, covmat = TRUE)
  apart <- svycontrast(h, c("1" = 1, "0" = -1))
  sides <- svyglm(CUSCO ~ points + below + above, design)
  slope <- svyglm(again ~ points, design)
  list(cox = list(b = coef(cox)[[1]], se = SE(cox)[[1]]),
       groups = list(names = g$group, mean = unname(coef(g)), se = unname(SE(g)),
                     difference = coef(well)[[1]], difference_se = SE(well)[[1]]),
       drop = list(estimate = coef(drop)[[1]], se = SE(drop)[[1]]),
       buying = list(share = rev(unname(coef(h))), se = rev(unname(SE(h))),
                     difference = coef(apart)[[1]], difference_se = SE(apart)[[1]]),
       rate = list(share = coef(svymean(~spoke, design))[[1]], se = SE(svymean(~spoke, design))[[1]]),
       sides = list(b = unname(coef(sides)), se = unname(SE(sides))),
       slope = list(b = coef(slope)[[2]], se = SE(slope)[[2]]),
       degf = degf(design))
}
design <- function(...) svydesign(weights = ~weight, data = d, ...)
out <- list(
  provenance = list(
    program = paste("R", getRversion(), "with survey", packageVersion("survey"), "and survival", packageVersion("survival")),
    how = "tests/reference/scripts/outcomes_design.R"),
  strata = told(design(ids = ~psu, strata = ~stratum)),
  full = told(design(ids = ~psu, strata = ~stratum, fpc = ~fpc)),
  rows_of_400 = told(design(ids = ~1, fpc = ~all)))
write(toJSON(out, digits = 15, auto_unbox = TRUE), "tests/reference/outcomes_design.json")
