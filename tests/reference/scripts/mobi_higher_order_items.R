# Constructs of constructs: seminr, repeated indicators, embedded and disjoint, cSEM.
source("common_sem.R")

o <- list(versions=ver("cSEM","seminr","matrixpls"))
HO <- "Quality"; A <- paste0("PERQ",1:3); B <- paste0("PERQ",4:7); inn <- sp$inner
LA <- "QA"; LB <- "QB"; loc <- setNames(list(A,B), c(LA,LB)); others <- sp$blocks[names(sp$blocks)!=HO]
ante <- sapply(Filter(function(e) e[2]==HO, inn),`[`,1); cons <- sapply(Filter(function(e) e[1]==HO, inn),`[`,2); rest <- Filter(function(e) e[1]!=HO && e[2]!=HO, inn)
o$call <- list(second_order=HO, first_order=loc, antecedents=ante, consequents=cons, scheme="path", tolerance="seminr 1e-14, cSEM 1e-13")
cS <- function(x) { s <- tr(summary(x)); list(iterations=x$iterations, paths=x$path_coef, R2=x$rSquared, weights=x$outer_weights, loadings=x$outer_loadings, reliability=tr(s$reliability), construct_cor=cor(x$construct_scores), first_stage=if (!is.null(x$first_stage_model)) list(paths=x$first_stage_model$path_coef, weights=x$first_stage_model$outer_weights, loadings=x$first_stage_model$outer_loadings, iterations=x$first_stage_model$iterations) else NULL) }
comp <- function(bl, mode=mode_A, refl=FALSE) lapply(names(bl), function(b) if (refl) reflective(b, bl[[b]]) else composite(b, bl[[b]], weights=mode))
rel <- function(ed) do.call(relationships, lapply(ed, function(e) paths(from=e[1],to=e[2])))
## 1 seminr disjoint two-stage
for (w in c("modeA","modeB")) o[[paste0("seminr_disjoint_two_stage_",w)]] <- tr(cS(est_sem(d, do.call(constructs, c(comp(others), comp(loc), list(higher_composite(HO, names(loc), method=two_stage, weights=if (w=="modeA") mode_A else mode_B)))), rel(inn))))
o$seminr_disjoint_two_stage_reflective_locs_plsc <- tr(cS(est_sem(d, do.call(constructs, c(comp(others,refl=TRUE), comp(loc,refl=TRUE), list(higher_composite(HO, names(loc), method=two_stage, weights=mode_A)))), rel(inn))))
## 2 repeated indicators (duplicated columns)
dup <- d[, c(A,B)]; names(dup) <- paste0(names(dup),"_r"); d2 <- cbind(d, dup)
rblocks <- c(others, loc, setNames(list(names(dup)), HO))
rep_fit <- function(hmode, direction, extended=FALSE, refl=FALSE) { ed <- c(rest, lapply(cons, function(k) c(HO,k)), if (direction=="formative") list(c(LA,HO),c(LB,HO)) else list(c(HO,LA),c(HO,LB)), if (extended) unlist(lapply(ante, function(a) list(c(a,LA),c(a,LB))),recursive=FALSE) else NULL, if (!extended) lapply(ante, function(a) c(a,HO)) else NULL)
  est_sem(d2, do.call(constructs, c(comp(others,refl=refl), comp(loc,refl=refl), list(composite(HO, names(dup), weights=if (hmode=="A") mode_A else mode_B)))), rel(ed)) }
o$repeated_indicators <- list(
  note="items of both first-order constructs repeated (suffix _r) as the block of the second-order construct; formative: LOC -> HOC paths; reflective: HOC -> LOC; the HOC is (nearly) fully explained by its LOCs in the formative model, so the antecedent's path is about 0; extended: antecedents point at the LOCs instead (Becker et al. 2012), total effect = sum of products",
  formative_modeA=tr(cS(rep_fit("A","formative"))), formative_modeB=tr(cS(rep_fit("B","formative"))), formative_modeA_extended=tr(cS(rep_fit("A","formative",TRUE))), formative_modeB_extended=tr(cS(rep_fit("B","formative",TRUE))), reflective_modeA=tr(cS(rep_fit("A","reflective"))), reflective_modeB=tr(cS(rep_fit("B","reflective"))))
