# Common factors of the items of mobi by maximum likelihood, stopping rules tightened, and rotated.
# Rscript tests/reference/scripts/mobi_factors.R > tests/reference/mobi_factors.json
suppressMessages(library(jsonlite))
data <- read.csv("data/mobi.csv")
matrix_of <- function(x) list(rows = rownames(x), data = unname(unclass(x)))
one <- function(k) {
  f <- factanal(data, k, rotation = "none", lower = 1e-6,
                control = list(opt = list(factr = 1e2, maxit = 5000)))
  v <- varimax(f$loadings, eps = 1e-15)
  p <- promax(v$loadings, m = 4)
  turn <- solve(v$rotmat %*% p$rotmat)
  list(factors = k, uniquenesses = as.list(f$uniquenesses), criterion = f$criteria[["objective"]],
       varimax = matrix_of(v$loadings), promax = matrix_of(p$loadings))
}
cat(toJSON(list(
  provenance = list(
    program = paste("R", getRversion()),
    how = "tests/reference/scripts/mobi_factors.R: stats::factanal, varimax and promax"),
  solutions = lapply(c(2, 3, 5), one)
), digits = 15, auto_unbox = TRUE, pretty = FALSE))
