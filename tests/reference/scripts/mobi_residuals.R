# Run in this folder: Rscript mobi_residuals.R
# Residual moments of the reduced ECSI with their errors, raw and of correlations; every fit is
# polished by Newton steps on lavaan's own gradient and observed information and refitted from there.
suppressMessages(library(lavaan)); library(jsonlite)
full <- read.csv("../../../data/mobi.csv"); mask <- read.csv("../mobi_missing_mask.csv")
gaps <- full; gaps[mask[names(full)] == 1] <- NA
m <- fromJSON("../mobi_lavaan.json")$reduced_syntax
polished <- function(d, ...) {
  a <- suppressWarnings(sem(m, d, se = "none", test = "none", baseline = FALSE, ...))
  model <- a@Model; th <- lav_model_get_parameters(model)
  gradient <- function(x) as.vector(lavaan:::lav_model_gradient(x, lavsamplestats = a@SampleStats,
    lavdata = a@Data, lavcache = a@Cache))
  for (k in 1:8) {
    info <- lavaan:::lav_model_information_observed(model, lavsamplestats = a@SampleStats,
      lavdata = a@Data, lavoptions = a@Options, lavcache = a@Cache)
    th <- th - solve(info, gradient(model)); model <- lav_model_set_parameters(model, th)
  }
  pt <- parTable(a); pt$est <- NULL; pt$se <- NULL
  pt$start[pt$free > 0] <- th[pt$free[pt$free > 0]]
  suppressWarnings(sem(m, d, start = pt, optim.force.converged = TRUE, ...))
}
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
  ml = entry(polished(full)), mlm = entry(polished(full, estimator = "MLM")),
  fiml = entry(polished(gaps, missing = "ml")),
  fiml_mlr = entry(polished(gaps, missing = "ml", estimator = "MLR")))
write_json(out, "../mobi_residuals.json", auto_unbox = TRUE, digits = 15)
