# Predictions of folds held out, and CVPAT: seminr, cSEM, seminrExtras, and lm.
source("common_sem.R")
suppressMessages(library(seminrExtras))
folds <- read.csv(file.path(REF,"mobi_folds10.csv"))
o <- list(versions=ver("cSEM","seminr","seminrExtras"))
f <- folds$rep1; endo <- endo_of(sp); ei <- unlist(sp$blocks[endo],use.names=FALSE); exo <- setdiff(names(sp$blocks),endo); xi <- unlist(sp$blocks[exo],use.names=FALSE)
mm <- seminr_mm(sp); sm <- seminr_sm(sp); mmr <- seminr_mm(sp,"reflective")
blk <- setNames(rep(names(sp$blocks), sapply(sp$blocks,length)), unlist(sp$blocks))
mat0 <- function() matrix(NA_real_, N, length(ei), dimnames=list(NULL,ei))
alt_inner <- Filter(function(e) !(e[1]=="Image"&&e[2]%in%c("Satisfaction","Loyalty")), sp$inner)
sma <- do.call(relationships, lapply(alt_inner, function(e) paths(from=e[1],to=e[2])))
P <- list(DA=mat0(),EA=mat0(),DA_plsc=mat0(),EA_plsc=mat0(),LM_direct=mat0(),LM_exogenous=mat0(),LM_earliest_all=NULL,IA=mat0(),alt_DA=mat0(),alt_EA=mat0(),csem_direct=mat0(),csem_earliest=mat0())
for (k in sort(unique(f))) { tr_ <- f!=k; te <- f==k; m <- est_sem(d[tr_,],mm,sm); mr <- est_sem(d[tr_,],mmr,sm); ma <- est_sem(d[tr_,],mm,sma)
  P$DA[te,] <- as.matrix(stats::predict(m,d[te,],technique=predict_DA)$predicted_items[,ei]); P$EA[te,] <- as.matrix(stats::predict(m,d[te,],technique=predict_EA)$predicted_items[,ei])
  P$DA_plsc[te,] <- as.matrix(stats::predict(mr,d[te,],technique=predict_DA)$predicted_items[,ei]); P$EA_plsc[te,] <- as.matrix(stats::predict(mr,d[te,],technique=predict_EA)$predicted_items[,ei])
  P$alt_DA[te,] <- as.matrix(stats::predict(ma,d[te,],technique=predict_DA)$predicted_items[,ei]); P$alt_EA[te,] <- as.matrix(stats::predict(ma,d[te,],technique=predict_EA)$predicted_items[,ei])
  P$IA[te,] <- rep(colMeans(d[tr_,ei]),each=sum(te))
  for (v in ei) { an <- sapply(Filter(function(e) e[2]==blk[v], sp$inner),`[`,1); iv <- unlist(sp$blocks[an],use.names=FALSE)
    P$LM_direct[te,v] <- stats::predict(lm(d[tr_,v]~.,data=d[tr_,iv,drop=FALSE]),d[te,]); P$LM_exogenous[te,v] <- stats::predict(lm(d[tr_,v]~.,data=d[tr_,xi,drop=FALSE]),d[te,]) }
  cs <- cs_fit(d[tr_,], lav_syntax(sp), FALSE)
  for (ap in c("direct","earliest")) { pr <- tryCatch(suppressWarnings(cSEM::predict(cs, .test_data=as.matrix(d[te,]), .approach_predict=ap, .benchmark="NA", .handle_inadmissibles="ignore", .r=1)), error=function(e) {o$csem_error <<- conditionMessage(e); NULL}); if (!is.null(pr)) P[[paste0("csem_",ap)]][te,] <- as.matrix(pr$Predictions_target[[1]])[,ei] } }
