# How well PLS and PLSc of ordered answers reproduce their polychoric correlations: cSEM.
source("common_sem.R")
items <- unlist(sp$blocks, use.names=FALSE)
A <- as.data.frame(lapply(read.csv(file.path(REF,"mobi_all5.csv"))[,items], ordered)); O <- read.csv(file.path(REF,"mobi_ordinal5.csv"))[,items]
for (v in c(paste0("CUEX",1:3), paste0("CUSA",1:3))) O[[v]] <- ordered(O[[v]])
N5 <- as.data.frame(lapply(A, as.numeric))
case <- function(dat, z) { x <- cs_fit(dat, lav_syntax(sp), z); list(dG=calculateDG(x), SRMR=calculateSRMR(x), dL=calculateDL(x), R2adj=x$Estimates$R2adj) }
save_json(list(versions=ver("cSEM"), call=list(script="scripts/mobi_ordinal_fit.R"), csem_all5_modeA=case(A,FALSE), csem_all5_plsc=case(A,TRUE), csem_ordinal5_modeA=case(O,FALSE), csem_ordinal5_plsc=case(O,TRUE), csem_all5_as_numeric_plsc=case(N5,TRUE), csem_raw_plsc=case(d,TRUE)), "ordinal_fit")
