# half.csv: rows numpy.sort(numpy.random.default_rng(1).permutation(250)[125:]) of mobi.csv.
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("half.csv")
kept <- c("PERQ4 PERQ6", "CUSA1 CUSA2 CUSA3")  # what item analysis keeps in the other half
one <- function(q, s) { f <- cfa(paste("Q =~", q, "\n S =~", s), d, likelihood="normal"); m <- fitMeasures(f, c("chisq","df","pvalue","cfi","tli","rmsea","srmr")); as.list(setNames(as.numeric(m), names(m))) }
plus <- function(x) gsub(" ", " + ", x)
out <- list(provenance=list(program=paste("lavaan", packageVersion("lavaan"), R.version.string), how="tests/reference/scripts/mobi_confirmation.R: cfa() of two correlated factors, likelihood='normal', rows numpy.random.default_rng(1).permutation(250)[125:] of mobi"), kept=paste(kept, collapse=" "),
 "all items"=one("PERQ1+PERQ2+PERQ3+PERQ4+PERQ5+PERQ6+PERQ7","CUSA1+CUSA2+CUSA3"), "shorter"=one(plus(kept[1]), plus(kept[2])))
write_json(out, "../mobi_confirmation.json", auto_unbox=TRUE, digits=12, pretty=TRUE)
