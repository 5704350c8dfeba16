# Four levels of invariance of the measurement part of the ECSI in the two groups of mobi_group.csv.
# Run in tests/reference: Rscript scripts/mobi_groups.R > mobi_groups.json. R 4.2.2, lavaan 0.6-14.
suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv("../../data/mobi.csv"); d$group <- read.csv("mobi_group.csv")$group
m <- "Image =~ IMAG1+IMAG2+IMAG3+IMAG4+IMAG5
Expectation =~ CUEX1+CUEX2+CUEX3
Quality =~ PERQ1+PERQ2+PERQ3+PERQ4+PERQ5+PERQ6+PERQ7
Value =~ PERV1+PERV2
Satisfaction =~ CUSA1+CUSA2+CUSA3
Complaints =~ CUSCO
Loyalty =~ CUSL1+CUSL2+CUSL3
CUSCO ~~ 0*CUSCO"
equal <- list(
  configural = character(0), metric = "loadings", scalar = c("loadings", "intercepts"),
  strict = c("loadings", "intercepts", "residuals"))
fits <- lapply(equal, function(own)
  if (length(own)) cfa(m, d, group = "group", group.equal = own) else cfa(m, d, group = "group"))
kept <- c("npar", "chisq", "df", "baseline.chisq", "cfi", "tli", "logl", "aic", "bic", "rmsea",
          "rmsea.ci.lower", "srmr")
of_fit <- function(f) {
  e <- parameterEstimates(f)
  list(estimates = as.list(e[c("lhs", "op", "rhs", "group", "est", "se")]),
       fit_measures = as.list(fitMeasures(f, kept)))
}
lrt <- do.call(lavTestLRT, unname(fits))
out <- lapply(fits, of_fit)
out$lrt <- as.list(as.data.frame(lrt)); out$group_label <- lavInspect(fits[[1]], "group.label")
out$provenance <- "lavaan 0.6-14, R 4.2.2: cfa(measurement part of the ECSI, group = group of mobi_group.csv, group.equal), default stopping rule; lavTestLRT; script scripts/mobi_groups.R"
cat(toJSON(out, auto_unbox = TRUE, digits = 15, na = "null"))
