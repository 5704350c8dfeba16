suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv("../../../data/mobi.csv"); d$PERQ1 <- 11 - d$PERQ1; d$PERV2 <- 11 - d$PERV2
d$half <- rep(c("a", "b"), 125)
m <- "Q =~ PERQ1+PERQ2+PERQ3+PERQ4\nV =~ PERV1+PERV2\nV ~ Q"
chisq <- function(...) unname(fitMeasures(sem(m, ...), "chisq"))
out <- list(provenance="lavaan 0.6-14, R 4.2.2: chi-square with the marker PERQ1 and PERV2 taken as 11 less the answer; script scripts/mobi_reversed.R",
  model=m, ml=chisq(d), variance=chisq(d, std.lv=TRUE), gls=chisq(d, estimator="GLS"), uls=chisq(d, estimator="ULS"),
  dwls=chisq(d, estimator="DWLS"), groups=chisq(d, group="half"),
  wlsmv=unname(fitMeasures(sem(m, d, estimator="WLSMV", ordered=TRUE), "chisq")))
write_json(out, "../mobi_reversed.json", auto_unbox=TRUE, digits=10)
