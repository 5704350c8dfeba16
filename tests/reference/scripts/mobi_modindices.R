suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv("../../../data/mobi.csv")
base <- "I =~ IMAG1+IMAG2+IMAG3\nV =~ PERV1+PERV2\nE =~ CUEX1+CUEX2+CUEX3\nS =~ CUSA1+CUSA2+CUSA3\n"
models <- list(
  cfa = base,
  apart = paste0(base, "S ~ V + I + E"),
  targets = paste0(base, "V ~ I\nE ~ V\nS ~ V"),
  single = paste0(base, "C =~ CUSCO\nV ~ I + E\nS ~ V\nC ~ S"),
  fixed = paste0(base, "S ~ 0*I + V\nV ~ 0.5*I\nE ~ I\nIMAG1 ~~ 0*IMAG2"))
out <- list(provenance="lavaan 0.6-14, R 4.2.2: modindices of lavaan() with sem()'s defaults but auto.cov.y=FALSE; script scripts/mobi_modindices.R")
for (name in names(models)) {
  f <- lavaan(models[[name]], d, int.ov.free=TRUE, auto.fix.first=TRUE, auto.fix.single=TRUE, auto.var=TRUE,
              auto.cov.lv.x=TRUE, auto.cov.y=FALSE, optim.force.converged=TRUE,
              control=list(rel.tol=1e-15, x.tol=1e-14, iter.max=20000, eval.max=20000))
  m <- modindices(f)
  out[[name]] <- list(model=models[[name]], chisq=unname(fitMeasures(f, "chisq")), lhs=m$lhs, op=m$op, rhs=m$rhs,
                      mi=m$mi, epc=m$epc, sepc.all=m$sepc.all)
}
write_json(out, "../mobi_modindices.json", auto_unbox=TRUE, digits=12, na="null")
