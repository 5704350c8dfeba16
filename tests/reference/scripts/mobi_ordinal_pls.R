# PLS and PLSc of ordered answers: cSEM (correlations by polycor), matrixpls on cSEM's correlations,
# lavaan's correlations. Answers in five categories: all items, and six of them beside answers in ten.
source("common_sem.R"); suppressMessages(suppressWarnings(library(matrixpls)))
items <- unlist(sp$blocks, use.names=FALSE)
ordered_items <- c(paste0("CUEX",1:3), paste0("CUSA",1:3))
A <- as.data.frame(lapply(read.csv(file.path(REF,"mobi_all5.csv"))[,items], ordered))
O <- read.csv(file.path(REF,"mobi_ordinal5.csv"))[,items]
for (v in ordered_items) O[[v]] <- ordered(O[[v]])
path_matrix <- function(sp) { n <- names(sp$blocks); P <- matrix(0,length(n),length(n),dimnames=list(n,n)); for (e in sp$inner) P[e[2],e[1]] <- 1; P }
mp <- function(S) { n <- names(sp$blocks); refl <- matrix(0,length(items),length(n),dimnames=list(items,n)); for (b in n) refl[sp$blocks[[b]],b] <- 1
  r <- matrixpls(S, list(inner=path_matrix(sp),reflective=refl,formative=t(refl)*0), innerEstim=innerEstim.path, disattenuate=TRUE, parametersReflective=estimator.plscLoadings, tol=1e-13, iter=5000)
  list(inner=attr(r,"inner"), W=attr(r,"W"), Q=attr(r,"Q")) }
o <- list(versions=ver("cSEM","polycor","matrixpls","lavaan"), call=list(script="scripts/mobi_ordinal_pls.R"), ordered=ordered_items)
for (nm in c("all5","ordinal5")) { dat <- if (nm=="all5") A else O
  for (z in c(FALSE,TRUE)) { x <- cs_fit(dat, lav_syntax(sp), z)
    o[[paste0("csem_",nm,if (z) "_plsc" else "_modeA")]] <- core(x)[c("paths","weights","loadings","R2","construct_vcv","reliabilities_Q2")]
    if (!z) { S <- x$Estimates$Indicator_VCV; o[[paste0("correlations_",nm)]] <- S; o[[paste0("scores_",nm)]] <- x$Estimates$Construct_scores[1:5,] } }
  o[[paste0("matrixpls_",nm,"_plsc")]] <- mp(S[items,items]) }
L <- unclass(lavaan::lavCor(O, ordered=ordered_items, output="cor"))
o$lavaan_ordinal5 <- matrix(as.vector(L), nrow(L), dimnames=dimnames(L))[items,items]
save_json(o, "ordinal_pls")
