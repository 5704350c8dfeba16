# Moderation: seminr, cSEM, and regressions on fixed scores.
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
  grp <- read.csv(file.path(REF,"mobi_group.csv"))$group
  folds <- read.csv(file.path(REF,"mobi_folds10.csv"))
  q_split <- list(Quality=c("PERQ1","PERQ2","PERQ3"), rest=c("PERQ4","PERQ5","PERQ6","PERQ7"))
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

o <- list(versions=ver("cSEM","seminr"))
if (WHICH=="mobi") { X1 <- c("Quality","Value","Satisfaction"); X2 <- c("Image","Satisfaction","Loyalty"); QD <- c("Satisfaction","Loyalty"); idxf <- file.path(REF,"mobi_boot_indices_500x250_1based.csv") } else { X1 <- c("QUAL","VAL","SAT"); X2 <- c("IMAG","SAT","LOY"); QD <- c("SAT","LOY"); idxf <- file.path(HOLD,"satisfaction_boot_indices_300x250_1based.csv") }
terms <- list(interaction1=list(X1), interaction2=list(X2), quadratic=list(c(QD[1],QD[1],QD[2])), all=list(X1,X2,c(QD[1],QD[1],QD[2])))
o$call <- list(terms=lapply(terms, function(t) sapply(t, function(x) paste0(x[1]," x ",x[2]," -> ",x[3]))), note="structural model = the full model plus the named product terms; path scheme; seminr stopCriterion 14; cSEM tolerance 1e-13")
mm0 <- seminr_mm(sp); mmr <- seminr_mm(sp,"reflective")
mods <- list(two_stage=two_stage, product_indicator=product_indicator, orthogonal=orthogonal)
coreS <- function(x, ints) { nm <- colnames(x$path_coef); list(iterations=x$iterations, paths=x$path_coef, R2=x$rSquared, weights=x$outer_weights, loadings=x$outer_loadings, construct_score_sd=apply(x$construct_scores,2,sd), construct_cor=cor(x$construct_scores)) }
sem_int <- function(ts, meth, type) { mi <- do.call(constructs, c(list(), lapply(names(sp$blocks), function(b) if (type=="reflective") reflective(b, sp$blocks[[b]]) else composite(b, sp$blocks[[b]], weights=mode_A)), lapply(ts, function(t) interaction_term(iv=t[1], moderator=t[2], method=meth, weights=mode_A))))
  si <- do.call(relationships, c(lapply(sp$inner, function(e) paths(from=e[1],to=e[2])), lapply(ts, function(t) paths(from=paste0(t[1],"*",t[2]), to=t[3])))); est_sem(d, mi, si) }
for (k in names(terms)) for (m in names(mods)) { o$seminr[[k]][[paste0(m,"_modeA")]] <- tr(coreS(sem_int(terms[[k]], mods[[m]], "modeA"))); if (m!="orthogonal"||TRUE) o$seminr[[k]][[paste0(m,"_plsc")]] <- tr(coreS(sem_int(terms[[k]], mods[[m]], "reflective"))) }
cs_model <- function(ts) { inn <- c(sp$inner, lapply(ts, function(t) c(paste0(t[1],".",t[2]), t[3]))); paste(c(meas_lines(sp$blocks), inner_lines(inn)), collapse="\n") }
for (k in names(terms)) for (z in c(modeA=FALSE, plsc=TRUE)) o$csem[[k]][[if (z) "plsc" else "modeA"]] <- tr({ x <- cs_fit(d, cs_model(terms[[k]]), z); e <- x$Estimates; list(model=cs_model(terms[[k]]), paths=e$Path_estimates, R2=e$R2, R2adj=e$R2adj, VIF=e$VIF, weights=e$Weight_estimates, loadings=e$Loading_estimates, Q=e$Reliabilities, verify=as.list(setNames(as.vector(unclass(verify(x))), names(verify(x)))), scores_head=x$Estimates$Construct_scores[1:5,]) })
for (k in names(terms)) o$csem[[k]]$plsc_normality <- tr({ x <- cs_fit(d, cs_model(terms[[k]]), TRUE, .normality=TRUE); list(paths=x$Estimates$Path_estimates, R2=x$Estimates$R2) })
## stage-1 scores and my own second stage (fixed scores)
m1 <- est_sem(d, mm0, seminr_sm(sp)); H <- m1$construct_scores; save_csv(H, "stage1_scores_modeA")
ols <- function(y, X) { X1 <- cbind(`(intercept)`=1,X); b <- solve(crossprod(X1), crossprod(X1,y)); r <- y - X1%*%b; n <- length(y); V <- solve(crossprod(X1))*sum(r^2)/(n-ncol(X1)); list(coef=setNames(as.vector(b),colnames(X1)), se_ols=setNames(sqrt(diag(V)),colnames(X1)), vcov=V, R2=1-sum(r^2)/sum((y-mean(y))^2)) }
own <- function(ts) { eqs <- unique(sapply(ts,`[`,3)); lapply(setNames(eqs,eqs), function(tg) { pre <- sapply(Filter(function(e) e[2]==tg, sp$inner),`[`,1); X <- H[,pre,drop=FALSE]; base <- ols(H[,tg],X)$R2
  raw <- X; st <- X; for (t in Filter(function(t) t[3]==tg, ts)) { p <- H[,t[1]]*H[,t[2]]; raw <- cbind(raw, p); st <- cbind(st, scale(p)); colnames(raw)[ncol(raw)] <- colnames(st)[ncol(st)] <- paste0(t[1],"*",t[2]) }
  a <- ols(H[,tg],raw); b <- ols(H[,tg],st); t <- Filter(function(t) t[3]==tg, ts)[[1]]; nm <- paste0(t[1],"*",t[2])
  slope <- function(z) if (t[1]==t[2]) a$coef[t[1]]+2*a$coef[nm]*z else a$coef[t[1]]+a$coef[nm]*z
  se_s <- function(z) { w <- if (t[1]==t[2]) 2*z else z; V <- a$vcov; sqrt(V[t[1],t[1]]+w^2*V[nm,nm]+2*w*V[t[1],nm]) }
  list(unstandardised_product=a, standardised_product=b[c("coef","se_ols","R2")], R2_without=base, f2_of_first_term=(a$R2-base)/(1-a$R2), simple_slopes_first_term=list(at=c(-1,0,1), slope=as.vector(sapply(c(-1,0,1),slope)), se_ols=as.vector(sapply(c(-1,0,1),se_s)))) }) }
