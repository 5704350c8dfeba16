# Composites (<~) in covariance SEM: lavaan 0.7. The ECSI, whole and without Expectation; with factors
# beside composites; covariances of items of a composite as in the sample (default) and free.
suppressMessages({library(lavaan); library(jsonlite)})
d <- read.csv(Sys.getenv("MOBI", "../../../data/mobi.csv"))
blocks <- list(Image=paste0("IMAG",1:5), Expectation=paste0("CUEX",1:3), Quality=paste0("PERQ",1:7),
  Value=paste0("PERV",1:2), Satisfaction=paste0("CUSA",1:3), Loyalty=paste0("CUSL",1:3))
lines <- function(b, op) paste(names(b), op, sapply(b, paste, collapse=" + "))
inner <- c("Expectation ~ Image", "Satisfaction ~ Image + Expectation + Quality + Value",
  "Loyalty ~ Image + Satisfaction + CUSCO", "Quality ~ Expectation", "Value ~ Expectation + Quality", "CUSCO ~ Satisfaction")
reduced <- c("Satisfaction ~ Image + Quality + Value", "Loyalty ~ Image + Satisfaction + CUSCO", "Value ~ Quality", "CUSCO ~ Satisfaction")
few <- blocks[names(blocks) != "Expectation"]
text <- function(...) paste(c(...), collapse="\n")
full <- text(lines(blocks, "<~"), inner)
small <- text(lines(few, "<~"), reduced)
mixed <- text(lines(few[c("Image","Quality","Value")], "<~"), lines(few[c("Satisfaction","Loyalty")], "=~"), reduced)
saturated <- text(lines(few, "<~"), apply(combn(c(names(few), "CUSCO"), 2), 2, paste, collapse=" ~~ "))
case <- function(syntax, ...) { f <- sem(syntax, d, control=list(rel.tol=1e-10, iter.max=1000, eval.max=2000), ...)
  p <- parameterEstimates(f, standardized=TRUE); s <- unclass(lavInspect(f, "implied")$cov)
  list(syntax=syntax, estimates=as.list(p[c("lhs","op","rhs","est","se","std.lv","std.all")]), measures=as.list(fitMeasures(f)),
    implied=list(rows=rownames(s), cols=colnames(s), data=unname(s)), max_gradient=max(abs(lavInspect(f, "gradient")))) }
o <- list(versions=list(R=R.version.string, lavaan=as.character(packageVersion("lavaan"))), call=list(script="scripts/mobi_composites.R"),
  composites_full=case(full), composites_full_std_lv=case(full, std.lv=TRUE), composites_reduced=case(small),
  composites_reduced_wishart=case(small, likelihood="wishart"), composites_reduced_mlr=case(small, estimator="MLR"),
  composites_reduced_covfree=case(small, composites.cov="free"), composites_saturated=case(saturated), mixed_reduced=case(mixed))
writeLines(toJSON(o, digits=I(15), auto_unbox=TRUE, na="null", pretty=1), "../mobi_composites.json")
