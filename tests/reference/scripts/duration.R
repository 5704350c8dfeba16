# Cox regressions of simulated durations on the index of mobi, from R's survival.
# Rscript tests/reference/scripts/duration.R   (writes tests/reference/duration.csv and .json)
suppressMessages({library(survival); library(jsonlite)})
set.seed(5)
index <- read.csv("tests/reference/mobi_index_scores.csv")$Satisfaction
n <- length(index)
z <- round(rnorm(n), 3); s <- sample(0:2, n, TRUE); firm <- sample(0:19, n, TRUE)
w <- round(runif(n, .3, 3), 3); entry <- sample(0:4, n, TRUE)
life <- rexp(n, .05 * exp(-.02 * (index - 60) + .3 * z)); gone <- runif(n, 1, 50)
d <- data.frame(index, z, s, firm, w, entry)
d$duration <- pmin(ceiling(pmin(life, gone)), 30) + entry
d$event <- as.numeric(life <= gone & ceiling(life) <= 30)
d$exact <- pmin(life, gone)
d$happened <- as.numeric(life <= gone)
write.csv(format(d, digits = 15), "tests/reference/duration.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("tests/reference/duration.csv")
control <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)
new <- data.frame(index = c(67, 70), z = .5)
at <- c(5, 12.5, 20)
curve <- function(f, new, at) {
  found <- summary(survfit(f, newdata = new, conf.type = "log-log"), times = at)
  list(survival = found$surv, se = found$std.err, lower = found$lower, upper = found$upper)
}
told <- function(f) list(coefficients = unname(coef(f)), covariance = unname(vcov(f)),
                         loglik = f$loglik[2], residuals = unname(residuals(f, "score")))
ph <- function(f, how) unname(cox.zph(f, transform = how)$table)
out <- list(provenance = list(
  program = paste("R", getRversion(), "with survival", packageVersion("survival")),
  how = "tests/reference/scripts/duration.R"))
f <- coxph(Surv(exact, happened) ~ index, d, control = control)
medians <- summary(survfit(f, newdata = new, conf.type = "log-log"))$table
out$public <- c(told(f), list(curve = curve(f, new, at), km = ph(f, "km"), median =
  unname(medians[, c("median", "0.95LCL", "0.95UCL")]), lrt = unname(2 * diff(f$loglik))))
for (ties in c("efron", "breslow")) {
  f <- coxph(Surv(duration, event) ~ index + z, d, ties = ties, control = control)
  out[[ties]] <- c(told(f), list(curve = curve(f, new, at), km = ph(f, "km"),
                                 identity = ph(f, "identity"), log = ph(f, "log")))
}
out$robust <- told(coxph(Surv(duration, event) ~ index + z, d, robust = TRUE, control = control))
out$cluster <- told(coxph(Surv(duration, event) ~ index + z, d, cluster = firm, control = control))
f <- coxph(Surv(duration, event) ~ index + z, d, weights = w, robust = TRUE, control = control)
out$weighted <- told(f)
for (ties in c("efron", "breslow"))
  out[[paste0("entry_strata_", ties)]] <- told(coxph(
    Surv(entry, duration, event) ~ index + z + strata(s), d, weights = w, cluster = firm,
    ties = ties, control = control))
f <- coxph(Surv(entry, duration, event) ~ index + z + strata(s), d, control = control)
out$entry_strata <- c(told(f), list(
  curves = lapply(0:2, function(k) curve(f, data.frame(index = 67, z = .5, s = k), c(8, 12.5))),
  identity = ph(f, "identity"), km = ph(f, "km")))
writeLines(toJSON(out, digits = NA, matrix = "rowmajor", auto_unbox = TRUE), "tests/reference/duration.json")
