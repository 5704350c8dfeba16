# What the scripts by cSEM and seminr share: libraries, files written, the ECSI model, its data.
# Each begins with source("common_sem.R"); run them in this folder.
suppressMessages(suppressWarnings({library(jsonlite); library(cSEM); library(seminr)}))
REF <- ".."
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
sp <- list(name="mobi", blocks=list(Image=paste0("IMAG",1:5), Expectation=paste0("CUEX",1:3), Quality=paste0("PERQ",1:7), Value=paste0("PERV",1:2), Satisfaction=paste0("CUSA",1:3), Complaints="CUSCO", Loyalty=paste0("CUSL",1:3)),
   inner=list(c("Image","Expectation"),c("Image","Satisfaction"),c("Image","Loyalty"),c("Expectation","Quality"),c("Expectation","Value"),c("Expectation","Satisfaction"),c("Quality","Value"),c("Quality","Satisfaction"),c("Value","Satisfaction"),c("Satisfaction","Complaints"),c("Satisfaction","Loyalty"),c("Complaints","Loyalty")))
d <- read.csv(Sys.getenv("MOBI", "../../../data/mobi.csv"))[, unlist(sp$blocks)]
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
