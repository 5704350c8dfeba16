# Rubin's rules: estimates and errors of five imputations, pooled. R 4.2.2, mice 3.15.0.
# Run in tests/reference: Rscript scripts/pooling.R > pooling.json
suppressMessages({library(mice); library(jsonlite)})
q <- c(2.11, 2.35, 1.98, 2.54, 2.21)
u <- c(.31, .29, .35, .33, .30)^2
one <- function(df) {
  p <- pool.scalar(q, u, n = df + 1, k = 1)
  list(df = df, estimate = p$qbar, variance = p$t, pooled_df = p$df, fmi = p$fmi)
}
cat(toJSON(list(
  meta = list(program = "R mice", version = as.character(packageVersion("mice")),
              script = "scripts/pooling.R"),
  estimates = q, errors = sqrt(u), cases = lapply(c(9, 21, 249, 1e7), one)),
  auto_unbox = TRUE, digits = 16))
