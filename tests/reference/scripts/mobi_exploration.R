# KMO, Bartlett's test, MAP, eigenvalues for parallel analysis and exploratory factors of mobi's items.
# Rscript tests/reference/scripts/mobi_exploration.R > tests/reference/mobi_exploration.json
# psych 2.2.9 and lavaan 0.7-2.3170; random eigenvalues hang on R's random numbers (seed 20251).
suppressMessages({library(jsonlite); library(psych); library(lavaan); library(GPArotation)})
x <- read.csv("data/mobi.csv")
starts <- c("IMAG", "CUEX", "PERQ", "PERV", "CUSA", "CUSCO", "CUSL")
x <- x[, unlist(lapply(starts, function(start) grep(paste0("^", start), names(x), value = TRUE)))]
r <- cor(x); n <- nrow(x); p <- ncol(x)
matrix_of <- function(m) list(rows = rownames(m), cols = colnames(m), data = unname(unclass(m)))
squared_multiple <- function(r) { diag(r) <- smc(r); r }

# Velicer's averages of squared partial correlations, and of fourth powers, none to p - 2 components out
velicer <- function(power) sapply(0:(p - 2), function(m) {
  e <- eigen(r)
  a <- (e$vectors %*% diag(sqrt(e$values)))[, seq_len(m), drop = FALSE]
  left <- r - a %*% t(a)
  s <- left / sqrt(outer(diag(left), diag(left)))
  (sum(s^power) - p) / (p * (p - 1))
})

set.seed(20251)
random <- replicate(200, {
  own <- cor(matrix(rnorm(n * p), n, p))
  c(eigen(own)$values, eigen(squared_multiple(own))$values)
})
pc <- t(random[1:p, ]); common <- t(random[p + 1:p, ])
real <- eigen(r)$values; real_common <- eigen(squared_multiple(r))$values
above <- function(own, other) sum(cumprod(own > other))
upper <- function(m) apply(m, 2, quantile, .95, names = FALSE)

explored <- function(k, rotation) {
  s <- lavInspect(efa(x, nfactors = k, rotation = rotation, output = "lavaan"), "std")
  f <- efa(x, nfactors = k, rotation = rotation, output = "lavaan")
  list(loadings = matrix_of(s$lambda), psi = matrix_of(s$psi), theta = as.list(diag(s$theta)),
       fit = as.list(fitMeasures(f, c("chisq", "df", "pvalue", "srmr"))))
}
residual <- function(k) {
  f <- fa(x, k, rotate = "oblimin", fm = "minres")
  list(factors = k, communality = as.list(f$communality), loadings = matrix_of(f$loadings))
}
kmo <- KMO(r); test <- cortest.bartlett(r, n = n)
ways <- expand.grid(k = 3:5, rotation = c("oblimin", "geomin"), stringsAsFactors = FALSE)
ways <- ways[!(ways$k == 5 & ways$rotation == "geomin"), ]
cat(toJSON(list(
  provenance = list(
    program = paste0("R ", getRversion(), " with psych ", packageVersion("psych"), " and lavaan ",
                     packageVersion("lavaan")),
    how = "scripts/mobi_exploration.R: items of data/mobi.csv, 250 rows"),
  kmo = list(overall = kmo$MSA, items = as.list(kmo$MSAi)),
  bartlett = list(chisq = test$chisq, df = test$df),
  map = velicer(2), map4 = velicer(4),
  parallel = list(
    real_pc = real, real_smc = real_common, pc_mean = colMeans(pc), pc_q95 = upper(pc),
    smc_mean = colMeans(common), smc_q95 = upper(common),
    n_pc_mean = above(real, colMeans(pc)), n_pc_q95 = above(real, upper(pc)),
    n_smc_mean = above(real_common, colMeans(common)), n_smc_q95 = above(real_common, upper(common))),
  efa = setNames(Map(explored, ways$k, ways$rotation), paste0("k", ways$k, "_", ways$rotation)),
  principal_axis = setNames(lapply(c(3, 5), residual), paste0("minres_k", c(3, 5), "_oblimin"))
), digits = 15, auto_unbox = TRUE))