o$own_two_stage_fixed_scores <- c(list(note="my arithmetic: stage-1 scores of the model WITHOUT product terms (mode A, path scheme, sd n-1 = 1, file stage1_scores_modeA), product of the two standardised scores not centred, OLS with intercept; unstandardised_product: regressor = product itself; standardised_product: product scaled to mean 0, sd 1. Nothing is re-estimated. Simple slope = b_iv + b_int * z (quadratic: b + 2 b2 z)"), lapply(terms, own))
## bootstrap by saved rows, first interaction, cSEM mode A and seminr two-stage: slopes
idx <- as.matrix(read.csv(idxf, header=FALSE)); R <- min(300, nrow(idx)); idx <- idx[1:R,]
mod <- cs_model(terms$interaction1); tn <- paste0(X1[1],".",X1[2])
Bc <- t(sapply(1:R, function(r) { p <- csem(d[idx[r,],], mod, .disattenuate=FALSE, .tolerance=1e-12, .iter_max=3000)$Estimates$Path_estimates[X1[3],]; p[c(X1[1],X1[2],tn)] })); orig <- o$csem$interaction1$modeA$paths[X1[3],c(X1[1],X1[2],tn)]
fl <- function(B, orig, zs) { s <- lapply(zs, function(z) B[,1]+B[,3]*z); list(z=zs, slope=orig[1]+orig[3]*zs, lb=sapply(s,quantile,.025,names=FALSE), ub=sapply(s,quantile,.975,names=FALSE), sd=sapply(s,sd)) }
save_csv(Bc, "moderation_boot_csem_interaction1")
o$bootstrap_csem_interaction1 <- list(note=paste("rows 1 to",R,"of the saved bootstrap indices; percentile type 7 (floodlight of doNonlinearEffectsAnalysis = same formula)"), mean=colMeans(Bc), sd=apply(Bc,2,sd), q025=apply(Bc,2,quantile,.025,names=FALSE), q975=apply(Bc,2,quantile,.975,names=FALSE), slopes=fl(Bc,orig,c(-2,-1,0,1,2)))
tS <- paste0(X1[1],"*",X1[2]); bootS <- function(r) { mi <- do.call(constructs, c(lapply(names(sp$blocks), function(b) composite(b, sp$blocks[[b]], weights=mode_A)), list(interaction_term(iv=X1[1], moderator=X1[2], method=two_stage)))); si <- do.call(relationships, c(lapply(sp$inner, function(e) paths(from=e[1],to=e[2])), list(paths(from=tS,to=X1[3])))); suppressMessages(estimate_pls(d[idx[r,],],mi,si,stopCriterion=12,maxIt=3000))$path_coef[c(X1[1],X1[2],tS),X1[3]] }
Bs <- t(sapply(1:R, bootS)); save_csv(Bs, "moderation_boot_seminr_two_stage_interaction1"); os <- o$seminr$interaction1$two_stage_modeA$paths[c(X1[1],X1[2],tS),X1[3]]
o$bootstrap_seminr_interaction1 <- list(mean=colMeans(Bs), sd=apply(Bs,2,sd), q025=apply(Bs,2,quantile,.025,names=FALSE), q975=apply(Bs,2,quantile,.975,names=FALSE), slopes=fl(Bs,os,c(-2,-1,0,1,2)))
o$conventions <- list(seminr_two_stage="stage 1: model without product terms; product of standardised scores becomes ONE indicator; then the WHOLE PLS model is re-estimated with the product construct in the inner model (weights of all constructs change); the product score is finally multiplied by sd(product indicator) (adjust_interaction, Henseler & Chin 2010), so the coefficient is per unit of the unstandardised product but of the centred one; R2 not affected", seminr_product_indicator="indicator products of standardised items (all pairs), mode A block, re-estimated; scores rescaled by a loading-weighted mean of the products' sd", seminr_orthogonal="as product_indicator, each product replaced by the residual of its regression on all items of both blocks", csem="weights estimated with the product terms left out of the inner model (linear part only), then path coefficients from moments of products of scores (Dijkstra & Schermelleh-Engel 2014); with .disattenuate=FALSE all Q=1. Product = product of standardised scores, not rescaled. Covariances are 1/n means of scores whose variance is 1 with n-1, variances of single terms set to 1, so mode A differs from OLS on the same scores by order 1/n")
save_json(o,"moderation"); report_errors(o)
