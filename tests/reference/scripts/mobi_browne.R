# Browne's residual tests and scaled tests of one fit by ML: lavaan 0.7.
suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv(Sys.getenv("MOBI", "../../../data/mobi.csv"))
blocks <- list(Image=paste0("IMAG",1:5), Quality=paste0("PERQ",1:7), Value=paste0("PERV",1:2), Satisfaction=paste0("CUSA",1:3), Loyalty=paste0("CUSL",1:3))
cfa <- paste(names(blocks), "=~", sapply(blocks, paste, collapse=" + "), collapse="\n")
sem <- paste(c(cfa, "Satisfaction ~ Image + Quality + Value", "Loyalty ~ Image + Satisfaction + CUSCO", "Value ~ Quality", "CUSCO ~ Satisfaction"), collapse="\n")
tests <- c("browne.residual.nt","browne.residual.nt.model","browne.residual.adf","browne.residual.adf.model","satorra.bentler","yuan.bentler","yuan.bentler.mplus","mean.var.adjusted","scaled.shifted")
case <- function(syntax) { f <- lavaan::sem(syntax, d, control=list(rel.tol=1e-10, iter.max=1000, eval.max=2000))
  own <- lapply(setNames(tests, tests), function(t) { x <- lavTest(f, test=t); x <- if (is.null(x$stat)) x[[t]] else x; x[intersect(names(x), c("stat","df","pvalue","scaling.factor"))] })
  c(list(syntax=syntax), own, list(measures=as.list(fitMeasures(f, c("chisq","df","cfi","tli","rmsea","srmr","logl","aic","bic"))))) }
o <- list(versions=list(R=R.version.string, lavaan=as.character(packageVersion("lavaan"))), call=list(script="scripts/mobi_browne.R"), cfa=case(cfa), sem=case(sem))
writeLines(toJSON(o, digits=I(15), auto_unbox=TRUE, na="null", pretty=1), "../mobi_browne.json")
