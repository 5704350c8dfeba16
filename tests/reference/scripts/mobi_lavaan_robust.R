# Robust and scaled fits, full information, and robust invariance of mobi.
# Run in tests/reference: Rscript scripts/mobi_lavaan_robust.R
# R 4.2.2, lavaan 0.6-14; reduced_mlr and reduced_mlm polished by Newton steps on lavaan's own gradient
# and observed information and refitted from there, the others at the default stopping rule.
suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv("../../data/mobi.csv")
gaps <- d; gaps[read.csv("mobi_missing_mask.csv")[names(d)] == 1] <- NA
syntax <- fromJSON("mobi_lavaan.json")
single <- function(text) paste(text, "CUSCO ~~ 0*CUSCO", sep = "\n")
full <- single(syntax$full_syntax); reduced <- single(syntax$reduced_syntax)
loadings <- grep("=~", strsplit(syntax$full_syntax, "\n")[[1]], fixed = TRUE, value = TRUE)
measurement <- single(paste(loadings, collapse = "\n"))
source("scripts/polished.R")
measures <- function(f) as.list(unclass(fitMeasures(f)))
entry <- function(f) {
  e <- parameterEstimates(f)
  list(fit_measures = measures(f), estimates = list(lhs = e$lhs, op = e$op, rhs = e$rhs, est = e$est, se = e$se))
}
out <- suppressWarnings(list(
  cfa_mlr = entry(cfa(measurement, d, estimator = "MLR")),
  cfa_mlm = entry(cfa(measurement, d, estimator = "MLM")),
  sem_mlr = entry(sem(full, d, estimator = "MLR")),
  sem_mlm = entry(sem(full, d, estimator = "MLM")),
  sem_mlmv = entry(sem(full, d, estimator = "MLMV")),
  sem_fiml = entry(sem(full, gaps, missing = "fiml")),
  sem_fiml_mlr = entry(sem(full, gaps, missing = "fiml", estimator = "MLR")),
  sem_ml_meanstructure = entry(sem(full, d, meanstructure = TRUE)),
  reduced_mlr = entry(polished(reduced, d, estimator = "MLR")),
  reduced_mlm = entry(polished(reduced, d, estimator = "MLM")),
  reduced_fiml = entry(sem(reduced, gaps, missing = "fiml")),
  reduced_fiml_mlr = entry(sem(reduced, gaps, missing = "fiml", estimator = "MLR"))))
d$group <- read.csv("mobi_group.csv")$group
equal <- list(configural = character(0), metric = "loadings", scalar = c("loadings", "intercepts"))
fits <- suppressWarnings(lapply(equal, function(own) if (length(own))
  cfa(measurement, d, group = "group", group.equal = own, estimator = "MLR")
  else cfa(measurement, d, group = "group", estimator = "MLR")))
out$groups <- lapply(fits, measures)
out$groups$lrt <- as.list(as.data.frame(do.call(lavTestLRT, unname(fits))))
out$provenance <- "lavaan 0.6-14, R 4.2.2, on data/mobi.csv (fiml: with mobi_missing_mask.csv): sem or cfa with estimator MLR, MLM, MLMV or missing = 'fiml'; reduced_mlr and reduced_mlm polished to a gradient below 1e-14, the others at the default stopping rule; groups: group = mobi_group.csv, MLR, lavTestLRT; script scripts/mobi_lavaan_robust.R"
write_json(out, "mobi_lavaan_robust.json", auto_unbox = TRUE, digits = 15, na = "null")