P <- Filter(Negate(is.null), P)
y <- as.matrix(d[,ei]); met <- function(p) { e <- y-p; list(RMSE=sqrt(colMeans(e^2)), MAE=colMeans(abs(e)), Q2_predict=1-colSums(e^2)/colSums((y-P$IA)^2)) }
o$call <- list(folds="rep1 of the saved fold file, left-out fold k", note="model estimated on the training rows, items standardised with training mean and sd (n-1); DA: construct predicted from the test rows' own scores of its direct antecedents; EA: from earliest antecedents through the path model; item = loading * score, unstandardised. LM_direct: OLS on items of direct antecedents; LM_exogenous: OLS on items of exogenous constructs; IA: training means. Q2_predict = 1 - SSE/SSE_IA(training means)", alternative_model=sapply(alt_inner,paste,collapse="->"))
o$metrics <- lapply(P, met)
o$construct_scores_Q2 <- "not computed: programs differ"
o$check_csem_vs_seminr <- list(direct=max(abs(P$csem_direct-P$DA)), earliest=max(abs(P$csem_earliest-P$EA)))
for (k in c("DA","EA","LM_direct","LM_exogenous","alt_DA")) save_csv(P[[k]], paste0("predict_",k))
## CVPAT
E2 <- lapply(P, function(p) (y-p)^2); IAf <- sweep(y,2,colMeans(y))^2
lv <- function(e2) sapply(setNames(endo,endo), function(b) rowMeans(e2[,sp$blocks[[b]],drop=FALSE]))
full <- function(e2) { l <- lv(e2); cbind(l, Overall_mean_of_constructs=rowMeans(l), Overall_mean_of_items=rowMeans(e2)) }
ix <- as.matrix(read.csv(file.path(REF,"mobi_boot_indices_500x250_1based.csv"),header=FALSE))
tst <- function(a,b) { A <- full(E2[[a]]); B <- if (is.matrix(b)) full(b) else full(E2[[b]]); D <- A-B; n <- nrow(D); t <- colMeans(D)/(apply(D,2,sd)/sqrt(n)); Db <- t(sapply(1:nrow(ix), function(r) colMeans(D[ix[r,],,drop=FALSE]))); sb <- apply(Db,2,sd); tb <- colMeans(D)/sb; D0 <- sweep(D,2,colMeans(D)); tst_ <- t(sapply(1:nrow(ix), function(r) { X <- D0[ix[r,],,drop=FALSE]; colMeans(X)/(apply(X,2,sd)/sqrt(n)) }))
  list(loss_1=colMeans(A), loss_2=colMeans(B), difference=colMeans(D), sd_difference=apply(D,2,sd), t=t, df=n-1, p_two_sided=2*pt(-abs(t),n-1), p_one_sided_1_better=pt(t,n-1), boot_se=sb, boot_t=tb, boot_p_two_sided=2*pt(-abs(tb),n-1), p_percentile_t=colMeans(sweep(abs(tst_),2,abs(t),">"))) }
o$cvpat <- list(note="loss = mean squared prediction error of the construct's items per row; difference = loss_1 - loss_2 (negative: model 1 better); t = mean/(sd/sqrt n) paired; boot_*: rows of the saved bootstrap indices resampled, se = sd of the mean difference (R-1), t = mean/se (seminrExtras' 'Boot T value' up to its own draws and with the OPPOSITE sign of Diff), p from t with n-1; p_percentile_t: share of |t*| > |t| with centred differences. Overall_mean_of_constructs (seminrExtras, Sharma et al.) and Overall_mean_of_items (cSEM testCVPAT, SmartPLS). IA_training uses training-fold means, IA_full the full-sample means (seminrExtras)",
  DA_vs_LM_direct=tst("DA","LM_direct"), DA_vs_LM_exogenous=tst("DA","LM_exogenous"), EA_vs_LM_direct=tst("EA","LM_direct"), EA_vs_LM_exogenous=tst("EA","LM_exogenous"), DA_vs_IA_training=tst("DA","IA"), DA_vs_IA_full=tst("DA",IAf), EA_vs_IA_training=tst("EA","IA"), EA_vs_IA_full=tst("EA",IAf), DA_vs_alternative_DA=tst("DA","alt_DA"), EA_vs_alternative_EA=tst("EA","alt_EA"))
## cross-check of seminrExtras' own bootstrap formula on these losses (its own draws, seed 123)
L1 <- full(E2$DA)[,"Overall_mean_of_constructs"]; L2 <- full(E2$LM_direct)[,"Overall_mean_of_constructs"]; set.seed(123); o$seminrExtras_bootstrap_cvpat_overall_DA_vs_LM_direct <- as.list(seminrExtras:::bootstrap_cvpat(L1,L2,nboot=2000))
save_json(o,"predict"); report_errors(o); print(o$check_csem_vs_seminr); if (!is.null(o$csem_error)) cat(o$csem_error,"\n")