for (k in c("formative_modeA_extended","formative_modeB_extended")) { P <- o$repeated_indicators[[k]]$paths; if (!is.null(P)) o$repeated_indicators[[paste0(k,"_antecedent_total_effect")]] <- setNames(lapply(ante, function(a) P[a,LA]*P[LA,HO]+P[a,LB]*P[LB,HO]), ante) }
## 3 embedded two-stage: scores of stage 1 = repeated indicators; stage 2: LOC scores as indicators of HOC, items of the others kept, or scores of all as single indicators
emb <- function(stage1, hmode, fixed) { S <- stage1$construct_scores; if (fixed) { dd <- as.data.frame(S[, c(names(others),LA,LB)]); names(dd) <- paste0(names(dd),"_s"); bl <- setNames(as.list(paste0(names(others),"_s")), names(others)); mm <- do.call(constructs, c(lapply(names(bl), function(b) composite(b, single_item(bl[[b]]))), list(composite(HO, paste0(c(LA,LB),"_s"), weights=if (hmode=="A") mode_A else mode_B)))) } else { dd <- cbind(d, S[,c(LA,LB)]); mm <- do.call(constructs, c(comp(others), list(composite(HO, c(LA,LB), weights=if (hmode=="A") mode_A else mode_B)))) }
  est_sem(dd, mm, rel(inn)) }
o$embedded_two_stage <- list(note="stage 1: repeated indicators, formative direction, HOC mode A; stage 2 own composition with seminr: LOC scores (stage 1) are the indicators of the HOC; items_kept: other constructs keep their items and are re-estimated; all_scores: every other construct is its stage-1 score as a single indicator (Ringle et al. 2012; SmartPLS)")
s1 <- rep_fit("A","formative"); for (h in c("A","B")) for (f in c(FALSE,TRUE)) o$embedded_two_stage[[paste0(if (f) "all_scores" else "items_kept","_mode",h)]] <- tr(cS(emb(s1,h,f)))
o$disjoint_two_stage_all_scores <- list(note="stage 1: LOCs in place of the HOC (no HOC), stage 2: all scores as single indicators (Sarstedt et al. 2019 disjoint)"); dj <- est_sem(d, do.call(constructs, c(comp(others), comp(loc))), rel(c(rest, unlist(lapply(ante,function(a) list(c(a,LA),c(a,LB))),FALSE), unlist(lapply(cons,function(k) list(c(LA,k),c(LB,k))),FALSE)))); for (h in c("A","B")) o$disjoint_two_stage_all_scores[[paste0("mode",h)]] <- tr(cS(emb(dj,h,TRUE)))
o$disjoint_two_stage_all_scores$stage1 <- cS(dj)
## 4 cSEM second order: types of the HOC and LOCs
types <- list(composite_of_composites=c("<~","<~"), composite_of_factors=c("=~","<~"), factor_of_factors=c("=~","=~"), factor_of_composites=c("<~","=~"))
h2 <- function(x) { f <- x$First_stage; s <- x$Second_stage; v <- tr(verify(x)); list(first_stage=list(paths=f$Estimates$Path_estimates, weights=f$Estimates$Weight_estimates, loadings=f$Estimates$Loading_estimates, Q2=f$Estimates$Reliabilities, construct_vcv=f$Estimates$Construct_VCV, modes=as.list(f$Information$Weight_info$Modes), iterations=f$Information$Weight_info$Number_iterations), second_stage=list(paths=s$Estimates$Path_estimates, weights=s$Estimates$Weight_estimates, loadings=s$Estimates$Loading_estimates, Q2=s$Estimates$Reliabilities, construct_vcv=s$Estimates$Construct_VCV, R2=s$Estimates$R2, modes=as.list(s$Information$Weight_info$Modes)), verify=lapply(unclass(v), function(z) as.list(setNames(as.vector(unclass(z)),names(z))))) }
for (t in names(types)) for (ap in c("2stage","mixed")) for (z in c(FALSE,TRUE)) { if (z==FALSE && t!="composite_of_composites" && FALSE) next
  mod <- paste(c(meas_lines(others, types[[t]][1]), meas_lines(loc, types[[t]][1]), paste(HO, types[[t]][2], LA, "+", LB), inner_lines(inn)), collapse="\n")
  o$csem[[t]][[paste0(ap, if (z) "_disattenuate" else "")]] <- tr(c(list(model=mod), h2(csem(d, mod, .approach_2ndorder=ap, .disattenuate=z, .tolerance=1e-13, .iter_max=5000)))) }
o$conventions <- list(csem="'2stage': stage 1 has first-order constructs only, joined by... see first_stage$paths; 'mixed' (repeated indicators in stage 1, embedded). Stage 2 always uses scores as single indicators. Mode by type: <~ mode B, =~ mode A, in both stages (.PLS_modes NULL)", seminr="higher_composite(two_stage): disjoint stage 1 (LOCs take the HOC's place in the inner model), stage 2 re-estimates all others from their ITEMS; scores of single-stage sd 1")
save_json(o,"higher_order"); report_errors(o)
