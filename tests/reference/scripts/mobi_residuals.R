# Run in this folder: Rscript mobi_residuals.R
# Residual moments of the reduced ECSI with their errors, raw and of correlations; every fit is
# polished by Newton steps on lavaan's own gradient and observed information and refitted from there.
suppressMessages(library(lavaan)); library(jsonlite)
full <- read.csv("../../../data/mobi.csv"); mask <- read.csv("../mobi_missing_mask.csv")
gaps <- full; gaps[mask[names(full)] == 1] <- NA
m <- fromJSON("../mobi_lavaan.json")$reduced_syntax
source("polished.R"); own <- function(...) suppressWarnings(polished(m, ...))
lower <- function(x) x[lower.tri(x, diag = TRUE)]
entry <- function(fit) {
  out <- list()
  for (type in c("raw", "cor.bollen")) {
    r <- lavResiduals(fit, type = type, se = TRUE, zstat = TRUE, summary = FALSE)
    out[[type]] <- list(items = rownames(r$cov), cov = lower(r$cov), se = lower(r$cov.se))
  }
  out
}
out <- list(provenance = paste("lavaan 0.6-14, R 4.2.2: reduced ECSI of data/mobi.csv (fiml: with",
  "mobi_missing_mask.csv); lower triangles column by column; script scripts/mobi_residuals.R"),
  ml = entry(own(full)), mlm = entry(own(full, estimator = "MLM")),
  fiml = entry(own(gaps, missing = "ml")),
  fiml_mlr = entry(own(gaps, missing = "ml", estimator = "MLR")))
write_json(out, "../mobi_residuals.json", auto_unbox = TRUE, digits = 15)
