# Composites by other weights than PLS's: cSEM. Components without the single item, which cSEM refuses.
source("common_sem.R")
g <- function(w, op, model=lav_syntax(sp,op)) { x <- suppressWarnings(csem(d, model, .approach_weights=w, .disattenuate=FALSE, .tolerance=1e-12, .iter_max=5000)); core(x)[c("paths","weights","loadings","R2","construct_vcv")] }
o <- list(versions=ver("cSEM"), call=list(script="scripts/mobi_weights.R"))
for (w in c("SUMCORR","MAXVAR","SSQCORR","MINVAR","GENVAR")) o[[w]] <- g(w,"<~")
o$GSCA_canonical <- g("GSCA","<~"); o$GSCA_nomological <- g("GSCA","=~")
s2 <- sp; s2$blocks$Complaints <- NULL; s2$inner <- Filter(function(e) !("Complaints" %in% e), s2$inner)
o$PCA <- g("PCA","<~",lav_syntax(s2,"<~"))
save_json(o,"weights")
