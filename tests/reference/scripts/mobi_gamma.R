# Fourth-order moments and missing-data information of five mobi items.
# Run in this folder: Rscript mobi_gamma.R
# Writes ../mobi_gamma.json and ../mobi_missing.json.
suppressMessages({library(lavaan); library(survey); library(jsonlite)})

items <- c("IMAG1", "IMAG2", "IMAG3", "CUSA1", "CUSA2")
x <- read.csv("../../../data/mobi.csv")
hidden <- read.csv("../mobi_missing_mask.csv")[names(x)]
plain <- function(m) { m <- unclass(m); dimnames(m) <- NULL; attributes(m) <- list(dim = dim(m)); m }
save <- function(o, file) writeLines(toJSON(o, digits = I(16), auto_unbox = TRUE, pretty = 1), file)
made <- function(how) list(
  program = paste0("lavaan ", packageVersion("lavaan"), ", survey ", packageVersion("survey"),
                   ", ", R.version$version.string),
  data = "data/mobi.csv", script = "scripts/mobi_gamma.R", how = how)

# ---- complete answers
one <- paste("F =~", paste(items, collapse = " + "))
fit <- cfa(one, x[items], meanstructure = TRUE, estimator = "MLM")
gamma <- plain(lavTech(fit, "gamma")[[1]])

# survey: variance of the mean of (x - centre; vech((x - centre)(x - centre)')), times n
weight <- 1 + (0:249 %% 7) / 2
cluster <- (0:249 * 13) %% 37
centre <- sapply(x[items], weighted.mean, weight)
d <- sweep(as.matrix(x[items]), 2, centre)
lower <- lower.tri(diag(5), diag = TRUE)
v <- as.data.frame(cbind(d, t(apply(d, 1, function(r) (r %o% r)[lower]))))
names(v) <- paste0("v", seq_along(v))
formula <- reformulate(names(v))
rows <- svydesign(ids = ~1, weights = weight, data = v)
clusters <- svydesign(ids = cluster, weights = weight, data = v)
save(list(
  provenance = made(paste(
    "gamma: lavTech(fit, 'gamma') of a one-factor model with a mean structure, estimator MLM;",
    "weighted, clustered: n times vcov(svymean()) of the vector about the weighted mean, weighted",
    "times 249/250 to undo survey's n/(n - 1); weights 1 + (row mod 7)/2, clusters",
    "(13 row) mod 37, rows from 0; order of vech: lower triangle by columns")),
  items = items, gamma = gamma,
  weighted = plain(250 * vcov(svymean(formula, rows))) * 249 / 250,
  clustered = plain(250 * vcov(svymean(formula, clusters)))), "../mobi_gamma.json")

# ---- 10 % missing
x[hidden == 1] <- NA
fiml <- function(h1) sem(one, x[items], missing = "fiml", estimator = "MLR",
                         h1.information = h1, observed.information = c("h1", "h1"),
                         em.h1.iter.max = 2000L, em.h1.tol = 1e-15)
fit <- fiml("structured")
implied <- fitted(fit)
free <- fiml("unstructured")
h1 <- lavTech(free, "sampstat")[[1]]
inverse <- solve(lavTech(free, "h1.information.observed")[[1]])
middle <- lavTech(free, "h1.information.first.order")[[1]]
every <- sem(paste("F =~", paste(names(x), collapse = " + ")), x, missing = "fiml",
             em.h1.iter.max = 2000L, em.h1.tol = 1e-15)
h1_every <- lavTech(every, "sampstat")[[1]]
save(list(
  provenance = made(paste(
    "cells of mobi_missing_mask.csv hidden; implied: moments of a one-factor model by FIML, logl",
    "there, and h1 information there (lavTech 'h1.information.observed', .expected,",
    ".first.order with h1.information = 'structured'); saturated: EM with em.h1.tol 1e-15, 2000",
    "steps; normal_gamma: inverse of the observed h1 information there (h1.information =",
    "'unstructured'); robust_gamma: that inverse on both sides of the first-order one;",
    "all_items: the same EM on the 24 items")),
  items = items,
  implied = list(mean = as.numeric(implied$mean), cov = plain(implied$cov)),
  logl = as.numeric(logLik(fit)),
  unrestricted_logl = as.numeric(fitMeasures(fit, "unrestricted.logl")),
  baseline_chisq = as.numeric(fitMeasures(fit, "baseline.chisq")),
  observed = plain(lavTech(fit, "h1.information.observed")[[1]]),
  expected = plain(lavTech(fit, "h1.information.expected")[[1]]),
  first_order = plain(lavTech(fit, "h1.information.first.order")[[1]]),
  saturated = list(mean = as.numeric(h1$mean), cov = plain(h1$cov)),
  normal_gamma = plain(inverse),
  robust_gamma = plain(inverse %*% middle %*% inverse),
  all_items = list(
    items = names(x), mean = as.numeric(h1_every$mean), cov = plain(h1_every$cov),
    unrestricted_logl = as.numeric(fitMeasures(every, "unrestricted.logl")),
    baseline_chisq = as.numeric(fitMeasures(every, "baseline.chisq")))),
  "../mobi_missing.json")
