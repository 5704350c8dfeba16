# Modification indices of ordered answers: lavaan. All items in five categories, and half of them.
suppressMessages({library(lavaan); library(jsonlite)})
five <- read.csv("../mobi_all5.csv")
raw <- read.csv(Sys.getenv("MOBI", "../../../data/mobi.csv"))
mixed <- raw; for (v in c("CUSA1","CUSA2","CUSA3")) mixed[[v]] <- five[[v]]
base <- "Image =~ IMAG1 + IMAG2 + IMAG3
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
"
paths <- "Value ~ Image\nSatisfaction ~ Value"
case <- function(syntax, data, ordered, estimator="WLSMV") { f <- sem(syntax, data, ordered=ordered, estimator=estimator, optim.force.converged=TRUE, control=list(rel.tol=1e-14, iter.max=10000))
  m <- modindices(f)
  list(syntax=syntax, ordered=ordered, estimator=estimator, chisq=unname(fitMeasures(f, "chisq")), lhs=m$lhs, op=m$op, rhs=m$rhs, mi=m$mi, epc=m$epc, sepc.all=m$sepc.all) }
items <- c(paste0("IMAG",1:3), paste0("PERV",1:2), paste0("CUSA",1:3))
o <- list(provenance=paste("lavaan", packageVersion("lavaan"), "on", R.version.string, "by scripts/mobi_wlsmv_modindices.R"),
  measured=case(base, five, items), structural=case(paste0(base, paths), five, items),
  mixed=case(paste0(base, paths), mixed, paste0("CUSA",1:3)), uls=case(base, five, items, "ULSMV"))
write_json(o, "../mobi_wlsmv_modindices.json", auto_unbox=TRUE, digits=15, na="null")
