# Run in this folder: Rscript mobi_least_squares.R
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv")
m <- "Image =~ IMAG1+IMAG2+IMAG3+IMAG4+IMAG5
Quality =~ PERQ1+PERQ2+PERQ3+PERQ4+PERQ5+PERQ6+PERQ7
Value =~ PERV1+PERV2
Satisfaction =~ CUSA1+CUSA2+CUSA3
Complaints =~ CUSCO
Loyalty =~ CUSL1+CUSL2+CUSL3
CUSCO ~~ 0*CUSCO
Quality ~ Image
Value ~ Quality
Satisfaction ~ Quality + Value
Complaints ~ Satisfaction
Loyalty ~ Satisfaction + Complaints"
out <- list(provenance="lavaan 0.6-14, R 4.2.2: sem(reduced ECSI of data/mobi.csv, estimator = ...), default stopping rule; script scripts/mobi_least_squares.R")
for (k in c("GLS","ULS","DWLS")) { f <- sem(m, d, estimator=k); e <- parameterEstimates(f); fm <- fitMeasures(f)
 out[[k]] <- list(converged=lavInspect(f,"converged"), estimates=list(lhs=e$lhs,op=e$op,rhs=e$rhs,est=e$est,se=e$se), fit_measures=as.list(fm[c("chisq","df","baseline.chisq","cfi","tli","rmsea","srmr")])) }
write_json(out, "../mobi_least_squares.json", auto_unbox=TRUE, digits=15)
