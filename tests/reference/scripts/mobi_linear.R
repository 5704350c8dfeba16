# Run in this folder: Rscript mobi_linear.R
# Linear restrictions of labelled parameters.
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv"); d$g <- rep(c("a", "b"), 125)
text <- "Q =~ PERQ1 + a*PERQ2 + e*PERQ3
V =~ PERV1 + PERV2
S =~ CUSA1 + CUSA2 + CUSA3
S ~ b*Q + d*V
t := b*d"
lines <- list(sum = "b + d == 1", multiple = "a == 2*d", two = "b + d == 1\na - 0.5*e == 0.3")
out <- list(provenance = "lavaan 0.6-14, R 4.2.2: sem on data/mobi.csv, groups a, b, a, b, ...; rel.tol 1e-10; script scripts/mobi_linear.R")
tight <- list(rel.tol = 1e-10, iter.max = 20000, eval.max = 40000)
result <- function(text, fit) {
  e <- parameterEstimates(fit); e <- e[e$op != "==", ]; if (is.null(e$group)) e$group <- 1
  list(text = text, chisq = fit@test[[1]]$stat, df = fit@test[[1]]$df,
       estimates = list(lhs = e$lhs, op = e$op, rhs = e$rhs, group = e$group, est = e$est, se = e$se))
}
for (name in names(lines)) {
  own <- paste0(text, "\n", lines[[name]])
  out$one[[name]] <- result(own, sem(own, d, control = tight))
}
groups <- "Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ c(b1, b2)*Q\nb1 + b2 == 1.5\nd := b1 - b2"
out$groups <- result(groups, sem(groups, d, group = "g", meanstructure = TRUE, control = tight))
write_json(out, "../mobi_linear.json", auto_unbox = TRUE, digits = 15, na = "null")
