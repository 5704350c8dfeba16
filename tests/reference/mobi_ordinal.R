# Makes mobi_ordinal.json; run from this folder with R 4.2.2, lavaan 0.6-14 and jsonlite.
suppressMessages(library(lavaan))
raw <- read.csv("../../data/mobi.csv")
five <- as.data.frame(lapply(raw, function(x) cut(x, c(0, 4, 6, 7, 8, 10), labels = FALSE)))

# Statistics and n times their asymptotic covariance, of the items in the order given.
statistics <- function(data, items, ordered, weights = NULL, whole = TRUE) {
  ordered <- intersect(ordered, items)
  syntax <- paste("f =~", paste(items, collapse = " + "))
  fit <- suppressWarnings(cfa(syntax, data, ordered = ordered, estimator = "WLSMV",
                              sampling.weights = weights))
  s <- lavInspect(fit, "sampstat")
  g <- lavInspect(fit, "gamma")
  out <- list(items = items, ordered = ordered, n = lavInspect(fit, "nobs"),
              cov = matrix(as.numeric(s$cov), length(items)),
              mean = as.numeric(s$mean), thresholds = as.numeric(s$th),
              threshold_names = names(s$th), observed = as.numeric(lavInspect(fit, "wls.obs")),
              gamma_names = rownames(g), gamma_diagonal = as.numeric(diag(unclass(g))))
  out$gamma_diagonal <- signif(out$gamma_diagonal, 10)
  if (whole) out$gamma <- matrix(signif(as.numeric(g), 10), nrow(g))
  out
}

few <- c("CUEX1", "CUEX2", "CUEX3", "CUSA1", "CUSA2", "CUSA3")
mixed <- raw
for (v in few) mixed[[v]] <- five[[v]]
turns <- c("IMAG1", "CUEX1", "CUSA2", "PERQ1", "PERV2", "CUEX3")

# Two answers only, with a table that has an empty cell.
two <- as.data.frame(lapply(raw, function(x) as.integer(x > 7)))
corner <- data.frame(
  a = rep(c(0, 0, 1, 1), c(40, 0, 25, 35)), b = rep(c(0, 1, 0, 1), c(40, 0, 25, 35)),
  c = rep(c(0, 1), 50), d = rep(c(0, 0, 1, 1, 0), 20)
)
opposite <- data.frame(
  a = rep(c(0, 0, 1, 1), c(0, 30, 45, 25)), b = rep(c(0, 1, 0, 1), c(0, 30, 45, 25)),
  c = rep(c(0, 1), 50), d = rep(c(0, 0, 1, 1, 0), 20)
)
table_of <- function(n) data.frame(a = rep(c(0, 0, 1, 1), n), b = rep(c(0, 1, 0, 1), n))
correlation <- function(n) unclass(suppressWarnings(lavCor(table_of(n), ordered = c("a", "b"))))[2, 1]
weights <- mixed
weights$w <- 0.5 + (seq_len(nrow(raw)) %% 7) / 4

out <- list(
  provenance = paste("lavaan", packageVersion("lavaan"), "on", R.version.string,
                     "by mobi_ordinal.R: cfa(estimator = 'WLSMV'), lavInspect 'sampstat', 'gamma',",
                     "'wls.obs'; mobi recoded with cut(x, c(0, 4, 6, 7, 8, 10))"),
  ordinal_six = statistics(five, few, few),
  ordinal_all = statistics(five, names(five), names(five), whole = FALSE),
  ordinal_two_answers = statistics(two, few, few),
  mixed = statistics(mixed, turns, few),
  mixed_all = statistics(mixed, names(mixed), few, whole = FALSE),
  ten_answers = statistics(raw, names(raw), few, whole = FALSE),
  weighted_mixed = statistics(weights, turns, few, weights = "w"),
  weighted_six = statistics(weights, few, few, weights = "w"),
  corner = statistics(corner, names(corner), names(corner)),
  opposite = statistics(opposite, names(opposite), names(opposite)),
  two_by_two = lapply(list(c(40, 0, 1, 59), c(1, 0, 30, 70), c(40, 0, 0, 60), c(0, 40, 60, 0)),
                      function(n) list(counts = n, correlation = correlation(n)))
)
writeLines(jsonlite::toJSON(out, digits = 15, auto_unbox = TRUE, na = "null"),
           "mobi_ordinal.json")
