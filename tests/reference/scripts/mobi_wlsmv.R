# Makes mobi_wlsmv.json; run from this folder with R 4.2.2, lavaan 0.6-14 and jsonlite.
suppressMessages(library(lavaan))
raw <- read.csv("../../../data/mobi.csv")
five <- as.data.frame(lapply(raw, function(x) cut(x, c(0, 4, 6, 7, 8, 10), labels = FALSE)))
few <- c("CUEX1", "CUEX2", "CUEX3", "CUSA1", "CUSA2", "CUSA3")
satisfaction <- c("CUSA1", "CUSA2", "CUSA3")
mixed <- raw
for (v in few) mixed[[v]] <- five[[v]]

blocks <- list(
  Image = paste0("IMAG", 1:5), Expectation = paste0("CUEX", 1:3), Quality = paste0("PERQ", 1:7),
  Value = paste0("PERV", 1:2), Satisfaction = satisfaction, Complaints = "CUSCO",
  Loyalty = paste0("CUSL", 1:3)
)
inner <- list(
  Expectation = "Image", Quality = "Expectation", Value = c("Expectation", "Quality"),
  Satisfaction = c("Image", "Expectation", "Quality", "Value"), Complaints = "Satisfaction",
  Loyalty = c("Image", "Satisfaction", "Complaints")
)
reduced <- list(
  Quality = "Image", Value = "Quality", Satisfaction = c("Quality", "Value"),
  Complaints = "Satisfaction", Loyalty = c("Satisfaction", "Complaints")
)
text <- function(without, paths = list()) {
  kept <- blocks[setdiff(names(blocks), without)]
  measured <- paste(names(kept), "=~", sapply(kept, paste, collapse = " + "))
  paths <- lapply(paths[setdiff(names(paths), without)], setdiff, without)
  drawn <- if (length(paths)) paste(names(paths), "~", sapply(paths, paste, collapse = " + "))
  fixed <- if ("Complaints" %in% names(kept)) "CUSCO ~~ 0*CUSCO"
  paste(c(measured, drawn, fixed), collapse = "\n")
}

table_of <- function(fit) {
  raw <- parameterEstimates(fit, remove.nonfree = FALSE)
  std <- standardizedSolution(fit)
  data.frame(lhs = raw$lhs, op = raw$op, rhs = raw$rhs, est = raw$est, se = raw$se,
             std = std$est.std, std_se = std$se)
}
missed <- c("CUSA2", "PERQ6")
case <- function(syntax, data, ordered, estimator = "WLSMV", row = FALSE) {
  run <- function(...) suppressWarnings(
    sem(syntax, data, ordered = ordered, estimator = estimator, ...))
  fit <- run()
  again <- run(start = fit)  # once more from there, nearer to the minimum
  if (lavInspect(again, "converged")) fit <- again
  out <- list(syntax = syntax, ordered = ordered, estimator = estimator,
              converged = lavInspect(fit, "converged"), parameters = table_of(fit),
              fit_measures = as.list(unclass(fitMeasures(fit))), r2 = as.list(lavInspect(fit, "r2")))
  if (row) {  # the pair whose likelihood lavaan's search leaves early
    g <- unclass(lavInspect(fit, "gamma"))
    at <- which(rownames(g) %in% c(paste(missed, collapse = "~~"), paste(rev(missed), collapse = "~~")))
    out$missed <- list(name = rownames(g)[at], observed = as.numeric(lavInspect(fit, "wls.obs"))[at],
                       names = rownames(g), gamma = as.numeric(g[at, ]))
  }
  out
}

out <- list(
  provenance = paste("lavaan", packageVersion("lavaan"), "on", R.version.string, "by mobi_wlsmv.R;",
                     "mobi recoded with cut(x, c(0, 4, 6, 7, 8, 10)), in mixed cases CUEX and CUSA"),
  reduced = case(text("Expectation", reduced), mixed, satisfaction, row = TRUE),
  cfa_five = case(text(NULL), mixed, few, row = TRUE),
  cfa_ten = case(text(NULL), raw, few, row = TRUE),
  cfa_all = case(text("Complaints"), five, unlist(blocks[names(blocks) != "Complaints"])),
  sem_all = case(text("Complaints", inner), five, unlist(blocks[names(blocks) != "Complaints"])),
  wlsm = case(text(c("Complaints", "Expectation"), reduced), five, names(five), "WLSM"),
  ulsmv = case(text(c("Complaints", "Expectation"), reduced), five, names(five), "ULSMV"),
  two_answers = case(text(c("Complaints", "Expectation"), reduced),
                     as.data.frame(lapply(raw, function(x) as.integer(x > 7))), names(raw))
)
for (k in names(out)[-1]) cat(k, out[[k]]$converged, out[[k]]$fit_measures$chisq, out[[k]]$fit_measures$chisq.scaled, "\n")
writeLines(jsonlite::toJSON(out, digits = 12, auto_unbox = TRUE, na = "null", null = "null"), "../mobi_wlsmv.json")
