# Weights adjusted to margins, trimmed, and the errors that remain; mobi_survey_data.csv.
# Run in tests/reference: Rscript scripts/mobi_survey_weights.R > mobi_survey_weights.json
# R 4.2.2, survey 4.1-1.
suppressMessages({library(survey); library(jsonlite)})
d <- read.csv("mobi_survey_data.csv")
sex <- data.frame(sex = c("f", "m"), Freq = c(5200, 4800))
age <- data.frame(age = c("18-34", "35-54", "55+"), Freq = c(2900, 3700, 3400))
cells <- data.frame(sex = rep(c("f", "m"), 3), age = rep(age$age, each = 2),
                    Freq = c(1500, 1400, 1900, 1800, 1800, 1600))
full <- svydesign(~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE)
totals <- c(`(Intercept)` = 10000, sexm = 4800, `age35-54` = 3700, `age55+` = 3400)
with_number <- c(totals, CUSA1 = 78000)
tight <- list(epsilon = 1e-12, maxit = 200)
designs <- list(
  poststrat_sex = postStratify(full, ~sex, sex),
  poststrat_cells = postStratify(full, ~sex + age, cells),
  raking = calibrate(full, ~sex + age, totals, calfun = "raking", epsilon = 1e-12, maxit = 200),
  linear = calibrate(full, ~sex + age, totals, epsilon = 1e-12, maxit = 200),
  linear_number = calibrate(full, ~sex + age + CUSA1, with_number, epsilon = 1e-12, maxit = 200),
  logit = calibrate(full, ~sex + age, totals, calfun = "logit", bounds = c(.3, 3),
                    epsilon = 1e-12, maxit = 200))
by_rake <- rake(full, list(~sex, ~age), list(sex, age), control = tight)
one <- function(design) {
  m <- svymean(~CUSA1 + CUSA2 + CUSA3, design)
  b <- svyby(~CUSA1, ~region, design, svymean)
  list(weights = as.numeric(weights(design)), mean = as.numeric(coef(m)), se = as.numeric(SE(m)),
       region = as.character(b$region), by_region = as.numeric(coef(b)),
       by_region_se = as.numeric(SE(b)))
}
jkn <- as.svrepdesign(full, type = "JKn")
raked <- calibrate(jkn, ~sex + age, totals, calfun = "raking", epsilon = 1e-12, maxit = 200)
replicates <- svymean(~CUSA1 + CUSA2 + CUSA3, raked)
bounds <- list(both = c(10, 120), upper = c(0, 60))
trimmed <- lapply(bounds, function(b)
  as.numeric(weights(trimWeights(designs$raking, lower = b[1], upper = b[2], strict = TRUE))))
cat(toJSON(list(
  meta = list(program = "R survey", version = as.character(packageVersion("survey")),
              script = "scripts/mobi_survey_weights.R"),
  designs = lapply(designs, one), rake = one(by_rake),
  replicates = list(mean = as.numeric(coef(replicates)), se = as.numeric(SE(replicates))), bounds = bounds, trimmed = trimmed),
  auto_unbox = TRUE, digits = 16))
