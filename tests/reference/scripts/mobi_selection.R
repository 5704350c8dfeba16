# Model selection criteria: cSEM; weights of two models: seminr.
source("common_sem.R")
mm <- seminr_mm(sp); sm <- seminr_sm(sp); cn <- names(sp$blocks); TG <- "Loyalty"
cs <- cs_fit(d,lav_syntax(sp),FALSE)
alts <- list(full=sp$inner, no_image=Filter(function(e) !(e[1]=="Image" && e[2]==TG), sp$inner)); b <- sapply(alts, function(i) summary(est_sem(d,mm,do.call(relationships,lapply(i,function(e) paths(from=e[1],to=e[2])))))$it_criteria["BIC",TG])
save_json(list(versions=ver("cSEM","seminr"), call=list(script="scripts/mobi_selection.R"), by_equation=calculateModelSelectionCriteria(cs,.ms_criterion=c("aic","aicc","aicu","bic","fpe","gm","hq","hqc","mallows_cp"),.by_equation=TRUE), weights=list(BIC=b, akaike_weights=compute_itcriteria_weights(b))), "selection")
