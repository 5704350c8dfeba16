# Test of overall fit on given resamples: cSEM.
suppressMessages(suppressWarnings({library(jsonlite); library(cSEM); library(seminr)}))
REF <- ".."
args <- commandArgs(TRUE); WHICH <- if (length(args)) args[1] else "mobi"
OUT <- ".."
PFX <- "mobi"
conv <- function(x) {
  if (is.null(x)) return(NULL)
  if (inherits(x,"lavaan.matrix")||inherits(x,"lavaan.matrix.symmetric")||inherits(x,"lavaan.vector")) x <- unclass(x)
  if (is.data.frame(x)) return(lapply(as.list(x), function(col) if (is.factor(col)) as.character(col) else unname(col)))
  if (is.matrix(x) || inherits(x,"table_output")) { x <- unclass(x); attr(x,"comment")<-NULL
     if (length(dim(x))==2) return(list(rows=rownames(x), cols=colnames(x), data=unname(matrix(as.vector(x),nrow(x),ncol(x))))) }
  if (is.list(x)) return(lapply(unclass(x), conv))
  if (is.function(x) || is.language(x)) return(NULL)
  if (is.factor(x)) return(as.character(x))
  if (is.atomic(x) && !is.null(names(x))) return(as.list(unclass(x)))
  if (is.atomic(x)) attributes(x) <- attributes(x)["dim"]
  x
}
save_json <- function(x, name) { f <- file.path(OUT, paste0(PFX,"_",name,".json")); writeLines(toJSON(conv(x), digits=I(17), auto_unbox=TRUE, na="null", null="null", matrix="rowmajor", pretty=1), f); cat("wrote", f, file.size(f), "\n") }
save_csv <- function(x, name, names=TRUE) { f <- file.path(OUT, paste0(PFX,"_",name,".csv")); write.table(format(as.data.frame(x), digits=15, trim=TRUE), f, sep=",", row.names=FALSE, col.names=names, quote=FALSE); cat("wrote", f, file.size(f), "\n") }
save_int <- function(x, name) { f <- file.path(OUT, paste0(PFX,"_",name,".csv")); write.table(x, f, sep=",", row.names=FALSE, col.names=FALSE); cat("wrote", f, file.size(f), "\n") }
tr <- function(expr) tryCatch(expr, error=function(e) list(error=conditionMessage(e)))
ver <- function(...) { p <- c(...); c(list(R=R.version.string), setNames(lapply(p, function(q) as.character(packageVersion(q))), p)) }
report_errors <- function(o, pre="") for (k in names(o)) if (is.list(o[[k]])) { if (!is.null(o[[k]]$error) && is.character(o[[k]]$error)) cat("ERROR", paste0(pre,k), o[[k]]$error, "\n") else if (nchar(pre)<60) report_errors(o[[k]], paste0(pre,k,"/")) }
if (WHICH=="mobi") {
  sp <- list(name="mobi", blocks=list(Image=paste0("IMAG",1:5), Expectation=paste0("CUEX",1:3), Quality=paste0("PERQ",1:7), Value=paste0("PERV",1:2), Satisfaction=paste0("CUSA",1:3), Complaints="CUSCO", Loyalty=paste0("CUSL",1:3)),
   inner=list(c("Image","Expectation"),c("Image","Satisfaction"),c("Image","Loyalty"),c("Expectation","Quality"),c("Expectation","Value"),c("Expectation","Satisfaction"),c("Quality","Value"),c("Quality","Satisfaction"),c("Value","Satisfaction"),c("Satisfaction","Complaints"),c("Satisfaction","Loyalty"),c("Complaints","Loyalty")))
  d <- read.csv(Sys.getenv("MOBI", "../../../data/mobi.csv"))[, unlist(sp$blocks)]
}
rownames(d) <- NULL
N <- nrow(d)
endo_of <- function(sp) unique(sapply(sp$inner, `[`, 2))
inner_lines <- function(inner) sapply(unique(sapply(inner,`[`,2)), function(t) paste(t,"~",paste(sapply(Filter(function(e) e[2]==t, inner),`[`,1),collapse=" + ")))
meas_lines <- function(blocks, op="=~") sapply(names(blocks), function(b) paste(b, op, paste(blocks[[b]], collapse=" + ")))
lav_syntax <- function(sp, op="=~") paste(c(meas_lines(sp$blocks,op), inner_lines(sp$inner)), collapse="\n")
seminr_mm <- function(sp, type="modeA") { cs <- lapply(names(sp$blocks), function(b) if (type=="reflective") seminr::reflective(b, sp$blocks[[b]]) else seminr::composite(b, sp$blocks[[b]], weights=if (type=="modeB") mode_B else mode_A)); do.call(seminr::constructs, cs) }
seminr_sm <- function(sp) do.call(seminr::relationships, lapply(sp$inner, function(e) seminr::paths(from=e[1], to=e[2])))
est_sem <- function(dat, mm, sm, ...) suppressMessages(estimate_pls(dat, mm, sm, stopCriterion=14, maxIt=3000, ...))
cs_fit <- function(dat, model, plsc=FALSE, ...) csem(dat, model, .disattenuate=plsc, .tolerance=1e-13, .iter_max=5000, ...)
core <- function(x) { e <- x$Estimates; list(paths=e$Path_estimates, weights=e$Weight_estimates, loadings=e$Loading_estimates, R2=e$R2, R2adj=e$R2adj, construct_vcv=e$Construct_VCV, proxy_vcv=e$Proxy_VCV, reliabilities_Q2=e$Reliabilities, verify=as.list(setNames(as.vector(unclass(verify(x))), names(verify(x))))) }
R <- 499; SEED <- 7; o <- list(versions=ver("cSEM"))
set.seed(SEED); I <- t(replicate(R, sample(1:N, replace=TRUE))); save_int(I,"overall_fit_rows")
models <- list(composite_modeA=list(lav_syntax(sp,"<~"),FALSE,"modeA"), composite_modeB=list(lav_syntax(sp,"<~"),FALSE,"modeB"), factor_modeA_uncorrected=list(lav_syntax(sp,"=~"),FALSE,NULL), factor_plsc=list(lav_syntax(sp,"=~"),TRUE,NULL))
o$call <- list(note="cSEM testOMF: X* = X_std S^(-1/2) Sigma^(1/2) (symmetric roots), rows resampled by omf_boot_indices, the model refitted, statistics on the refit; estimated: structural model imposed; saturated: constructs freely correlated. dG, SRMR, dL (= d_ULS), dML; q type 7; p = mean(boot >= stat). handle_inadmissibles 'ignore' (PLSc refits may be inadmissible)", R=R, seed=SEED)
qs <- c(.5,.9,.95,.975,.99)
for (k in names(models)) for (sat in c(FALSE,TRUE)) { m <- models[[k]]; key <- paste0(k, if (sat) "_saturated" else "_estimated")
  o[[key]] <- tr({ x <- if (is.null(m[[3]])) cs_fit(d,m[[1]],m[[2]]) else cs_fit(d,m[[1]],m[[2]],.PLS_modes=m[[3]]); ad <- sum(verify(x)); st <- c(dG=calculateDG(x,.saturated=sat),SRMR=calculateSRMR(x,.saturated=sat),dL=calculateDL(x,.saturated=sat),dML=calculateDML(x,.saturated=sat))
    S <- x$Estimates$Indicator_VCV; Sg <- fit(x,.saturated=sat,.type_vcv="indicator"); out <- list(statistic=st, model_implied=Sg, inadmissible_codes=ad)
    if (min(eigen(Sg,symmetric=TRUE)$values) > 0 && !(k=="factor_plsc" && WHICH=="mobi" && !sat && FALSE)) { Xt <- x$Information$Data %*% solve(expm::sqrtm(S)) %*% expm::sqrtm(Sg); colnames(Xt) <- colnames(x$Information$Data)
      B <- t(sapply(1:R, function(r) tryCatch({ z <- if (is.null(m[[3]])) csem(Xt[I[r,],],m[[1]],.disattenuate=m[[2]],.tolerance=1e-12,.iter_max=3000) else csem(Xt[I[r,],],m[[1]],.disattenuate=m[[2]],.PLS_modes=m[[3]],.tolerance=1e-12,.iter_max=3000); c(calculateDG(z,.saturated=sat),calculateSRMR(z,.saturated=sat),calculateDL(z,.saturated=sat),calculateDML(z,.saturated=sat), sum(verify(z))) }, error=function(e) rep(NA,5)))); colnames(B) <- c("dG","SRMR","dL","dML","inadmissible")
      save_csv(B, paste0("omf_boot_",key)); ok <- stats::complete.cases(B); out <- c(out, list(n_ok=sum(ok), n_inadmissible=sum(B[ok,5]>0), quantiles=list(probs=qs, values=apply(B[ok,1:4],2,quantile,qs,names=FALSE)), p_value=colMeans(sweep(B[ok,1:4,drop=FALSE],2,st,">=")))) } else out$note <- "implied matrix not positive definite: no bootstrap"
    out }); cat(key, format(Sys.time()), "\n") }
## cSEM's own function on the first model (same seed, same draws)
o$csem_testOMF_composite_modeA <- tr({ x <- cs_fit(d,models[[1]][[1]],FALSE,.PLS_modes="modeA"); t <- testOMF(x,.R=R,.seed=SEED,.alpha=c(.01,.05,.1),.handle_inadmissibles="ignore"); list(statistic=as.list(t$Test_statistic), critical=t$Critical_value) })
save_json(o,"overall_fit"); report_errors(o)
