# Run in this folder: Rscript mobi_equality.R
# One label on fixed and free parameters, and group.equal of every kind.
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv"); d$g <- rep(c("a", "b"), 125)
polished <- function(...) {  # the tightest stopping rule that lavaan reaches
  for (tolerance in 10^-(14:9)) {
    fit <- suppressWarnings(sem(..., control = list(rel.tol = tolerance, iter.max = 20000, eval.max = 40000)))
    if (lavInspect(fit, "converged")) return(fit)
  }
  stop("not converged")
}
result <- function(fit) {
  e <- parameterEstimates(fit)
  if (is.null(e$group)) e$group <- 1
  e <- e[e$op != "==", ]
  list(chisq = fit@test[[1]]$stat, df = fit@test[[1]]$df,
       estimates = list(lhs = e$lhs, op = e$op, rhs = e$rhs, group = e$group, est = e$est, se = e$se))
}
image <- "I =~ a*IMAG1 + a*IMAG2 + a*IMAG3 + a*IMAG4"
labels <- list(
  all = list(text = image, estimator = "ML"),
  gls = list(text = image, estimator = "GLS"),
  uls = list(text = image, estimator = "ULS"),
  dwls = list(text = image, estimator = "DWLS"),
  fixed = list(text = "I =~ IMAG1 + 0.5*IMAG2 + b*IMAG2 + b*IMAG3 + IMAG4", estimator = "ML"),
  path = list(text = "Q =~ PERQ1 + k*PERQ2 + 0.8*PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ k*Q", estimator = "ML"),
  constraint = list(text = "I =~ a*IMAG1 + b*IMAG2 + c*IMAG3 + IMAG4\nb == a", estimator = "ML"),
  error = list(text = "I =~ IMAG1 + IMAG2 + IMAG3 + IMAG4\nIMAG1 ~~ e*IMAG1 + 1.5*IMAG1\nIMAG2 ~~ e*IMAG2", estimator = "ML"))
out <- list(provenance = "lavaan 0.6-14, R 4.2.2: sem on data/mobi.csv, groups a, b, a, b, ...; the tightest rel.tol of 1e-14 to 1e-9 that converges; script scripts/mobi_equality.R")
for (name in names(labels)) {
  one <- labels[[name]]
  out$labels[[name]] <- c(one, result(polished(one$text, d, estimator = one$estimator)))
}
m <- "Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\n"
text <- paste0(m, "S ~ Q")
joined <- paste0(m, "S ~~ Q")
errors <- paste0(text, "\nPERQ1 ~~ PERQ2")
groups <- list(
  list(text, c("loadings", "intercepts")), list(text, c("loadings", "intercepts", "means")),
  list(text, "means"), list(text, "lv.variances"), list(text, "residuals"), list(text, "regressions"),
  list(text, c("loadings", "lv.variances")), list(errors, "residuals"), list(errors, "residual.covariances"),
  list(joined, "lv.covariances"), list(joined, c("loadings", "lv.variances", "lv.covariances", "residuals", "intercepts", "means")),
  list(joined, "loadings", TRUE), list(joined, c("loadings", "lv.variances"), TRUE),
  list(joined, c("loadings", "lv.variances", "lv.covariances"), TRUE), list(joined, "lv.covariances", TRUE),
  list(joined, c("loadings", "intercepts", "means"), TRUE),
  list(paste0(m, "S ~ c(0, NA)*Q"), "regressions"), list(paste0(m, "S ~ c(NA, 0)*Q"), "regressions"),
  list(paste0(m, "S ~ c(p, q)*Q"), "regressions"), list(paste0(m, "S ~ c(p, p)*Q"), "none"),
  list(paste0("Q =~ PERQ1 + c(p, p)*PERQ2 + PERQ3\nS =~ CUSA1 + c(p, q)*CUSA2 + CUSA3\nS ~ Q"), "none"),
  list(paste0(text, "\nQ ~ c(0, NA)*1\nS ~ c(0, NA)*1"), c("loadings", "intercepts")),
  list(paste0(text, "\nQ ~ c(0, NA)*1\nS ~ c(0, NA)*1"), c("loadings", "intercepts", "means")),
  list(paste0(m, "S ~ c(p, q)*Q\nd := p - q"), "loadings"))
for (one in groups) {
  std <- length(one) > 2
  fit <- polished(one[[1]], d, group = "g", meanstructure = TRUE, group.equal = one[[2]], std.lv = std)
  out$groups <- c(out$groups, list(c(list(text = one[[1]], equal = as.list(one[[2]]), variance = std), result(fit))))
}
write_json(out, "../mobi_equality.json", auto_unbox = TRUE, digits = 15, na = "null")
