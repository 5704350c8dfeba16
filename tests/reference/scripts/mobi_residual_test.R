# Run in this folder: Rscript mobi_residual_test.R
# Browne's residual-based test of complete answers, of one group and of two with equal loadings and
# intercepts.
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv"); d$group <- read.csv("../mobi_group.csv")$group
m <- paste("Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4", "Value =~ PERV1 + PERV2",
  "Satisfaction =~ CUSA1 + CUSA2 + CUSA3", "Value ~ Quality", "Satisfaction ~ Quality + Value",
  sep = "\n")
take <- function(fit) lavTest(fit, test = "browne.residual.adf")[c("stat", "df")]
out <- list(provenance = "lavaan 0.6-14, R 4.2.2: data/mobi.csv; script scripts/mobi_residual_test.R",
  syntax = m,
  one = take(sem(m, d, estimator = "MLM")),
  means = take(sem(m, d, estimator = "MLM", meanstructure = TRUE)),
  groups = take(sem(m, d, estimator = "MLM", group = "group",
    group.equal = c("loadings", "intercepts"))))
write_json(out, "../mobi_residual_test.json", auto_unbox = TRUE, digits = 15)
