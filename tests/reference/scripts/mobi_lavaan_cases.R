# Every case of lavaan on mobi that converged: fit measures, estimates and standardised solutions.
# Run in tests/reference: Rscript scripts/mobi_lavaan_cases.R
# R 4.2.2, lavaan 0.6-14; 10 digits. Cases with "tight" of ML, MLR and MLM are polished by Newton
# steps; the others, full information and WLSMV too, stop at lavaan's default.
suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv("../../data/mobi.csv")
gaps <- d; gaps[read.csv("mobi_missing_mask.csv")[names(d)] == 1] <- NA
grouped <- cbind(d, group = read.csv("mobi_group.csv")$group)
some <- read.csv("mobi_ordinal5.csv"); all <- read.csv("mobi_all5.csv")
syntax <- fromJSON("mobi_lavaan.json")
source("scripts/polished.R")

lines <- strsplit(syntax$full_syntax, "\n")[[1]]
text <- function(...) paste(c(...), collapse = "\n")
single <- "CUSCO ~~ 0*CUSCO"
loadings <- grep("=~", lines, fixed = TRUE, value = TRUE)
full <- text(lines, single); measurement <- text(loadings, single)
reduced <- text(syntax$reduced_syntax, single)
effects <- text(loadings,
  "Expectation ~ ie*Image", "Quality ~ eq*Expectation", "Value ~ ev*Expectation + qv*Quality",
  "Satisfaction ~ is*Image + es*Expectation + qs*Quality + vs*Value", "Complaints ~ sc*Satisfaction",
  "Loyalty ~ il*Image + sl*Satisfaction + cl*Complaints", single,
  "ind_sat_loy := sc*cl", "tot_sat_loy := sl+sc*cl", "ind_qual_sat := qv*vs",
  "tot_qual_sat := qs+qv*vs", "tot_exp_sat := es+ev*vs+eq*qs+eq*qv*vs",
  "tot_img_sat := is+ie*(es+ev*vs+eq*qs+eq*qv*vs)",
  "tot_img_loy := il+(is+ie*(es+ev*vs+eq*qs+eq*qv*vs))*(sl+sc*cl)")
without <- loadings[!grepl("Complaints", loadings)]
paths <- c("Expectation ~ Image", "Satisfaction ~ Image + Expectation + Quality + Value",
           "Loyalty ~ Image + Satisfaction", "Quality ~ Expectation", "Value ~ Expectation + Quality")
few <- c("CUEX1", "CUEX2", "CUEX3", "CUSA1", "CUSA2", "CUSA3")

invariant <- function(level, ...) {
  equal <- list(configural = character(0), metric = "loadings", scalar = c("loadings", "intercepts"),
                strict = c("loadings", "intercepts", "residuals"))[[level]]
  if (length(equal)) cfa(measurement, grouped, group = "group", group.equal = equal, ...)
  else cfa(measurement, grouped, group = "group", ...)
}
runs <- alist(
  cfa_ml = cfa(measurement, d), cfa_ml_stdlv = cfa(measurement, d, std.lv = TRUE),
  sem_ml = sem(full, d), sem_ml_wishart = sem(full, d, likelihood = "wishart"),
  sem_ml_meanstructure = sem(full, d, meanstructure = TRUE),
  sem_mlr = sem(full, d, estimator = "MLR"), sem_mlm = sem(full, d, estimator = "MLM"),
  sem_mlmv = sem(full, d, estimator = "MLMV"),
  cfa_mlr = cfa(measurement, d, estimator = "MLR"), cfa_mlm = cfa(measurement, d, estimator = "MLM"),
  sem_uls = sem(full, d, estimator = "ULS"), sem_dwls = sem(full, d, estimator = "DWLS"),
  sem_ml_effects = sem(effects, d),
  sem_fiml = sem(full, gaps, missing = "fiml"),
  sem_fiml_mlr = sem(full, gaps, missing = "fiml", estimator = "MLR"),
  mg_configural = invariant("configural"), mg_metric = invariant("metric"),
  mg_scalar = invariant("scalar"), mg_strict = invariant("strict"),
  mg_mlr_configural = invariant("configural", estimator = "MLR"),
  mg_mlr_metric = invariant("metric", estimator = "MLR"),
  mg_mlr_scalar = invariant("scalar", estimator = "MLR"),
  mg_sem_paths_free = sem(full, grouped, group = "group", group.equal = "loadings"),
  mg_sem_paths_equal =
    sem(full, grouped, group = "group", group.equal = c("loadings", "regressions")),
  tight_cfa_ml = polished(measurement, d), tight_sem_ml = polished(full, d),
  tight_reduced_ml = polished(reduced, d), tight_reduced_mlr = polished(reduced, d, estimator = "MLR"),
  tight_reduced_mlm = polished(reduced, d, estimator = "MLM"),
  tight_reduced_fiml = sem(reduced, gaps, missing = "fiml"),
  tight_reduced_fiml_mlr = sem(reduced, gaps, missing = "fiml", estimator = "MLR"),
  tight_reduced_wlsmv_CUSA_ordered5 =
    sem(reduced, some, ordered = c("CUSA1", "CUSA2", "CUSA3"), estimator = "WLSMV"),
  ordinal_cfa_wlsmv_raw10 = cfa(measurement, d, ordered = few, estimator = "WLSMV"),
  ordinal_cfa_wlsmv_five = cfa(measurement, some, ordered = few, estimator = "WLSMV"),
  ordinal_cfa_wlsmv_all5_noCUSCO =
    cfa(text(without), all[names(all) != "CUSCO"], ordered = TRUE, estimator = "WLSMV"),
  ordinal_sem_wlsmv_all5_noCUSCO =
    sem(text(without, paths), all[names(all) != "CUSCO"], ordered = TRUE, estimator = "WLSMV"))

entry <- function(f) {
  e <- as.list(parameterEstimates(f)); s <- as.list(standardizedSolution(f))
  kept <- function(x, own) x[intersect(c("lhs", "op", "rhs", "group", "label", own), names(x))]
  list(fit_measures = as.list(unclass(fitMeasures(f))), estimates = kept(e, c("est", "se")),
       standardized = kept(s, c("est.std", "se")))
}
out <- list(
  provenance = paste("lavaan 0.6-14 in R 4.2.2 on mobi, every case that converged there; estimates",
    "and fit measures to 10 digits. Cases with 'tight' of ML, MLR and MLM were polished by Newton",
    "steps to a gradient of 3e-15; the others stop at lavaan's default. group: lavaan numbers groups",
    "in the order of the file. Script scripts/mobi_lavaan_cases.R."),
  cases = lapply(runs, function(run) suppressWarnings(entry(eval(run)))))
write_json(out, "mobi_lavaan_cases.json", auto_unbox = TRUE, digits = I(10), na = "null")
