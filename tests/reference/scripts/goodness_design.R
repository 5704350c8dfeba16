# Calibration, scores of predictions and fit by groups of a sample with strata, clusters and a
# finite population.
# Rscript tests/reference/scripts/goodness_design.R   (writes tests/reference/goodness_design.json)
suppressMessages({library(survey); library(jsonlite)})
d <- read.csv("tests/reference/mobi_survey_data.csv")
d$points <- (d$CUSA1 - 1) / 9 * 100
d$again <- (d$CUSL1 - 1) / 9
d$eta <- (d$points - 50) / 25            # predictions from elsewhere, and others
d$other <- (d$points - 40) / 30 + (d$points / 100)^2
d$part <- d$id %% 4
d$all <- 400
log_score <- function(eta, y) -(y * plogis(eta, log.p = TRUE) + (1 - y) * plogis(-eta, log.p = TRUE))
told <- function(design) {
  large <- svyglm(again ~ 1 + offset(eta), design, family = quasibinomial)
  both <- svyglm(again ~ eta, design, family = quasibinomial)
  gap <- coef(both) - c(0, 1)
  k <- 2; f <- degf(design)
  W <- drop(gap %*% solve(vcov(both), gap))
  statistic <- W * (f - k + 1) / (k * f)
  design <- update(design,
    brier = (again - plogis(other))^2 - (again - plogis(eta))^2,
    logs = log_score(other, again) - log_score(eta, again),
    gain = (again - plogis(eta)) * (other - eta))
  m <- svymean(~brier + logs + gain, design)
  # the score of group means: residuals of dummies regressed on the constant and the index
  fit <- svyglm(again ~ points, design, family = quasibinomial)
  w <- weights(design); mu <- fitted(fit); v <- mu * (1 - mu)
  X <- cbind(1, d$points); Z <- outer(d$part, 0:3, "==") + 0
  Z <- Z - X %*% solve(t(X) %*% (w * v * X), t(X) %*% (w * v * Z))
  u <- Z * (d$again - mu)
  total <- svytotal(u[, 1:3], design)    # of four sums three are free, whichever is left out
  Wg <- drop(coef(total) %*% solve(vcov(total), coef(total)))
  kg <- 3
  list(intercept = coef(large)[[1]], intercept_se = SE(large)[[1]],
       slope = coef(both)[[2]], slope_se = SE(both)[[2]],
       statistic = statistic, p = pf(statistic, k, f - k + 1, lower.tail = FALSE),
       scores = list(mean = unname(coef(m)), se = unname(SE(m)),
                     p = pt(coef(m)[["gain"]] / SE(m)[[3]], f, lower.tail = FALSE)),
       groups = list(statistic = Wg * (f - kg + 1) / (kg * f),
                     p = pf(Wg * (f - kg + 1) / (kg * f), kg, f - kg + 1, lower.tail = FALSE)),
       degf = f)
}
design <- function(...) svydesign(weights = ~weight, data = d, ...)
out <- list(
  provenance = list(
    program = paste("R", getRversion(), "with survey", packageVersion("survey")),
    how = "tests/reference/scripts/goodness_design.R"),
  strata = told(design(ids = ~psu, strata = ~stratum)),
  full = told(design(ids = ~psu, strata = ~stratum, fpc = ~fpc)),
  rows_of_400 = told(design(ids = ~1, fpc = ~all)))
write(toJSON(out, digits = 15, auto_unbox = TRUE), "tests/reference/goodness_design.json")
