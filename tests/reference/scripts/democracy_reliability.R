suppressMessages({library(lavaan); library(jsonlite)})
m <- "dem60 =~ y1 + y2 + y3 + y4\ndem65 =~ y5 + y6 + y7 + y8\ndem65 ~ dem60\ny2 ~~ y4\ny6 ~~ y8"
f <- sem(m, PoliticalDemocracy, control = list(rel.tol = 1e-14), optim.force.converged = TRUE)
e <- lavInspect(f, "est"); phi <- lavInspect(f, "cov.lv")
share <- function(k, j) { l <- sum(e$lambda[k, j])^2 * phi[j, j]; l / (l + sum(e$theta[k, k])) }
items <- paste0("y", 1:8)
write_json(list(provenance = "lavaan 0.6-14, R 4.2.2: share of true variance of the sums of answers, from estimates and the model's error covariances; PoliticalDemocracy of lavaan; script scripts/democracy_reliability.R",
  model = m, items = items, n = 75, cov = cov(PoliticalDemocracy[, items]), chisq = unname(fitMeasures(f, "chisq")),
  rho_c = c(share(1:4, 1), share(5:8, 2))), "../democracy_reliability.json", auto_unbox = TRUE, digits = 12)
