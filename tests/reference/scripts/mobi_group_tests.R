# Groups of mobi: MICOM, permutations, omnibus distances, Sarstedt's F, formulas on saved bootstraps,
# seminr's PLS-MGA; then cSEM's testMGD on the same bootstraps. `mobi_group_tests.json` holds a part of
# the two files written; permutations are stored as digits, a row each.
source("common_sem.R")
grp <- read.csv(file.path(REF,"mobi_group.csv"))$group
R <- 499; SEED <- 42; o <- list(program="cSEM", versions=ver("cSEM"))
gl <- sort(unique(grp)); id0 <- match(grp, gl); ord <- order(id0); dl <- split(d, factor(grp, levels=gl)); pooled <- do.call(rbind, unname(dl)); id <- rep(1:2, sapply(dl,nrow))
stopifnot(all(pooled == d[ord,]))
op <- "<~"; model <- lav_syntax(sp, op); fitm <- function(l) cs_fit(l, model, FALSE, .PLS_modes="modeA")
o$call <- list(model=model, note=paste("composites (<~) with .PLS_modes='modeA' (same weights, paths as '=~' with .disattenuate=FALSE), path scheme, tolerance 1e-13; groups", paste(gl,collapse=","), "; permutation files: one row per permutation, one column per ORIGINAL data row, value = new group index (1 =", gl[1], ", 2 =", gl[2], ")"), R=R, seed=SEED)
mg <- fitm(dl); pool_fit <- fitm(pooled)
o$groups <- lapply(setNames(1:2, gl), function(k) core(mg[[k]])); o$pooled <- core(pool_fit)
## permutations: the very stream of testMICOM(.seed=SEED): R draws for step 2, then R draws for step 3
set.seed(SEED); P2 <- t(replicate(R, sample(id))); P3 <- t(replicate(R, sample(id)))
toorig <- function(P) { Q <- P; Q[, ord] <- P; Q }
save_int(toorig(P2), "perm_groups_step2_499"); save_int(toorig(P3), "perm_groups_step3_499")
W <- function(x) x$Estimates$Weight_estimates
Zraw <- as.matrix(pooled); Zstd <- scale(Zraw)
cstat <- function(w1,w2,Z) diag(cor(Z %*% t(w1), Z %*% t(w2)))
pc <- pool_fit$Estimates$Path_estimates!=0; pnm <- outer(rownames(pc), colnames(pc), function(a,b) paste0(a," ~ ",b))[pc]; pv <- function(x) setNames(x$Estimates$Path_estimates[pc], pnm)
cdist <- function(l, type) { f <- fit(l, .saturated=FALSE, .type_vcv=type); c(dG=cSEM:::calculateDistance(.matrices=f,.distance="geodesic"), dL=cSEM:::calculateDistance(.matrices=f,.distance="squared_euclidean")) }
obs <- list(c_std=cstat(W(mg[[1]]),W(mg[[2]]),Zstd), c_raw=cstat(W(mg[[1]]),W(mg[[2]]),Zraw), diff=pv(mg[[1]])-pv(mg[[2]]), dist_ind=cdist(mg,"indicator"), dist_con=cdist(mg,"construct"))
t0 <- Sys.time()
acc <- lapply(1:R, function(r) { l <- split(pooled, P2[r,]); m <- fitm(l); list(c_std=cstat(W(m[[1]]),W(m[[2]]),Zstd), c_raw=cstat(W(m[[1]]),W(m[[2]]),Zraw), p1=pv(m[[1]]), p2=pv(m[[2]]), dist_ind=cdist(m,"indicator"), dist_con=cdist(m,"construct")) })
cat("perm loop", format(Sys.time()-t0), "\n")
B <- function(k) do.call(rbind, lapply(acc, `[[`, k))
save_csv(cbind(B("c_std")), "micom_step2_perm_c_std"); save_csv(cbind(group1=B("p1")), "perm_paths_group1"); save_csv(cbind(B("p2")), "perm_paths_group2"); save_csv(cbind(B("dist_ind")), "perm_distance_indicator")
pl <- function(Bm, ob) colMeans(sweep(Bm,2,ob,"<=")); q <- function(Bm,p) apply(Bm,2,quantile,p,names=FALSE,type=7)
o$micom_step2 <- list(
  standardised_pooled=list(note="weights of each group applied to the pooled STANDARDISED items (Henseler, Ringle, Sarstedt 2016); p = share of permuted c <= c (cSEM); q05, q01 type 7", c=obs$c_std, p_value=pl(B("c_std"),obs$c_std), p_value_plus1=(colSums(sweep(B("c_std"),2,obs$c_std,"<="))+1)/(R+1), q05=q(B("c_std"),.05), q01=q(B("c_std"),.01), mean=colMeans(B("c_std"))),
  raw_pooled=list(note="same with pooled RAW items: what cSEM 0.6.1 and master of April 2026 compute, since processData() does not standardise", c=obs$c_raw, p_value=pl(B("c_raw"),obs$c_raw), q05=q(B("c_raw"),.05)))
