# Omega in mobi_assessment.json, entry semtools: of lavaan's factor analysis of the ECSI, with the
# variance of the sum of the items as it is implied; prints the differences.
# Run in tests/reference: Rscript scripts/mobi_assessment.R. R 4.2.2, lavaan 0.6-14.
suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv("../../data/mobi.csv")
lines <- strsplit(fromJSON("mobi_lavaan.json")$full_syntax, "\n")[[1]]
f <- cfa(paste(c(grep("=~", lines, fixed = TRUE, value = TRUE), "CUSCO ~~ 0*CUSCO"), collapse = "\n"), d)
theirs <- fromJSON("mobi_assessment.json")$semtools$reliability
omega <- theirs$data[theirs$rows == "omega", ]
e <- lavInspect(f, "est"); names(omega) <- theirs$cols
for (construct in theirs$cols) {
  own <- e$lambda[, construct] != 0
  common <- sum(e$lambda[own, construct])^2 * e$psi[construct, construct]
  implied <- common / (common + sum(diag(e$theta)[own]))
  cat(construct, implied - as.numeric(omega[construct]), "\n")
}
