# Constructs of constructs in covariance SEM: lavaan. With an antecedent and a consequent; alone, in
# both scalings; by WLSMV of answers in five categories.
suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv(Sys.getenv("MOBI", "../../../data/mobi.csv"))
five <- read.csv("../mobi_all5.csv")
structural <- "Expectation =~ CUEX1 + CUEX2 + CUEX3
QA =~ PERQ1 + PERQ2 + PERQ3
QB =~ PERQ4 + PERQ5 + PERQ6 + PERQ7
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Quality =~ QA + QB
Quality ~ Expectation
Satisfaction ~ Quality"
alone <- "Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Value =~ PERV1 + PERV2
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Standing =~ Image + Value + Loyalty"
case <- function(syntax, data=d, ...) { f <- suppressWarnings(sem(syntax, data, control=list(iter.max=5000), ...)); p <- parameterEstimates(f)
  list(syntax=syntax, estimates=as.list(p[c("lhs","op","rhs","est","se")]), standardized=standardizedSolution(f)$est.std, measures=as.list(fitMeasures(f, c("npar","chisq","df","cfi","rmsea","srmr")))) }
o <- list(versions=list(R=R.version.string, lavaan=as.character(packageVersion("lavaan"))), call=list(script="scripts/mobi_second_order.R"),
  structural=case(structural), robust=case(structural, estimator="MLR"), alone=case(alone), alone_variance=case(alone, std.lv=TRUE), ordered=case(alone, five, estimator="WLSMV", ordered=TRUE))
writeLines(toJSON(o, digits=I(15), auto_unbox=TRUE, na="null", pretty=1), "../mobi_second_order.json")
