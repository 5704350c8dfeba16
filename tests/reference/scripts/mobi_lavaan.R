# ML fits of mobi: measurement part and all of the ECSI and of the reduced ECSI, and Wishart.
# Run in tests/reference: Rscript scripts/mobi_lavaan.R  (both models' texts are read from
# mobi_lavaan.json before it is written). R 4.2.2, lavaan 0.6-14; all but Wishart polished by Newton steps on
# lavaan's own gradient and observed information and refitted from there; baseline measures are those
# of a default run, as the baseline does not depend on the stop.
suppressMessages({library(lavaan); library(jsonlite)})
before <- fromJSON("mobi_lavaan.json")
d <- read.csv("../../data/mobi.csv")
single <- function(text) paste(text, "CUSCO ~~ 0*CUSCO", sep = "\n")
full <- single(before$full_syntax); reduced <- single(before$reduced_syntax)
loadings <- grep("=~", strsplit(before$full_syntax, "\n")[[1]], fixed = TRUE, value = TRUE)
measurement <- single(paste(loadings, collapse = "\n"))
source("scripts/polished.R")
measures <- function(f) as.list(unclass(fitMeasures(f)))
entry <- function(f, plain = f) {
  e <- parameterEstimates(f, standardized = TRUE); s <- standardizedSolution(f); k <- fitted(f)$cov
  m <- measures(f); gone <- names(which(is.na(unlist(m)))); m[gone] <- measures(plain)[gone]
  list(estimates = as.list(e), standardized = as.list(s), fit_measures = m,
       implied_cov = list(rows = rownames(k), cols = colnames(k), data = unname(unclass(k))))
}
out <- suppressWarnings(list(
  provenance = before$provenance, reduced_syntax = before$reduced_syntax,
  full_syntax = before$full_syntax,
  reduced_ml = entry(polished(reduced, d), sem(reduced, d)),
  cfa_ml = entry(polished(measurement, d), cfa(measurement, d)),
  sem_ml = entry(polished(full, d), sem(full, d)),
  sem_ml_wishart = entry(sem(full, d, likelihood = "wishart"))))
write_json(out, "mobi_lavaan.json", auto_unbox = TRUE, digits = 15, na = "null")
