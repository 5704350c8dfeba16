# Firm and period effects on a simulated, unbalanced panel: base R's lm, plm, sandwich.
# Rscript tests/reference/scripts/panel.R   (writes tests/reference/panel.csv and panel.json)
suppressMessages({library(plm); library(sandwich); library(jsonlite)})
set.seed(11)
d <- expand.grid(period = 1:6, firm = 1:30)
a <- rnorm(30, 0, 8)[d$firm]
d$index <- round(70 + a + rnorm(nrow(d), 0, 4), 3)
d$price <- round(rnorm(nrow(d)), 3)
d$again <- round(pmin(1, .3 + .0058 * d$index + .004 * a - .02 * d$price + c(0, .02, -.01, .03, 0, .01)[d$period] +
                      rnorm(nrow(d), 0, .03)), 5)
d$n <- sample(50:300, nrow(d), TRUE)
d <- d[runif(nrow(d)) > .15, c("firm", "period", "index", "price", "again", "n")]
write.csv(d, "tests/reference/panel.csv", row.names = FALSE)
meat <- function(f, cluster) vcovCL(f, cluster = cluster, type = "HC0", cadjust = FALSE)
take <- function(v) { keep <- c("index", "price"); unname(v[keep, keep]) }
told <- function(f) list(
  coefficients = unname(coef(f)[c("index", "price")]),
  firm = take(meat(f, d$firm)), period = take(meat(f, d$period)),
  both = take(vcovCL(f, cluster = d[c("firm", "period")], type = "HC0", cadjust = FALSE)))
effects <- c(two_way = "+ factor(firm) + factor(period)", firm = "+ factor(firm)",
             period = "+ factor(period)", none = "")
out <- list(provenance = list(
  program = paste("R", getRversion(), "with plm", packageVersion("plm"), "sandwich", packageVersion("sandwich")),
  how = "tests/reference/scripts/panel.R; covariances without small-sample factors"))
for (name in names(effects)) {
  form <- as.formula(paste("again ~ index + price", effects[[name]]))
  out[[name]] <- list(equal = told(lm(form, d)), respondents = told(lm(form, d, weights = n)))
}
p <- plm(again ~ index + price, d, index = c("firm", "period"), model = "within", effect = "twoways")
out$plm <- list(coefficients = unname(coef(p)), firm = unname(unclass(
  vcovHC(p, method = "arellano", type = "HC0", cluster = "group"))[1:2, 1:2]))
writeLines(toJSON(out, digits = NA, matrix = "rowmajor", auto_unbox = TRUE), "tests/reference/panel.json")