## step 3: pooled scores, means and variances
H <- pool_fit$Estimates$Construct_scores; st3 <- function(lab) { a <- H[lab==1,,drop=FALSE]; b <- H[lab==2,,drop=FALSE]; list(mean=colMeans(a)-colMeans(b), logvar=log(apply(a,2,var))-log(apply(b,2,var)), vardiff=apply(a,2,var)-apply(b,2,var)) }
s0 <- st3(id); S3 <- lapply(1:R, function(r) st3(P3[r,])); b3 <- function(k) do.call(rbind, lapply(S3,`[[`,k))
two <- function(Bm,ob) { a <- abs(ob); colMeans(sweep(Bm,2,a,">")) + colMeans(sweep(Bm,2,-a,"<")) }
o$micom_step3 <- lapply(c(mean="mean",logvar="logvar",vardiff="vardiff"), function(k) list(statistic=s0[[k]], p_value=two(b3(k),s0[[k]]), p_ties_counted=colMeans(sweep(abs(b3(k)),2,abs(s0[[k]])-1e-10,">=")), p_ties_not_counted=colMeans(sweep(abs(b3(k)),2,abs(s0[[k]])+1e-10,">")), q025=q(b3(k),.025), q975=q(b3(k),.975)))
o$micom_step3$note <- "scores of the pooled model (standardised over all rows); group 1 minus group 2; variance (n-1); p two-sided: share of permuted > |stat| plus share < -|stat| (strict, cSEM: for a single-item construct exact ties are decided by rounding error, so use p_ties_counted/p_ties_not_counted, tolerance 1e-10)"
mi <- tr(testMICOM(mg, .R=R, .seed=SEED, .verbose=FALSE, .handle_inadmissibles="ignore"))
o$csem_testMICOM <- if (is.null(mi$error)) list(note="cSEM's own testMICOM with the same seed: step 2 equals raw_pooled above, step 3 equals micom_step3 (mean, logvar)", step2=mi$Step2[c("Test_statistic","P_value")], step3=mi$Step3, info=mi$Information) else mi
if (is.null(mi$error)) o$check_micom <- list(step2_c=max(abs(unlist(mi$Step2$Test_statistic)-obs$c_raw)), step2_perm=max(abs(do.call(rbind,lapply(mi$Step2$Bootstrap_values, function(x) x[[1]]))-B("c_raw"))), step3_mean_p=max(abs(unlist(mi$Step3$Mean$P_value)-two(b3("mean"),s0$mean))), step3_var_p=max(abs(unlist(mi$Step3$Var$P_value)-two(b3("logvar"),s0$logvar))))
print(o$check_micom)
## permutation MGA and distances
D <- B("p1")-B("p2")
o$permutation_mga <- list(note="raw data permuted (items re-standardised inside each permuted group by the program); difference group1 - group2; p_two_abs = mean(|D| >= |d|); p_upper = mean(D >= d), p_lower = mean(D <= d); plus1 = (count+1)/(R+1); q type 7", original_difference=obs$diff, p_two_abs=colMeans(sweep(abs(D),2,abs(obs$diff),">=")), p_two_abs_plus1=(colSums(sweep(abs(D),2,abs(obs$diff),">="))+1)/(R+1), p_upper=colMeans(sweep(D,2,obs$diff,">=")), p_lower=colMeans(sweep(D,2,obs$diff,"<=")), mean=colMeans(D), sd=apply(D,2,sd), q025=q(D,.025), q975=q(D,.975))
for (k in c("dist_ind","dist_con")) o[[paste0("omnibus_distance_",k)]] <- list(note="Klesel et al. 2019: dG = .5 sum log(eig)^2, dL = .5 sum (a-b)^2 between the groups' model-implied correlation matrices (indicator: composite-model implied item matrix; construct: implied construct matrix); raw data permuted; p = mean(perm >= obs)", statistic=obs[[k]], p_value=colMeans(sweep(B(k),2,obs[[k]],">=")), q95=q(B(k),.95))
## bootstrap with saved indices, statistics by cSEM's testMGD
set.seed(SEED+1); n1 <- nrow(dl[[1]]); n2 <- nrow(dl[[2]]); I1 <- matrix(sample.int(n1,n1*R,TRUE),R,n1); I2 <- matrix(sample.int(n2,n2*R,TRUE),R,n2)
save_int(I1,"boot_group1_indices"); save_int(I2,"boot_group2_indices")
wn <- do.call(rbind, lapply(names(sp$blocks), function(b) cbind(b, sp$blocks[[b]])))
vec <- function(x) list(path=pv(x), load=setNames(x$Estimates$Loading_estimates[wn], paste(wn[,1],"=~",wn[,2])), wt=setNames(x$Estimates$Weight_estimates[wn], paste(wn[,1],"<~",wn[,2])))
bt <- function(dat,I) { a <- lapply(1:R, function(r) vec(fitm(dat[I[r,],]))); list(path=do.call(rbind,lapply(a,`[[`,"path")), load=do.call(rbind,lapply(a,`[[`,"load")), wt=do.call(rbind,lapply(a,`[[`,"wt"))) }
b1 <- bt(dl[[1]],I1); b2 <- bt(dl[[2]],I2); cat("boot", format(Sys.time()-t0), "\n")
save_csv(b1$path,"boot_paths_group1"); save_csv(b2$path,"boot_paths_group2")
## Sarstedt: F on saved bootstrap paths with saved permutations of the 2R labels
set.seed(SEED+2); gid <- rep(1:2, each=R); PS <- t(replicate(R, sample(gid))); save_int(PS,"sarstedt_label_permutations")
all_c <- rbind(b1$path,b2$path); FR <- function(l) cSEM:::calculateFR(cbind(all_c, group_id=l)); F0 <- FR(gid); FB <- t(apply(PS,1,FR))
o$mgd_Sarstedt <- list(note="F_R of Sarstedt, Henseler, Ringle 2011 by cSEM's calculateFR over the 2R bootstrap path estimates (group 1 rows first); reference: labels permuted, saved; p = mean(perm >= F). cSEM's SS_between is NOT multiplied by n per group twice: sum over all 2R rows of (group mean - grand mean)^2 / (G-1); within / (N-G)", F=F0, p_value=colMeans(sweep(FB,2,F0,">=")), q95=q(FB,.95))
o$information_data_is_standardised <- max(abs(colMeans(mg[[1]]$Information$Data))) < 1e-10
## own formulas
s1 <- apply(b1$path,2,sd); s2 <- apply(b2$path,2,sd); df0 <- obs$diff
tk <- df0/(sqrt((n1-1)^2/(n1+n2-2)*s1^2+(n2-1)^2/(n1+n2-2)*s2^2)*sqrt(1/n1+1/n2)); tw <- df0/sqrt((n1-1)/n1*s1^2+(n2-1)/n2*s2^2)
dfw <- ((n1-1)/n1*s1^2+(n2-1)/n2*s2^2)^2/((n1-1)/n1^2*s1^4+(n2-1)/n2^2*s2^4)-2
cnt <- function(x,y) mean(outer(x,y,">"))
hen <- sapply(pnm, function(p) { c1 <- 2*mean(b1$path[,p])-b1$path[,p]; c2 <- 2*mean(b2$path[,p])-b2$path[,p]; 1-cnt(c1,c2) })
cen <- sapply(pnm, function(p) { c1 <- b1$path[,p]-mean(b1$path[,p])+pv(mg[[1]])[p]; c2 <- b2$path[,p]-mean(b2$path[,p])+pv(mg[[2]])[p]; mean((1+sign(outer(c2,c1,"-")))/2) }); names(cen) <- pnm
o$formulas_on_saved_bootstrap <- list(note="my arithmetic on the saved bootstrap paths: se with R-1; keil t, df n1+n2-2; welch (Nitzl) t, df; welch df not rounded here (cSEM rounds); Satterthwaite without -2 also given; henseler_reflected = 1 - mean over pairs [2*mean1-b1 > 2*mean2-b2] (Henseler 2009; P(group1 <= group2)); henseler_centred = cSEM (b - mean + estimate; P(group1<=group2))", n=c(n1,n2), se1=s1, se2=s2, keil_t=tk, keil_df=n1+n2-2, keil_p=2*pt(-abs(tk),n1+n2-2), welch_t=tw, welch_df=dfw, welch_p=2*pt(-abs(tw),dfw), welch_p_rounded_df=2*pt(-abs(tw),round(dfw)), satterthwaite_df=(s1^2+s2^2)^2/(s1^4/(n1-1)+s2^4/(n2-1)), simple_t=df0/sqrt(s1^2+s2^2), henseler_reflected=hen, henseler_centred=cen)
## seminr's MGA formula is in estimate_pls_mga (own draws)
sm_mga <- tr({ m <- est_sem(d, seminr_mm(sp), seminr_sm(sp)); set.seed(SEED); b <- suppressMessages(estimate_pls_mga(m, grp==gl[1], nboot=500, seed=123, cores=1)); as.data.frame(b) }); o$seminr_estimate_pls_mga <- sm_mga
save_json(o,"mga"); report_errors(o); cat(format(Sys.time()-t0),"\n")

