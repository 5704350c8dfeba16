# 30 items: MLR, MLM, modification indices of complete rows, full information. Run in this folder.
suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv("../many_items.csv")
measured <- sapply(0:5, function(j) paste0("F", j, " =~ ", paste0("x", 5 * j + 0:4, collapse = " + ")))
syntax <- paste(c(measured, paste0("F", 1:5, " ~ F", 0:4)), collapse = "\n")
complete <- d[complete.cases(d), ]
measures <- c("chisq", "chisq.scaled", "chisq.scaling.factor", "baseline.chisq.scaled", "cfi", "cfi.robust", "rmsea.robust")
one <- function(fit, names) list(fit = as.list(fitMeasures(fit, names)),
  table = parameterEstimates(fit)[, c("lhs", "op", "rhs", "est", "se")])
ml <- sem(syntax, complete)
mi <- modindices(ml); mi <- mi[order(-mi$mi), ][1:40, c("lhs", "op", "rhs", "mi", "epc")]
out <- list(provenance = paste0("lavaan ", packageVersion("lavaan"), ", ", R.version.string, "; script scripts/many_items.R"),
  syntax = syntax,
  mlr = one(sem(syntax, complete, estimator = "MLR"), measures),
  mlmv = one(sem(syntax, complete, estimator = "MLMV"), measures[1:4]),
  fiml = one(sem(syntax, d, missing = "fiml", fixed.x = FALSE), c("chisq", "cfi", "cfi.robust", "rmsea.robust")),
  fiml_mlr = one(sem(syntax, d, missing = "fiml", estimator = "MLR"), measures),
  modindices = mi)
write_json(out, "../many_items.json", auto_unbox = TRUE, digits = 15)
