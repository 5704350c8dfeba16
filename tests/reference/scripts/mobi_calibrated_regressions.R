# Regressions with weights brought to margins, of all, of a region and by region; mobi_survey_data.csv.
# Run in tests/reference: Rscript scripts/mobi_calibrated_regressions.R > mobi_calibrated_regressions.json
# R 4.2.2, survey 4.1-1.
suppressMessages({library(survey); library(survival); library(jsonlite)})
d <- read.csv("mobi_survey_data.csv")
d$time <- (d$id * 7) %% 41 + 1
d$event <- as.numeric(d$id %% 3 > 0)
d$gap <- ifelse(d$id %% 7 == 0, NA, d$rep01)
totals <- c(`(Intercept)` = 10000, sexm = 4800, `age35-54` = 3700, `age55+` = 3400)
with_number <- c(totals, CUSA1 = 78000)
clustered <- svydesign(~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE)
finite <- svydesign(~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc, data = d, nest = TRUE)
weighted <- svydesign(~1, weights = ~weight, data = d)
raked <- function(design)
  calibrate(design, ~sex + age, totals, calfun = "raking", epsilon = 1e-13, maxit = 500)
designs <- list(
  full = raked(clustered), finite = raked(finite), weights_only = raked(weighted),
  linear_number = calibrate(clustered, ~sex + age + CUSA1, with_number, epsilon = 1e-13,
                            maxit = 500))
tight <- glm.control(epsilon = 1e-14, maxit = 100)
of_model <- function(formula, design, family = gaussian()) {
  m <- svyglm(formula, design, family = family, control = tight)
  list(coef = as.numeric(coef(m)), se = as.numeric(SE(m)), degf = degf(m$survey.design),
       degf_design = degf(design))
}
of_mean <- function(design) {
  m <- svymean(~CUSA1 + CUSA2 + CUSA3, design)
  list(mean = as.numeric(coef(m)), se = as.numeric(SE(m)), degf = degf(design))
}
of_cox <- function(design) {
  m <- svycoxph(Surv(time, event) ~ index, design)
  list(coef = as.numeric(coef(m)), se = as.numeric(SE(m)))
}
of_segments <- function(design) {
  m <- svyglm(high ~ 0 + region + region:index, design, family = quasibinomial(), control = tight)
  v <- unname(vcov(m))
  equal <- rbind(c(0, 0, 0, -1, 1, 0), c(0, 0, 0, -1, 0, 1))
  w <- drop(t(equal %*% coef(m)) %*% solve(equal %*% v %*% t(equal)) %*% (equal %*% coef(m)))
  list(region = levels(factor(d$region)), coef = unname(coef(m)), vcov = v, wald = w)
}
of_design <- function(design) list(
  segments = of_segments(design),
  cox = of_cox(design),
  ols = of_model(rep01 ~ index, design),
  quasibinomial = of_model(rep01 ~ index, design, quasibinomial()),
  logit = of_model(high ~ index, design, quasibinomial()),
  two = of_model(rep01 ~ index + CUSCO, design),
  region = of_model(rep01 ~ index, subset(design, region == "N")),
  gap = of_model(gap ~ index, subset(design, !is.na(gap))),
  gap_dropped = of_model(gap ~ index, design),
  mean_of_answered = of_mean(subset(design, id > 20)))
cat(toJSON(list(
  meta = list(program = "R survey", version = as.character(packageVersion("survey")),
              script = "scripts/mobi_calibrated_regressions.R"),
  designs = lapply(designs, of_design)), auto_unbox = TRUE, digits = 16))