# cSEM's testMGD on the SAVED bootstrap path estimates of 01_mga.R (run that first)
R <- 499; SEED <- 42; o <- list(versions=ver("cSEM"))
gl <- sort(unique(grp)); dl <- split(d, factor(grp, levels=gl)); model <- lav_syntax(sp,"<~"); mg <- cs_fit(dl, model, FALSE, .PLS_modes="modeA")
rs <- resamplecSEMResults(mg, .resample_method="bootstrap", .R=20, .seed=1, .handle_inadmissibles="ignore", .force=TRUE)
for (k in 1:2) { Ek <- rs[[k]]$Estimates$Estimates_resample$Estimates1; B <- as.matrix(read.csv(file.path(OUT,paste0(PFX,"_boot_paths_group",k,".csv")),check.names=FALSE))
  for (nm in names(Ek)) { r0 <- Ek[[nm]]$Resampled; if (is.null(r0)) next; Ek[[nm]]$Resampled <- if (nm=="Path_estimates") B[,colnames(r0)] else { z <- matrix(rep(Ek[[nm]]$Original,each=R),R); colnames(z) <- colnames(r0); z } }
  rs[[k]]$Estimates$Estimates_resample$Estimates1 <- Ek }
inner <- paste(inner_lines(sp$inner),collapse="\n")
go <- function(a, Rp=R) tr(suppressWarnings(testMGD(rs, .approach_mgd=a, .R_permutation=Rp, .seed=SEED, .verbose=FALSE, .handle_inadmissibles="ignore", .parameters_to_compare=inner)))
for (a in c("Henseler","Keil","Nitzl","CI_para","CI_overlap")) { m <- go(a); o[[a]] <- if (is.null(m$error)) m[[a]] else m }
for (a in c("Chin","Klesel")) { m <- go(a); o[[paste0(a,"_group_standardised_data")]] <- if (is.null(m$error)) m[[a]] else m; cat(a, format(Sys.time()), "\n") }
o$note <- "testMGD fed with the saved bootstrap paths (boot_paths_group1/2.csv). Chin and Klesel: cSEM stacks the data it stored per group, which are STANDARDISED WITHIN EACH GROUP, and permutes those rows (same label permutations as perm_groups_step2_499.csv); the file _mga.json permutes raw rows instead. Klesel here: estimated model, indicator-level implied matrix"
save_json(o,"mgd_csem"); report_errors(o)
