# Run in this folder: Rscript mobi_restrictions.R
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv")
m <- "Quality =~ PERQ1 + PERQ3 + PERQ5 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3"
p <- "Value ~ qv*Quality
Satisfaction ~ qs*Quality + vs*Value"
s <- list(
 defined = paste(m, p, "indirect := qv*vs\ntotal := qs + indirect\nratio := exp(qs) / sqrt(qv)", sep="\n"),
 equal = paste("Quality =~ PERQ1 + k*PERQ3 + k*PERQ5 + PERQ7\nValue =~ PERV1 + PERV2\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3", p, sep="\n"),
 fixed = paste(m, "Value ~ 0.5*Quality\nSatisfaction ~ qs*Quality + vs*Value", sep="\n"),
 error_covariance = paste(m, p, "PERQ3 ~~ PERQ7\nCUSA1 ~~ CUSA2", sep="\n"),
 means = paste(m, p, "PERQ1 ~ 0*1\nQuality ~ 1", sep="\n"),
 bounded = paste(m, "Value ~ upper(0.4)*Quality\nSatisfaction ~ Quality + Value", sep="\n"),
 reliability = paste(m, "Complaints =~ CUSCO\nCUSCO ~~ 2*CUSCO", p, "Complaints ~ Satisfaction", sep="\n"))
out <- list(provenance="lavaan 0.6-14, R 4.2.2: sem() on data/mobi.csv, default stopping rule; script scripts/mobi_restrictions.R", syntax=s)
for (k in names(s)) { f <- sem(s[[k]], d, bounds = if (k == "bounded") "user" else "none"); if (!lavInspect(f,"converged")) stop(k); e <- parameterEstimates(f)
 out[[k]] <- list(chisq=as.numeric(fitMeasures(f,"chisq")), df=as.numeric(fitMeasures(f,"df")), estimates=list(lhs=e$lhs,op=e$op,rhs=e$rhs,est=e$est,se=e$se)) }
write_json(out, "../mobi_restrictions.json", auto_unbox=TRUE, digits=15)
