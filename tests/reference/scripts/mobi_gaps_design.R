# Run in this folder: Rscript mobi_gaps_design.R
# Full information with weights, clusters and two groups (from default starts, lavaan's own stop).
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv"); mask <- read.csv("../mobi_missing_mask.csv")
d[mask[names(d)] == 1] <- NA
d$w <- 0.3 + ((seq_len(250) * 37) %% 100) / 50; d$firm <- (seq_len(250) * 13) %% 41
d$group <- read.csv("../mobi_group.csv")$group
m <- paste("Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4", "Value =~ PERV1 + PERV2",
  "Satisfaction =~ CUSA1 + CUSA2 + CUSA3", "Value ~ Quality", "Satisfaction ~ Quality + Value",
  sep = "\n")
entry <- function(...) {
  fit <- suppressWarnings(sem(m, d, missing = "ml", estimator = "MLR", em.h1.tol = 1e-12,
    em.h1.iter.max = 5000L, ...))
  e <- parameterEstimates(fit)
  keep <- c("chisq", "df", "chisq.scaled", "chisq.scaling.factor", "cfi", "cfi.robust",
    "rmsea.robust", "srmr", "logl")
  list(estimates = list(lhs = e$lhs, op = e$op, rhs = e$rhs, group = e$group, est = e$est,
    se = e$se), fit_measures = as.list(fitMeasures(fit)[keep]))
}
out <- list(provenance = paste("lavaan 0.6-14, R 4.2.2: data/mobi.csv with mobi_missing_mask.csv;",
  "weights, clusters as in mobi_scaled.R; script scripts/mobi_gaps_design.R"), syntax = m,
  plain = entry(), weighted = entry(sampling.weights = "w"), clustered = entry(cluster = "firm"),
  configural = entry(group = "group"), metric = entry(group = "group", group.equal = "loadings"),
  scalar = entry(group = "group", group.equal = c("loadings", "intercepts")))
write_json(out, "../mobi_gaps_design.json", auto_unbox = TRUE, digits = 15)
