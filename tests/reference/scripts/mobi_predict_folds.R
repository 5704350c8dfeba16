# Predictions of a second division into folds, and leaving one out: seminr, and lm.
source("common_sem.R")
folds <- read.csv(file.path(REF,"mobi_folds10.csv"))
ei <- unlist(sp$blocks[endo_of(sp)],use.names=FALSE); exo <- setdiff(names(sp$blocks),endo_of(sp)); xi <- unlist(sp$blocks[exo],use.names=FALSE)
blk <- setNames(rep(names(sp$blocks), sapply(sp$blocks,length)), unlist(sp$blocks)); mm <- seminr_mm(sp); sm <- seminr_sm(sp); y <- as.matrix(d[,ei])
cv <- function(f, technique) { none <- matrix(NA_real_, N, length(ei), dimnames=list(NULL,ei)); p <- list(PLS=none, LM_direct_antecedents=none, LM_exogenous_items=none, mean=none)
  for (k in unique(f)) { te <- f==k; a <- d[!te,]; m <- est_sem(a,mm,sm); p$PLS[te,] <- as.matrix(stats::predict(m,d[te,,drop=FALSE],technique=technique)$predicted_items[,ei]); p$mean[te,] <- rep(colMeans(a[,ei]),each=sum(te))
    for (v in ei) { iv <- unlist(sp$blocks[sapply(Filter(function(e) e[2]==blk[v], sp$inner),`[`,1)],use.names=FALSE)
      p$LM_direct_antecedents[te,v] <- stats::predict(lm(a[,v]~.,data=a[,iv,drop=FALSE]),d[te,]); p$LM_exogenous_items[te,v] <- stats::predict(lm(a[,v]~.,data=a[,xi,drop=FALSE]),d[te,]) } }
  lapply(p[1:3], function(q) list(RMSE=sqrt(colMeans((y-q)^2)), MAE=colMeans(abs(y-q)), Q2predict=1-colSums((y-q)^2)/colSums((y-p$mean)^2))) }
save_json(list(versions=ver("seminr"), call=list(script="scripts/mobi_predict_folds.R"), rep2_DA=cv(folds[,2],predict_DA), LOO_DA=cv(1:N,predict_DA), LOO_EA=cv(1:N,predict_EA)), "predict_folds")
