# Tests of the difference of two nested models, with ML and MLR: Rscript tests/reference/scripts/mobi_nested.R
library(lavaan)
library(jsonlite)
d <- read.csv("data/mobi.csv")
items <- "Q =~ PERQ1 + PERQ3 + PERQ5\n V =~ PERV1 + PERV2\n S =~ CUSA1 + CUSA2 + CUSA3\n V ~ Q\n"
told <- function(estimator, ...) {
  wide <- sem(paste0(items, "S ~ V + Q"), d, estimator = estimator)
  narrow <- sem(paste0(items, "S ~ V"), d, estimator = estimator)
  test <- lavTestLRT(wide, narrow, ...)
  list(chisq_diff = test[["Chisq diff"]][2], df_diff = test[["Df diff"]][2], p_diff = test[["Pr(>Chisq)"]][2],
       aic_diff = AIC(narrow) - AIC(wide), bic_diff = BIC(narrow) - BIC(wide))
}
out <- list(
  provenance = paste("lavaan", packageVersion("lavaan"), "on", R.version.string,
                     "by lavTestLRT; script mobi_nested.R"),
  ML = told("ML"), MLR = told("MLR", method = "satorra.bentler.2001"))
writeLines(toJSON(out, digits = 15, auto_unbox = TRUE), "tests/reference/mobi_nested.json")
