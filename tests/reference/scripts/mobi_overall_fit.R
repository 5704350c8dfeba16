# Test of overall fit on given resamples: cSEM.
source("common_sem.R")
R <- 499; SEED <- 7; o <- list(versions=ver("cSEM"))
set.seed(SEED); I <- t(replicate(R, sample(1:N, replace=TRUE))); save_int(I,"overall_fit_rows")
models <- list(composite_modeA=list(lav_syntax(sp,"<~"),FALSE,"modeA"), composite_modeB=list(lav_syntax(sp,"<~"),FALSE,"modeB"), factor_modeA_uncorrected=list(lav_syntax(sp,"=~"),FALSE,NULL), factor_plsc=list(lav_syntax(sp,"=~"),TRUE,NULL))
o$call <- list(note="cSEM testOMF: X* = X_std S^(-1/2) Sigma^(1/2) (symmetric roots), rows resampled by omf_boot_indices, the model refitted, statistics on the refit; estimated: structural model imposed; saturated: constructs freely correlated. dG, SRMR, dL (= d_ULS), dML; q type 7; p = mean(boot >= stat). handle_inadmissibles 'ignore' (PLSc refits may be inadmissible)", R=R, seed=SEED)
qs <- c(.5,.9,.95,.975,.99)
for (k in names(models)) for (sat in c(FALSE,TRUE)) { m <- models[[k]]; key <- paste0(k, if (sat) "_saturated" else "_estimated")
  o[[key]] <- tr({ x <- if (is.null(m[[3]])) cs_fit(d,m[[1]],m[[2]]) else cs_fit(d,m[[1]],m[[2]],.PLS_modes=m[[3]]); ad <- sum(verify(x)); st <- c(dG=calculateDG(x,.saturated=sat),SRMR=calculateSRMR(x,.saturated=sat),dL=calculateDL(x,.saturated=sat),dML=calculateDML(x,.saturated=sat))
    S <- x$Estimates$Indicator_VCV; Sg <- fit(x,.saturated=sat,.type_vcv="indicator"); out <- list(statistic=st, model_implied=Sg, inadmissible_codes=ad)
    if (min(eigen(Sg,symmetric=TRUE)$values) > 0) { Xt <- x$Information$Data %*% solve(expm::sqrtm(S)) %*% expm::sqrtm(Sg); colnames(Xt) <- colnames(x$Information$Data)
      B <- t(sapply(1:R, function(r) tryCatch({ z <- if (is.null(m[[3]])) csem(Xt[I[r,],],m[[1]],.disattenuate=m[[2]],.tolerance=1e-12,.iter_max=3000) else csem(Xt[I[r,],],m[[1]],.disattenuate=m[[2]],.PLS_modes=m[[3]],.tolerance=1e-12,.iter_max=3000); c(calculateDG(z,.saturated=sat),calculateSRMR(z,.saturated=sat),calculateDL(z,.saturated=sat),calculateDML(z,.saturated=sat), sum(verify(z))) }, error=function(e) rep(NA,5)))); colnames(B) <- c("dG","SRMR","dL","dML","inadmissible")
      save_csv(B, paste0("omf_boot_",key)); ok <- stats::complete.cases(B); out <- c(out, list(n_ok=sum(ok), n_inadmissible=sum(B[ok,5]>0), quantiles=list(probs=qs, values=apply(B[ok,1:4],2,quantile,qs,names=FALSE)), p_value=colMeans(sweep(B[ok,1:4,drop=FALSE],2,st,">=")))) } else out$note <- "implied matrix not positive definite: no bootstrap"
    out }); cat(key, format(Sys.time()), "\n") }
## cSEM's own function on the first model (same seed, same draws)
o$csem_testOMF_composite_modeA <- tr({ x <- cs_fit(d,models[[1]][[1]],FALSE,.PLS_modes="modeA"); t <- testOMF(x,.R=R,.seed=SEED,.alpha=c(.01,.05,.1),.handle_inadmissibles="ignore"); list(statistic=as.list(t$Test_statistic), critical=t$Critical_value) })
save_json(o,"overall_fit"); report_errors(o)
